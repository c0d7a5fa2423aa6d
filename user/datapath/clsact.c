/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "datapath/clsact.h"

#include <errno.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <libmnl/libmnl.h>

#include "util/cleanup.h"
#include "util/mem.h"

#define REPLY_BYTES    32768 /* as much as the kernel puts into one message of a dump */
#define PRIORITY_TRIES 8
#define PRIORITY_SHIFT 16 /* tcm_info has the protocol below it */

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

static int attach_at(struct clsact_filter *filter, uint32_t priority, int prog_fd)
{
	struct bpf_tc_hook hook = hook_of(filter);
	struct bpf_tc_opts opts = opts_of(filter);
	int err;

	opts.prog_fd = prog_fd;
	opts.flags = filter->priority ? BPF_TC_F_REPLACE : 0;
	opts.priority = priority;
	err = bpf_tc_attach(&hook, &opts);
	if (err)
		return err;
	filter->handle = opts.handle;
	filter->priority = opts.priority;
	return 0;
}

/* Within a priority the newest program runs first.  Filters of another kind keep theirs. */
int clsact_attach(struct clsact_filter *filter, int prog_fd)
{
	int err = -EINVAL;

	if (filter->priority)
		return attach_at(filter, filter->priority, prog_fd);
	for (uint32_t priority = 1; err == -EINVAL && priority <= PRIORITY_TRIES; priority++)
		err = attach_at(filter, priority, prog_fd);
	return err;
}

int clsact_program(const struct clsact_filter *filter, uint32_t *ret_id)
{
	struct bpf_tc_hook hook = hook_of(filter);
	struct bpf_tc_opts opts = opts_of(filter);
	int err = bpf_tc_query(&hook, &opts);

	if (!err)
		*ret_id = opts.prog_id;
	return err;
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

static int pick_attr(const struct nlattr *attr, void *user)
{
	const struct nlattr **of = user;

	if (mnl_attr_get_type(attr) <= TCA_MAX)
		of[mnl_attr_get_type(attr)] = attr;
	return MNL_CB_OK;
}

static uint32_t program_of(const struct nlattr *options)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, options)
	{
		if (mnl_attr_get_type(attr) == TCA_BPF_ID)
			return mnl_attr_get_u32(attr);
	}
	return 0;
}

/* A classifier itself is listed before its filters, without a handle. */
static int add_filter(const struct nlmsghdr *message, void *user)
{
	const struct tcmsg *tc = mnl_nlmsg_get_payload(message);
	const struct nlattr *attrs[TCA_MAX + 1] = {};
	struct clsact_entry entry = {.priority = TC_H_MAJ(tc->tcm_info) >> PRIORITY_SHIFT};
	clsact_entries *found = user;

	if (message->nlmsg_type != RTM_NEWTFILTER || !tc->tcm_handle)
		return MNL_CB_OK;
	mnl_attr_parse(message, sizeof(*tc), pick_attr, attrs);
	if (!attrs[TCA_KIND] || (attrs[TCA_CHAIN] && mnl_attr_get_u32(attrs[TCA_CHAIN])))
		return MNL_CB_OK;
	snprintf(entry.kind, sizeof(entry.kind), "%s", mnl_attr_get_str(attrs[TCA_KIND]));
	if (!strcmp(entry.kind, "bpf") && attrs[TCA_OPTIONS])
		entry.prog_id = program_of(attrs[TCA_OPTIONS]);
	vec_push(found, entry);
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

static int receive_filters(struct mnl_socket *nl, clsact_entries *found)
{
	_free_ char *reply = xmalloc(REPLY_BYTES);
	int more = MNL_CB_OK;

	while (more > MNL_CB_STOP) {
		ssize_t len = mnl_socket_recvfrom(nl, reply, REPLY_BYTES);

		if (len < 0)
			return -errno;
		more = mnl_cb_run(reply, (size_t)len, 0, mnl_socket_get_portid(nl), add_filter,
				  found);
	}
	return more < MNL_CB_STOP ? -errno : 0;
}

int clsact_list(uint32_t ifindex, bool is_egress, clsact_entries *ret)
{
	_cleanup_(socket_closep)
	struct mnl_socket *nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	clsact_entries found = {};
	int err;

	if (!nl || mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID))
		return -errno;
	err = send_dump(nl, ifindex, is_egress ? TC_H_MIN_EGRESS : TC_H_MIN_INGRESS);
	if (!err)
		err = receive_filters(nl, &found);
	if (err)
		vec_release(&found);
	else
		*ret = found;
	return err;
}

/* Of both directions; or -errno. */
static int count_filters(uint32_t ifindex)
{
	int count = 0;

	for (int is_egress = 0; is_egress < 2; is_egress++) {
		clsact_entries found = {};
		int err = clsact_list(ifindex, is_egress, &found);

		if (err)
			return err;
		count += (int)found.count;
		vec_release(&found);
	}
	return count;
}

int clsact_remove_unused(uint32_t ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex,
		    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	int count = count_filters(ifindex);

	return count ? count : bpf_tc_hook_destroy(&hook);
}
