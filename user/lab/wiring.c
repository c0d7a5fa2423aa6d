/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "lab/wiring.h"

#include <string.h>

#include "lab/netlink.h"

/* Far from 1 (lo) and the few that the kernel may add to a new namespace by itself. */
#define NIC_INDEX        100
#define NODE_FIRST_INDEX 100

/* The node's addresses on every cable: link-local, so that they are nobody's in any policy. */
static const char *const gateway[LAB_FAMILIES] = {"169.254.1.1", "fe80::1"};
static const char *const gateway_prefix[LAB_FAMILIES] = {"169.254.1.1/32", "fe80::1/128"};
static const char *const everywhere[LAB_FAMILIES] = {"0.0.0.0/0", "::/0"};

struct cable {
	struct mnl_socket *node;
	struct mnl_socket *station;
	uint32_t index; /* of the node's end */
};

static int add_addresses(const struct cable *cable, const struct lab_station *s, enum lab_family f)
{
	struct prefix own = prefix_of_addr(&s->addr[f]);
	struct prefix node;
	int err;

	prefix_parse(gateway_prefix[f], &node, NULL);
	err = netlink_add_address(cable->node, cable->index, &node);
	if (!err)
		err = netlink_add_address(cable->station, NIC_INDEX, &own);
	return err;
}

static int add_routes(const struct cable *cable, const struct lab_station *s, enum lab_family f)
{
	struct prefix own = prefix_of_addr(&s->addr[f]);
	struct prefix all;
	struct bh_addr via;
	int err;

	prefix_parse(everywhere[f], &all, NULL);
	addr_parse(gateway[f], &via);
	err = netlink_add_route(cable->node, cable->index, &own, NULL);
	if (!err)
		err = netlink_add_route(cable->station, NIC_INDEX, &all, &via);
	return err;
}

static int lay_cable(const struct cable *cable, const struct lab_station *s, int netns)
{
	struct netlink_end here = {s->interface, cable->index};
	struct netlink_end there = {LAB_NIC, NIC_INDEX};
	int err = netlink_add_veth(cable->node, &here, &there, netns);

	if (!err)
		err = netlink_set_up(cable->station, NETLINK_LOOPBACK);
	if (!err)
		err = netlink_set_up(cable->station, NIC_INDEX);
	if (!err)
		err = netlink_set_up(cable->node, cable->index);
	for (enum lab_family f = LAB_V4; !err && f < LAB_FAMILIES; f++) {
		if (!s->has[f])
			continue;
		err = add_addresses(cable, s, f);
		if (!err)
			err = add_routes(cable, s, f);
	}
	return err;
}

int wiring_build(const struct lab_plan *plan, const struct lab_space *node,
		 const struct lab_space *spaces, struct text *reterr)
{
	_netlink_ struct mnl_socket *middle = NULL;
	int err = netlink_open(node->netns, &middle);

	if (!err)
		err = netlink_set_up(middle, NETLINK_LOOPBACK);
	for (size_t i = 0; !err && i < plan->stations.count; i++) {
		_netlink_ struct mnl_socket *end = NULL;
		struct cable cable = {.node = middle, .index = NODE_FIRST_INDEX + i};

		err = netlink_open(spaces[i].netns, &end);
		cable.station = end;
		if (!err)
			err = lay_cable(&cable, &plan->stations.items[i], spaces[i].netns);
	}
	if (err)
		text_addf(reterr, "the stations cannot be connected: %s", strerror(-err));
	return err;
}
