/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "datapath/attached.h"

#include <linux/if_link.h>
#include <net/if.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bulkhead.skel.h"
#include "datapath/clsact.h"
#include "datapath/info.h"
#include "datapath/loader.h"

#define LINK_TYPE_TCX 11 /* of Linux 6.6 */

int attached_keep_program(struct pins *pins, const struct record *record, int program)
{
	char name[RECORD_STRLEN];
	int fd = dup(program);

	return fd < 0 ? -errno : pins_put(pins, PIN_LINK, record_format(record, name), fd);
}

static enum attach_method method_of(const struct bpf_link_info *info)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);

	if (info->type == LINK_TYPE_TCX)
		return ATTACH_TCX;
	if (bpf_xdp_query((int)info->xdp.ifindex, 0, &query))
		return ATTACH_NONE;
	return query.attach_mode == XDP_ATTACHED_DRV ? ATTACH_XDP_NATIVE : ATTACH_XDP_GENERIC;
}

/* A tcx link's ifindex lies where an XDP link's does; it is 0 when the interface is gone. */
static int reuse_link(struct pins *pins, const char *name, const struct hook *hook,
		      enum attach_method *ret)
{
	_close_ int fd = pins_get(pins, PIN_LINK, name);
	struct bpf_link_info info;
	int err, program;

	if (fd < 0)
		return fd;
	err = link_info(fd, &info);
	if (err)
		return err;
	program = info.type == BPF_LINK_TYPE_XDP ? hook->xdp : hook->tc;
	if (info.xdp.ifindex != hook->ifindex || program < 0)
		return -ENOLINK;
	err = bpf_link_update(fd, program, NULL);
	if (!err)
		*ret = method_of(&info);
	return err;
}

static struct clsact_filter filter_of(const struct record *record)
{
	return (struct clsact_filter){
		.ifindex = record->ifindex,
		.is_egress = record->is_egress,
		.handle = record->handle,
		.priority = record->priority,
	};
}

/* As the kernel cuts it; also of the program of a link. */
static int program_name(int fd, char ret[static BPF_OBJ_NAME_LEN])
{
	struct bpf_prog_info info;
	int err = program_info(fd, &info);

	if (!err)
		memcpy(ret, info.name, BPF_OBJ_NAME_LEN);
	return err;
}

/* An agent that ended between replacing a program and pinning it left another one of the name. */
static bool is_our_name(uint32_t id, const char *name)
{
	_close_ int fd = bpf_prog_get_fd_by_id(id);
	char there[BPF_OBJ_NAME_LEN];

	return fd >= 0 && !program_name(fd, there) && !strcmp(there, name);
}

/* Whether the filter is still the one that was recorded, and none that took its place. */
static bool is_our_filter(const struct pins *pins, const char *name, const struct record *record)
{
	struct clsact_filter filter = filter_of(record);
	_close_ int ours = pins_get(pins, PIN_LINK, name);
	struct bpf_prog_info info;
	uint32_t there;

	if (clsact_program(&filter, &there) || program_info(ours, &info))
		return false;
	return there == info.id || is_our_name(there, info.name);
}

static int reuse_filter(struct pins *pins, const char *name, const struct hook *hook,
			enum attach_method *ret)
{
	struct clsact_filter filter;
	struct record record;
	int err;

	if (!record_parse(name, &record) || !is_our_filter(pins, name, &record))
		return -ENOLINK;
	filter = filter_of(&record);
	err = clsact_attach(&filter, hook->tc);
	if (!err)
		err = attached_keep_program(pins, &record, hook->tc);
	if (!err)
		*ret = ATTACH_CLSACT;
	return err;
}

static int reuse(struct pins *pins, const char *name, const struct record *record,
		 const struct hook *hook, enum attach_method *ret)
{
	if (record->kind == RECORD_FILTER)
		return reuse_filter(pins, name, hook, ret);
	return reuse_link(pins, name, hook, ret);
}

static bool is_of_hook(const struct record *record, const struct hook *hook)
{
	return record->kind != RECORD_QDISC && record->ifindex == hook->ifindex &&
	       record->is_egress == hook->is_egress && record->is_answerer == hook->is_answerer;
}

void attached_list(const struct pins *pins, const struct hook *hook, pin_names *ret)
{
	_pin_names_ pin_names names = {};
	struct record record;

	pins_list(pins, PIN_LINK, &names);
	vec_foreach (name, &names) {
		if (record_parse(*name, &record) && is_of_hook(&record, hook))
			vec_push(ret, TAKE_PTR(*name));
	}
}

void attached_remove_hook(struct pins *pins, const struct hook *hook)
{
	_pin_names_ pin_names names = {};

	attached_list(pins, hook, &names);
	vec_foreach (name, &names)
		attached_remove(pins, *name);
}

int attached_reuse(struct pins *pins, const struct hook *hook, enum attach_method *ret)
{
	_pin_names_ pin_names names = {};
	struct record record;
	bool is_reused = false;

	attached_list(pins, hook, &names);
	vec_foreach (name, &names) {
		if (!is_reused && record_parse(*name, &record) &&
		    !reuse(pins, *name, &record, hook, ret))
			is_reused = true;
		else
			attached_remove(pins, *name);
	}
	return is_reused ? 0 : -ENOENT;
}

/* What runs at a record now. */
static int recorded_program(const struct pins *pins, const char *name, const struct record *record,
			    char ret[static BPF_OBJ_NAME_LEN])
{
	_close_ int fd = pins_get(pins, PIN_LINK, name);
	_close_ int program = -1;
	struct bpf_link_info info;
	int err;

	if (fd < 0)
		return fd;
	if (record->kind == RECORD_FILTER)
		return program_name(fd, ret);
	err = link_info(fd, &info);
	if (err)
		return err;
	program = bpf_prog_get_fd_by_id(info.prog_id);
	return program < 0 ? program : program_name(program, ret);
}

static int refresh(struct datapath *dp, const char *name, const struct record *record)
{
	char program[BPF_OBJ_NAME_LEN];
	struct hook hook = {
		.ifindex = record->ifindex,
		.is_egress = record->is_egress,
		.xdp = -1,
		.tc = -1,
	};
	enum attach_method method;
	int err = recorded_program(&dp->pins, name, record, program);

	/* Without CAP_SYS_ADMIN: it is what the interface is now that says which. */
	if (err == -EPERM && !endpoint_hook(dp, record, &hook))
		return reuse(&dp->pins, name, record, &hook, &method);
	if (err)
		return err;
	hook.tc = loader_find(dp, program);
	hook.xdp = hook.tc;
	return hook.tc >= 0 ? reuse(&dp->pins, name, record, &hook, &method) : -ESRCH;
}

/* Another interface may get the number, and a qdisc that is not ours. */
static void forget_gone_qdiscs(struct pins *pins)
{
	_pin_names_ pin_names names = {};
	char interface[IF_NAMESIZE];
	struct record record;

	pins_list(pins, PIN_LINK, &names);
	vec_foreach (name, &names) {
		if (record_parse(*name, &record) && record.kind == RECORD_QDISC &&
		    !if_indextoname(record.ifindex, interface))
			attached_remove(pins, *name);
	}
}

int attached_refresh(struct datapath *dp, struct text *reterr)
{
	_pin_names_ pin_names names = {};
	struct record record;

	pins_list(&dp->pins, PIN_LINK, &names);
	vec_foreach (name, &names) {
		int err;

		if (!record_parse(*name, &record) || record.kind == RECORD_QDISC)
			continue;
		err = refresh(dp, *name, &record);
		if (err == -ENOLINK) {
			attached_remove(&dp->pins, *name);
			err = record.is_answerer ? 0 : endpoint_forget(dp, record.ifindex);
		}
		if (err)
			return explain_error(reterr, err, "cannot renew the program of '%s'",
					     *name);
	}
	forget_gone_qdiscs(&dp->pins);
	return 0;
}

static void detach_link(const struct pins *pins, const char *name)
{
	_close_ int fd = pins_get(pins, PIN_LINK, name);

	/* Others may hold the link too: closing our last descriptor need not end it. */
	if (fd >= 0)
		bpf_link_detach(fd);
}

void attached_remove(struct pins *pins, const char *name)
{
	struct clsact_filter filter;
	struct record record;

	if (record_parse(name, &record)) {
		filter = filter_of(&record);
		switch (record.kind) {
		case RECORD_LINK:
			detach_link(pins, name);
			break;
		case RECORD_FILTER:
			if (is_our_filter(pins, name, &record))
				clsact_detach(&filter);
			break;
		case RECORD_QDISC:
			clsact_remove_unused(record.ifindex);
			break;
		}
	}
	pins_drop(pins, PIN_LINK, name);
}

/*
 * The order in which things go: an XDP program that still answers needs its answerer, and a qdisc
 * can go only when no filter is left.
 */
enum turn {
	TURN_PROGRAM, /* also of a pin that is no record */
	TURN_ANSWERER,
	TURN_QDISC,
	TURNS
};

static enum turn turn_of(const struct record *record)
{
	if (record->kind == RECORD_QDISC)
		return TURN_QDISC;
	return record->is_answerer ? TURN_ANSWERER : TURN_PROGRAM;
}

static size_t remove_some(struct pins *pins, uint32_t ifindex, enum turn turn)
{
	_pin_names_ pin_names names = {};
	size_t removed = 0;

	pins_list(pins, PIN_LINK, &names);
	vec_foreach (name, &names) {
		struct record record = {};
		bool is_record = record_parse(*name, &record);

		if ((ifindex && record.ifindex != ifindex) || turn_of(&record) != turn)
			continue;
		attached_remove(pins, *name);
		removed += is_record && turn != TURN_QDISC;
	}
	return removed;
}

size_t attached_remove_all(struct pins *pins, uint32_t ifindex)
{
	size_t removed = 0;

	for (enum turn turn = TURN_PROGRAM; turn < TURNS; turn++)
		removed += remove_some(pins, ifindex, turn);
	return removed;
}
