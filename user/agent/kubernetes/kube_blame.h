/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Whose fault it is that a cluster's objects make no policy: what was in force isn't to blame. */
#ifndef AGENT_KUBERNETES_KUBE_BLAME_H
#define AGENT_KUBERNETES_KUBE_BLAME_H

#include "agent/kubernetes/kube_table.h"
#include "agent/policies/policy_set.h"

struct kube_blamed {
	enum kube_kind kind;
	struct kube_entry *entry; /* NULL: nobody's */
	const struct policy_fault *at;
	const char *message; /* of the error */
	bool has_notes;
};

/*
 * An error and its notes, @count places.  False: nothing can stand for anybody who could have done
 * it; then it is who wrote what the error is at.
 */
bool kube_blame(const struct kube_table tables[KUBE_KIND_COUNT], const struct policy_fault *places,
		size_t count, struct kube_blamed *ret);

/* From now on something safe stands for the object, or it is left out. */
void kube_refuse(const struct kube_table tables[KUBE_KIND_COUNT], const struct kube_blamed *blamed);

/* Whatever is refused is tried again. */
void kube_forgive(struct kube_table tables[KUBE_KIND_COUNT]);

#endif
