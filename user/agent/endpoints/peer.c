/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/endpoints/peer.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/if_addr.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "agent/endpoints/rtnl_query.h"
#include "util/address.h"

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

struct wanted_address {
	uint32_t ifindex;
	const void *bytes;
	size_t len;
	bool is_found;
};

static int on_address_attr(const struct nlattr *attr, void *user)
{
	struct wanted_address *wanted = user;

	if (mnl_attr_get_type(attr) == IFA_ADDRESS &&
	    mnl_attr_get_payload_len(attr) == wanted->len &&
	    !memcmp(mnl_attr_get_payload(attr), wanted->bytes, wanted->len))
		wanted->is_found = true;
	return MNL_CB_OK;
}

static int on_address(const struct nlmsghdr *header, void *user)
{
	const struct ifaddrmsg *msg = mnl_nlmsg_get_payload(header);
	const struct wanted_address *wanted = user;

	if (header->nlmsg_type == RTM_NEWADDR && msg->ifa_index == wanted->ifindex)
		mnl_attr_parse(header, sizeof(*msg), on_address_attr, user);
	return MNL_CB_OK;
}

bool peer_has_address(uint32_t ifindex, const struct bh_addr *address)
{
	char buf[REQUEST_BYTES] = {};
	struct nlmsghdr *header = mnl_nlmsg_put_header(buf);
	struct ifaddrmsg *msg = mnl_nlmsg_put_extra_header(header, sizeof(*msg));
	bool is_v4 = addr_is_v4(address);
	struct wanted_address wanted = {
		.bytes = is_v4 ? (const void *)&address->word[3] : address,
		.len = is_v4 ? sizeof(address->word[3]) : sizeof(*address),
	};
	struct link link;

	if (find_link(ifindex, HERE, &link) || !link.is_veth || !link.other)
		return false;
	wanted.ifindex = link.other;
	header->nlmsg_type = RTM_GETADDR;
	header->nlmsg_flags = NLM_F_DUMP;
	msg->ifa_family = is_v4 ? AF_INET : AF_INET6;
	msg->ifa_index = link.other;
	if (link.netns != HERE)
		mnl_attr_put_u32(header, IFA_TARGET_NETNSID, (uint32_t)link.netns);
	return !rtnl_query(header, on_address, &wanted) && wanted.is_found;
}
