/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The quick way as a whole: packets of established connections first (quick.h), then those that
 * would open one.
 */
#ifndef BPF_QUICK_OPEN_H
#define BPF_QUICK_OPEN_H

#include "quick_deny.h"
#include "quick_enter.h"
#include "quick_opener.h"

static __always_inline enum quick_fate opener_end(struct opener *o, const struct end_known *src,
						  const struct end_known *dst)
{
	const struct bh_policy *policy = bpf_map_lookup_elem(&bh_policies, &o->slot);
	__u32 table = o->proto == IPPROTO_TCP ? BH_SERVICE_TCP : BH_SERVICE_UDP;

	if (!policy)
		return QUICK_NOT;
	o->src_identity = src->identity & END_IDENTITY;
	o->dst_identity = dst->identity & END_IDENTITY;
	o->cell = cell_at(policy, row_of(policy, src->class, dst->class),
			  service_class(policy, table, bpf_ntohs(o->dport)));
	if (o->cell & BH_CELL_LATER)
		return QUICK_NOT;
	if (BH_CELL_VERDICT(o->cell) == BH_VERDICT_DENY)
		return opener_deny(o, policy);
	return may_enter(o, dst) ? opener_enter(o, policy) : QUICK_NOT;
}

/* What becomes of the packet in bh_opener: enum quick_fate.  Global: verified once. */
__noinline int opener_judge(void)
{
	const struct end_known *src, *dst;
	struct opener *o = opener_here();
	enum standing standing;
	struct moment now;

	if (!o || !is_unknown(o))
		return QUICK_NOT;
	now = (struct moment){o->slot, o->generation, local_stamp()};
	src = end_find(o->src, &now, 0);
	dst = end_find(o->dst, &now, 1);
	if (!src || !dst)
		return QUICK_NOT;
	standing = standing_of(o, src->identity, dst->identity);
	if (standing == STANDING_TRANSIT) {
		count_endpoint(o->endpoint, o->direction, false, o->length);
		return QUICK_PASS;
	}
	if (standing == STANDING_DOUBTFUL || !o->is_opening)
		return QUICK_NOT;
	return opener_end(o, src, dst);
}

static __always_inline enum quick_fate quick_open(const struct quick_packet *p,
						  const struct quick_facts *facts,
						  const struct in_force *f, __u64 now)
{
	__u32 endpoint = quick_endpoint(p);
	struct opener *o = opener_here();

	if (!o || endpoint == BH_ENDPOINT_UNKNOWN || f->is_agent_down ||
	    now < f->control->adopt_until_ns)
		return QUICK_NOT;
	o->src[0] = facts->src[0];
	o->src[1] = facts->src[1];
	o->dst[0] = facts->dst[0];
	o->dst[1] = facts->dst[1];
	o->now = now;
	o->slot = f->slot;
	o->generation = f->generation;
	o->builtins_off = f->control->builtins_off;
	o->length = p->length;
	o->ifindex = p->ifindex;
	o->endpoint = endpoint;
	o->seq_end = facts->seq_end;
	o->sport = facts->sport;
	o->dport = facts->dport;
	o->proto = facts->proto;
	o->tcp_flags = facts->tcp_flags;
	o->is_v6 = facts->src[0] != 0;
	o->direction = p->direction;
	o->is_host = p->is_host;
	o->is_local_origin = p->is_local_origin;
	o->is_returned = p->is_returned;
	o->is_opening = facts->is_opening || facts->proto != IPPROTO_TCP;
	o->is_xdp = p->is_xdp;
	return QUICK_OPENER;
}

/* A packet that was looked for in vain: what is known of it is on no stack any more. */
static __always_inline enum quick_fate quick_second(const struct quick_packet *p)
{
	struct quick_facts facts = {};
	__u64 now = clock_coarse_ns();
	struct in_force f;

	if (!quick_parse(p, &facts) || !find_in_force(now, &f))
		return QUICK_NOT;
	return quick_open(p, &facts, &f, now);
}

static __always_inline enum quick_fate quick_first(const struct quick_packet *p)
{
	struct quick_facts facts = {};
	__u64 now = clock_coarse_ns();
	struct in_force f;

	if (!bh_is_quick || !quick_parse(p, &facts) || !find_in_force(now, &f))
		return QUICK_NOT;
	if (facts.is_opening)
		return quick_open(p, &facts, &f, now);
	if (quick_judge(p, &facts, &f, now))
		return QUICK_PASS;
	return facts.proto == IPPROTO_TCP && !p->is_host ? QUICK_NOT : QUICK_AGAIN;
}

#endif
