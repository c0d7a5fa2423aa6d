/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Asked of the interface, not of links: what runs there, and in which order. */
#include <inttypes.h>
#include <linux/if_link.h>
#include <stdio.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bulkhead.skel.h"
#include "datapath/clsact.h"
#include "datapath/info.h"
#include "datapath/internal.h"
#include "datapath/loader.h"

#define TCX_MAX 64 /* the kernel has no room for more */

#define XDP_METHODS (1u << ATTACH_XDP_NATIVE | 1u << ATTACH_XDP_GENERIC)

const char *hook_fault_word(enum hook_fault fault)
{
	static const char *const words[] = {
#define X(id, word) [HOOK_##id] = (word),
		HOOK_FAULTS_LIST(X)
#undef X
	};

	return words[fault];
}

/* 0: it is not loaded. */
static uint32_t id_of(int program)
{
	struct bpf_prog_info info;

	return program_info(program, &info) ? 0 : info.id;
}

static bool is_ours(const struct datapath *dp, uint32_t id)
{
	for (enum program i = 0; i < PROGRAMS; i++) {
		if (id_of(loader_program(dp, i)) == id)
			return true;
	}
	return id_of(bpf_program__fd(dp->skel->progs.bh_tc_answer)) == id;
}

/* The first one counts.  Its name takes a privilege that a running agent has given away. */
static void note_program(struct hook_state *state, enum attach_method method, uint32_t id)
{
	_close_ int fd = bpf_prog_get_fd_by_id(id);
	struct bpf_prog_info info;

	if (state->other[0])
		return;
	state->other_method = method;
	if (!program_info(fd, &info))
		snprintf(state->other, sizeof(state->other), "program '%.*s' (id %" PRIu32 ")",
			 BPF_OBJ_NAME_LEN, info.name, id);
	else
		snprintf(state->other, sizeof(state->other), "program (id %" PRIu32 ")", id);
}

static void note_filter(struct hook_state *state, const struct clsact_entry *entry)
{
	if (entry->prog_id) {
		note_program(state, ATTACH_CLSACT, entry->prog_id);
	} else if (!state->other[0]) {
		state->other_method = ATTACH_CLSACT;
		snprintf(state->other, sizeof(state->other), "%s filter of priority %" PRIu32,
			 entry->kind, entry->priority);
	}
}

/* Another XDP program is in the way, unless tc was asked for. */
static void look_at_xdp(const struct datapath *dp, const struct hook *hook,
			struct hook_state *state)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);
	uint32_t ours = id_of(hook->xdp);

	if (bpf_xdp_query((int)hook->ifindex, 0, &query))
		return;
	if (ours && query.drv_prog_id == ours)
		state->method = ATTACH_XDP_NATIVE;
	else if (ours && query.skb_prog_id == ours)
		state->method = ATTACH_XDP_GENERIC;
	else if ((dp->methods_off & XDP_METHODS) == XDP_METHODS)
		return;
	else if (query.hw_prog_id || query.drv_prog_id)
		note_program(state, ATTACH_XDP_NATIVE,
			     query.hw_prog_id ? query.hw_prog_id : query.drv_prog_id);
	else if (query.skb_prog_id)
		note_program(state, ATTACH_XDP_GENERIC, query.skb_prog_id);
}

/* A kernel without tcx says so with an error. */
static void look_at_tcx(const struct datapath *dp, const struct hook *hook,
			struct hook_state *state)
{
	uint32_t ours = id_of(hook->tc);
	__u32 ids[TCX_MAX] = {};
	__u32 count = TCX_MAX;

	if (bpf_prog_query((int)hook->ifindex, hook->is_egress ? TCX_EGRESS : TCX_INGRESS, 0, NULL,
			   ids, &count))
		return;
	for (__u32 i = 0; i < count && i < TCX_MAX; i++) {
		if (ids[i] == ours) {
			state->method = ATTACH_TCX;
			return;
		}
		if (!is_ours(dp, ids[i]))
			note_program(state, ATTACH_TCX, ids[i]);
	}
}

static void look_at_clsact(const struct datapath *dp, const struct hook *hook,
			   struct hook_state *state)
{
	uint32_t ours = id_of(hook->tc);
	clsact_entries found = {};

	if (clsact_list(hook->ifindex, hook->is_egress, &found))
		return;
	vec_foreach (entry, &found) {
		if (ours && entry->prog_id == ours) {
			state->method = ATTACH_CLSACT;
			break;
		}
		if (!entry->prog_id || !is_ours(dp, entry->prog_id))
			note_filter(state, entry);
	}
	vec_release(&found);
}

/* In the order in which a packet meets them. */
void hook_look(const struct datapath *dp, const struct hook *hook, struct hook_state *ret)
{
	struct hook_state state = {};

	if (hook->xdp >= 0)
		look_at_xdp(dp, hook, &state);
	if (state.method == ATTACH_NONE)
		look_at_tcx(dp, hook, &state);
	if (state.method == ATTACH_NONE)
		look_at_clsact(dp, hook, &state);
	if (state.method == ATTACH_NONE)
		state.fault = HOOK_DETACHED;
	else if (state.other[0])
		state.fault = HOOK_DISPLACED;
	*ret = state;
}
