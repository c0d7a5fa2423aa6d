/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Random policies, and random questions that lie where policies have their edges. */
#ifndef REFERENCE_RANDOM_POLICY_H
#define REFERENCE_RANDOM_POLICY_H

#include "tests/reference/reference.h"

struct random_policy {
	uint64_t state;  /* of the generator: the seed, at first */
	bool is_native;  /* nothing of Kubernetes in it */
	bool is_cluster; /* hardly anything else */
	int64_t now;     /* some rules have expired then, others have not */
	struct policy *policy;
	VEC(struct bh_addr) hosts;
	VEC(struct prefix) prefixes;     /* that the policy names */
	VEC(struct service_range) edges; /* that the policy names */
};

/* How large a policy is, and of what. */
struct random_shape {
	uint32_t workloads; /* of each kind, at most; 0: as many as there may be */
	bool is_native;     /* always; else sometimes */
};

void random_policy_make(struct random_policy *r, uint64_t seed, const struct random_shape *shape);
void random_policy_release(struct random_policy *r);

/* --- questions --- */

/* Whether a packet of that family is ever looked up like that. */
bool is_asked(bool is_v4, enum bh_service_table table, uint16_t number);

struct bh_addr random_address(struct random_policy *r);
struct service_range random_service(struct random_policy *r); /* of one number */

/* Every question that can have an answer of its own: where something begins, in each dimension. */
struct random_points {
	VEC(struct bh_addr) addresses;
	VEC(struct service_range) services; /* lo is the number */
};

void random_points_make(struct random_points *points, const struct random_policy *r);
void random_points_release(struct random_points *points);

#endif
