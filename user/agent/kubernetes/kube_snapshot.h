/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The objects that make policy as they are at one time, for who reads them in another thread
 * meanwhile.  It is taken and released in the loop.
 */
#ifndef AGENT_KUBERNETES_KUBE_SNAPSHOT_H
#define AGENT_KUBERNETES_KUBE_SNAPSHOT_H

#include "agent/kubernetes/kube_table.h"

struct kube_snapshot {
	struct kube_table tables[KUBE_KIND_COUNT]; /* of all kinds, as kube_table_copy() has them */
	struct kube_pods pods;                     /* whose addresses are */
	struct kube_zones zones;                   /* its lists are borrowed */
};

/* No ZonePolicies are held in it.  From then on pods are noted (kube_pods_note()). */
void kube_snapshot_take(const struct kube_table tables[KUBE_KIND_COUNT], struct kube_snapshot *ret);
void kube_snapshot_release(struct kube_snapshot *s);

#endif
