/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The policy of a cluster: what its objects and this machine's own files make together. */
#ifndef AGENT_KUBERNETES_CLUSTER_H
#define AGENT_KUBERNETES_CLUSTER_H

#include "agent/parts.h"

/* Looks after what decides behind Services; from time to time. */
void cluster_check(struct agent *a);
/* Whatever is known of the cluster that is configured, if one is, from an earlier start. */
void cluster_recall(struct agent *a);

/* Begins to follow the cluster that is configured, if one is. */
int cluster_start(struct agent *a, struct text *reterr);

#endif
