/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* ICMP errors: they are let through when the packet they quote is of a connection that is alive. */
#ifndef BPF_ICMP_ERROR_H
#define BPF_ICMP_ERROR_H

#include "connection.h"

/* RFC 792 and RFC 4443: the errors, other than redirects, that a host must be able to receive. */
static __always_inline bool is_icmp_error(const struct packet *p)
{
	if (!is_icmp(p))
		return false;
	if (p->is_v6)
		return p->icmp_type >= 1 && p->icmp_type <= 4;
	return p->icmp_type == 3 || p->icmp_type == 11 || p->icmp_type == 12;
}

/* The addresses and protocol of the quoted packet; false if it is none that can be looked up. */
static __always_inline bool parse_quoted_ip(struct cursor *c, const struct packet *p,
					    struct bh_addr *src, struct bh_addr *dst, __u8 *proto)
{
	if (p->is_v6) {
		struct ipv6hdr *ip = CURSOR_TAKE(c, struct ipv6hdr);

		if (!ip || ip->version != 6)
			return false;
		addr_from_v6(src, &ip->saddr);
		addr_from_v6(dst, &ip->daddr);
		*proto = ip->nexthdr;
	} else {
		struct iphdr *ip = CURSOR_TAKE(c, struct iphdr);

		if (!ip || ip->version != 4 || ip->ihl < 5 ||
		    (ip->frag_off & bpf_htons(IPV4_FRAGMENT_OFFSET)) ||
		    !cursor_take(c, ip->ihl * 4 - sizeof(*ip)))
			return false;
		addr_from_v4(src, ip->saddr);
		addr_from_v4(dst, ip->daddr);
		*proto = ip->protocol;
	}
	return true;
}

/* The first eight bytes are always quoted (RFC 792): enough for ports, or an echo's id. */
static __always_inline bool parse_quoted_ports(struct cursor *c, const struct packet *p, __u8 proto,
					       __be16 *sport, __be16 *dport)
{
	struct icmp_header *quoted = CURSOR_TAKE(c, struct icmp_header);
	struct udphdr *ports = (void *)quoted;

	*sport = 0;
	*dport = 0;
	if (!quoted)
		return false;
	if (proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == IPPROTO_SCTP) {
		*sport = ports->source;
		*dport = ports->dest;
	} else if (proto == (p->is_v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP)) {
		if (quoted->type == (p->is_v6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO_REQUEST))
			*sport = quoted->id;
		else if (quoted->type == (p->is_v6 ? ICMP6_ECHO_ANSWER : ICMP_ECHO_ANSWER))
			*dport = quoted->id;
		else
			return false;
	}
	return true;
}

/* Whether the error is about a connection of this endpoint that the policy in force allows. */
static __always_inline bool is_related(struct cursor *c, const struct packet *p)
{
	struct bh_conn_key key = {.endpoint = p->endpoint};
	struct bh_addr src, dst;
	__be16 sport, dport;
	struct hit hit;
	__u8 sender;

	c->offset = p->inner;
	if (!parse_quoted_ip(c, p, &src, &dst, &key.proto) ||
	    !parse_quoted_ports(c, p, key.proto, &sport, &dport))
		return false;
	/* The error goes to whom it is about: the sender of what it quotes. */
	if (!addr_equal(&src, &p->dst))
		return false;
	sender = conn_key_ends(&key, &src, &dst, sport, dport);
	hit = conn_find(p, &key, sender);
	return hit.conn && hit.conn->generation == p->generation;
}

#endif
