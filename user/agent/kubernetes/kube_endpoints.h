/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Who may get what is sent to a cluster's Services, as its EndpointSlices tell. */
#ifndef AGENT_KUBERNETES_KUBE_ENDPOINTS_H
#define AGENT_KUBERNETES_KUBE_ENDPOINTS_H

#include "agent/kubernetes/kube_table.h"
#include "datapath/datapath.h"
#include "util/text.h"

typedef VEC(struct front_backends) kube_backends;

/*
 * Of each front of the Services: those endpoints of its port that are ready or serving.  Sorted, as
 * datapath_set_backends() wants them; node ports are there once for each family.
 */
void kube_endpoints_backends(const struct kube_table *services, const struct kube_table *slices,
			     kube_backends *ret);

/* Which Services have more backends at a port than there is room for, which denies it: by name. */
void kube_endpoints_crowded(const struct kube_table *services, const kube_backends *backends,
			    struct text *out);

#endif
