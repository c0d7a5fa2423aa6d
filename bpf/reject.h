/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The answer to a rejected packet: a TCP reset, else an ICMP error, back the way the packet came.
 * It opens no connection and is no traffic of any endpoint: the programs that it meets know it by a
 * secret, and neither judge nor count it.
 */
#ifndef BPF_REJECT_H
#define BPF_REJECT_H

#include "checksum.h"
#include "config.h"
#include "endpoint.h"
#include "maps.h"
#include "transport.h"

#define ANSWER_TTL 64

#define ICMP_UNREACHABLE  3  /* RFC 792 */
#define ICMP_PROHIBITED   13 /* RFC 1812, 5.2.7.1: communication administratively prohibited */
#define ICMP_QUOTED_BYTES 8  /* RFC 792: behind the IP header */
#define ICMP6_UNREACHABLE 1  /* RFC 4443, 3.1 */
#define ICMP6_PROHIBITED  1

static __always_inline struct answer *answer_here(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&bh_answer, &zero);
}

static __always_inline bool is_any_icmp(const struct packet *p)
{
	return p->proto == IPPROTO_ICMP || p->proto == IPPROTO_ICMPV6;
}

/* A network's broadcast address, which looks like any other. */
static __always_inline bool is_for_group(const struct packet *p)
{
	return local_flags_of(&p->dst) & BH_LOCAL_GROUP;
}

/*
 * RFC 1122, 3.2.2 and RFC 4443, 2.4 (e): nothing is sent about an ICMP error, to or from more than
 * one, to nobody, or about a later fragment; RFC 9293, 3.10.7.1: nor about a reset.  Of ICMP only
 * an echo request is answered: what else there is waits for no answer, or tells of one.
 */
static __always_inline bool may_answer(const struct packet *p)
{
	if (p->is_group_frame || addr_is_multicast(&p->dst) || addr_is_multicast(&p->src) ||
	    addr_is_unspecified(&p->src) || p->fragment == FRAGMENT_LATER || is_for_group(p))
		return false;
	if (p->proto == IPPROTO_TCP)
		return !(p->tcp_flags & TCP_RST);
	return !is_any_icmp(p) || is_echo_request(p);
}

/* Takes the time that an answer costs out of the bucket, which holds that of a burst at most. */
static __always_inline bool take_token(__u64 now)
{
	__u64 cost = bh_reject_rate ? NS_PER_S / bh_reject_rate : 0;
	__u64 all = cost * BH_REJECT_BURST;
	struct answer_bucket *bucket;
	bool is_taken;
	__u32 zero = 0;

	bucket = bpf_map_lookup_elem(&bh_answer_rate, &zero);
	if (!cost || !bucket)
		return false;
	bpf_spin_lock(&bucket->lock);
	if (elapsed_ns(bucket->spent_ns, now) > (__s64)all)
		bucket->spent_ns = now - all;
	is_taken = elapsed_ns(bucket->spent_ns, now) >= (__s64)cost;
	if (is_taken)
		bucket->spent_ns += cost;
	bpf_spin_unlock(&bucket->lock);
	return is_taken;
}

static __always_inline struct bh_rejects *rejects_here(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&bh_rejects, &zero);
}

/* How many bytes of the packet its answer quotes: none for a reset. */
static __always_inline __u32 quoted_len(const struct packet *p)
{
	__u32 max = BH_REJECT_QUOTE_MAX;

	if (p->proto == IPPROTO_TCP)
		return 0;
	if (!p->is_v6)
		max = p->ip_len - p->l4_len + ICMP_QUOTED_BYTES;
	if (max > BH_REJECT_QUOTE_MAX)
		max = BH_REJECT_QUOTE_MAX;
	return p->ip_len < max ? p->ip_len : max;
}

/*
 * NULL if the packet gets no answer.  Else an empty one, into which the caller copies quote_len
 * bytes of the packet before answer_build().
 */
static __always_inline struct answer *answer_begin(const struct packet *p,
						   struct bh_rejects *rejects)
{
	struct answer *a = answer_here();

	if (!a || !may_answer(p)) {
		rejects->silent++;
		return NULL;
	}
	if (!take_token(p->now)) {
		rejects->suppressed++;
		return NULL;
	}
	__builtin_memset(a, 0, sizeof(*a));
	a->quote_len = quoted_len(p);
	return a;
}

static __always_inline __u8 *answer_quote(const struct packet *p, struct answer *a)
{
	return p->is_v6 ? a->v6.body.error.quote : a->v4.body.error.quote;
}

/* RFC 9293, 3.10.7.1: a number that the sender of the packet accepts. */
static __always_inline void put_reset(struct tcphdr *tcp, const struct packet *p)
{
	bool has_ack = p->tcp_flags & TCP_ACK;

	tcp->source = p->dport;
	tcp->dest = p->sport;
	tcp->seq = has_ack ? bpf_htonl(p->ack) : 0;
	tcp->ack_seq = has_ack ? 0 : bpf_htonl(p->seq_end);
	tcp->doff = sizeof(*tcp) / 4;
	tcp->rst = 1;
	tcp->ack = !has_ack;
}

static __always_inline void put_error(struct icmp_header *icmp, const struct packet *p)
{
	icmp->type = p->is_v6 ? ICMP6_UNREACHABLE : ICMP_UNREACHABLE;
	icmp->code = p->is_v6 ? ICMP6_PROHIBITED : ICMP_PROHIBITED;
}

static __always_inline void put_body(union answer_body *body, const struct packet *p, __u32 len,
				     bool is_partial)
{
	__u8 icmp = p->is_v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	__u32 padded = (len + 3) & ~3u, sum = 0;
	bool is_tcp = p->proto == IPPROTO_TCP;

	if (is_tcp)
		put_reset(&body->reset, p);
	else
		put_error(&body->error.icmp, p);
	if (is_tcp || p->is_v6)
		sum = checksum_pseudo(&p->dst, &p->src, len, is_tcp ? IPPROTO_TCP : icmp);
	if (padded > sizeof(*body))
		return;
	if (is_partial) {
		body->reset.check = checksum_fold(sum);
		return;
	}
	sum = ~checksum_fold(checksum_add(sum, body, padded));
	if (is_tcp)
		body->reset.check = sum;
	else
		body->error.icmp.checksum = sum;
}

static __always_inline void put_ipv4(struct answer *a, const struct packet *p, __u8 proto)
{
	struct iphdr *ip = &a->v4.ip;

	ip->version = 4;
	ip->ihl = sizeof(*ip) / 4;
	ip->tot_len = bpf_htons(a->len);
	ip->frag_off = bpf_htons(IPV4_DONT_FRAGMENT);
	ip->ttl = ANSWER_TTL;
	ip->protocol = proto;
	ip->saddr = p->dst.word[3];
	ip->daddr = p->src.word[3];
	ip->check = ~checksum_fold(checksum_add(0, ip, sizeof(*ip)));
}

static __always_inline void put_ipv6(struct answer *a, const struct packet *p, __u8 proto)
{
	struct ipv6hdr *ip = &a->v6.ip;

	ip->version = 6;
	ip->payload_len = bpf_htons(a->len - sizeof(*ip));
	ip->nexthdr = proto;
	ip->hop_limit = ANSWER_TTL;
	__builtin_memcpy(&ip->saddr, &p->dst, sizeof(ip->saddr));
	__builtin_memcpy(&ip->daddr, &p->src, sizeof(ip->daddr));
}

/*
 * Everything but the quote, which is there.  @is_partial: whoever sends it on adds the sum over the
 * TCP header, see skb_can_answer().  Returns the length.  It is global so that the verifier
 * looks at it once.
 */
__noinline int answer_build(int is_partial)
{
	struct packet *p = packet_here();
	struct answer *a = answer_here();
	bool is_tcp;
	__u32 len;

	if (!p || !a)
		return 0;
	is_tcp = p->proto == IPPROTO_TCP;
	len = is_tcp ? sizeof(struct tcphdr) : sizeof(struct icmp_header) + a->quote_len;
	if (p->is_v6) {
		a->len = sizeof(struct ipv6hdr) + len;
		put_ipv6(a, p, is_tcp ? IPPROTO_TCP : IPPROTO_ICMPV6);
		put_body(&a->v6.body, p, len, is_partial);
	} else {
		a->len = sizeof(struct iphdr) + len;
		put_ipv4(a, p, is_tcp ? IPPROTO_TCP : IPPROTO_ICMP);
		put_body(&a->v4.body, p, len, is_partial);
	}
	return a->len;
}

#endif
