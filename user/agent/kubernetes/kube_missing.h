/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Pods that rules name and that don't exist now. */
#ifndef AGENT_KUBERNETES_KUBE_MISSING_H
#define AGENT_KUBERNETES_KUBE_MISSING_H

#include "agent/kubernetes/kube_table.h"
#include "util/source.h"

/*
 * Whatever in the texts of zone policies may be such a name becomes a pod without an address, in a
 * text of its own: a pod that is deleted, and made again, holds up nothing.
 */
void kube_add_missing(const struct kube_table tables[KUBE_KIND_COUNT], struct source *const *texts,
		      size_t count, source_list *out);

#endif
