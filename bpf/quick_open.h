/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The quick way as a whole: packets of established connections first (quick.h), then those that
 * would open one.
 */
#ifndef BPF_QUICK_OPEN_H
#define BPF_QUICK_OPEN_H

#include "quick_again.h"
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

	if (!o)
		return QUICK_NOT;
	/* What entering it would wait for is loaded with the tags, where the one before was
	 * entered: who is denied waits for nothing else. */
	if (o->was_entered)
		conn_expect(o->endpoint, o->hash);
	if (!is_unknown(o->hash))
		return QUICK_NOT;
	o->local = local_stamp();
	now = (struct moment){o->slot, o->generation, o->local};
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
static __always_inline bool is_plain_v4(__be32 addr)
{
	__u32 first = bpf_ntohl(addr) >> 24;

	return first && first != 127 && first < 224;
}

static __always_inline bool is_plain_v6(const __u64 addr[2])
{
	return addr[0] && bpf_be64_to_cpu(addr[0]) >> 56 != 0xff;
}

static __always_inline bool are_plain(const struct quick_facts *facts, bool is_v6)
{
	if (is_v6)
		return is_plain_v6(facts->src_v6) && is_plain_v6(facts->dst_v6);
	return is_plain_v4(facts->src_v4) && is_plain_v4(facts->dst_v4);
}

static __always_inline void opener_put_ends(struct opener *o, const struct quick_facts *facts,
					    bool is_v6)
{
	o->src[0] = is_v6 ? facts->src_v6[0] : 0;
	o->dst[0] = is_v6 ? facts->dst_v6[0] : 0;
	o->src[1] = is_v6 ? facts->src_v6[1] : two_words(bpf_htonl(0xffff), facts->src_v4);
	o->dst[1] = is_v6 ? facts->dst_v6[1] : two_words(bpf_htonl(0xffff), facts->dst_v4);
}

static __always_inline enum quick_fate quick_open(const struct quick_packet *p,
						  const struct bh_control *control,
						  const struct quick_facts *facts,
						  const struct quick_look *look)
{
	__u64 now = clock_coarse_ns(control);
	__u32 endpoint = quick_endpoint(p);
	struct opener *o = opener_here();
	struct quick_force force;

	if (!o || endpoint == BH_ENDPOINT_UNKNOWN || !are_plain(facts, look->is_v6) ||
	    !quick_in_force(control, now, &force) || now < control->adopt_until_ns)
		return held(QUICK_NOT);
	o->sender = quick_key(&o->key, facts, endpoint, look);
	o->hash = keyed_hash_of(&control->secret, &o->key, look->is_v6);
	opener_put_ends(o, facts, look->is_v6);
	o->now = now;
	o->slot = BH_ACTIVE_SLOT(force.active);
	o->generation = BH_ACTIVE_GENERATION(force.active);
	o->builtins_off = control->builtins_off;
	o->length = p->length;
	o->ifindex = quick_ifindex(p);
	o->endpoint = endpoint;
	o->seq_end = facts->seq_end;
	o->ports = facts->ports;
	o->proto = look->proto;
	o->tcp_flags = facts->tcp_flags;
	o->is_v6 = look->is_v6;
	o->is_local_origin = quick_is_local_origin(p);
	o->is_returned = quick_is_returned(p);
	o->is_opening = facts->is_opening || look->proto != IPPROTO_TCP;
	o->is_xdp = p->xdp != NULL;
	return QUICK_OPENER;
}

/* Of one protocol, whose header is at hand. */
static __always_inline enum quick_fate quick_look_into(const struct quick_packet *p,
						       const struct bh_control *control,
						       struct quick_facts *facts,
						       const struct quick_look *look)
{
	const void *at = p->start + ETH_HLEN + l3_header_of(look);
	enum quick_fate fate;

	if (unlikely(!(look->proto == IPPROTO_TCP ? quick_tcp(p, at, look, facts)
						  : quick_udp(p, at, look, facts))))
		return held(QUICK_NOT);
	if (unlikely(facts->l3_len > p->length - ETH_HLEN))
		return held(look->is_thorough ? QUICK_NOT : QUICK_AGAIN);
	if (!look->is_thorough && unlikely(may_be_again(p, facts, look)) &&
	    is_denied_again(p, control, facts, look))
		return held(QUICK_DROP);
	if (unlikely(facts->is_opening))
		return quick_open(p, control, facts, look);
	fate = quick_judge(p, control, facts, look);
	if (fate != QUICK_OPENER)
		return fate;
	/* TCP in the middle of a connection that a workload doesn't have: the whole way knows. */
	if (look->proto == IPPROTO_TCP && !p->is_host)
		return held(QUICK_NOT);
	return quick_open(p, control, facts, look);
}

/* Of one family.  What hasn't even room for ports is no whole packet of these protocols. */
static __always_inline enum quick_fate quick_look_at(const struct quick_packet *p,
						     const struct bh_control *control, bool is_v6,
						     bool is_thorough)
{
	const struct quick_look tcp = {is_v6, is_thorough, IPPROTO_TCP};
	const struct quick_look udp = {is_v6, is_thorough, IPPROTO_UDP};
	const void *ip = p->start + ETH_HLEN;
	struct quick_facts facts = {};
	__u8 proto;

	if (unlikely(ip + l3_header_of(&udp) + sizeof(struct udphdr) > p->end))
		return held(QUICK_NOT);
	if (unlikely(!(is_v6 ? quick_ipv6(ip, &facts) : quick_ipv4(ip, &facts))))
		return held(QUICK_NOT);
	proto = is_v6 ? ((const struct ipv6hdr *)ip)->nexthdr
		      : ((const struct iphdr *)ip)->protocol;
	if (proto == IPPROTO_TCP)
		return quick_look_into(p, control, &facts, &tcp);
	if (proto == IPPROTO_UDP)
		return quick_look_into(p, control, &facts, &udp);
	return held(QUICK_NOT);
}

/*
 * Nearly all packets end at the first look.  A second, thorough one is for what that did not find
 * at home.  Each family and protocol is looked at by itself, so that what is the same in all its
 * packets costs none of them.
 */
static __always_inline enum quick_fate quick_fate_of(const struct quick_packet *p, bool is_thorough)
{
	const struct bh_control *control = control_here();
	const struct ethhdr *eth = p->start;
	__be16 ethertype;

	if (unlikely(!bh_is_quick || !control || (const void *)(eth + 1) > p->end))
		return held(QUICK_NOT);
	if (p->is_host && p->direction == BH_INGRESS && unlikely(is_answer_mac(eth->h_source)))
		return held(QUICK_NOT);
	/* At once: a frame begins where two bytes may be loaded. */
	ethertype = *(const __be16 *)(p->start + offsetof(struct ethhdr, h_proto));
	if (ethertype == bpf_htons(ETH_P_IP))
		return quick_look_at(p, control, false, is_thorough);
	if (ethertype == bpf_htons(ETH_P_IPV6))
		return quick_look_at(p, control, true, is_thorough);
	return held(QUICK_NOT);
}

#endif
