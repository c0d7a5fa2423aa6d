/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A cluster's pods in the policy in force: their addresses move without it being compiled. */
#ifndef AGENT_KUBERNETES_CLUSTER_PODS_H
#define AGENT_KUBERNETES_CLUSTER_PODS_H

#include "agent/parts.h"

/* All that were touched.  False: the policy has to be compiled for some. */
bool cluster_pods_move(struct agent *a);

/* None need: what is in force is right for them. */
void cluster_pods_settle(struct agent *a);

#endif
