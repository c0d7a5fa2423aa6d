/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A cluster's pods as few as a policy tells apart: of a namespace's pods those with the same of the
 * labels and named ports that it speaks of are one for it, with the addresses of them all.
 */
#ifndef AGENT_KUBERNETES_POD_GROUPS_H
#define AGENT_KUBERNETES_POD_GROUPS_H

#include "agent/kubernetes/kube_table.h"
#include "policy/load.h"
#include "util/map.h"
#include "util/source.h"

/* How texts of pods are called: those that are made of them for one policy. */
#define POD_SOURCE     "kubernetes:Pod"
#define MISSING_SOURCE "kubernetes:missing"

struct pod_group {
	char *name;                    /* of its first pod, in the order of names */
	size_t workload;               /* in the policy; POLICY_NONE: not looked up, or not there */
	VEC(struct bh_addr) addresses; /* until the policy has been read */
};

struct pod_groups {
	struct map words;      /* that the policy's texts have */
	bool is_bound;         /* the policy has been read */
	bool is_exact;         /* everything matters: their words may be written in other ways */
	struct text other;     /* a label's value that stands for all that they don't have */
	struct map by_strings; /* numbers of an entry's labels and text -> index into list */
	struct map by_sight;   /* what the policy sees of a pod -> index into list */
	VEC(struct pod_group) list;
};

/*
 * For a policy of these texts.  What stands for pods is appended to @out: texts, in which groups
 * have no addresses.
 */
struct pod_groups *pod_groups_new(const struct kube_table tables[KUBE_KIND_COUNT],
				  struct source *const *texts, size_t count, source_list *out);
void pod_groups_free(struct pod_groups *g);

/* Groups' addresses, good until something else is asked of it; to be freed. */
struct pod_addresses *pod_groups_addresses(const struct pod_groups *g);

/* The policy has been read: its workloads are known, addresses aren't needed any more. */
void pod_groups_bind(struct pod_groups *g, const struct policy *policy);

/* The workload that a pod is for the policy; -ENOENT: there was none like it. */
int pod_groups_find(struct pod_groups *g, const struct kube_entry *pod, size_t *ret);

bool is_pod_source(const struct source *source);

#endif
