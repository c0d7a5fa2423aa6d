/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The objects of one kind, by key. */
#ifndef AGENT_KUBERNETES_KUBE_TABLE_H
#define AGENT_KUBERNETES_KUBE_TABLE_H

#include "agent/kubernetes/kube_object.h"
#include "agent/kubernetes/kube_pods.h"
#include "agent/kubernetes/kube_zones.h"
#include "util/places.h"
#include "util/vec.h"

/* In two tables at once while a kind is listed again. */
struct kube_entry {
	struct kube_object object;
	uint64_t order; /* which of two is younger */
	unsigned int users;
	unsigned int refusals; /* of a policy that had it; then something else stands for it */
	bool is_left_out;      /* nothing does */
	bool is_proven;        /* it was in force as it is; ZonePolicies: see kube_zones_has() */
	struct kube_entry *next_claim[KUBE_POD_ADDRESSES]; /* who else says that it is his */
};

struct kube_table {
	VEC(struct kube_entry *) entries; /* in no order */
	struct places places;             /* by key: its hash, and index into entries + 1 */
	struct kube_pods *pods;   /* is told of entries, which are pods; NULL: they aren't */
	struct kube_zones *zones; /* of ZonePolicies, else NULL */
};

void kube_table_release(struct kube_table *t);

/*
 * The same entries to look at, no matter what becomes of @t.  Of an entry that is not in @t any
 * more nothing changes, and of one that is in it who it is (its identity), next_claim, and what
 * kube_refuse() and kube_forgive() do.
 */
void kube_table_copy(const struct kube_table *t, struct kube_table *ret);

/* Takes @o over.  Whether that changes anything. */
bool kube_table_put(struct kube_table *t, struct kube_object *o, uint64_t order);

/* The same into a new table; if @before has it as it is, it is that one. */
void kube_table_put_or_share(struct kube_table *t, const struct kube_table *before,
			     struct kube_object *o, uint64_t order);

/* NULL: there is none. */
struct kube_entry *kube_table_get(const struct kube_table *t, const char *key);

bool kube_table_remove(struct kube_table *t, const char *key); /* whether it was there */

/* Takes the contents of @fresh over.  Whether that changes anything. */
bool kube_table_replace(struct kube_table *t, struct kube_table *fresh);

#endif
