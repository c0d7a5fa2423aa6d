/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The reference evaluator: what a policy says of one connection, read straight off its rules.  It
 * shares no code with the compiler, and is written to be obviously right, not fast.
 */
#ifndef REFERENCE_REFERENCE_H
#define REFERENCE_REFERENCE_H

#include "policy/model.h"

/* A policy, and what it can't know of itself. */
struct reference {
	const struct policy *policy;
	const struct bh_addr *hosts; /* the addresses of the machine that it is asked about */
	size_t host_count;
	int64_t now;      /* seconds since 1970; 0: no rule has expired */
	bool looks_ahead; /* as a `never` does: no deny that expires, only allows that still hold */
};

struct reference_question {
	struct bh_addr src, dst; /* of one family */
	enum bh_service_table table;
	uint16_t number;
};

struct reference_answer {
	enum bh_verdict verdict;
	uint32_t
		rule; /* as in a cell: a built-in one, or BH_RULE_FIRST + index into policy.rules */
	bool log;
	bool tls;       /* the rule requires it, and an end enforces */
	bool is_denied; /* the policy denies, whatever the modes make of it */
};

struct reference_answer reference_decide(const struct reference *r,
					 const struct reference_question *q);

/* --- the same in parts, for who asks many questions of one policy --- */

/* Who an address is, and which rules are about it at either end. */
struct reference_end {
	struct bh_addr addr;
	size_t workload; /* indices, or POLICY_NONE */
	size_t group;
	size_t zone;
	enum mode mode;
	unsigned int isolated; /* SIDE_* */
	bool is_host;
	bool *is_from, *is_to; /* one a rule */
};

struct reference_service {
	enum bh_service_table table;
	uint16_t number;
	bool *is_meant; /* one a rule */
};

void reference_end_make(const struct reference *r, const struct bh_addr *a,
			struct reference_end *ret);
void reference_end_release(struct reference_end *end);

void reference_service_make(const struct reference *r, enum bh_service_table table, uint16_t number,
			    struct reference_service *ret);
void reference_service_release(struct reference_service *s);

struct reference_answer reference_answer_for(const struct reference *r,
					     const struct reference_end *src,
					     const struct reference_end *dst,
					     const struct reference_service *s);

bool reference_selects(const struct policy *p, const struct selector *s,
		       const struct reference_end *end);
bool reference_mentions(const services *s, enum bh_service_table table, uint16_t number);

/* The length of the longest of the prefixes that covers the address, or -1. */
int reference_longest(const placed_prefixes *prefixes, const struct bh_addr *a);

#endif
