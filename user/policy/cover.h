/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Concrete connections that cover all that a policy can decide: for each row, service class and
 * family in which it occurs, one that gets this cell.  Pure: who tries them is the caller's.
 */
#ifndef POLICY_COVER_H
#define POLICY_COVER_H

#include "policy/compile.h"
#include "policy/service_class.h"

/* A connection, and what the tables say of it. */
struct cover_case {
	struct bh_addr src, dst;
	struct service_number service;
	uint32_t cell;
	size_t expect; /* index into policy.expects for which it stands, or POLICY_NONE */
	bool is_v6;
};

struct cover {
	VEC(struct cover_case) cases;
	size_t unasked;  /* cells that no packet asks for: built-in rules judge it, or parsing */
	size_t left_out; /* cells beyond the limit */
};

/*
 * The expects first, in their order, then every row; at most @limit cases.  What an expect spans in
 * vain is counted with its rows.  Rows that only an address with itself, loopback or multicast
 * addresses have are passed over.
 */
void cover_make(const struct compiled *c, size_t limit, struct cover *ret);
void cover_release(struct cover *cover);
#define _cover_ _cleanup_(cover_release)

/* What somebody made of a case's first packet. */
struct cover_answer {
	bool is_passed;
	bool is_reported; /* though it passed */
	uint32_t rule;
};

/* Whether that is what the tables say. */
bool cover_agrees(const struct cover_case *k, const struct cover_answer *answer);

#endif
