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
	o->cell = cell_at(policy, row_of(policy, src->row, dst->column),
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

/* Nothing that parse() or judge() take a second look at: see is_bad_source(), is_bad_destination().
 */
static __always_inline bool is_plain_v4(__u64 last)
{
	__u32 first = bpf_ntohl((__u32)(last >> SECOND_HALF)) >> 24;

	return first && first != 127 && first < 224;
}

static __always_inline bool is_plain_v6(const __u64 addr[2])
{
	return addr[0] && bpf_be64_to_cpu(addr[0]) >> 56 != 0xff;
}

static __always_inline bool are_plain(const struct quick_facts *facts, bool is_v6)
{
	if (is_v6)
		return is_plain_v6(facts->src) && is_plain_v6(facts->dst);
	return is_plain_v4(facts->src[1]) && is_plain_v4(facts->dst[1]);
}

static __always_inline enum quick_fate quick_open(const struct quick_packet *p,
						  const struct bh_control *control,
						  const struct quick_facts *facts, bool is_v6)
{
	__u64 now = clock_coarse_ns(control), active;
	__u32 endpoint = quick_endpoint(p);
	struct opener *o = opener_here();
	bool is_reverted;

	active = active_word(control, now, &is_reverted);
	if (!o || !active || endpoint == BH_ENDPOINT_UNKNOWN || !are_plain(facts, is_v6) ||
	    is_agent_down(control, BH_ACTIVE_SLOT(active), now) || now < control->adopt_until_ns)
		return QUICK_NOT;
	o->sender = quick_key(&o->key, facts, endpoint, is_v6);
	o->hash = keyed_hash_of(&control->secret, o->key.pair, is_v6);
	o->src[0] = facts->src[0];
	o->src[1] = facts->src[1];
	o->dst[0] = facts->dst[0];
	o->dst[1] = facts->dst[1];
	o->now = now;
	o->slot = BH_ACTIVE_SLOT(active);
	o->generation = BH_ACTIVE_GENERATION(active);
	o->builtins_off = control->builtins_off;
	o->length = p->length;
	o->ifindex = p->ifindex;
	o->endpoint = endpoint;
	o->seq_end = facts->seq_end;
	o->ports = facts->ports;
	o->proto = facts->proto;
	o->tcp_flags = facts->tcp_flags;
	o->is_v6 = is_v6;
	o->is_local_origin = p->is_local_origin;
	o->is_returned = p->is_returned;
	o->is_opening = facts->is_opening || facts->proto != IPPROTO_TCP;
	o->is_xdp = p->is_xdp;
	return QUICK_OPENER;
}

static __always_inline enum quick_fate quick_look_at(const struct quick_packet *p,
						     const struct bh_control *control,
						     const void *at, const struct quick_look *look)
{
	struct quick_facts facts = {};
	enum quick_fate fate;

	at = look->is_v6 ? quick_ipv6(p, at, &facts) : quick_ipv4(p, at, &facts);
	if (!quick_transport(p, at, &facts))
		return QUICK_NOT;
	if (facts.l3_len > p->length - ETH_HLEN)
		return look->is_thorough ? QUICK_NOT : QUICK_AGAIN;
	if (facts.is_opening)
		return quick_open(p, control, &facts, look->is_v6);
	fate = quick_judge(p, control, &facts, look);
	if (fate != QUICK_OPENER)
		return fate;
	/* TCP in the middle of a connection that a workload doesn't have: the whole way knows. */
	if (facts.proto == IPPROTO_TCP && !p->is_host)
		return QUICK_NOT;
	return quick_open(p, control, &facts, look->is_v6);
}

/*
 * Nearly all packets end at the first look.  A second, thorough one is for what that did not find
 * at home, or was decided in another generation.  Each family is looked at by itself, so that what
 * is the same in all its packets costs none of them.
 */
static __always_inline enum quick_fate quick_fate_of(const struct quick_packet *p, bool is_thorough)
{
	const struct quick_look v4 = {.is_v6 = false, .is_thorough = is_thorough};
	const struct quick_look v6 = {.is_v6 = true, .is_thorough = is_thorough};
	const struct bh_control *control = control_here();
	const struct ethhdr *eth = p->start;
	const void *at = eth + 1;
	__be16 ethertype;

	if (!bh_is_quick || !control || at > p->end ||
	    (p->is_host && p->direction == BH_INGRESS && is_answer_mac(eth->h_source)))
		return QUICK_NOT;
	/* At once: a frame begins where two bytes may be loaded. */
	ethertype = *(const __be16 *)(p->start + offsetof(struct ethhdr, h_proto));
	if (ethertype == bpf_htons(ETH_P_IP))
		return quick_look_at(p, control, at, &v4);
	if (ethertype == bpf_htons(ETH_P_IPV6))
		return quick_look_at(p, control, at, &v6);
	return QUICK_NOT;
}

#endif
