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
	VEC(struct bh_addr) noted;   /* touched since kube_pods_note(), and looked at */
	size_t known;                /* of those that are touched: before that */
	bool is_noting;
	const char *node;     /* this one; NULL: none is */
	kube_entry_list here; /* pods on it that have an address */
	bool is_here_touched;
};

/*
 * Whose addresses are now, in a copy that knows nothing else; the entries have to be held
 * (kube_table_copy()).
 */
void kube_pods_copy(const struct kube_pods *pods, struct kube_pods *ret);

/* Once nothing is in the table of pods any more. */
void kube_pods_release(struct kube_pods *pods);

/* A pod's entry comes into the table, or leaves it. */
void kube_pods_enter(struct kube_pods *pods, struct kube_entry *entry);
void kube_pods_leave(struct kube_pods *pods, struct kube_entry *entry);

/* Somebody has looked at those that were touched. */
void kube_pods_settle(struct kube_pods *pods);

/* Those that are touched from now on are noted, for who has to look at them, too. */
void kube_pods_note(struct kube_pods *pods);

/* All of them by now, for the one who has; until kube_pods_note_end(). */
void kube_pods_noted(const struct kube_pods *pods, void (*fn)(void *user, const struct bh_addr *a),
		     void *user);
void kube_pods_note_end(struct kube_pods *pods);

/* NULL: nobody's. */
const struct kube_entry *kube_pods_owner(const struct kube_pods *pods, const struct bh_addr *a);

/* On this node, and by its name; NULL if it isn't there, or not here. */
const struct kube_entry *kube_pods_here(const struct kube_pods *pods, const char *key);

#endif
