/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Large policies as texts, for the benchmarks. */
#ifndef BENCH_BENCH_POLICY_H
#define BENCH_BENCH_POLICY_H

#include <stdint.h>

#include "policy/model.h"

#define BENCH_ZONES 10

/* Rules lead from a workload to a workload, for one port each. */
struct bench_shape {
	uint32_t workloads;
	uint32_t rules;
	uint32_t ports;
};

/* What a rule between pods names at its ends. */
enum bench_end {
	BENCH_APP,  /* one label set */
	BENCH_TIER, /* every tenth */
};

#define BENCH_TIERS 10

/* Pods with one address each; a label set is an app of a tier. */
struct bench_pods {
	uint32_t pods;
	uint32_t sets;
	uint32_t rules;
	uint32_t ports;
	enum bench_end from, to;
	bool is_same; /* all rules are alike */
};

/* What a rule of struct bench_pods says; rules are numbered. */
struct bench_rule {
	uint32_t from, to; /* an app or a tier */
	uint32_t port;
};

struct bench_rule bench_pods_rule(const struct bench_pods *b, uint32_t number);

/* Read from their texts; what is wrong with them ends the process. */
struct policy *bench_policy(const struct bench_shape *s);
struct policy *bench_pods_policy(const struct bench_pods *b);

/* One rule gets the service of another one. */
void bench_change_rule(struct policy *p);

#endif
