/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is counted.  All per-CPU; programs write, the agent adds up. */
#ifndef BULKHEAD_COUNTERS_H
#define BULKHEAD_COUNTERS_H

#include <linux/types.h>

/* For each rule (bh_rule_counts): what it decided. */
struct bh_count {
	__u64 packets;
	__u64 bytes;
};

/* For each endpoint (bh_endpoint_counts), indexed by enum bh_direction. */
struct bh_endpoint_count {
	struct bh_count passed[2];
	struct bh_count dropped[2];
};

/*
 * The books of event reporting.  What became of an event is counted in one of three numbers and
 * nowhere else: how many there were is their sum, and so is how many packets were dropped, at any
 * moment and however few of the numbers a reader has caught up with.
 */
struct bh_tally {
	__u64 delivered;  /* left for the agent to read */
	__u64 suppressed; /* over the rate limit of its (source identity, rule, reason) */
	__u64 lost;       /* no room, as it had not read those before */
};

/*
 * Rules have theirs a page at a time: the kernel takes per-CPU memory, and reads it, value by
 * value.
 */
#define BH_RULE_PAGE 64

struct bh_count_page {
	struct bh_count of[BH_RULE_PAGE];
};

struct bh_tally_page {
	struct bh_tally of[BH_RULE_PAGE];
};

/*
 * Which rules of a page have places for their events, per CPU and one after the other: those that
 * decide what is reported.  What a rule allows is an event seldom (no room for its connection, say)
 * and is counted apart, by all CPUs at one place.
 */
struct bh_event_places {
	__u64 rules; /* bit n: the page's n-th has one */
	__u32 first; /* of these: its place, over both slots */
	__u32 pad;
};

/* For each verdict and reason (bh_books), at BH_ACCOUNT_AT(). */
struct bh_account {
	struct bh_tally events;
	__u64 bytes; /* of their packets */
};

#define BH_ACCOUNT_AT(verdict, reason) ((verdict)*BH_REASON_COUNT + (reason))
#define BH_ACCOUNTS                    (BH_VERDICT_COUNT * BH_REASON_COUNT)

/* Every packet with the verdict reject is in exactly one of these. */
struct bh_rejects {
	__u64 answered;
	__u64 suppressed; /* over the rate */
	__u64 silent;     /* what must not be answered, or could not be */
};

/*
 * A place of the rate limiter, in one word: from the top, whose it is (the high bits of a hash of
 * source identity, rule, endpoint, reason and verdict), when its present second began, in ticks,
 * and how many events it has had in that.
 */
#define BH_LIMITER_COUNT_BITS 20
#define BH_LIMITER_COUNT_MAX  ((1u << BH_LIMITER_COUNT_BITS) - 1)
#define BH_LIMITER_TICK_BITS  20
#define BH_LIMITER_TICK_MAX   ((1u << BH_LIMITER_TICK_BITS) - 1)
#define BH_LIMITER_TICK_SHIFT 26 /* a tick is 2^26 ns, 67 ms; they begin anew every 19 hours */
#define BH_LIMITER_TICKS      15 /* a second */
#define BH_LIMITER_KIND_SHIFT (BH_LIMITER_COUNT_BITS + BH_LIMITER_TICK_BITS)
#define BH_LIMITER_WAYS       8

struct bh_limiter_line {
	__u64 way[BH_LIMITER_WAYS];
};

_Static_assert(BH_RULE_PAGE == 64, "a page has a bit for each of its rules");
_Static_assert(sizeof(struct bh_event_places) == 16, "places have no holes");
_Static_assert(sizeof(struct bh_account) == 32, "an account has no holes");
_Static_assert(sizeof(struct bh_limiter_line) == 64, "a line of limiters is a cache line");

#endif
