/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "cli/selftest.h"
#include "policy/compile.h"
#include "policy/load.h"

struct attempt {
	struct trial *trial;
	struct selftest *result;
	enum program kind; /* whose place was taken last */
	struct trial_place place;
	bool has_seen[PROGRAMS];
};

bool selftest_agrees(const struct hostile *packet, const struct trial_outcome *seen)
{
	return seen->is_passed == (packet->reason == BH_REASON_NONE) &&
	       seen->reason == packet->reason && seen->is_reported == !seen->is_passed;
}

/* What goes the other way passes there. */
static enum program opposite(enum program program)
{
	if (program == PROGRAM_FROM || program == PROGRAM_TO)
		return program == PROGRAM_FROM ? PROGRAM_TO : PROGRAM_FROM;
	return program == PROGRAM_HOST_OUT ? PROGRAM_XDP_IN : PROGRAM_HOST_OUT;
}

static enum end stand_of(const struct hostile *first, enum program program)
{
	if (first->stand)
		return first->stand;
	if (program_is_ingress(program))
		return first->packet.to ? first->packet.to : SERVER;
	return first->packet.from ? first->packet.from : CLIENT;
}

static int take_place(struct attempt *a, const struct hostile *first, enum program program)
{
	enum end stand = stand_of(first, program);
	const struct trial_place place = {
		.own = {end_addr(stand, false), end_addr(stand, true)},
		.link_local = end_addr(LINK_LOCAL, true),
		.host = {end_addr(NODE, false), end_addr(NODE, true)},
	};
	int err;

	if (program_is_host(a->kind) == program_is_host(program) &&
	    !memcmp(&a->place, &place, sizeof(place)))
		return 0;
	err = trial_stand(a->trial, program, &place);
	if (err)
		return err;
	a->kind = program;
	a->place = place;
	return 0;
}

/* The packet, and what it quotes, are of one family. */
static struct frame build(const struct hostile *h, bool is_v6)
{
	struct packet_spec packet = h->packet, quoted;

	packet.is_v6 = is_v6;
	if (packet.quoted) {
		quoted = *packet.quoted;
		quoted.is_v6 = is_v6;
		packet.quoted = &quoted;
	}
	return packet_build(&packet);
}

static void note(struct attempt *a, const struct selftest_finding *seen)
{
	struct selftest *r = a->result;

	r->runs++;
	r->hooks += !a->has_seen[seen->program];
	a->has_seen[seen->program] = true;
	if (!seen->seen.is_passed) {
		r->drops++;
		r->reasons[seen->seen.reason]++;
	}
	if (!selftest_agrees(seen->packet, &seen->seen))
		vec_push(&r->findings, *seen);
}

static bool is_of(const struct hostile *h, bool is_v6)
{
	return h->family == HOSTILE_BOTH || (h->family == HOSTILE_V6) == is_v6;
}

static int send_one(struct attempt *a, const struct hostile *h, bool is_v6, enum program program)
{
	struct selftest_finding seen = {.packet = h, .is_v6 = is_v6, .program = program};
	struct frame frame = build(h, is_v6);
	int err;

	if (!is_of(h, is_v6) || !trial_can_send(program, &frame))
		return 0;
	err = trial_send(a->trial, program, &frame, &seen.seen);
	if (err)
		return err;
	note(a, &seen);
	return 0;
}

/* One that comes first, and those after it. */
static int send_group(struct attempt *a, const struct hostile *group, size_t count, bool is_v6,
		      enum program program)
{
	int err = take_place(a, group, program);

	if (!err)
		err = trial_forget(a->trial);
	for (size_t i = 0; !err && i < count; i++)
		err = send_one(a, &group[i], is_v6,
			       group[i].order == HOSTILE_BACK ? opposite(program) : program);
	return err;
}

static int send_everywhere(struct attempt *a, const struct hostile *group, size_t count)
{
	int err = 0;

	for (int is_v6 = 0; is_v6 < 2; is_v6++) {
		if (!is_of(group, is_v6))
			continue;
		for (enum program program = 0; !err && program < PROGRAMS; program++) {
			if (group->programs & 1u << program)
				err = send_group(a, group, count, is_v6, program);
		}
		for (size_t i = 0; i < count; i++)
			a->result->packets += is_of(&group[i], is_v6);
	}
	return err;
}

static int send_all(struct attempt *a, const struct hostile *corpus, size_t count)
{
	int err = 0;

	for (size_t i = 0, n; !err && i < count; i += n) {
		for (n = 1; i + n < count && corpus[i + n].order != HOSTILE_ALONE;)
			n++;
		err = send_everywhere(a, &corpus[i], n);
	}
	return err;
}

static int compile(const char *document, struct diags *diags, struct policy **ret_policy,
		   struct compiled **ret)
{
	const struct bh_addr host[] = {end_addr(NODE, false), end_addr(NODE, true)};
	const struct environment env = {.host = host, .host_count = COUNT(host)};
	struct source source = source_of("selftest", document, strlen(document));
	int err = policy_load_sources(&source, 1, diags, ret_policy);

	return err ? err : policy_compile(*ret_policy, &env, diags, ret);
}

static int run_compiled(const struct compiled *compiled, const struct hostile *corpus, size_t count,
			struct text *reterr, struct selftest *result)
{
	struct attempt attempt = {.result = result, .kind = PROGRAMS};
	_trial_ struct trial *trial = NULL;
	_text_ struct text why = TEXT_INIT;
	int err = trial_new(&compiled->image, &why, &trial);

	attempt.trial = trial;
	if (!err)
		err = send_all(&attempt, corpus, count);
	if (!err)
		err = trial_read_books(trial, &result->books);
	if (err)
		return trial_explain(err, &why, reterr);
	trial_features(trial, &result->kernel);
	return 0;
}

int selftest_run(const struct hostile *corpus, size_t count, const char *policy,
		 struct text *reterr, struct selftest *ret)
{
	_policy_ struct policy *loaded = NULL;
	_compiled_ struct compiled *compiled = NULL;
	_selftest_ struct selftest result = {};
	_diags_ struct diags diags = {};
	int err = compile(policy, &diags, &loaded, &compiled);

	if (err) {
		text_add(reterr, "the policy cannot be compiled");
		return err;
	}
	err = run_compiled(compiled, corpus, count, reterr, &result);
	if (err)
		return err;
	*ret = result;
	result = (struct selftest){};
	return 0;
}

void selftest_release(struct selftest *test)
{
	vec_release(&test->findings);
}

struct books selftest_books(const struct selftest *test)
{
	struct books sum = {};

	for (size_t i = 0; i < BH_VERDICT_COUNT; i++) {
		sum.produced += test->books.of[i].produced;
		sum.delivered += test->books.of[i].delivered;
		sum.suppressed += test->books.of[i].suppressed;
		sum.lost += test->books.of[i].lost;
	}
	return sum;
}

uint64_t selftest_drops(const struct selftest *test)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < BH_REASON_COUNT; i++)
		sum += test->books.drops[i].packets;
	return sum;
}

bool selftest_is_balanced(const struct selftest *test)
{
	const struct books all = selftest_books(test);

	for (size_t i = 0; i < BH_VERDICT_COUNT; i++) {
		const struct books *b = &test->books.of[i];

		if (b->produced != b->delivered + b->suppressed + b->lost)
			return false;
	}
	for (size_t i = 0; i < BH_REASON_COUNT; i++) {
		if (test->books.drops[i].packets != test->reasons[i])
			return false;
	}
	return all.produced == test->drops && all.delivered == test->drops;
}

size_t selftest_findings(const struct selftest *test)
{
	return test->findings.count + !selftest_is_balanced(test);
}
