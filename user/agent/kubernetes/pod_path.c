/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/kubernetes/pod_path.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include "agent/endpoints/peer.h"
#include "agent/endpoints/rtnl_query.h"
#include "util/address.h"
#include "util/vec.h"

#define BUFFER_BYTES 512
#define MAC_BYTES    6

/* An address as rtnetlink takes it. */
struct wire_address {
	uint8_t family;
	uint8_t len; /* bytes */
	const void *bytes;
};

static struct wire_address wire_of(const struct bh_addr *a)
{
	if (addr_is_v4(a))
		return (struct wire_address){AF_INET, sizeof(a->word[3]), &a->word[3]};
	return (struct wire_address){AF_INET6, sizeof(*a), a};
}

/* --- routes --- */

struct route {
	uint32_t ifindex;
	bool is_own;     /* the address alone is routed there */
	bool is_gateway; /* somebody else has to forward it */
};

static int on_route_attr(const struct nlattr *attr, void *user)
{
	struct route *route = user;

	if (mnl_attr_get_type(attr) == RTA_OIF)
		route->ifindex = mnl_attr_get_u32(attr);
	if (mnl_attr_get_type(attr) == RTA_GATEWAY || mnl_attr_get_type(attr) == RTA_VIA)
		route->is_gateway = true;
	return MNL_CB_OK;
}

static int on_route(const struct nlmsghdr *header, void *user)
{
	const struct rtmsg *msg = mnl_nlmsg_get_payload(header);
	struct route *route = user;

	if (header->nlmsg_type != RTM_NEWROUTE || msg->rtm_type != RTN_UNICAST)
		return MNL_CB_OK;
	route->is_own = msg->rtm_dst_len == (msg->rtm_family == AF_INET ? 32 : 128);
	mnl_attr_parse(header, sizeof(*msg), on_route_attr, route);
	return MNL_CB_OK;
}

static int find_route(const struct wire_address *to, struct route *ret)
{
	char buf[BUFFER_BYTES] = {};
	struct nlmsghdr *header = mnl_nlmsg_put_header(buf);
	struct rtmsg *msg = mnl_nlmsg_put_extra_header(header, sizeof(*msg));
	int err;

	header->nlmsg_type = RTM_GETROUTE;
	msg->rtm_family = to->family;
	msg->rtm_dst_len = to->len * 8;
	msg->rtm_flags = RTM_F_FIB_MATCH; /* the route itself, not what becomes of it */
	mnl_attr_put(header, RTA_DST, to->len, to->bytes);
	*ret = (struct route){};
	err = rtnl_query(header, on_route, ret);
	if (err)
		return err;
	return ret->ifindex && !ret->is_gateway ? 0 : -ENOENT;
}

/* --- links --- */

static int on_info_attr(const struct nlattr *attr, void *user)
{
	bool *is_bridge = user;

	if (mnl_attr_get_type(attr) == IFLA_INFO_KIND)
		*is_bridge = !strcmp(mnl_attr_get_str(attr), "bridge");
	return MNL_CB_OK;
}

static int on_link_attr(const struct nlattr *attr, void *user)
{
	if (mnl_attr_get_type(attr) == IFLA_LINKINFO)
		mnl_attr_parse_nested(attr, on_info_attr, user);
	return MNL_CB_OK;
}

static int on_link(const struct nlmsghdr *header, void *user)
{
	if (header->nlmsg_type == RTM_NEWLINK)
		mnl_attr_parse(header, sizeof(struct ifinfomsg), on_link_attr, user);
	return MNL_CB_OK;
}

static bool is_bridge(uint32_t ifindex)
{
	char buf[BUFFER_BYTES] = {};
	struct nlmsghdr *header = mnl_nlmsg_put_header(buf);
	struct ifinfomsg *msg = mnl_nlmsg_put_extra_header(header, sizeof(*msg));
	bool is = false;

	header->nlmsg_type = RTM_GETLINK;
	msg->ifi_index = (int)ifindex;
	return !rtnl_query(header, on_link, &is) && is;
}

/* --- neighbours --- */

struct neighbour {
	uint32_t ifindex;
	uint8_t mac[MAC_BYTES];
	bool has_mac;
};

static int on_neighbour_attr(const struct nlattr *attr, void *user)
{
	struct neighbour *n = user;

	if (mnl_attr_get_type(attr) == NDA_LLADDR &&
	    mnl_attr_get_payload_len(attr) == sizeof(n->mac)) {
		memcpy(n->mac, mnl_attr_get_payload(attr), sizeof(n->mac));
		n->has_mac = true;
	}
	return MNL_CB_OK;
}

static int on_neighbour(const struct nlmsghdr *header, void *user)
{
	const struct ndmsg *msg = mnl_nlmsg_get_payload(header);
	struct neighbour *n = user;

	if (header->nlmsg_type != RTM_NEWNEIGH || msg->ndm_state & NUD_FAILED)
		return MNL_CB_OK;
	n->ifindex = (uint32_t)msg->ndm_ifindex;
	mnl_attr_parse(header, sizeof(*msg), on_neighbour_attr, n);
	return MNL_CB_OK;
}

static int find_mac(const struct wire_address *address, uint32_t bridge, struct neighbour *ret)
{
	char buf[BUFFER_BYTES] = {};
	struct nlmsghdr *header = mnl_nlmsg_put_header(buf);
	struct ndmsg *msg = mnl_nlmsg_put_extra_header(header, sizeof(*msg));
	int err;

	header->nlmsg_type = RTM_GETNEIGH;
	msg->ndm_family = address->family;
	msg->ndm_ifindex = (int)bridge;
	mnl_attr_put(header, NDA_DST, address->len, address->bytes);
	*ret = (struct neighbour){};
	err = rtnl_query(header, on_neighbour, ret);
	if (err)
		return err;
	return ret->has_mac ? 0 : -ENOENT;
}

static int find_port(const uint8_t mac[MAC_BYTES], uint32_t bridge, uint32_t *ret)
{
	char buf[BUFFER_BYTES] = {};
	struct nlmsghdr *header = mnl_nlmsg_put_header(buf);
	struct ndmsg *msg = mnl_nlmsg_put_extra_header(header, sizeof(*msg));
	struct neighbour n = {};
	int err;

	header->nlmsg_type = RTM_GETNEIGH;
	msg->ndm_family = AF_BRIDGE;
	mnl_attr_put(header, NDA_LLADDR, MAC_BYTES, mac);
	mnl_attr_put_u32(header, NDA_MASTER, bridge);
	err = rtnl_query(header, on_neighbour, &n);
	if (err)
		return err;
	if (!n.ifindex || n.ifindex == bridge)
		return -ENOENT;
	*ret = n.ifindex;
	return 0;
}

struct ports {
	uint32_t bridge;
	bool is_of_bridge;
	VEC(uint32_t) list;
};

static int on_port_attr(const struct nlattr *attr, void *user)
{
	struct ports *ports = user;

	if (mnl_attr_get_type(attr) == IFLA_MASTER)
		ports->is_of_bridge = mnl_attr_get_u32(attr) == ports->bridge;
	return MNL_CB_OK;
}

static int on_port(const struct nlmsghdr *header, void *user)
{
	const struct ifinfomsg *msg = mnl_nlmsg_get_payload(header);
	struct ports *ports = user;

	if (header->nlmsg_type != RTM_NEWLINK)
		return MNL_CB_OK;
	ports->is_of_bridge = false;
	mnl_attr_parse(header, sizeof(*msg), on_port_attr, ports);
	if (ports->is_of_bridge)
		vec_push(&ports->list, (uint32_t)msg->ifi_index);
	return MNL_CB_OK;
}

/* Nobody but who may set up a pod's network has a say in this; -ENOENT also if two have it. */
static int find_owner(const struct bh_addr *address, uint32_t bridge, uint32_t *ret)
{
	char buf[BUFFER_BYTES] = {};
	struct nlmsghdr *header = mnl_nlmsg_put_header(buf);
	struct ports ports = {.bridge = bridge};
	uint32_t owner = 0;
	size_t owners = 0;
	int err;

	mnl_nlmsg_put_extra_header(header, sizeof(struct ifinfomsg));
	header->nlmsg_type = RTM_GETLINK;
	header->nlmsg_flags = NLM_F_DUMP;
	mnl_attr_put_u32(header, IFLA_MASTER, bridge);
	err = rtnl_query(header, on_port, &ports);
	vec_foreach (port, &ports.list) {
		if (err || !peer_has_address(*port, address))
			continue;
		owner = *port;
		owners++;
	}
	vec_release(&ports.list);
	if (err || owners != 1)
		return err ? err : -ENOENT;
	*ret = owner;
	return 0;
}

/* As if there were something to send. */
static void ask_for(const struct wire_address *address, uint32_t bridge)
{
	char buf[BUFFER_BYTES] = {};
	struct nlmsghdr *header = mnl_nlmsg_put_header(buf);
	struct ndmsg *msg = mnl_nlmsg_put_extra_header(header, sizeof(*msg));

	header->nlmsg_type = RTM_NEWNEIGH;
	header->nlmsg_flags = NLM_F_CREATE;
	msg->ndm_family = address->family;
	msg->ndm_ifindex = (int)bridge;
	msg->ndm_flags = NTF_USE;
	mnl_attr_put(header, NDA_DST, address->len, address->bytes);
	(void)rtnl_query(header, NULL, NULL);
}

int pod_path_find(const struct bh_addr *address, uint32_t *ret_ifindex)
{
	const struct wire_address wire = wire_of(address);
	struct neighbour neighbour;
	struct route route;
	int err = find_route(&wire, &route);

	if (err)
		return err;
	if (!is_bridge(route.ifindex)) {
		if (!route.is_own)
			return -ENOENT;
		*ret_ifindex = route.ifindex;
		return 0;
	}
	if (!find_owner(address, route.ifindex, ret_ifindex))
		return 0;
	err = find_mac(&wire, route.ifindex, &neighbour);
	if (!err)
		err = find_port(neighbour.mac, route.ifindex, ret_ifindex);
	if (err)
		ask_for(&wire, route.ifindex);
	return err;
}
