/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The addresses and ports at which a cluster's Services are reached. */
#ifndef AGENT_KUBE_SERVICES_H
#define AGENT_KUBE_SERVICES_H

#include <bulkhead/front.h>

#include "agent/kube_table.h"

typedef VEC(struct bh_front) kube_fronts;

/*
 * Of each Service: its cluster, external and load balancer's addresses at its ports, and its node
 * ports at ::, which is this machine.  Equal ones may be among them.
 */
void kube_services_fronts(const struct kube_table *services, kube_fronts *ret);

#endif
