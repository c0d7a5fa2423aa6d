/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The policy that a cluster's objects and this machine's own files make together.  It is made in a
 * thread of its own (policy_job.h) of what they are as that begins.  What pods do meanwhile is done
 * to the policy in force at once, and to the new one before it is; what anything else does makes
 * the next one.
 */
#ifndef AGENT_KUBERNETES_CLUSTER_POLICY_H
#define AGENT_KUBERNETES_CLUSTER_POLICY_H

#include "agent/parts.h"

/* Begins to; while it goes on, a->making is set.  Then kube_changed_over(). */
void cluster_policy_make(struct agent *a);

/* Whatever is under way. */
void cluster_policy_end(struct agent *a);

#endif
