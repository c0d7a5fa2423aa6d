/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "lab/netlink.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/socket.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>

#include <libmnl/libmnl.h>

#include "util/cleanup.h"

#define BUFFER_BYTES 8192

static int open_here(struct mnl_socket **ret)
{
	struct mnl_socket *nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);

	if (!nl)
		return -errno;
	if (mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0) {
		int err = -errno;

		mnl_socket_close(nl);
		return err;
	}
	*ret = nl;
	return 0;
}

/* A socket belongs to the namespace in which it was made, so only its making happens over there. */
int netlink_open(int netns_fd, struct mnl_socket **ret)
{
	_close_ int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	struct mnl_socket *nl = NULL;
	int err;

	if (home < 0 || setns(netns_fd, CLONE_NEWNET) < 0)
		return -errno;
	err = open_here(&nl);
	if (setns(home, CLONE_NEWNET) < 0 && !err)
		err = -errno;
	if (err) {
		netlink_closep(&nl);
		return err;
	}
	*ret = nl;
	return 0;
}

void netlink_closep(struct mnl_socket **nl)
{
	if (*nl)
		mnl_socket_close(*nl);
	*nl = NULL;
}

static struct nlmsghdr *start(char *buffer, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	return nlh;
}

/* Sends, and takes the one acknowledgement that is due. */
static int talk(struct mnl_socket *nl, struct nlmsghdr *nlh)
{
	char answer[BUFFER_BYTES];
	ssize_t n;

	if (mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	n = mnl_socket_recvfrom(nl, answer, sizeof(answer));
	if (n < 0 || mnl_cb_run(answer, n, 0, mnl_socket_get_portid(nl), NULL, NULL) < 0)
		return -errno;
	return 0;
}

int netlink_add_veth(struct mnl_socket *nl, const struct netlink_end *here,
		     const struct netlink_end *there, int netns_fd)
{
	char buffer[BUFFER_BYTES];
	struct nlmsghdr *nlh = start(buffer, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
	struct ifinfomsg *info = mnl_nlmsg_put_extra_header(nlh, sizeof(*info));
	struct nlattr *link, *data, *peer;

	info->ifi_index = here->index;
	mnl_attr_put_strz(nlh, IFLA_IFNAME, here->name);
	link = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	peer = mnl_attr_nest_start(nlh, VETH_INFO_PEER);
	info = mnl_nlmsg_put_extra_header(nlh, sizeof(*info));
	info->ifi_index = there->index;
	mnl_attr_put_strz(nlh, IFLA_IFNAME, there->name);
	mnl_attr_put_u32(nlh, IFLA_NET_NS_FD, netns_fd);
	mnl_attr_nest_end(nlh, peer);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, link);
	return talk(nl, nlh);
}

int netlink_set_up(struct mnl_socket *nl, uint32_t index)
{
	char buffer[BUFFER_BYTES];
	struct nlmsghdr *nlh = start(buffer, RTM_NEWLINK, 0);
	struct ifinfomsg *info = mnl_nlmsg_put_extra_header(nlh, sizeof(*info));

	info->ifi_index = index;
	info->ifi_flags = info->ifi_change = IFF_UP;
	return talk(nl, nlh);
}

static void put_address(struct nlmsghdr *nlh, uint16_t type, const struct bh_addr *a)
{
	if (addr_is_v4(a))
		mnl_attr_put(nlh, type, sizeof(a->word[3]), &a->word[3]);
	else
		mnl_attr_put(nlh, type, sizeof(*a), a);
}

static uint8_t family_of(const struct prefix *p)
{
	return prefix_is_v4(p) ? AF_INET : AF_INET6;
}

static uint8_t length_of(const struct prefix *p)
{
	return prefix_is_v4(p) ? p->len - BH_V4_PREFIX_LEN : p->len;
}

int netlink_add_address(struct mnl_socket *nl, uint32_t index, const struct prefix *p)
{
	char buffer[BUFFER_BYTES];
	struct nlmsghdr *nlh = start(buffer, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
	struct ifaddrmsg *info = mnl_nlmsg_put_extra_header(nlh, sizeof(*info));

	info->ifa_family = family_of(p);
	info->ifa_prefixlen = length_of(p);
	info->ifa_flags = prefix_is_v4(p) ? 0 : IFA_F_NODAD;
	info->ifa_index = index;
	put_address(nlh, IFA_LOCAL, &p->addr);
	put_address(nlh, IFA_ADDRESS, &p->addr);
	return talk(nl, nlh);
}

int netlink_add_route(struct mnl_socket *nl, uint32_t index, const struct prefix *to,
		      const struct bh_addr *via)
{
	char buffer[BUFFER_BYTES];
	struct nlmsghdr *nlh = start(buffer, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
	struct rtmsg *info = mnl_nlmsg_put_extra_header(nlh, sizeof(*info));

	info->rtm_family = family_of(to);
	info->rtm_dst_len = length_of(to);
	info->rtm_table = RT_TABLE_MAIN;
	info->rtm_protocol = RTPROT_STATIC;
	info->rtm_scope = via ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
	info->rtm_type = RTN_UNICAST;
	info->rtm_flags = via ? RTNH_F_ONLINK : 0;
	if (info->rtm_dst_len)
		put_address(nlh, RTA_DST, &to->addr);
	if (via)
		put_address(nlh, RTA_GATEWAY, via);
	mnl_attr_put_u32(nlh, RTA_OIF, index);
	return talk(nl, nlh);
}
