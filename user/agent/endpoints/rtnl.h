/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the kernel says of this machine's interfaces and addresses, and when it changes. */
#ifndef AGENT_ENDPOINTS_RTNL_H
#define AGENT_ENDPOINTS_RTNL_H

#include <stdbool.h>
#include <stdint.h>

#include <bulkhead/address.h>

#include "agent/loop.h"
#include "util/vec.h"

struct own_address {
	struct bh_addr addr;
	uint8_t len;       /* of the prefix; ADDRESS_BITS unless it is a route's */
	uint32_t ifindex;  /* 0: of no single interface */
	bool is_broadcast; /* packets to it are for this machine, none are from it */
	bool is_route;     /* no interface's, but a route takes it in */
};

#define ADDRESS_BITS 128

/* Sorted, no two equal. */
struct own_addresses {
	VEC(struct own_address) list;
};

/* All that this network namespace takes in: addresses, broadcast, local routes. */
int rtnl_addresses(struct own_addresses *ret);
bool own_addresses_equal(const struct own_addresses *a, const struct own_addresses *b);

/* May this be the `host` that a policy speaks of: not broadcast, not loopback, no route. */
bool own_address_is_host(const struct own_address *a);

struct rtnl;

/* Changes come in bursts: after a burst each of the last three is called at most once. */
struct rtnl_events {
	void (*link_gone)(void *user, uint32_t ifindex);
	void (*links_changed)(void *user);
	void (*addresses_changed)(void *user);
	void (*filters_changed)(void *user); /* of tc, or the qdisc that they hang on */
	void (*paths_changed)(void *user);   /* routes to others, neighbours */
	void *user;
};

int rtnl_open(struct loop *loop, const struct rtnl_events *events, struct rtnl **ret);
void rtnl_free(struct rtnl *rtnl);

#endif
