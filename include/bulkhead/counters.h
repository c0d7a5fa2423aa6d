/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is counted.  All per-CPU; programs write, the agent adds up. */
#ifndef BULKHEAD_COUNTERS_H
#define BULKHEAD_COUNTERS_H

#include <linux/types.h>

/* For each reason (bh_drops), and each rule (bh_rule_counts). */
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
 * The books of event reporting, one set a verdict: every drop, audit and logged allow is in
 * `produced` and in exactly one of the other three.
 */
struct bh_books {
	__u64 produced;
	__u64 delivered;  /* put into the ring */
	__u64 suppressed; /* over the rate limit of its (source identity, rule, reason) */
	__u64 lost;       /* the ring was full */
};

/* Every packet with the verdict reject is in exactly one of these. */
struct bh_rejects {
	__u64 answered;
	__u64 suppressed; /* over the rate */
	__u64 silent;     /* what must not be answered, or could not be */
};

/* Key and value of the rate limiter. */
struct bh_limiter_key {
	__u32 src_identity;
	__u32 rule;
	__u8 reason;
	__u8 verdict;
	__u16 endpoint;
};

struct bh_limiter {
	__u64 window_ns; /* when the current second began */
	__u64 count;     /* events in it */
};

_Static_assert(sizeof(struct bh_books) == 32, "books");
_Static_assert(sizeof(struct bh_limiter_key) == 12, "limiter key has no holes");

#endif
