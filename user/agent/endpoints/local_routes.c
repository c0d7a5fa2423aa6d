/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/endpoints/local_routes.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/endpoints/rtnl_query.h"

bool is_local_route(const struct rtmsg *msg)
{
	return msg->rtm_table == RT_TABLE_LOCAL && msg->rtm_type == RTN_LOCAL &&
	       (msg->rtm_family == AF_INET || msg->rtm_family == AF_INET6);
}

static int on_route_attr(const struct nlattr *attr, void *user)
{
	struct own_address *own = user;
	size_t len = mnl_attr_get_payload_len(attr);

	if (mnl_attr_get_type(attr) == RTA_DST && len <= sizeof(own->addr))
		memcpy((char *)&own->addr + sizeof(own->addr) - len, mnl_attr_get_payload(attr),
		       len);
	return MNL_CB_OK;
}

/* A route to everything has no destination: zero, of its family. */
static int on_route(const struct nlmsghdr *header, void *user)
{
	const struct rtmsg *msg = mnl_nlmsg_get_payload(header);
	struct own_addresses *out = user;
	struct own_address own = {.len = msg->rtm_dst_len, .is_route = true};

	if (header->nlmsg_type != RTM_NEWROUTE || !is_local_route(msg))
		return MNL_CB_OK;
	if (msg->rtm_family == AF_INET) {
		own.addr.word[2] = htonl(0xffff);
		own.len += BH_V4_PREFIX_LEN;
	}
	mnl_attr_parse(header, sizeof(*msg), on_route_attr, &own);
	vec_push(&out->list, own);
	return MNL_CB_OK;
}

static int read_family(uint8_t family, struct own_addresses *out)
{
	char buf[MNL_NLMSG_HDRLEN + MNL_ALIGN(sizeof(struct rtmsg))] = {};
	struct nlmsghdr *header = mnl_nlmsg_put_header(buf);
	struct rtmsg *msg = mnl_nlmsg_put_extra_header(header, sizeof(*msg));

	header->nlmsg_type = RTM_GETROUTE;
	header->nlmsg_flags = NLM_F_DUMP;
	msg->rtm_family = family;
	msg->rtm_table = RT_TABLE_LOCAL;
	msg->rtm_type = RTN_LOCAL;
	return rtnl_query(header, on_route, out);
}

int local_routes_read(struct own_addresses *out)
{
	int err = read_family(AF_INET, out);

	return err ? err : read_family(AF_INET6, out);
}
