/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Both ICMPs: types, echo ids, the packet that an error quotes, the target of an advertisement. */
#ifndef BPF_ICMP_H
#define BPF_ICMP_H

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>

#include "packet.h"

#define ICMP_ECHO_REQUEST  8 /* RFC 792 */
#define ICMP_ECHO_ANSWER   0
#define ICMP6_ECHO_REQUEST 128 /* RFC 4443, 4 */
#define ICMP6_ECHO_ANSWER  129

#define IPV4_FRAGMENT_OFFSET 0x1fff /* RFC 791, 3.1 */
#define IPV4_DONT_FRAGMENT   0x4000
#define IPV6_FRAGMENT_OFFSET 0xfff8 /* RFC 8200, 4.5 */

struct fragment_header {
	__u8 next;
	__u8 reserved;
	__be16 offset;
	__be32 id;
};

enum nd_type {
	MLD_QUERY = 130, /* RFC 2710, RFC 3810 */
	MLD_REPORT = 131,
	MLD_DONE = 132,
	ND_ROUTER_SOLICIT = 133,
	ND_ROUTER_ADVERT = 134,
	ND_SOLICIT = 135,
	ND_ADVERT = 136,
	ND_REDIRECT = 137,
	MLD2_REPORT = 143,
};

/* Both ICMPs: RFC 792 and RFC 4443 share the first eight bytes. */
struct icmp_header {
	__u8 type;
	__u8 code;
	__be16 checksum;
	__be16 id; /* of an echo */
	__be16 sequence;
};

static __always_inline bool is_icmp(const struct packet *p)
{
	return p->proto == (p->is_v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
}

static __always_inline bool is_echo_request(const struct packet *p)
{
	return is_icmp(p) && p->icmp_type == (p->is_v6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO_REQUEST);
}

static __always_inline bool is_echo_answer(const struct packet *p)
{
	return is_icmp(p) && p->icmp_type == (p->is_v6 ? ICMP6_ECHO_ANSWER : ICMP_ECHO_ANSWER);
}

/* RFC 792 and RFC 4443: the errors, other than redirects, that a host must be able to receive. */
static __always_inline bool is_icmp_error(const struct packet *p)
{
	if (!is_icmp(p))
		return false;
	if (p->is_v6)
		return p->icmp_type >= 1 && p->icmp_type <= 4;
	return p->icmp_type == 3 || p->icmp_type == 11 || p->icmp_type == 12;
}

/* "Too big" may be about the first piece of a datagram that its sender cut itself. */
static __always_inline bool parse_quoted_fragment(struct cursor *c, struct quote *quote)
{
	struct fragment_header *fragment = CURSOR_TAKE(c, struct fragment_header);

	if (!fragment || (fragment->offset & bpf_htons(IPV6_FRAGMENT_OFFSET)))
		return false;
	quote->proto = fragment->next;
	return true;
}

/* The addresses and protocol of the quoted packet; false if it is none that can be looked up. */
static __always_inline bool parse_quoted_ip(struct cursor *c, bool is_v6, struct quote *quote)
{
	if (is_v6) {
		struct ipv6hdr *ip = CURSOR_TAKE(c, struct ipv6hdr);

		if (!ip || ip->version != 6)
			return false;
		addr_from_v6(&quote->src, &ip->saddr);
		addr_from_v6(&quote->dst, &ip->daddr);
		quote->proto = ip->nexthdr;
		if (quote->proto == IPPROTO_FRAGMENT)
			return parse_quoted_fragment(c, quote);
	} else {
		struct iphdr *ip = CURSOR_TAKE(c, struct iphdr);

		if (!ip || ip->version != 4 || ip->ihl < 5 ||
		    (ip->frag_off & bpf_htons(IPV4_FRAGMENT_OFFSET)) ||
		    !cursor_take(c, ip->ihl * 4 - sizeof(*ip)))
			return false;
		addr_from_v4(&quote->src, ip->saddr);
		addr_from_v4(&quote->dst, ip->daddr);
		quote->proto = ip->protocol;
	}
	return true;
}

/* The first eight bytes are always quoted (RFC 792): enough for ports, or an echo's id. */
static __always_inline bool parse_quoted_ports(struct cursor *c, bool is_v6, struct quote *quote)
{
	struct icmp_header *header = CURSOR_TAKE(c, struct icmp_header);
	struct udphdr *ports = (void *)header;
	__u8 proto = quote->proto;

	quote->sport = 0;
	quote->dport = 0;
	if (!header)
		return false;
	if (proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == IPPROTO_SCTP) {
		quote->sport = ports->source;
		quote->dport = ports->dest;
	} else if (proto == (is_v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP)) {
		if (header->type == (is_v6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO_REQUEST))
			quote->sport = header->id;
		else if (header->type == (is_v6 ? ICMP6_ECHO_ANSWER : ICMP_ECHO_ANSWER))
			quote->dport = header->id;
		else
			return false;
	}
	return true;
}

/*
 * An echo's id stands in for the requester's port: so an answer is the reverse of its request, and
 * a request the other way round is never taken for an answer.
 */
static __always_inline enum bh_reason parse_icmp(struct cursor *c, struct packet *p)
{
	struct icmp_header *icmp = CURSOR_TAKE(c, struct icmp_header);
	struct in6_addr *target;

	if (!icmp || p->l4_len < sizeof(*icmp))
		return BH_REASON_MALFORMED;
	p->icmp_type = icmp->type;
	p->icmp_code = icmp->code;
	if (is_echo_request(p)) {
		p->sport = icmp->id;
	} else if (is_echo_answer(p)) {
		p->dport = icmp->id;
	} else if (is_icmp_error(p)) {
		/* What pads the frame is no part of the packet, and nobody has to have quoted it.
		 */
		p->has_quote = parse_quoted_ip(c, p->is_v6, &p->quote) &&
			       parse_quoted_ports(c, p->is_v6, &p->quote) &&
			       *c->offset <= (__u32)p->ip_offset + p->ip_len;
	} else if (p->is_v6 && (p->icmp_type == ND_ADVERT || p->icmp_type == ND_SOLICIT)) {
		/* RFC 4861, 4.3 and 4.4: the target follows the eight bytes. */
		target = CURSOR_TAKE(c, struct in6_addr);
		if (!target || p->l4_len < sizeof(*icmp) + sizeof(*target))
			return BH_REASON_MALFORMED;
		addr_from_v6(&p->target, target);
		p->has_target = 1;
	}
	return BH_REASON_NONE;
}

#endif
