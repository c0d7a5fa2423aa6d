/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A cluster's pods as a text that the agent writes for its next start. */
#ifndef AGENT_KUBERNETES_KUBE_PODS_TEXT_H
#define AGENT_KUBERNETES_KUBE_PODS_TEXT_H

#include "agent/kubernetes/kube_table.h"
#include "util/sink.h"
#include "util/source.h"

/* How the text is called, which is no document. */
#define PODS_SOURCE "kubernetes:pods"

void kube_pods_write(const struct kube_table *pods, const struct sink *out);

/* Puts them into the table; what is not understood is left out. */
void kube_pods_read(const struct source *source, struct kube_table *pods);

#endif
