/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What it takes until a rule that changed is live: compiling, and the way into the kernel.  Prints;
 * judges nothing.  Nothing is pinned or attached.
 */
#include <stdio.h>
#include <stdlib.h>

#include "datapath/datapath.h"
#include "policy/compile.h"
#include "tests/bench/bench_policy.h"
#include "tests/bench/cost.h"

#define WARM_RUNS 4 /* both slots, and what is done once */
#define RUNS      21

static const char *const stages[SWAP_STAGES] = {
	/* clang-format off */
	[SWAP_CHECK]    = "check",
	[SWAP_COUNTS]   = "clear counts",
	[SWAP_PREFIXES] = "prefixes",
	[SWAP_TABLES]   = "tables",
	[SWAP_FLIP]     = "flip, grace",
	/* clang-format on */
};

struct run {
	struct cost compile, swap, idle, sum;
	struct cost stage[SWAP_STAGES];
};

/* One policy in force, the other one about to be. */
struct bench {
	struct datapath *dp;
	struct policy *policies[2];
	struct compiled *current;
};

static void quit(const char *why)
{
	fprintf(stderr, "swap_bench: %s\n", why);
	exit(EXIT_FAILURE);
}

static struct compiled *compile(const struct compiled *old, const struct policy *p)
{
	const struct environment env = {};
	_diags_ struct diags d = {};
	struct compiled *c = NULL;

	if (policy_recompile(old, p, &env, &d, &c))
		quit("the policy does not compile");
	return c;
}

static struct run change(struct bench *b, size_t i)
{
	_text_ struct text why = TEXT_INIT;
	struct datapath_swap swap;
	struct compiled *next;
	struct run run = {};
	struct cost start = cost_now();

	next = compile(b->current, b->policies[i % 2]);
	run.compile = cost_since(start);
	start = cost_now();
	if (datapath_swap_policy(b->dp, &next->image, &why, &swap))
		quit(why.buf);
	run.swap = cost_since(start);
	start = cost_now();
	while (datapath_tidy(b->dp) > 0)
		;
	run.idle = cost_since(start);
	for (size_t k = 0; k < SWAP_STAGES; k++)
		run.stage[k] = (struct cost){(double)swap.ns[k] / 1e6, 0};
	run.sum = (struct cost){run.compile.wall_ms + run.swap.wall_ms,
				run.compile.cpu_ms + run.swap.cpu_ms};
	compiled_free(b->current);
	b->current = next;
	return run;
}

/* The same member of all runs. */
#define MEDIAN(runs, member)                                                                       \
	({                                                                                         \
		struct cost costs[RUNS];                                                           \
		for (size_t k = 0; k < RUNS; k++)                                                  \
			costs[k] = (runs)[k].member;                                               \
		cost_median(costs, RUNS);                                                          \
	})

static void bench_swaps(struct datapath *dp, const struct bench_shape *s)
{
	struct bench b = {.dp = dp, .policies = {bench_policy(s), bench_policy(s)}};
	struct run runs[RUNS];

	printf("%u rules, %u workloads, %u services: one rule changed\n", s->rules, s->workloads,
	       s->ports);
	bench_change_rule(b.policies[1]);
	for (size_t i = 0; i < WARM_RUNS; i++)
		change(&b, i);
	for (size_t i = 0; i < RUNS; i++)
		runs[i] = change(&b, WARM_RUNS + i);
	cost_print("recompile", MEDIAN(runs, compile));
	cost_print("swap", MEDIAN(runs, swap));
	for (size_t i = 0; i < SWAP_STAGES; i++)
		printf("    %-42s %31.2f ms wall\n", stages[i], MEDIAN(runs, stage[i]).wall_ms);
	cost_print("recompiled and live", MEDIAN(runs, sum));
	cost_print("afterwards, when there is time", MEDIAN(runs, idle));
	compiled_free(b.current);
	policy_free(b.policies[0]);
	policy_free(b.policies[1]);
}

int main(void)
{
	static const struct bench_shape shapes[] = {
		{.workloads = 5000, .rules = 10000, .ports = 200},
		{.workloads = 5000, .rules = 100000, .ports = 200},
	};
	const struct datapath_config config = {.event_rate = 10};
	_text_ struct text why = TEXT_INIT;
	struct datapath *dp = NULL;

	if (datapath_open(&config, &why, &dp))
		quit(why.buf);
	printf("medians of %d, each by itself\n", RUNS);
	for (size_t i = 0; i < COUNT(shapes); i++)
		bench_swaps(dp, &shapes[i]);
	datapath_free(dp);
	return EXIT_SUCCESS;
}
