/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a node says of each ZonePolicy in its status. */
#ifndef AGENT_KUBERNETES_KUBE_STATUS_H
#define AGENT_KUBERNETES_KUBE_STATUS_H

#include "agent/kubernetes/kube_faults.h"

struct kube_state {
	char *key;
	struct kube_uid uid;
	uint64_t observed; /* generations: the last one that was read */
	uint64_t enforced; /* the one in force; 0: none */
	char *text;        /* what its status is to be */
	char *sent;        /* what was written last; NULL: nothing that we know of */
	bool is_there;     /* among the objects at the last look */
};

struct kube_status {
	VEC(struct kube_state) states;
};

/* How the last attempt to put the objects in force went. */
struct kube_result {
	bool is_in_force; /* with what stands for those that are refused */
	const char *why;  /* not; NULL: nothing is known but of the objects */
};

void kube_status_release(struct kube_status *s);

/* @node: its name.  Makes every text anew. */
void kube_status_update(struct kube_status *s, const struct kube_table *policies,
			const struct kube_faults *faults, const struct kube_result *result,
			const char *node);

/* NULL: there is none. */
struct kube_state *kube_status_find(const struct kube_status *s, const char *key);

/* Where the status of an object is written by @node, which owns its own entry alone. */
void kube_status_path(const char *key, const char *node, struct text *out);

/* The status of whoever has no more to say. */
void kube_status_empty(const char *key, struct text *out);

#endif
