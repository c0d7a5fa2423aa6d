/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/endpoints/rtnl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include <libmnl/libmnl.h>

#include "agent/endpoints/local_routes.h"
#include "agent/endpoints/rtnl_query.h"
#include "util/address.h"
#include "util/mem.h"

#define BUFFER_BYTES         32768 /* as much as the kernel puts into one message */
#define V4_BROADCAST_MAX_LEN 30    /* a narrower network has no broadcast address */
#define V6_ANYCAST_MAX_LEN   126
#define LOOPBACK_NET         127
#define GROUPS                                                                                     \
	(RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE |               \
	 RTMGRP_IPV6_ROUTE | RTMGRP_TC | RTMGRP_NEIGH)

struct rtnl {
	struct rtnl_events events;
	struct mnl_socket *socket;
	struct loop_watch *watch;
	bool links_changed;
	bool addresses_changed;
	bool filters_changed;
	bool paths_changed;
};

static int own_address_cmp(const void *a, const void *b)
{
	const struct own_address *x = a, *y = b;
	int order = addr_cmp(&x->addr, &y->addr);

	if (order)
		return order;
	if (x->ifindex != y->ifindex)
		return x->ifindex < y->ifindex ? -1 : 1;
	if (x->len != y->len)
		return (int)x->len - (int)y->len;
	if (x->is_route != y->is_route)
		return (int)x->is_route - (int)y->is_route;
	return (int)x->is_broadcast - (int)y->is_broadcast;
}

static struct bh_addr v4_mapped(uint32_t network_order)
{
	return (struct bh_addr){.word = {0, 0, htonl(0xffff), network_order}};
}

static void add_address(struct own_addresses *out, const struct nlattr *attr, bool is_broadcast,
			uint32_t ifindex)
{
	struct own_address own = {
		.len = ADDRESS_BITS, .ifindex = ifindex, .is_broadcast = is_broadcast};

	if (mnl_attr_get_payload_len(attr) == sizeof(uint32_t))
		own.addr = v4_mapped(mnl_attr_get_u32(attr));
	else if (mnl_attr_get_payload_len(attr) == sizeof(own.addr))
		memcpy(&own.addr, mnl_attr_get_payload(attr), sizeof(own.addr));
	else
		return;
	vec_push(&out->list, own);
}

/*
 * The kernel takes the highest address of a network as broadcast, whatever IFA_BROADCAST says, and
 * before 5.14 the lowest, too.
 */
static void add_network_broadcast(struct own_addresses *out, const struct nlattr *attr,
				  const struct ifaddrmsg *msg)
{
	struct own_address own = {
		.len = ADDRESS_BITS, .ifindex = msg->ifa_index, .is_broadcast = true};

	if (msg->ifa_family != AF_INET || msg->ifa_prefixlen > V4_BROADCAST_MAX_LEN)
		return;
	own.addr = v4_mapped(mnl_attr_get_u32(attr) | htonl(UINT32_MAX >> msg->ifa_prefixlen));
	vec_push(&out->list, own);
	own.addr = v4_mapped(mnl_attr_get_u32(attr) & ~htonl(UINT32_MAX >> msg->ifa_prefixlen));
	vec_push(&out->list, own);
}

/* A router answers to the lowest address of its networks (RFC 4291, 2.6.1). */
static void add_router_anycast(struct own_addresses *out, const struct nlattr *attr,
			       const struct ifaddrmsg *msg)
{
	struct own_address own = {
		.len = ADDRESS_BITS, .ifindex = msg->ifa_index, .is_broadcast = true};
	unsigned int kept = msg->ifa_prefixlen;

	if (msg->ifa_family != AF_INET6 || !kept || kept > V6_ANYCAST_MAX_LEN ||
	    mnl_attr_get_payload_len(attr) != sizeof(own.addr))
		return;
	memcpy(&own.addr, mnl_attr_get_payload(attr), sizeof(own.addr));
	for (unsigned int i = 0; i < COUNT(own.addr.word); i++) {
		unsigned int bits = kept > 32 * i ? kept - 32 * i : 0;

		if (bits < 32)
			own.addr.word[i] &= bits ? htonl(~(UINT32_MAX >> bits)) : 0;
	}
	vec_push(&out->list, own);
}

struct address_attrs {
	const struct nlattr *local;     /* the interface's own */
	const struct nlattr *address;   /* the same, or the other end's */
	const struct nlattr *broadcast; /* IPv4 only */
};

static int pick_attr(const struct nlattr *attr, void *user)
{
	struct address_attrs *attrs = user;

	if (mnl_attr_get_type(attr) == IFA_LOCAL)
		attrs->local = attr;
	if (mnl_attr_get_type(attr) == IFA_ADDRESS)
		attrs->address = attr;
	if (mnl_attr_get_type(attr) == IFA_BROADCAST)
		attrs->broadcast = attr;
	return MNL_CB_OK;
}

static int on_address(const struct nlmsghdr *header, void *user)
{
	const struct ifaddrmsg *msg = mnl_nlmsg_get_payload(header);
	struct own_addresses *out = user;
	struct address_attrs attrs = {};

	if (header->nlmsg_type != RTM_NEWADDR)
		return MNL_CB_OK;
	mnl_attr_parse(header, sizeof(*msg), pick_attr, &attrs);
	if (attrs.local || attrs.address)
		add_address(out, attrs.local ? attrs.local : attrs.address, false, msg->ifa_index);
	if (attrs.broadcast)
		add_address(out, attrs.broadcast, true, msg->ifa_index);
	if (attrs.address)
		add_network_broadcast(out, attrs.address, msg);
	if (attrs.address)
		add_router_anycast(out, attrs.address, msg);
	return MNL_CB_OK;
}

static void sort_addresses(struct own_addresses *a)
{
	size_t kept = 0;

	if (a->list.count)
		qsort(a->list.items, a->list.count, sizeof(*a->list.items), own_address_cmp);
	for (size_t i = 0; i < a->list.count; i++) {
		struct own_address *last = kept ? &a->list.items[kept - 1] : NULL;

		if (!last || own_address_cmp(last, &a->list.items[i]))
			a->list.items[kept++] = a->list.items[i];
	}
	a->list.count = kept;
}

static int read_addresses(struct own_addresses *out)
{
	char buf[MNL_NLMSG_HDRLEN + MNL_ALIGN(sizeof(struct ifaddrmsg))] = {};
	struct nlmsghdr *header = mnl_nlmsg_put_header(buf);

	header->nlmsg_type = RTM_GETADDR;
	header->nlmsg_flags = NLM_F_DUMP;
	mnl_nlmsg_put_extra_header(header, sizeof(struct ifaddrmsg));
	return rtnl_query(header, on_address, out);
}

int rtnl_addresses(struct own_addresses *ret)
{
	struct own_addresses found = {};
	int err = read_addresses(&found);

	if (!err)
		err = local_routes_read(&found);
	if (err) {
		vec_release(&found.list);
		return err;
	}
	vec_push(&found.list, (struct own_address){.addr = v4_mapped(INADDR_BROADCAST),
						   .len = ADDRESS_BITS,
						   .is_broadcast = true});
	sort_addresses(&found);
	*ret = found;
	return 0;
}

bool own_addresses_equal(const struct own_addresses *a, const struct own_addresses *b)
{
	if (a->list.count != b->list.count)
		return false;
	for (size_t i = 0; i < a->list.count; i++) {
		if (own_address_cmp(&a->list.items[i], &b->list.items[i]))
			return false;
	}
	return true;
}

bool own_address_is_host(const struct own_address *a)
{
	static const struct in6_addr loopback = IN6ADDR_LOOPBACK_INIT;

	if (a->is_broadcast || a->is_route || !memcmp(&a->addr, &loopback, sizeof(loopback)))
		return false;
	return !addr_is_v4(&a->addr) || ntohl(a->addr.word[3]) >> 24 != LOOPBACK_NET;
}

static int on_event(const struct nlmsghdr *header, void *user)
{
	struct rtnl *rtnl = user;

	switch (header->nlmsg_type) {
	case RTM_NEWADDR:
	case RTM_DELADDR:
		rtnl->addresses_changed = true;
		break;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		if (is_local_route(mnl_nlmsg_get_payload(header)))
			rtnl->addresses_changed = true;
		else
			rtnl->paths_changed = true;
		break;
	case RTM_NEWNEIGH:
		rtnl->paths_changed = true;
		break;
	case RTM_NEWLINK:
		rtnl->links_changed = true;
		break;
	case RTM_NEWTFILTER:
	case RTM_DELTFILTER:
	case RTM_DELQDISC:
		rtnl->filters_changed = true;
		break;
	case RTM_DELLINK: {
		const struct ifinfomsg *msg = mnl_nlmsg_get_payload(header);

		/* Leaving a bridge is told as a deletion in the bridge's family. */
		if (msg->ifi_family != AF_UNSPEC)
			break;
		rtnl->events.link_gone(rtnl->events.user, (uint32_t)msg->ifi_index);
		rtnl->links_changed = true;
		break;
	}
	}
	return MNL_CB_OK;
}

static void read_events(struct rtnl *rtnl)
{
	_free_ char *buf = xmalloc(BUFFER_BYTES);
	ssize_t len;

	for (;;) {
		len = recv(mnl_socket_get_fd(rtnl->socket), buf, BUFFER_BYTES, MSG_DONTWAIT);
		if (len > 0)
			mnl_cb_run(buf, (size_t)len, 0, 0, on_event, rtnl);
		else if (len < 0 && errno == ENOBUFS) /* some were lost: look at everything */
			rtnl->links_changed = rtnl->addresses_changed = rtnl->filters_changed =
				rtnl->paths_changed = true;
		else
			return;
	}
}

static void on_ready(void *user, unsigned int ready)
{
	struct rtnl *rtnl = user;

	(void)ready;
	rtnl->links_changed = rtnl->addresses_changed = rtnl->filters_changed =
		rtnl->paths_changed = false;
	read_events(rtnl);
	if (rtnl->links_changed)
		rtnl->events.links_changed(rtnl->events.user);
	if (rtnl->addresses_changed)
		rtnl->events.addresses_changed(rtnl->events.user);
	if (rtnl->filters_changed)
		rtnl->events.filters_changed(rtnl->events.user);
	if (rtnl->paths_changed)
		rtnl->events.paths_changed(rtnl->events.user);
}

static void free_rtnl(struct rtnl **rtnl)
{
	rtnl_free(*rtnl);
}

int rtnl_open(struct loop *loop, const struct rtnl_events *events, struct rtnl **ret)
{
	_cleanup_(free_rtnl)
	struct rtnl *rtnl = xcalloc(1, sizeof(*rtnl));
	int err;

	rtnl->events = *events;
	rtnl->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!rtnl->socket)
		return -errno;
	if (mnl_socket_bind(rtnl->socket, GROUPS, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	err = loop_watch_new(loop, mnl_socket_get_fd(rtnl->socket), on_ready, rtnl, &rtnl->watch);
	if (err)
		return err;
	loop_watch_want(rtnl->watch, LOOP_READ);
	*ret = TAKE_PTR(rtnl);
	return 0;
}

void rtnl_free(struct rtnl *rtnl)
{
	if (!rtnl)
		return;
	loop_watch_free(rtnl->watch);
	if (rtnl->socket)
		mnl_socket_close(rtnl->socket);
	free(rtnl);
}
