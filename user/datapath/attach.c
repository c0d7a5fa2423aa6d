/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <inttypes.h>
#include <linux/if_link.h>
#include <linux/pkt_cls.h>
#include <net/if.h>
#include <string.h>

#include <bpf/bpf.h>

#include "datapath/attached.h"
#include "datapath/clsact.h"
#include "datapath/internal.h"
#include "datapath/record.h"

#define TCX_F_BEFORE (1u << 3) /* of Linux 6.6; with nothing named: before all others */

struct method {
	enum attach_method method;
	int (*attach)(struct pins *pins, const struct hook *hook, const struct method *method);
	uint32_t xdp_flags;
};

const char *attach_method_word(enum attach_method method)
{
	switch (method) {
	case ATTACH_NONE:
		return "none";
	case ATTACH_XDP_NATIVE:
		return "xdp-native";
	case ATTACH_XDP_GENERIC:
		return "xdp-generic";
	case ATTACH_TCX:
		return "tcx";
	case ATTACH_CLSACT:
		return "clsact";
	}
	return "none";
}

bool attach_method_is_xdp(enum attach_method method)
{
	return method == ATTACH_XDP_NATIVE || method == ATTACH_XDP_GENERIC;
}

static bool is_word(const char *word, const char *at, size_t len)
{
	return strlen(word) == len && !memcmp(word, at, len);
}

int attach_methods_parse(const char *words, uint32_t *ret)
{
	uint32_t found = 0;

	for (const char *at = words; at && *at; at += strspn(at, " ")) {
		size_t len = strcspn(at, " ");
		enum attach_method method = ATTACH_XDP_NATIVE;

		while (method <= ATTACH_CLSACT && !is_word(attach_method_word(method), at, len))
			method++;
		if (method > ATTACH_CLSACT)
			return -EINVAL;
		found |= 1u << method;
		at += len;
	}
	*ret = found;
	return 0;
}

/* Without its pin a link would end with this process. */
static int keep_link(struct pins *pins, const struct hook *hook, int link_fd)
{
	struct record record = {
		.kind = RECORD_LINK,
		.ifindex = hook->ifindex,
		.is_egress = hook->is_egress,
		.is_answerer = hook->is_answerer,
	};
	char name[RECORD_STRLEN];

	if (link_fd < 0)
		return link_fd;
	return pins_put(pins, PIN_LINK, record_format(&record, name), link_fd);
}

static int attach_xdp(struct pins *pins, const struct hook *hook, const struct method *method)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = method->xdp_flags);

	if (hook->xdp < 0)
		return -EOPNOTSUPP;
	return keep_link(pins, hook,
			 bpf_link_create(hook->xdp, (int)hook->ifindex, BPF_XDP, &opts));
}

static int first_at_tcx(const struct hook *hook, int prog_fd)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = TCX_F_BEFORE);
	enum bpf_attach_type type = hook->is_egress ? TCX_EGRESS : TCX_INGRESS;

	return bpf_link_create(prog_fd, (int)hook->ifindex, type, &opts);
}

static int attach_tcx(struct pins *pins, const struct hook *hook, const struct method *method)
{
	(void)method;
	return keep_link(pins, hook, first_at_tcx(hook, hook->tc));
}

static int make_qdisc(struct pins *pins, const struct hook *hook)
{
	const struct record record = {.kind = RECORD_QDISC, .ifindex = hook->ifindex};
	bool is_new;
	int err = clsact_make(hook->ifindex, &is_new);

	if (err || !is_new)
		return err;
	err = attached_keep_program(pins, &record, hook->tc);
	if (err)
		clsact_remove_unused(hook->ifindex);
	return err;
}

static int attach_clsact(struct pins *pins, const struct hook *hook, const struct method *method)
{
	struct clsact_filter filter = {.ifindex = hook->ifindex, .is_egress = hook->is_egress};
	struct record record = {
		.kind = RECORD_FILTER,
		.ifindex = hook->ifindex,
		.is_egress = hook->is_egress,
		.is_answerer = hook->is_answerer,
	};
	int err;

	(void)method;
	err = make_qdisc(pins, hook);
	if (!err)
		err = clsact_attach(&filter, hook->tc);
	if (err)
		return err;
	record.handle = filter.handle;
	record.priority = filter.priority;
	err = attached_keep_program(pins, &record, hook->tc);
	if (err)
		clsact_detach(&filter);
	return err;
}

/* In the order in which they are tried: by what a dropped packet costs. */
static const struct method methods[] = {
	{ATTACH_XDP_NATIVE, attach_xdp, XDP_FLAGS_DRV_MODE},
	{ATTACH_XDP_GENERIC, attach_xdp, XDP_FLAGS_SKB_MODE},
	{ATTACH_TCX, attach_tcx, 0},
	{ATTACH_CLSACT, attach_clsact, 0},
};

/* --- who comes first --- */

/* Drops whatever comes, before all others, until the descriptor is closed. */
static int attach_guard(const struct hook *hook)
{
	const struct bpf_insn drop[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = TC_ACT_SHOT},
		{.code = BPF_JMP | BPF_EXIT},
	};
	_close_ int program = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "bh_guard", "Dual BSD/GPL",
					    drop, COUNT(drop), NULL);

	return program < 0 ? program : first_at_tcx(hook, program);
}

/* A link keeps its place, and a program may be there only once: it goes, and comes back. */
static int move_tcx(struct datapath *dp, const struct hook *hook)
{
	_close_ int guard = attach_guard(hook);

	if (guard < 0)
		return 0;
	attached_remove_hook(&dp->pins, hook);
	return attach_tcx(&dp->pins, hook, NULL);
}

/* Both run for a moment. */
static int move_clsact(struct datapath *dp, const struct hook *hook)
{
	_pin_names_ pin_names before = {};

	attached_list(&dp->pins, hook, &before);
	if (attach_clsact(&dp->pins, hook, NULL))
		return 0;
	vec_foreach (name, &before)
		attached_remove(&dp->pins, *name);
	return 0;
}

/* Past what can be passed by the same method.  An error means that nothing is attached. */
static int put_first(struct datapath *dp, const struct hook *hook)
{
	struct hook_state state;

	hook_look(dp, hook, &state);
	if (state.fault != HOOK_DISPLACED || state.other_method != state.method)
		return 0;
	return state.method == ATTACH_TCX ? move_tcx(dp, hook) : move_clsact(dp, hook);
}

int attach_refuse_other(const struct datapath *dp, const struct hook *hook, struct text *reterr)
{
	char interface[IF_NAMESIZE] = "";
	struct hook_state state;

	hook_look(dp, hook, &state);
	if (state.method != ATTACH_NONE || !attach_method_is_xdp(state.other_method))
		return 0;
	text_addf(reterr,
		  "there is an XDP %s already, which is not ours and stays; take it off ('ip link "
		  "set dev %s xdp off', or end what holds its link), or enforce behind it, with "
		  "BULKHEAD_METHODS_OFF='xdp-native xdp-generic'",
		  state.other, if_indextoname(hook->ifindex, interface) ? interface : "IFACE");
	return -EBUSY;
}

int attach_hook(struct datapath *dp, const struct hook *hook, struct text *reterr,
		enum attach_method *ret)
{
	_text_ struct text tried = TEXT_INIT;
	int err = attached_reuse(&dp->pins, hook, ret);

	if (!err)
		err = put_first(dp, hook);
	for (size_t i = 0; err && i < COUNT(methods); i++) {
		const struct method *m = &methods[i];

		if (dp->methods_off & 1u << m->method || (m->xdp_flags && hook->xdp < 0))
			continue;
		err = m->attach(&dp->pins, hook, m);
		if (err)
			explain_error(&tried, err, "%s%s", tried.len ? "; " : "",
				      attach_method_word(m->method));
		else
			*ret = m->method;
	}
	if (err)
		text_addf(reterr, "cannot attach to %s of interface %" PRIu32 ": %s",
			  hook->is_egress ? "egress" : "ingress", hook->ifindex,
			  tried.len ? tried.buf : "no method is left to try");
	return err;
}
