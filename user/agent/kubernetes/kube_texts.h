/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A cluster's objects as the texts of a policy. */
#ifndef AGENT_KUBERNETES_KUBE_TEXTS_H
#define AGENT_KUBERNETES_KUBE_TEXTS_H

#include "agent/kubernetes/kube_table.h"
#include "util/source.h"

/* How every text of a cluster is called, and no file; behind it is the kind. */
#define KUBE_SOURCE    "kubernetes:"
#define KUBE_SEPARATOR "\n---\n"

/*
 * All but pods (agent/pod_groups.h), in the order of their keys, so that the same objects give the
 * same texts.
 */
void kube_texts(const struct kube_table tables[KUBE_KIND_COUNT], source_list *out);

/* Whose the line of one of these texts is, or of one of pods; NULL: nobody's. */
struct kube_entry *kube_texts_find(const struct kube_table tables[KUBE_KIND_COUNT],
				   const char *source, const char *line, enum kube_kind *ret_kind);

/*
 * What stands for it after so many refusals, for a ZonePolicy the version in force; NULL: nothing
 * can.
 */
char *kube_entry_stand_in(const struct kube_table *table, const struct kube_entry *entry,
			  enum kube_kind kind, unsigned int refusals);

bool is_kube_source(const struct source *source);
bool is_kube_source_of(const struct source *source, enum kube_kind kind);

#endif
