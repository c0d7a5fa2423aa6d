/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/kubernetes/kube_snapshot.h"

void kube_snapshot_take(const struct kube_table tables[KUBE_KIND_COUNT], struct kube_snapshot *ret)
{
	*ret = (struct kube_snapshot){.zones = *tables[KUBE_ZONE_POLICY].zones};
	ret->zones.is_held = false;
	for (enum kube_kind kind = 0; kind < KUBE_KIND_COUNT; kind++) {
		if (kube_makes_policy(kind))
			kube_table_copy(&tables[kind], &ret->tables[kind]);
	}
	kube_pods_copy(tables[KUBE_POD].pods, &ret->pods);
	ret->tables[KUBE_POD].pods = &ret->pods;
	ret->tables[KUBE_ZONE_POLICY].zones = &ret->zones;
	kube_pods_note(tables[KUBE_POD].pods);
}

void kube_snapshot_release(struct kube_snapshot *s)
{
	for (size_t i = 0; i < KUBE_KIND_COUNT; i++)
		kube_table_release(&s->tables[i]);
	kube_pods_release(&s->pods);
}
