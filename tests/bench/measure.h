/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a packet of one kind costs above the no-op: rounds of no-op, ours and peers in turns. */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include "tests/bench/bed.h"
#include "tests/bench/results.h"

/* clang-format off */
#define BENCH_KINDS(X)                        \
	X(ESTABLISHED,  "established")        \
	X(NEW,          "new")                \
	X(NEW_UDP,      "new-udp")            \
	X(DENIED,       "denied")             \
	X(DENIED_EVENT, "denied-event")       \
	X(REVOKED,      "revoked")            \
	X(CHURN,        "churn")              \
	X(TRANSIT,      "transit")            \
	X(LOOKUP,       "lookup")

enum bench_kind {
#define X(id, word) BENCH_##id,
	BENCH_KINDS(X)
#undef X
	BENCH_KIND_COUNT
};
/* clang-format on */

/*
 * Revoked: a new generation comes before each packet of a flow.  Churn: established flows, while
 * addresses of others change a hundred times a second.  Transit: what a NIC receives for others'
 * addresses.  Lookup: the source's identity, and no more.
 */

/* Another's program: it gets the same packets; what it has to know of the policy is its owner's
 * business. */
struct peer {
	char *name;
	struct target target;
	struct target reply; /* what answers go through, at tc; fd -1: they don't */
	bool is_agent;       /* ours, of a running agent with the bed's policy and its own rate */
};

struct effort {
	uint32_t rounds;
	uint32_t packets; /* of a round */
	VEC(struct peer) peers;
};

/* The metric KIND-HOOK-FAMILY-SIZE. */
struct task {
	enum bench_kind kind;
	enum bench_hook hook;
	bool is_v6;
	const char *size;
	uint32_t flows; /* that exist; new and denied ones are always others */
	double goal;
};

/*
 * Adds the figure, or why there is none.  -EINTR if a signal came.  Denied packets are reported or
 * not as the bed's rate of events says; one must read them then: see consumer.h.
 */
int measure(struct bed *bed, const struct task *task, const struct effort *effort,
	    struct results *results);

/* The metric without a figure. */
void measure_not(const struct task *task, const char *why, struct results *results);

#endif
