/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Whose the addresses of a cluster's pods are, and for whom that has changed. */
#ifndef AGENT_KUBERNETES_KUBE_PODS_H
#define AGENT_KUBERNETES_KUBE_PODS_H

#include "agent/kubernetes/kube_object.h"
#include "util/places.h"
#include "util/vec.h"

struct kube_entry;

typedef VEC(const struct kube_entry *) kube_entry_list;

struct kube_pods {
	struct interner interner;    /* of what pods have alike */
	struct places claims;        /* by address: the youngest of those that say it is theirs */
	VEC(struct bh_addr) touched; /* since somebody looked: they may be another pod's now */
	const char *node;            /* this one; NULL: none is */
	kube_entry_list here;        /* pods on it that have an address */
	bool is_here_touched;
};

/* Once nothing is in the table of pods any more. */
void kube_pods_release(struct kube_pods *pods);

/* A pod's entry comes into the table, or leaves it. */
void kube_pods_enter(struct kube_pods *pods, struct kube_entry *entry);
void kube_pods_leave(struct kube_pods *pods, struct kube_entry *entry);

/* Somebody has looked at those that were touched. */
void kube_pods_settle(struct kube_pods *pods);

/* NULL: nobody's. */
const struct kube_entry *kube_pods_owner(const struct kube_pods *pods, const struct bh_addr *a);

/* On this node, and by its name; NULL if it isn't there, or not here. */
const struct kube_entry *kube_pods_here(const struct kube_pods *pods, const char *key);

#endif
