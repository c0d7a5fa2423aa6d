/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "lab/rounds.h"

#include <errno.h>
#include <sys/socket.h>

#include "lab/process.h"
#include "util/mem.h"

#define RETRIES             2
#define RETRY_TIMEOUT_TIMES 4 /* a slow machine must not look like a wrong verdict */

/* What a station still has to send, and what it is at. */
struct desk {
	VEC(uint32_t) due; /* indices of probes */
	size_t next;
	struct lab_batch batch; /* count 0: nothing under way */
};

struct round {
	const struct rounds *rounds;
	struct desk *desks; /* parallel to the stations */
	uint32_t timeout_ms;
	bool is_retry; /* an answer replaces the silence before it */
	size_t done, of;
};

static int send_batch(const struct round *round, size_t station)
{
	struct desk *desk = &round->desks[station];
	size_t left = desk->due.count - desk->next;

	desk->batch = (struct lab_batch){.timeout_ms = round->timeout_ms};
	desk->batch.count = left < LAB_BATCH ? left : LAB_BATCH;
	if (!desk->batch.count)
		return 0;
	for (uint32_t i = 0; i < desk->batch.count; i++)
		desk->batch.probe[i] = desk->due.items[desk->next++];
	if (send(round->rounds->spaces[station].control, &desk->batch, sizeof(desk->batch),
		 MSG_NOSIGNAL) != sizeof(desk->batch))
		return -EIO;
	return 0;
}

/* Of several repetitions the one that was not as expected is kept. */
static void note_outcome(const struct round *round, struct lab_probe *p, enum lab_outcome seen)
{
	if (round->is_retry || lab_probe_is_as_expected(p))
		p->seen = seen;
}

static int take_result(struct round *round, size_t station)
{
	struct desk *desk = &round->desks[station];
	struct lab_batch_result result;

	if (recv(round->rounds->spaces[station].control, &result, sizeof(result), 0) !=
		    sizeof(result) ||
	    result.count != desk->batch.count)
		return -EIO;
	for (uint32_t i = 0; i < result.count; i++)
		note_outcome(round, &round->rounds->plan->probes.items[desk->batch.probe[i]],
			     result.outcome[i]);
	round->done += result.count;
	return send_batch(round, station);
}

/* Until no station has anything under way. */
static int collect(struct round *round, struct pollfd *fds, size_t stations)
{
	const struct lab_view *view = round->rounds->view;

	while (round->done < round->of) {
		int err = process_poll(round->rounds->signals, fds, stations, -1);

		for (size_t i = 0; err >= 0 && i < stations; i++)
			if (fds[i].revents)
				err = take_result(round, i);
		if (err < 0)
			return err;
		view->progress(round->is_retry ? "asking again" : "probing", round->done, round->of,
			       view->user);
	}
	return 0;
}

static int run_round(struct round *round)
{
	size_t stations = round->rounds->plan->stations.count;
	_free_ struct pollfd *fds = xcalloc(stations, sizeof(*fds));
	int err = 0;

	for (size_t i = 0; i < stations; i++) {
		fds[i] = (struct pollfd){.fd = round->rounds->spaces[i].control, .events = POLLIN};
		round->of += round->desks[i].due.count;
	}
	for (size_t i = 0; !err && i < stations; i++)
		err = send_batch(round, i);
	return err ? err : collect(round, fds, stations);
}

/* Every probe, or those alone that should have been answered and were not. */
static int run_probes(const struct rounds *r, uint32_t timeout_ms, bool is_retry)
{
	size_t stations = r->plan->stations.count;
	_free_ struct desk *desks = xcalloc(stations, sizeof(*desks));
	struct round round = {
		.rounds = r, .desks = desks, .timeout_ms = timeout_ms, .is_retry = is_retry};
	int err;

	for (size_t i = 0; i < r->plan->probes.count; i++) {
		const struct lab_probe *p = &r->plan->probes.items[i];

		if (!is_retry || (lab_probe_expects_answer(p) && !lab_probe_is_as_expected(p)))
			vec_push(&desks[p->from].due, i);
	}
	err = run_round(&round);
	for (size_t i = 0; i < stations; i++)
		vec_release(&desks[i].due);
	return err;
}

int rounds_run(const struct rounds *r)
{
	int err = 0;

	/* The repetitions replace what is as expected, so they begin with that. */
	vec_foreach (p, &r->plan->probes)
		p->seen = lab_probe_expects_answer(p) ? LAB_ANSWERED : LAB_SILENT;
	for (uint32_t n = 0; !err && n < r->repetitions; n++) {
		err = run_probes(r, r->timeout_ms, false);
		for (uint32_t retry = 0; !err && retry < RETRIES; retry++)
			err = run_probes(r, r->timeout_ms * RETRY_TIMEOUT_TIMES, true);
	}
	return err;
}
