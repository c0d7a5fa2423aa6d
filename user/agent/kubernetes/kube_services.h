/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The addresses and ports at which a cluster's Services are reached. */
#ifndef AGENT_KUBERNETES_KUBE_SERVICES_H
#define AGENT_KUBERNETES_KUBE_SERVICES_H

#include <bulkhead/front.h>

#include "agent/kubernetes/kube_table.h"

typedef VEC(struct bh_front) kube_fronts;

/* A front, and the name of the Service's port that it is of; NULL: it is of none. */
typedef void kube_front_fn(void *user, const struct bh_front *front, const char *port);

/* Each of a Service, the text of an object. */
void kube_service_each(const char *text, kube_front_fn *fn, void *user);

/*
 * Of each Service: its cluster, external and load balancer's addresses at its ports, and its node
 * ports at ::, which is this machine.  Equal ones may be among them.
 */
void kube_services_fronts(const struct kube_table *services, kube_fronts *ret);

#endif
