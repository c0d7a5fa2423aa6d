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

/*
 * What becomes of the packet in bh_opener: enum quick_fate.  A datagram's connection was looked
 * for; a SYN's, as tags come from far, only where there may be one.  Global: verified once.
 */
__noinline int opener_judge(void)
{
	const struct end_known *src, *dst;
	struct opener *o = opener_here();
	enum standing standing;
	struct moment now;

	if (!o)
		return QUICK_NOT;
	if (o->proto == IPPROTO_TCP && opener_may_be_known(o) && !opener_is_unknown())
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
	if (standing == STANDING_DOUBTFUL)
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

static __always_inline struct halves quick_src(const struct quick_facts *facts, bool is_v6)
{
	if (is_v6)
		return (struct halves){facts->src_v6[0], facts->src_v6[1]};
	return (struct halves){0, two_words(bpf_htonl(0xffff), facts->src_v4)};
}

static __always_inline struct halves quick_dst(const struct quick_facts *facts, bool is_v6)
{
	if (is_v6)
		return (struct halves){facts->dst_v6[0], facts->dst_v6[1]};
	return (struct halves){0, two_words(bpf_htonl(0xffff), facts->dst_v4)};
}

static __always_inline void opener_put_ends(struct opener *o, const struct quick_facts *facts,
					    bool is_v6)
{
	struct halves src = quick_src(facts, is_v6), dst = quick_dst(facts, is_v6);

	o->src[0] = src.first;
	o->src[1] = src.last;
	o->dst[0] = dst.first;
	o->dst[1] = dst.last;
}

/* Both ends are others', see is_transit() and is_reflected(). */
static __always_inline bool quick_is_transit(const struct quick_packet *p,
					     const struct quick_facts *facts, bool is_v6)
{
	struct halves src, dst;

	if (!p->is_host || quick_is_local_origin(p))
		return false;
	dst = quick_dst(facts, is_v6);
	if (p->direction == BH_INGRESS && local_flags(dst.first, dst.last) & OWN_IS)
		return false;
	src = quick_src(facts, is_v6);
	return !is_own_source(local_flags(src.first, src.last));
}

static __always_inline void opener_fill(struct opener *o, const struct quick_packet *p,
					const struct quick_facts *facts,
					const struct quick_look *look)
{
	opener_put_ends(o, facts, look->is_v6);
	o->length = p->length;
	o->ifindex = quick_ifindex(p);
	o->seq_end = facts->seq_end;
	o->ports = facts->ports;
	o->proto = look->proto;
	o->tcp_flags = facts->tcp_flags;
	o->is_v6 = look->is_v6;
	o->is_local_origin = quick_is_local_origin(p);
	o->is_returned = quick_is_returned(p);
	o->is_xdp = p->xdp != NULL;
}

static __always_inline void opener_ask(struct opener *o, const struct quick_question *q)
{
	o->key = q->key;
	o->hash = q->hash;
	o->sender = q->sender;
	o->now = q->now;
	o->slot = BH_ACTIVE_SLOT(q->force.active);
	o->generation = BH_ACTIVE_GENERATION(q->force.active);
	o->endpoint = q->endpoint;
}

/*
 * Of a packet whose connection is not known where it was looked for.  Where that is not all of it,
 * who is thorough knows.  Whether it only passes is asked of most; but what opens a TCP connection
 * mostly opens one here, and has its ends found anyway.  In the agent's first seconds a datagram
 * may be of a connection that is older (see adopt_reply()), a SYN is of none.
 */
static __always_inline enum quick_fate quick_open(const struct quick_packet *p,
						  const struct bh_control *control,
						  const struct quick_question *q,
						  const struct quick_facts *facts,
						  const struct quick_look *look)
{
	enum quick_fate doubt = look->is_thorough ? QUICK_NOT : QUICK_AGAIN;
	struct opener *o = opener_here();

	if (!o || !are_plain(facts, look->is_v6))
		return held(QUICK_NOT);
	if (!facts->is_opening && !is_unknown(q->endpoint, q->hash))
		return held(doubt);
	if (!facts->is_opening && quick_is_transit(p, facts, look->is_v6)) {
		count_endpoint(q->endpoint, p->direction, false, p->length);
		return held(QUICK_PASS);
	}
	if (look->proto == IPPROTO_TCP && !facts->is_opening)
		return held(doubt);
	if (look->proto == IPPROTO_UDP && q->now < control->adopt_until_ns)
		return held(QUICK_NOT);
	o->builtins_off = control->builtins_off;
	opener_ask(o, q);
	opener_fill(o, p, facts, look);
	return QUICK_OPENER;
}

/* Of one protocol, whose header is at hand. */
static __always_inline enum quick_fate quick_look_into(const struct quick_packet *p,
						       const struct bh_control *control,
						       struct quick_facts *facts,
						       const struct quick_look *look)
{
	const void *at = p->start + ETH_HLEN + l3_header_of(look);
	struct quick_question q;
	enum quick_fate fate;

	if (unlikely(!(look->proto == IPPROTO_TCP ? quick_tcp(p, at, look, facts)
						  : quick_udp(p, at, look, facts))))
		return held(QUICK_NOT);
	if (unlikely(facts->l3_len > p->length - ETH_HLEN))
		return held(look->is_thorough ? QUICK_NOT : QUICK_AGAIN);
	if (unlikely(!quick_ask(p, control, facts, look, &q)))
		return held(QUICK_NOT);
	if (!look->is_thorough && unlikely(may_be_again(p, facts, look)) &&
	    is_denied_again(p, control, &q, facts, look))
		return held(QUICK_DROP);
	if (unlikely(facts->is_opening))
		return quick_open(p, control, &q, facts, look);
	fate = quick_judge(p, &q, facts, look);
	return fate == QUICK_OPENER ? quick_open(p, control, &q, facts, look) : fate;
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
