/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/bench/scales.h"

#include <errno.h>

#include "tests/bench/agent_peer.h"
#include "util/mem.h"
#include "util/text.h"

#define EVENT_RATE_LEAST 1    /* a second: nearly all are suppressed */
#define FLOWS_TO_REVOKE  1000 /* fewer take no time that could be measured */

#define K(kind) (1u << BENCH_##kind)
#define ALL                                                                                        \
	(K(ESTABLISHED) | K(NEW) | K(NEW_UDP) | K(DENIED) | K(DENIED_EVENT) | K(REVOKED) |         \
	 K(CHURN) | K(TRANSIT) | K(LOOKUP))

/* One size of everything, or one size of one thing beside 10k of the others. */
struct scale {
	const char *size;
	struct shape shape; /* identities, addresses, rules */
	uint32_t flows;
	uint32_t kinds; /* K() */
	bool has_agent; /* a running one is measured beside */
	bool is_long;   /* only in the long run, and only IPv4 in XDP, but for lookups */
	double goals[BENCH_KIND_COUNT];
};

/* clang-format off */
#define GOALS {[BENCH_ESTABLISHED] = 20, [BENCH_NEW] = 120, [BENCH_DENIED] = 40, \
	       [BENCH_DENIED_EVENT] = 150, [BENCH_CHURN] = 40, \
	       [BENCH_LOOKUP] = 45}

static const struct scale scales[] = {
	{"10",             {     10,      10,     10, 0, 0, 0},      10, ALL, false, false, GOALS},
	{"10k",            {  10000,   10000,  10000, 0, 0, 0},   10000, ALL, true, false, GOALS},
	{"1-flow",         {  10000,   10000,  10000, 0, 0, 0},       1, K(ESTABLISHED), false, true, GOALS},
	{"100k-flows",     {  10000,   10000,  10000, 0, 0, 0},  100000, K(ESTABLISHED) | K(REVOKED), false, true,
		{[BENCH_ESTABLISHED] = 100}},
	{"1M-flows",       {  10000,   10000,  10000, 0, 0, 0}, 1000000, K(ESTABLISHED) | K(REVOKED), false, true,
		{[BENCH_ESTABLISHED] = 100}},
	{"10-rules",       {  10000,   10000,     10, 0, 0, 0},   10000, K(ESTABLISHED) | K(NEW) | K(DENIED), false, true, GOALS},
	{"100k-rules",     {  10000,   10000, 100000, 0, 0, 0},   10000, K(ESTABLISHED) | K(NEW) | K(DENIED), false, true,
		{[BENCH_ESTABLISHED] = 20, [BENCH_NEW] = 250, [BENCH_DENIED] = 40}},
	{"1M-decisions",   {  10000,   10000, 100000, 0, 5, 0},   10000, K(ESTABLISHED) | K(NEW), false, true,
		{[BENCH_ESTABLISHED] = 20, [BENCH_NEW] = 250}},
	{"10-identities",  {     10,      10,  10000, 0, 0, 0},   10000, K(ESTABLISHED) | K(NEW) | K(DENIED) | K(LOOKUP), false, true, GOALS},
	{"100k-addresses", {  10000,  100000,  10000, 0, 0, 0},   10000, K(ESTABLISHED) | K(NEW) | K(DENIED) | K(LOOKUP), false, true, GOALS},
	{"100k-cidrs",     {  10000,  100000,  10000, 0, 0, 4},   10000, K(NEW) | K(DENIED) | K(LOOKUP), false, true, GOALS},
	{"100k-cidrs",     {  10000,  100000,  10000, 0, 0, 6},   10000, K(NEW) | K(DENIED) | K(LOOKUP), false, true, GOALS},
	{"1M-cidrs",       {  10000, 1000000,  10000, 0, 0, 4}, 1000000, K(LOOKUP), false, true, {[BENCH_LOOKUP] = 60}},
	{"1M-cidrs",       {  10000, 1000000,  10000, 0, 0, 6}, 1000000, K(LOOKUP), false, true, {[BENCH_LOOKUP] = 60}},
	{"1M-identities",  {1000000, 1000000,  10000, 0, 0, 0},   10000, K(ESTABLISHED) | K(NEW) | K(DENIED) | K(LOOKUP), false, true,
		{[BENCH_ESTABLISHED] = 20, [BENCH_NEW] = 300}},
};
/* clang-format on */

static struct task task_of(const struct scale *scale, enum bench_kind kind, int variant)
{
	return (struct task){
		.kind = kind,
		.hook = variant & 1 ? BENCH_TC : BENCH_XDP,
		.is_v6 = variant >> 1,
		.size = scale->size,
		.flows = scale->flows,
		.goal = scale->goals[kind],
	};
}

/* The short run leaves out what differs least: both families take one way after parsing. */
static bool is_wanted(const struct scale *scale, const struct task *task, bool is_long)
{
	if (!(scale->kinds & 1u << task->kind))
		return false;
	if (task->kind == BENCH_REVOKED && scale->flows < FLOWS_TO_REVOKE)
		return false;
	if (scale->shape.cidrs_of)
		return task->hook == BENCH_XDP && task->is_v6 == (scale->shape.cidrs_of == 6);
	if (task->kind == BENCH_LOOKUP || task->kind == BENCH_TRANSIT)
		return task->hook == BENCH_XDP;
	if (scale->is_long)
		return !task->is_v6 && task->hook == BENCH_XDP;
	return is_long || !task->is_v6 || task->kind == BENCH_ESTABLISHED ||
	       task->kind == BENCH_NEW;
}

/* The kinds that are measured with, or without, every event. */
static int measure_kinds(struct bed *bed, const struct scale *scale, const struct effort *effort,
			 bool is_long, struct results *results)
{
	bool has_events = bed->event_rate == 0;

	for (int i = 0; i < BENCH_KIND_COUNT * 4; i++) {
		struct task task = task_of(scale, (enum bench_kind)(i / 4), i % 4);
		int err;

		if (!is_wanted(scale, &task, is_long) ||
		    (task.kind == BENCH_DENIED_EVENT) != has_events)
			continue;
		err = measure(bed, &task, effort, results);
		if (err)
			return err;
	}
	return 0;
}

static int measure_at(struct wrapper *w, const struct scale *scale, const struct effort *effort,
		      bool is_long, struct results *results)
{
	struct shape shape = scale->shape;
	uint64_t count = 0;
	int err = 0;

	shape.flows = scale->flows;
	for (int i = 0; !err && i < 2; i++) {
		uint32_t rate = i ? 0 : EVENT_RATE_LEAST;
		struct bed bed;

		if (!rate && !(scale->kinds & K(DENIED_EVENT)))
			continue;
		err = bed_open(w, &shape, rate, &bed);
		if (err)
			return err;
		if (rate)
			err = bed_listen(&bed, &count);
		if (!err)
			err = measure_kinds(&bed, scale, effort, is_long, results);
		bed_release(&bed);
	}
	return err;
}

static void tell_of_bound(const struct scale *scale, bool is_long, const char *bound,
			  struct results *results)
{
	for (int i = 0; i < BENCH_KIND_COUNT * 4; i++) {
		struct task task = task_of(scale, (enum bench_kind)(i / 4), i % 4);

		if (is_wanted(scale, &task, is_long))
			measure_not(&task, bound, results);
	}
}

static int measure_beside_agent(struct wrapper *w, const struct scale *scale, struct effort *effort,
				bool is_long, struct results *results)
{
	struct agent_peer agent;
	int err;

	agent_peer_begin(&scale->shape, effort, &agent);
	err = measure_at(w, scale, effort, is_long, results);
	agent_peer_end(&agent, effort);
	return err;
}

/* What so many identities make of it, in parts of what few do. */
static void add_ratio(const char *kind, double goal, struct results *results)
{
	_text_ struct text name = TEXT_INIT, few = TEXT_INIT, many = TEXT_INIT;
	const struct metric *base, *ours;
	struct metric m = {.unit = "x", .goal = goal};

	text_addf(&name, "%s-cost-1M-identities", kind);
	text_addf(&few, "%s-xdp-v4-10-identities", kind);
	text_addf(&many, "%s-xdp-v4-1M-identities", kind);
	base = results_find(results, few.buf);
	ours = results_find(results, many.buf);
	if (!base || !ours || base->problem || ours->problem) {
		m.problem = xstrdup("there is no figure of both");
	} else {
		m.figure.median = ours->figure.median / base->figure.median;
		m.figure.low = ours->figure.low / base->figure.high;
		m.figure.high = ours->figure.high / base->figure.low;
	}
	m.name = text_take(&name);
	results_add(results, &m);
}

int scales_measure(struct effort *effort, bool is_long, struct results *results)
{
	struct wrapper *w;
	int err = wrapper_open(&w);

	if (err)
		return err;
	for (size_t i = 0; !err && i < COUNT(scales); i++) {
		const struct scale *scale = &scales[i];

		if (scale->is_long && !is_long)
			continue;
		fprintf(stderr, "packets: %s\n", scale->size);
		if (scale->has_agent)
			err = measure_beside_agent(w, scale, effort, is_long, results);
		else
			err = measure_at(w, scale, effort, is_long, results);
		if (err == -E2BIG) {
			tell_of_bound(scale, is_long, "a slot holds fewer prefixes", results);
			err = 0;
		}
	}
	wrapper_free(w);
	if (!err && is_long) {
		add_ratio("established", 1.05, results);
		add_ratio("new", 2.5, results);
	}
	return err;
}
