/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/peer.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "agent/rtnl_query.h"

#define HERE          (-1)
#define REQUEST_BYTES 64

struct link {
	bool is_veth;
	uint32_t other; /* ifindex of the other end, where that is; 0: none */
	int32_t netns;  /* number of that namespace here, or HERE */
	bool has_mac;
	uint8_t mac[ETH_ALEN];
};

static int on_info_attr(const struct nlattr *attr, void *user)
{
	struct link *link = user;

	if (mnl_attr_get_type(attr) == IFLA_INFO_KIND)
		link->is_veth = !strcmp(mnl_attr_get_str(attr), "veth");
	return MNL_CB_OK;
}

static int on_link_attr(const struct nlattr *attr, void *user)
{
	struct link *link = user;

	switch (mnl_attr_get_type(attr)) {
	case IFLA_LINK:
		link->other = mnl_attr_get_u32(attr);
		break;
	case IFLA_LINK_NETNSID:
		link->netns = (int32_t)mnl_attr_get_u32(attr);
		break;
	case IFLA_LINKINFO:
		mnl_attr_parse_nested(attr, on_info_attr, link);
		break;
	case IFLA_ADDRESS:
		link->has_mac = mnl_attr_get_payload_len(attr) == ETH_ALEN;
		if (link->has_mac)
			memcpy(link->mac, mnl_attr_get_payload(attr), ETH_ALEN);
		break;
	}
	return MNL_CB_OK;
}

static int on_link(const struct nlmsghdr *header, void *user)
{
	if (header->nlmsg_type == RTM_NEWLINK)
		mnl_attr_parse(header, sizeof(struct ifinfomsg), on_link_attr, user);
	return MNL_CB_OK;
}

static int find_link(uint32_t ifindex, int32_t netns, struct link *ret)
{
	char buf[REQUEST_BYTES] = {};
	struct nlmsghdr *header = mnl_nlmsg_put_header(buf);
	struct ifinfomsg *msg = mnl_nlmsg_put_extra_header(header, sizeof(*msg));
	struct link link = {.netns = HERE};
	int err;

	header->nlmsg_type = RTM_GETLINK;
	msg->ifi_index = (int)ifindex;
	if (netns != HERE)
		mnl_attr_put_u32(header, IFLA_TARGET_NETNSID, (uint32_t)netns);
	err = rtnl_query(header, on_link, &link);
	if (!err)
		*ret = link;
	return err;
}

int peer_link_local(uint32_t ifindex, struct bh_addr *ret)
{
	struct link link;
	uint8_t bytes[16] = {0xfe, 0x80};
	int err = find_link(ifindex, HERE, &link);

	if (err)
		return err;
	if (!link.is_veth || !link.other)
		return -ENOENT;
	err = find_link(link.other, link.netns, &link);
	if (err)
		return err;
	if (!link.has_mac)
		return -ENOENT;
	memcpy(&bytes[8], link.mac, 3);
	bytes[8] ^= 2; /* set in addresses that are universal */
	bytes[11] = 0xff;
	bytes[12] = 0xfe;
	memcpy(&bytes[13], &link.mac[3], 3);
	memcpy(ret, bytes, sizeof(bytes));
	return 0;
}
