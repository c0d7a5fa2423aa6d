/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "datapath/clsact.h"

#include <errno.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <libmnl/libmnl.h>

#include "util/cleanup.h"
#include "util/mem.h"

#define REPLY_BYTES 16384

static struct bpf_tc_hook hook_of(const struct clsact_filter *filter)
{
	return (struct bpf_tc_hook){
		.sz = sizeof(struct bpf_tc_hook),
		.ifindex = (int)filter->ifindex,
		.attach_point = filter->is_egress ? BPF_TC_EGRESS : BPF_TC_INGRESS,
	};
}

static struct bpf_tc_opts opts_of(const struct clsact_filter *filter)
{
	return (struct bpf_tc_opts){
		.sz = sizeof(struct bpf_tc_opts),
		.handle = filter->handle,
		.priority = filter->priority,
	};
}

int clsact_make(uint32_t ifindex, bool *ret_is_new)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex,
		    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	int err = bpf_tc_hook_create(&hook);

	if (err && err != -EEXIST)
		return err;
	*ret_is_new = !err;
	return 0;
}

int clsact_attach(struct clsact_filter *filter, int prog_fd)
{
	struct bpf_tc_hook hook = hook_of(filter);
	struct bpf_tc_opts opts = opts_of(filter);
	int err;

	opts.prog_fd = prog_fd;
	opts.flags = filter->priority ? BPF_TC_F_REPLACE : 0;
	err = bpf_tc_attach(&hook, &opts);
	if (err)
		return err;
	filter->handle = opts.handle;
	filter->priority = opts.priority;
	return 0;
}

int clsact_get(const struct clsact_filter *filter)
{
	struct bpf_tc_hook hook = hook_of(filter);
	struct bpf_tc_opts opts = opts_of(filter);
	int err = bpf_tc_query(&hook, &opts);

	return err ? err : bpf_prog_get_fd_by_id(opts.prog_id);
}

int clsact_detach(const struct clsact_filter *filter)
{
	struct bpf_tc_hook hook = hook_of(filter);
	struct bpf_tc_opts opts = opts_of(filter);

	return bpf_tc_detach(&hook, &opts);
}

static void socket_closep(struct mnl_socket **nl)
{
	if (*nl)
		mnl_socket_close(*nl);
}

static int count_filter(const struct nlmsghdr *message, void *user)
{
	if (message->nlmsg_type == RTM_NEWTFILTER)
		++*(unsigned int *)user;
	return MNL_CB_OK;
}

static int send_dump(struct mnl_socket *nl, uint32_t ifindex, uint32_t minor)
{
	char buf[NLMSG_SPACE(sizeof(struct tcmsg))] = {};
	struct nlmsghdr *request = mnl_nlmsg_put_header(buf);
	struct tcmsg *tc = mnl_nlmsg_put_extra_header(request, sizeof(*tc));

	request->nlmsg_type = RTM_GETTFILTER;
	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	tc->tcm_ifindex = (int)ifindex;
	tc->tcm_parent = TC_H_MAKE(TC_H_CLSACT, minor);
	return mnl_socket_sendto(nl, request, request->nlmsg_len) < 0 ? -errno : 0;
}

/* Adds the filters of one direction to @count. */
static int count_filters(uint32_t ifindex, uint32_t minor, unsigned int *count)
{
	_cleanup_(socket_closep)
	struct mnl_socket *nl = mnl_socket_open(NETLINK_ROUTE);
	_free_ char *reply = xmalloc(REPLY_BYTES);
	int more = MNL_CB_OK;
	int err;

	if (!nl || mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID))
		return -errno;
	err = send_dump(nl, ifindex, minor);
	while (!err && more > MNL_CB_STOP) {
		ssize_t len = mnl_socket_recvfrom(nl, reply, REPLY_BYTES);

		if (len < 0)
			return -errno;
		more = mnl_cb_run(reply, (size_t)len, 0, mnl_socket_get_portid(nl), count_filter,
				  count);
		if (more < MNL_CB_STOP)
			return -errno;
	}
	return err;
}

int clsact_remove_unused(uint32_t ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex,
		    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	unsigned int count = 0;
	int err = count_filters(ifindex, TC_H_MIN_INGRESS, &count);

	if (!err)
		err = count_filters(ifindex, TC_H_MIN_EGRESS, &count);
	if (err || count)
		return err;
	return bpf_tc_hook_destroy(&hook);
}
