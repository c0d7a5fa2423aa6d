/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The other end of a workload's veth, which may be in another network namespace. */
#ifndef AGENT_ENDPOINTS_PEER_H
#define AGENT_ENDPOINTS_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include <bulkhead/address.h>

/*
 * The link-local address that the other end has by its MAC (RFC 4291, appendix A).  -ENOENT: it is
 * no veth, or its other end is gone.
 */
int peer_link_local(uint32_t ifindex, struct bh_addr *ret);

/* Whether the other end of a veth has an address, in whatever network namespace that is. */
bool peer_has_address(uint32_t ifindex, const struct bh_addr *address);

#endif
