/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The little of rtnetlink that a lab needs: veth pairs, addresses, routes, in a given namespace. */
#ifndef LAB_NETLINK_H
#define LAB_NETLINK_H

#include <stdint.h>

#include "util/address.h"

struct mnl_socket;

#define NETLINK_LOOPBACK 1 /* the index of lo in every namespace */

/* A socket that speaks of the namespace @netns_fd, whatever the caller's is.  0 or -errno. */
int netlink_open(int netns_fd, struct mnl_socket **ret);
void netlink_closep(struct mnl_socket **nl);
#define _netlink_ _cleanup_(netlink_closep)

/* One end of a veth pair; the index is given so that nobody has to ask for it. */
struct netlink_end {
	const char *name;
	uint32_t index;
};

/* @here in the socket's namespace, @there in @netns_fd. */
int netlink_add_veth(struct mnl_socket *nl, const struct netlink_end *here,
		     const struct netlink_end *there, int netns_fd);

int netlink_set_up(struct mnl_socket *nl, uint32_t index);

/* IPv6 addresses are usable at once: without duplicate address detection. */
int netlink_add_address(struct mnl_socket *nl, uint32_t index, const struct prefix *p);

/* @via NULL: on the link itself; else a gateway, which is taken to be on the link. */
int netlink_add_route(struct mnl_socket *nl, uint32_t index, const struct prefix *to,
		      const struct bh_addr *via);

#endif
