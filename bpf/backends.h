/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a workload sends to a Service's address where nobody can decide later: it is not known who
 * gets it, so all who may must be allowed to. */
#ifndef BPF_BACKENDS_H
#define BPF_BACKENDS_H

#include "builtin.h"
#include "decide.h"
#include "front.h"

/* The key is in the packet's place, for there is little room on the stack. */
static __always_inline const struct bh_backends *backends_of(struct packet *p, bool is_reply)
{
	struct bh_front *front = &p->front;
	const struct bh_backends *backends;

	front->addr = is_reply ? p->src : p->dst;
	front->port = is_reply ? p->sport : p->dport;
	front->proto = p->proto;
	front->pad = 0;
	backends = bpf_map_lookup_elem(&bh_backends, front);
	if (backends || !is_local(&front->addr))
		return backends;
	front->addr = (struct bh_addr){.word[2] = p->is_v6 ? 0 : bpf_htonl(0xffff)};
	return bpf_map_lookup_elem(&bh_backends, front);
}

static __always_inline __u64 sooner(__u64 until_s, __u64 other_s)
{
	return !until_s || (other_s && other_s < until_s) ? other_s : until_s;
}

/* What is decided of the backend.  As decide(), with less on the stack. */
static __always_inline void decide_backend(const struct packet *p, __u32 workload,
					   struct decision *ret)
{
	const struct bh_policy *policy = bpf_map_lookup_elem(&bh_policies, &p->slot);
	const struct bh_identity *src, *dst;
	struct question question;
	__u64 now;

	*ret = (struct decision){};
	if (!policy)
		return;
	src = identity_of(policy, workload);
	dst = identity_of(policy, p->backend_identity);
	if (!src || !dst)
		return;
	question_of_service(&question, p->proto, p->is_v6, p->backend.port, 0);
	ret->flags = src->flags | dst->flags;
	ret->cell = cell_of(p->slot, src->row, dst->column, question.table, question.number);
	if (ret->cell & BH_CELL_LATER) {
		now = cell_and_until(p->slot, ret->cell);
		ret->cell = (__u32)now;
		ret->until_s = now >> 32;
	}
	heed_agent_down(p, ret);
}

/*
 * To what was decided of the backends before: the first one counts, unless this one is worse.
 * Whether the workload may send to it.
 */
static __always_inline bool add_backend(struct packet *p, bool is_reply)
{
	struct decision decision;
	__u32 flags;
	__u8 verdict;

	decide_backend(p, is_reply ? p->dst_identity : p->src_identity, &decision);
	verdict = BH_CELL_VERDICT(decision.cell);
	flags = (p->cell | decision.cell) & (BH_CELL_LOG | BH_CELL_TLS);
	p->until_s = sooner(p->until_s, decision.until_s);
	if (!BH_VERDICT_PASSES(verdict) || p->rule == BH_BUILTIN_FRONT ||
	    verdict == BH_VERDICT_AUDIT) {
		p->cell = decision.cell;
		p->rule = BH_CELL_RULE(decision.cell);
		p->verdict = verdict;
		*(is_reply ? &p->src_identity : &p->dst_identity) = p->backend_identity;
	}
	p->cell |= flags;
	return BH_VERDICT_PASSES(verdict);
}

static __always_inline bool is_itself(const struct packet *p, bool is_reply)
{
	return addr_equal(&p->backend.addr, is_reply ? &p->dst : &p->src) &&
	       is_builtin_on(p, BH_BUILTIN_SELF);
}

/* Whether the workload may send to p->backend.  Global: verified once, and not for each. */
__noinline int may_reach_backend(int is_reply)
{
	struct packet *p = packet_here();

	if (!p)
		return false;
	if (is_itself(p, is_reply))
		return true;
	p->backend_identity = identify(&p->backend.addr, p->slot);
	return add_backend(p, is_reply);
}

/*
 * Of the packet's connection to a front: what is decided of the first backend that is denied, or of
 * all of them.  Takes it over, and returns the cell.  The agent may change the backends at the same
 * time: then it makes another generation, in which this is decided again.
 */
__noinline int decide_backends(int is_reply)
{
	struct packet *p = packet_here();
	const struct bh_backends *backends;

	if (!p)
		return 0;
	backends = backends_of(p, is_reply);
	p->rule = BH_BUILTIN_FRONT;
	p->verdict = backends ? BH_VERDICT_ALLOW : BH_VERDICT_DENY;
	p->cell = BH_CELL(p->rule, p->verdict, 0);
	p->until_s = 0;
	p->src_identity = identify(&p->src, p->slot);
	p->dst_identity = identify(&p->dst, p->slot);
	for (__u32 i = 0; backends && i < BH_BACKENDS_MAX; i++) {
		if (i >= backends->count)
			break;
		p->backend = backends->of[i];
		if (!may_reach_backend(is_reply))
			break;
	}
	return (int)p->cell;
}

#endif
