/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Workloads' packets whose destination the kernel has translated, before they go where they now
 * belong: decided each time, on the ends that they really have.  Their connection's entry at the
 * workload's endpoint has the ends as the workload sees them, and goes when this denies it.
 */
#ifndef BPF_TRANSLATED_H
#define BPF_TRANSLATED_H

#include "conntrack.h"
#include "path.h"

/* The ends of a packet, as it is now. */
struct ends {
	struct bh_addr src, dst;
	__be16 sport, dport;
	__u8 proto;
	__u8 icmp_type, icmp_code;
};

static __always_inline void addr_from_tuple(struct bh_addr *a, const __be32 addr[4], bool is_v6)
{
	if (!is_v6) {
		addr_from_v4(a, addr[0]);
		return;
	}
	for (int i = 0; i < 4; i++)
		a->word[i] = addr[i];
}

/*
 * At this hook sources are not translated yet, and those of answers are again what they were: so
 * one end is who opened, as it came, and the other is who answers.
 */
static __always_inline void ends_of_tracked(const struct tracked *t, bool is_v6, struct ends *ret)
{
	struct bh_addr opener, other;

	addr_from_tuple(&opener, t->opener.src.addr, is_v6);
	addr_from_tuple(&other, t->answer.src.addr, is_v6);
	ret->proto = t->opener.dst.protonum;
	ret->src = t->is_reply ? other : opener;
	ret->dst = t->is_reply ? opener : other;
	if (ret->proto == IPPROTO_ICMP || ret->proto == IPPROTO_ICMPV6) {
		ret->icmp_type = t->opener.dst.icmp.type;
		ret->icmp_code = t->opener.dst.icmp.code;
		ret->sport = t->is_reply ? 0 : t->opener.src.port;
		ret->dport = t->is_reply ? t->opener.src.port : 0;
		return;
	}
	ret->sport = t->is_reply ? t->answer.src.port : t->opener.src.port;
	ret->dport = t->is_reply ? t->opener.src.port : t->answer.src.port;
}

static __always_inline bool has_ports(__u8 proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == IPPROTO_SCTP;
}

static __always_inline bool read_ports(const void *at, __u8 proto, struct ends *ret)
{
	__be16 ports[2];

	ret->proto = proto;
	if (!has_ports(proto))
		return true;
	if (bpf_probe_read_kernel(ports, sizeof(ports), at))
		return false;
	ret->sport = ports[0];
	ret->dport = ports[1];
	return true;
}

/* Of a packet that nobody tracks.  Protocol 0: it may be a piece, for any port. */
static __always_inline bool read_ipv4(const void *at, struct ends *ret)
{
	struct iphdr ip;

	if (bpf_probe_read_kernel(&ip, sizeof(ip), at))
		return false;
	addr_from_v4(&ret->src, ip.saddr);
	addr_from_v4(&ret->dst, ip.daddr);
	if (ip.frag_off & bpf_htons(IPV4_FRAGMENT_OFFSET))
		return true;
	return read_ports(at + ip.ihl * 4, ip.protocol, ret);
}

static __always_inline bool read_ipv6(const void *at, struct ends *ret)
{
	struct ipv6hdr ip;

	if (bpf_probe_read_kernel(&ip, sizeof(ip), at))
		return false;
	addr_from_v6(&ret->src, &ip.saddr);
	addr_from_v6(&ret->dst, &ip.daddr);
	if (!has_ports(ip.nexthdr) && ip.nexthdr != IPPROTO_ICMPV6)
		return true;
	return read_ports(at + sizeof(ip), ip.nexthdr, ret);
}

static __always_inline bool ends_read(const struct sk_buff *skb, bool is_v6, struct ends *ret)
{
	const void *at = skb->head + skb->network_header;

	return is_v6 ? read_ipv6(at, ret) : read_ipv4(at, ret);
}

/* NULL: no workload of this machine has the address. */
static __always_inline const struct bh_endpoint *owner_of(const struct bh_addr *addr)
{
	const struct bh_owner_key key = {.prefix_len = 128, .addr = *addr};

	return bpf_map_lookup_elem(&bh_owners, &key);
}

static __always_inline struct packet *translated_begin(const struct sk_buff *skb,
						       const struct bh_endpoint *owner,
						       const struct ends *ends, bool is_v6,
						       bool is_reply)
{
	struct packet *p = packet_begin(skb->len + ETH_HLEN, owner->ifindex,
					is_reply ? BH_INGRESS : BH_EGRESS);

	if (!p)
		return NULL;
	p->endpoint = owner->id;
	p->ethertype = is_v6 ? bpf_htons(ETH_P_IPV6) : bpf_htons(ETH_P_IP);
	p->is_v6 = is_v6;
	p->src = ends->src;
	p->dst = ends->dst;
	p->sport = ends->sport;
	p->dport = ends->dport;
	p->proto = ends->proto;
	p->icmp_type = ends->icmp_type;
	p->icmp_code = ends->icmp_code;
	return p;
}

/* The entry of the workload's connection, under the ends that it sees. */
static __always_inline struct hit find_entry(struct packet *p, const struct bh_addr *src,
					     const struct bh_addr *dst, __be16 sport, __be16 dport)
{
	__u8 sender;

	conn_key_begin(p, p->proto);
	sender = conn_key_ends(&p->key, src, dst, sport, dport);
	return conn_find(p, sender, true);
}

static __always_inline struct hit find_opened(struct packet *p, const struct tracked *t)
{
	bool is_icmp_id = is_icmp(p);
	struct bh_addr src, dst;

	addr_from_tuple(&src, t->opener.src.addr, p->is_v6);
	addr_from_tuple(&dst, t->opener.dst.addr, p->is_v6);
	return find_entry(p, &src, &dst, t->opener.src.port, is_icmp_id ? 0 : t->opener.dst.port);
}

/* A whole SYN without data; anything else opens no connection that requires TLS. */
static __always_inline bool read_bare_syn(const struct sk_buff *skb, bool is_v6, __u32 *ret_seq)
{
	const void *at = skb->head + skb->network_header;
	__u32 len = sizeof(struct ipv6hdr);
	struct tcphdr tcp;
	struct iphdr ip;

	if (!is_v6) {
		if (bpf_probe_read_kernel(&ip, sizeof(ip), at))
			return false;
		len = ip.ihl * 4;
	}
	if (bpf_probe_read_kernel(&tcp, sizeof(tcp), at + len) || !tcp.syn ||
	    skb->len > len + tcp.doff * 4)
		return false;
	*ret_seq = bpf_ntohl(tcp.seq);
	return true;
}

/* A rule that requires TLS is for the workload's endpoint to see to: from the SYN on. */
static __always_inline enum bh_reason require_hello(const struct sk_buff *skb, struct packet *p,
						    const struct tracked *t)
{
	struct hit hit;

	if (!t->is_new || t->is_reply || p->proto != IPPROTO_TCP)
		return BH_REASON_NONE;
	hit = find_opened(p, t);
	if (!hit.at.conn || !read_bare_syn(skb, p->is_v6, &p->seq))
		return BH_REASON_NO_CONNECTION;
	if (!hit.at.rest->hello)
		conn_await_hello(&hit, true, p->seq);
	return BH_REASON_NONE;
}

static __always_inline enum bh_reason decide_translated(const struct sk_buff *skb, struct packet *p,
							const struct tracked *t)
{
	bool is_first = t->is_new && !t->is_reply;
	enum bh_reason reason;
	__u32 cell;

	if (addr_equal(&p->src, &p->dst) && is_builtin_on(p, BH_BUILTIN_SELF)) {
		p->rule = BH_BUILTIN_SELF;
		return BH_REASON_NONE;
	}
	cell = decide_ends(t->is_reply);
	reason = reason_of(cell, is_first ? BH_REASON_POLICY : BH_REASON_REVOKED);
	if (reason)
		return reason;
	p->is_reported = is_first && (p->verdict == BH_VERDICT_AUDIT || (cell & BH_CELL_LOG));
	return cell & BH_CELL_TLS ? require_hello(skb, p, t) : BH_REASON_NONE;
}

/* The frame's bytes are not at hand here: its header is made up. */
static __always_inline void report_skb(const struct sk_buff *skb, const struct packet *p)
{
	const struct packet_event e = packet_event_begin(p);
	struct bh_event_packet *record = e.record;
	__u32 len = skb->len - skb->data_len;
	struct ethhdr *eth;

	if (!record)
		return;
	__builtin_memset(record->bytes, 0, sizeof(record->bytes));
	eth = (void *)record->bytes;
	eth->h_proto = p->ethertype;
	if (len > sizeof(record->bytes) - sizeof(*eth))
		len = sizeof(record->bytes) - sizeof(*eth);
	record->captured = sizeof(*eth) + len;
	if (bpf_probe_read_kernel(eth + 1, len, skb->data))
		record->captured = sizeof(*eth);
	packet_event_end(&e, p);
}

/*
 * As admit() does, with what it needs.  What passes was counted at the endpoint; what is dropped
 * here has passed there, and counts as both.
 */
static __always_inline int translated_end(const struct sk_buff *skb, struct packet *p,
					  enum bh_reason reason)
{
	struct bh_rejects *rejects;

	if (reason) {
		p->verdict = verdict_of_drop(p, reason);
		identify_undecided(p);
		count_endpoint(p->endpoint, p->direction, true, p->length);
	}
	count_rule(p->rule, p->rule_base, p->rules, p->length);
	if (reason || p->is_reported)
		report(p, reason);
	if (p->is_event_due)
		report_skb(skb, p);
	if (!reason)
		return NF_ACCEPT;
	rejects = p->verdict == BH_VERDICT_REJECT ? rejects_here() : NULL;
	if (rejects)
		rejects->silent++;
	return NF_DROP;
}

static __always_inline int judge_translated(const struct sk_buff *skb, const struct tracked *t,
					    const struct ends *ends, bool is_v6)
{
	const struct bh_endpoint *owner = owner_of(t->is_reply ? &ends->dst : &ends->src);
	enum bh_reason reason;
	struct packet *p;
	struct hit hit;

	if (!owner ||
	    (t->is_related && (ends->proto == IPPROTO_ICMP || ends->proto == IPPROTO_ICMPV6)))
		return NF_ACCEPT;
	p = translated_begin(skb, owner, ends, is_v6, t->is_reply);
	if (!p)
		return NF_DROP;
	reason = find_policy(p);
	if (!reason)
		reason = decide_translated(skb, p, t);
	if (reason) {
		hit = find_opened(p, t);
		if (hit.at.conn)
			conn_delete(&hit, BH_FLOW_REVOKED);
	}
	return translated_end(skb, p, reason);
}

/*
 * To a front, and still so: nobody has decided that the workload may send there, unless it is of a
 * connection that is none to a front.
 */
static __always_inline int judge_untranslated(const struct sk_buff *skb, const struct ends *ends,
					      bool is_v6)
{
	const struct bh_endpoint *owner = owner_of(&ends->src);
	enum bh_reason reason;
	struct packet *p;
	struct hit hit;

	if (!owner)
		return NF_ACCEPT;
	p = translated_begin(skb, owner, ends, is_v6, false);
	if (!p)
		return NF_DROP;
	reason = find_policy(p);
	hit = find_entry(p, &p->src, &p->dst, p->sport, p->dport);
	if (!reason && hit.at.conn && hit.at.conn->rule != BH_BUILTIN_FRONT)
		return NF_ACCEPT;
	/* Its entry stays: what fits no connection isn't translated, and that is no fault of it. */
	return translated_end(skb, p, reason ? reason : BH_REASON_UNTRANSLATED);
}

static __always_inline int drop_unread(const struct sk_buff *skb, const struct ends *ends,
				       bool is_v6)
{
	const struct bh_endpoint nobody = {.id = BH_ENDPOINT_UNKNOWN};
	struct packet *p = translated_begin(skb, &nobody, ends, is_v6, false);

	return p ? translated_end(skb, p, BH_REASON_MALFORMED) : NF_DROP;
}

static __always_inline bool is_untranslated(const struct ends *ends, bool is_for_host)
{
	if (front_at(&ends->dst, ends->dport, ends->proto))
		return true;
	return is_for_host && local_front_at(ends->dport, ends->proto);
}

static __always_inline int admit_translated(const struct sk_buff *skb, bool is_v6, bool is_for_host)
{
	struct tracked t = {};
	struct ends ends = {};

	if (!tracked_read(skb, &t))
		return drop_unread(skb, &ends, is_v6);
	if (t.is_known)
		ends_of_tracked(&t, is_v6, &ends);
	else if (!ends_read(skb, is_v6, &ends))
		return drop_unread(skb, &ends, is_v6);
	if (t.is_translated)
		return judge_translated(skb, &t, &ends, is_v6);
	return is_untranslated(&ends, is_for_host) ? judge_untranslated(skb, &ends, is_v6)
						   : NF_ACCEPT;
}

#endif
