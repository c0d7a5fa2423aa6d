/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/bench/measure.h"

#include <errno.h>
#include <string.h>

#include "tests/bench/consumer.h"

#define FRESH_PORT    20000 /* and up: new flows of clients whose established ones are below */
#define FRESH_PORTS   45000
#define REVOKED_TURNS 5
#define EVENT_BURST   16384 /* packets: half of what finds room among events */
#define WAIT_US       50
#define WAITS         20000

/* A task on its way. */
struct course {
	struct bed *bed;
	const struct task *task;
	const struct effort *effort;
	struct consumer *consumer; /* NULL: events are limited to nearly none */
	uint64_t delivered;        /* before it began */
	struct shape_frame frame;
	struct burst burst;
	uint32_t turns; /* bursts in a round */
	const char *problem;
};

static const char *kind_word(enum bench_kind kind)
{
	static const char *const words[] = {
#define X(id, word) [BENCH_##id] = (word),
		BENCH_KINDS(X)
#undef X
	};

	return words[kind];
}

static enum shape_packet packet_of(enum bench_kind kind)
{
	switch (kind) {
	case BENCH_NEW:
		return SHAPE_SYN;
	case BENCH_DENIED:
	case BENCH_DENIED_EVENT:
		return SHAPE_DENIED;
	case BENCH_ESTABLISHED:
	case BENCH_REVOKED:
		break;
	}
	return SHAPE_ACK;
}

/* So many that one is forgotten when its turn comes again. */
static uint32_t fresh_flows(const struct shape *shape)
{
	uint64_t flows = (uint64_t)shape->addresses * FRESH_PORTS;

	return flows > UINT32_MAX ? 0 : (uint32_t)flows;
}

static void plan_course(struct course *c)
{
	const struct task *task = c->task;
	uint32_t flows = task->kind == BENCH_NEW ? fresh_flows(&c->bed->shape) : task->flows;

	c->burst = bed_burst(c->bed, packet_of(task->kind), task->is_v6, flows, &c->frame);
	if (task->kind == BENCH_NEW)
		c->burst.plan.port = c->burst.plan.first_port = FRESH_PORT;
	c->turns = 1;
	c->burst.packets = c->effort->packets > flows ? c->effort->packets : flows;
	if (task->kind == BENCH_NEW)
		c->burst.packets = c->effort->packets;
	if (task->kind == BENCH_REVOKED) {
		c->turns = REVOKED_TURNS;
		c->burst.packets = flows;
	} else if (task->kind == BENCH_DENIED_EVENT) {
		c->burst.packets = EVENT_BURST;
		c->turns = c->effort->packets / EVENT_BURST + 1;
	}
}

/* --- a round --- */

/* All events of the burst before have been read. */
static void wait_for_consumer(struct course *c)
{
	uint64_t lost;

	for (int i = 0; i < WAITS; i++) {
		uint64_t wanted = bed_delivered(c->bed, &lost) - c->delivered;

		if (consumer_count(c->consumer) >= wanted)
			return;
		usleep(WAIT_US);
	}
}

static int prepare(struct course *c)
{
	struct datapath_swap swap;

	if (c->consumer)
		wait_for_consumer(c);
	else
		bed_drain(c->bed);
	return c->task->kind == BENCH_REVOKED ? bed_swap(c->bed, &swap) : 0;
}

/* A program that does nothing needs nothing. */
static int run(struct course *c, const struct target *target, double *ret_ns)
{
	uint32_t turns = target->fd < 0 ? 1 : c->turns;
	double sum = 0;

	for (uint32_t i = 0; i < turns; i++) {
		double ns;
		int action, err = target->fd < 0 ? 0 : prepare(c);

		if (!err)
			err = wrapper_run(c->bed->wrapper, target, &c->burst, &ns, &action);
		if (err)
			return err;
		sum += ns;
	}
	*ret_ns = sum / turns;
	return 0;
}

/* Whether our program did with all packets what the metric says that it does. */
static int run_ours(struct course *c, double *ret_ns)
{
	const struct target ours = {c->task->hook, bed_program(c->bed, c->task->hook, false)};
	bool is_denied = packet_of(c->task->kind) == SHAPE_DENIED;
	uint64_t drops = bed_drops(c->bed), lost, lost_before;
	int err;

	bed_delivered(c->bed, &lost_before);
	err = run(c, &ours, ret_ns);
	if (err)
		return err;
	bed_delivered(c->bed, &lost);
	drops = bed_drops(c->bed) - drops;
	if (drops != (is_denied ? (uint64_t)c->burst.packets * c->turns : 0))
		c->problem = is_denied ? "not all packets were denied" : "packets were dropped";
	if (c->task->kind == BENCH_DENIED_EVENT && lost != lost_before)
		c->problem = "events were lost";
	return 0;
}

/* --- rounds --- */

struct rounds {
	samples noop, ours;
	VEC(samples) peers;
};

static void release_rounds(struct rounds *rounds)
{
	vec_release(&rounds->noop);
	vec_release(&rounds->ours);
	vec_foreach (peer, &rounds->peers)
		vec_release(peer);
	vec_release(&rounds->peers);
}

static int run_peers(struct course *c, double noop, struct rounds *rounds)
{
	for (size_t i = 0; i < c->effort->peers.count; i++) {
		const struct peer *peer = &c->effort->peers.items[i];
		double ns;
		int err;

		if (peer->target.hook != c->task->hook)
			continue;
		err = run(c, &peer->target, &ns);
		if (err)
			return err;
		vec_push(&rounds->peers.items[i], ns - noop);
	}
	return 0;
}

static int run_round(struct course *c, struct rounds *rounds)
{
	const struct target nothing = {c->task->hook, -1};
	double noop, ours;
	int err = run(c, &nothing, &noop);

	if (!err)
		err = run_ours(c, &ours);
	if (err)
		return err;
	vec_push(&rounds->noop, noop);
	vec_push(&rounds->ours, ours - noop);
	return run_peers(c, noop, rounds);
}

/* The first round is thrown away: it fills caches. */
static int run_rounds(struct course *c, struct rounds *rounds)
{
	for (size_t i = 0; i < c->effort->peers.count; i++)
		vec_push(&rounds->peers, (samples){});
	for (uint32_t i = 0; i <= c->effort->rounds && !c->problem; i++) {
		int err = run_round(c, rounds);

		if (err)
			return err;
		if (i)
			continue;
		rounds->noop.count = rounds->ours.count = 0;
		vec_foreach (peer, &rounds->peers)
			peer->count = 0;
	}
	return 0;
}

static void add_metric(struct course *c, struct rounds *rounds, struct results *results)
{
	const struct task *task = c->task;
	_text_ struct text name = TEXT_INIT, problem = TEXT_INIT;
	struct metric m = {.unit = "ns", .goal = task->goal};

	text_addf(&name, "%s-%s-%s-%s", kind_word(task->kind),
		  task->hook == BENCH_XDP ? "xdp" : "tc", task->is_v6 ? "v6" : "v4", task->size);
	m.name = text_take(&name);
	if (c->problem) {
		text_add(&problem, c->problem);
		m.problem = text_take(&problem);
	}
	m.figure = figure_of(&rounds->ours);
	m.noop = figure_of(&rounds->noop);
	for (size_t i = 0; i < rounds->peers.count; i++) {
		text_add(&name, c->effort->peers.items[i].name);
		if (rounds->peers.items[i].count)
			vec_push(&m.peers,
				 (struct peer_figure){text_take(&name),
						      figure_of(&rounds->peers.items[i])});
		text_reset(&name);
	}
	results_add(results, &m);
}

static bool needs_connections(enum bench_kind kind)
{
	return kind == BENCH_ESTABLISHED || kind == BENCH_REVOKED;
}

static int begin(struct course *c)
{
	const struct task *task = c->task;
	uint64_t lost;
	int err = 0;

	plan_course(c);
	if (needs_connections(task->kind))
		err = bed_establish(c->bed, task->hook, task->is_v6, task->flows);
	if (err == -ENOSPC) {
		c->problem = "the table does not hold so many connections";
		return 0;
	}
	c->delivered = bed_delivered(c->bed, &lost);
	if (!err && task->kind == BENCH_DENIED_EVENT)
		err = consumer_begin(c->bed, &c->consumer);
	return err;
}

int measure(struct bed *bed, const struct task *task, const struct effort *effort,
	    struct results *results)
{
	struct course c = {.bed = bed, .task = task, .effort = effort};
	struct rounds rounds = {};
	int err = begin(&c);

	if (!err)
		err = run_rounds(&c, &rounds);
	if (!err)
		add_metric(&c, &rounds, results);
	consumer_end(c.consumer);
	release_rounds(&rounds);
	return err;
}
