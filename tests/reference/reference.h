/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The reference evaluator: what a policy says of one connection, read straight off its rules.  It
 * shares no code with the compiler, and is written to be obviously right, not fast.
 */
#ifndef REFERENCE_REFERENCE_H
#define REFERENCE_REFERENCE_H

#include "policy/model.h"

struct reference_question {
	struct bh_addr src, dst; /* of one family */
	enum bh_service_table table;
	uint16_t number;
};

struct reference_answer {
	enum bh_verdict verdict;
	size_t rule; /* index into policy.rules, or POLICY_NONE for the default */
	bool log;
};

/* A policy, and the addresses of the machine that it is asked about. */
struct reference {
	const struct policy *policy;
	const struct bh_addr *hosts;
	size_t host_count;
};

struct reference_answer reference_decide(const struct reference *r,
					 const struct reference_question *q);

/* Whether a rule or promise is about this connection. */
bool reference_spans(const struct reference *r, const struct selector *from,
		     const struct selector *to, const services *s,
		     const struct reference_question *q);

#endif
