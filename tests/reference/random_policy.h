/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Random policies, and random questions that lie where policies have their edges. */
#ifndef REFERENCE_RANDOM_POLICY_H
#define REFERENCE_RANDOM_POLICY_H

#include "tests/reference/reference.h"

struct random_policy {
	uint64_t state; /* of the generator: the seed, at first */
	struct policy *policy;
	VEC(struct bh_addr) hosts;
	VEC(struct prefix) prefixes;     /* that the policy names */
	VEC(struct service_range) edges; /* that the policy names */
};

/* Whether a packet of the question's family is ever looked up like that. */
bool question_is_possible(const struct reference_question *q);

/* Every question that can have an answer of its own: where something begins, in each dimension. */
struct random_points {
	VEC(struct bh_addr) addresses;
	VEC(struct service_range) services; /* lo is the number */
};

void random_points_make(struct random_points *points, const struct random_policy *r);
void random_points_release(struct random_points *points);

/* At most @workloads of them. */
void random_policy_make(struct random_policy *r, uint64_t seed, uint32_t workloads);
void random_policy_release(struct random_policy *r);

struct reference_question random_question(struct random_policy *r);

#endif
