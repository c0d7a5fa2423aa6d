/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Pods that nothing in a policy tells apart, wherever they run.  They share identities, so that
 * what the compiler does grows with kinds of pods, and a new pod of a known kind changes nothing.
 */
#ifndef POLICY_POD_KIND_H
#define POLICY_POD_KIND_H

#include "policy/atoms.h"
#include "util/map.h"

struct pod_kinds {
	struct map firsts; /* what pods have in common -> the first one, as an index */
	uint32_t
		*first; /* of each workload: the first pod of its kind; itself, if it isn't a pod */
};

/* A pod that @a names by itself is a kind of its own. */
void pod_kinds_build(struct pod_kinds *k, const struct policy *p, const struct atoms *a);
void pod_kinds_release(struct pod_kinds *k);

/* The first pod of the kind that @pod, which need not be in the policy, has; or POLICY_NONE. */
size_t pod_kinds_find(const struct pod_kinds *k, const struct workload *pod);

#endif
