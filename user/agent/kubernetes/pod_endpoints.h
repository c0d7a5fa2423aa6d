/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Endpoints of a node's pods: who they are is in the policy, where they are in the routes. */
#ifndef AGENT_KUBERNETES_POD_ENDPOINTS_H
#define AGENT_KUBERNETES_POD_ENDPOINTS_H

#include "agent/endpoints/endpoints.h"

/* Appends those of a pod of this node, by its name; false if there is no such one. */
bool pod_endpoint_addresses(const struct endpoints *es, const char *name, prefixes *out);

/*
 * The cluster's pods are other ones.  Pods have other addresses; the interface of one that is gone
 * may send nothing any more, until it goes as well.
 */
void pod_endpoints_follow(struct endpoints *es);

/* Takes in the interfaces of pods that have none yet.  Nothing is attached. */
void pod_endpoints_find(struct endpoints *es);

#endif
