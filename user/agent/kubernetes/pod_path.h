/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Behind which of this machine's interfaces a pod is, by its address. */
#ifndef AGENT_KUBERNETES_POD_PATH_H
#define AGENT_KUBERNETES_POD_PATH_H

#include <stdint.h>

#include <bulkhead/address.h>

/*
 * The interface that the address alone is routed to.  Where it is routed to a bridge, alone or with
 * others, the one port whose other end has the address; without such a port, the one that it was
 * last seen at.
 * -ENOENT: there is none, or it isn't known yet; then the bridge asks for the address, and the
 * kernel tells of a neighbour if somebody answers.
 */
int pod_path_find(const struct bh_addr *address, uint32_t *ret_ifindex);

#endif
