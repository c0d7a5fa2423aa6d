/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Bytes to facts.  What can't be parsed gets a reason, never the benefit of the doubt. */
#ifndef BPF_PARSE_H
#define BPF_PARSE_H

#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>

#include "config.h"
#include "maps.h"
#include "packet.h"
#include "transport.h"

#define IPV4_DONT_FRAGMENT  0x4000 /* RFC 791, 3.1 */
#define IPV4_MORE_FRAGMENTS 0x2000
#define IPV4_OPTION_BYTES   40
#define IPV4_OPTION_END     0
#define IPV4_OPTION_NOTHING 1
#define IPV4_OPTION_LSRR    131 /* loose and strict source routing */
#define IPV4_OPTION_SSRR    137
#define IP_LENGTH_MAX       65535
#define IPV6_MORE_FRAGMENTS 0x0001 /* RFC 8200, 4.5 */

/* RFC 826, with Ethernet and IPv4 addresses: the only kind there is here. */
struct arp_ipv4 {
	__be16 hardware;
	__be16 protocol;
	__u8 hardware_len;
	__u8 protocol_len;
	__be16 operation;
	__u8 sender_mac[ETH_ALEN];
	__u8 sender[4];
	__u8 target_mac[ETH_ALEN];
	__u8 target[4];
};

#define ARP_ETHERNET 1
#define ARP_REQUEST  1
#define ARP_ANSWER   2

struct vlan_tag {
	__be16 tci;
	__be16 ethertype;
};

struct extension_header {
	__u8 next;
	__u8 len; /* in units of 8 bytes beyond the first 8; AH: of 4 bytes beyond the first 8 */
};

/* A later fragment may not reach back into the header that was judged (RFC 1858, 3128). */
static __always_inline bool overlaps_header(__u8 proto, __u32 offset_bytes)
{
	return proto == IPPROTO_TCP && offset_bytes < sizeof(struct tcphdr);
}

/* The place of a piece that has the p->l4_len bytes from @offset on. */
static __always_inline enum bh_reason parse_fragment(struct packet *p, __u32 offset, bool is_last)
{
	__u32 end = offset + p->l4_len;

	/* No host puts such a thing together, or should (RFC 791, 3.2; RFC 8200, 4.5). */
	if (!p->l4_len || end > IP_LENGTH_MAX || (!is_last && p->l4_len % 8))
		return BH_REASON_MALFORMED;
	p->fragment = offset ? FRAGMENT_LATER : FRAGMENT_FIRST;
	p->fragment_offset = offset;
	p->fragment_end = end;
	return offset && overlaps_header(p->proto, offset) ? BH_REASON_FRAGMENT : BH_REASON_NONE;
}

/* In place of a reason: no option comes any more. */
#define REASON_OPTION_END BH_REASON_COUNT

static __always_inline int parse_ipv4_option(struct cursor *c)
{
	__u8 *type = cursor_take(c, 1), *len;

	if (!type)
		return BH_REASON_MALFORMED;
	if (*type == IPV4_OPTION_NOTHING)
		return BH_REASON_NONE;
	if (*type == IPV4_OPTION_END)
		return REASON_OPTION_END;
	if (*type == IPV4_OPTION_LSRR || *type == IPV4_OPTION_SSRR)
		return BH_REASON_IP_OPTIONS;
	len = cursor_take(c, 1);
	if (!len || *len < 2 || !cursor_take(c, *len - 2))
		return BH_REASON_MALFORMED;
	return BH_REASON_NONE;
}

/* Global, as those of extension headers below: verified once, and not for every option. */
__noinline int ipv4_option_xdp(struct xdp_md *ctx)
{
	struct packet *p = packet_here();
	struct cursor c;

	if (!p)
		return BH_REASON_MALFORMED;
	c = cursor_of_xdp(ctx, &p->offset);
	return parse_ipv4_option(&c);
}

__noinline int ipv4_option_skb(struct __sk_buff *skb)
{
	struct packet *p = packet_here();
	struct cursor c;

	if (!p)
		return BH_REASON_MALFORMED;
	c = cursor_of_skb(skb, &p->offset);
	return parse_ipv4_option(&c);
}

/*
 * Options only move what follows, but for a source route, which makes the destination another one
 * than the header says (RFC 7126, 4.3).  One byte at a time: nobody's lengths are believed.
 */
static __always_inline enum bh_reason parse_ipv4_options(struct cursor *c, __u32 end)
{
	for (int i = 0; i < IPV4_OPTION_BYTES && *c->offset < end; i++) {
		int reason = c->is_xdp ? ipv4_option_xdp(c->ctx) : ipv4_option_skb(c->ctx);

		if (reason == REASON_OPTION_END)
			break;
		if (reason)
			return reason;
	}
	if (*c->offset > end)
		return BH_REASON_MALFORMED;
	*c->offset = end;
	return BH_REASON_NONE;
}

static __always_inline enum bh_reason parse_ipv4(struct cursor *c, struct packet *p)
{
	__u32 at = *c->offset, room = p->length - at;
	struct iphdr *ip = CURSOR_TAKE(c, struct iphdr);
	__u32 header, total, offset;
	enum bh_reason reason;

	if (!ip || ip->version != 4 || ip->ihl < 5)
		return BH_REASON_MALFORMED;
	header = ip->ihl * 4;
	total = bpf_ntohs(ip->tot_len);
	if (!total && p->is_gso)
		total = room;
	if (total < header || total > room)
		return BH_REASON_MALFORMED;

	addr_from_v4(&p->src, ip->saddr);
	addr_from_v4(&p->dst, ip->daddr);
	p->proto = ip->protocol;
	p->hop_limit = ip->ttl;
	p->ip_offset = at;
	p->ip_len = total;
	p->l4_len = total - header;

	offset = bpf_ntohs(ip->frag_off);
	p->fragment_id = ip->id;
	p->fragment_proto = ip->protocol;
	reason = parse_ipv4_options(c, *c->offset + header - sizeof(*ip));
	if (reason || !(offset & (IPV4_FRAGMENT_OFFSET | IPV4_MORE_FRAGMENTS)))
		return reason;
	/* In pieces, and not to be: one of the two is a lie. */
	if (offset & IPV4_DONT_FRAGMENT)
		return BH_REASON_MALFORMED;
	return parse_fragment(p, (offset & IPV4_FRAGMENT_OFFSET) * 8,
			      !(offset & IPV4_MORE_FRAGMENTS));
}

/* True for a header that another header follows, in the common format of RFC 8200, 4.2. */
static __always_inline bool is_extension(__u8 next)
{
	return next == IPPROTO_HOPOPTS || next == IPPROTO_DSTOPTS || next == IPPROTO_ROUTING ||
	       next == IPPROTO_AH || next == IPPROTO_MH || next == IPPROTO_FRAGMENT;
}

static __always_inline enum bh_reason parse_ipv6_fragment(struct cursor *c, struct packet *p)
{
	struct fragment_header *fragment = CURSOR_TAKE(c, struct fragment_header);
	__u32 offset;

	if (!fragment || p->l4_len < sizeof(*fragment) || p->fragment)
		return BH_REASON_MALFORMED;
	p->l4_len -= sizeof(*fragment);
	p->proto = fragment->next;
	offset = bpf_ntohs(fragment->offset);
	/* Offset 0 and no more to come: an atomic fragment is a whole packet (RFC 6946). */
	if (!(offset & (IPV6_FRAGMENT_OFFSET | IPV6_MORE_FRAGMENTS)))
		return BH_REASON_NONE;

	p->fragment_id = fragment->id;
	p->fragment_proto = fragment->next;
	return parse_fragment(p, offset & IPV6_FRAGMENT_OFFSET, !(offset & IPV6_MORE_FRAGMENTS));
}

static __always_inline enum bh_reason parse_ipv6_extension(struct cursor *c, struct packet *p)
{
	struct extension_header *extension;
	__u32 len;

	if (p->proto == IPPROTO_FRAGMENT)
		return parse_ipv6_fragment(c, p);
	/* Mobility lets a host answer from elsewhere: not a thing for a segmented network. */
	if (p->proto == IPPROTO_MH)
		return BH_REASON_UNSUPPORTED;

	extension = CURSOR_TAKE(c, struct extension_header);
	if (!extension)
		return BH_REASON_MALFORMED;
	len = p->proto == IPPROTO_AH ? (extension->len + 2) * 4 : (extension->len + 1) * 8;
	if (len < 8 || len > p->l4_len || !cursor_take(c, len - sizeof(*extension)))
		return BH_REASON_MALFORMED;
	p->l4_len -= len;
	/* Source routing: refused by hosts since RFC 5095, refused here. */
	if (p->proto == IPPROTO_ROUTING)
		return BH_REASON_EXTENSIONS;
	p->proto = extension->next;
	return BH_REASON_NONE;
}

__noinline int ipv6_extension_xdp(struct xdp_md *ctx)
{
	struct packet *p = packet_here();
	struct cursor c;

	if (!p)
		return BH_REASON_MALFORMED;
	c = cursor_of_xdp(ctx, &p->offset);
	return parse_ipv6_extension(&c, p);
}

__noinline int ipv6_extension_skb(struct __sk_buff *skb)
{
	struct packet *p = packet_here();
	struct cursor c;

	if (!p)
		return BH_REASON_MALFORMED;
	c = cursor_of_skb(skb, &p->offset);
	return parse_ipv6_extension(&c, p);
}

/* @end: how far the chain may reach. */
static __always_inline enum bh_reason parse_ipv6_extensions(struct cursor *c, struct packet *p,
							    __u32 end)
{
	for (int i = 0; i < BH_MAX_EXTENSIONS; i++) {
		int reason;

		if (!is_extension(p->proto) || p->fragment == FRAGMENT_LATER)
			break;
		reason = c->is_xdp ? ipv6_extension_xdp(c->ctx) : ipv6_extension_skb(c->ctx);
		if (reason)
			return reason;
		if (*c->offset > end)
			return BH_REASON_EXTENSIONS;
	}
	if (p->fragment == FRAGMENT_LATER)
		return BH_REASON_NONE;
	if (is_extension(p->proto))
		return BH_REASON_EXTENSIONS;
	return p->proto == IPPROTO_NONE ? BH_REASON_UNSUPPORTED : BH_REASON_NONE;
}

/* What belongs on no wire (RFC 4291, 2.5.5), and would pose as IPv4 here. */
static __always_inline bool is_v4_in_disguise(const struct bh_addr *a)
{
	return addr_is_mapped_v4(a) || addr_is_compatible_v4(a);
}

static __always_inline enum bh_reason parse_ipv6(struct cursor *c, struct packet *p)
{
	__u32 at = *c->offset;
	struct ipv6hdr *ip = CURSOR_TAKE(c, struct ipv6hdr);

	if (!ip || ip->version != 6)
		return BH_REASON_MALFORMED;
	p->is_v6 = 1;
	addr_from_v6(&p->src, &ip->saddr);
	addr_from_v6(&p->dst, &ip->daddr);
	p->proto = ip->nexthdr;
	p->hop_limit = ip->hop_limit;
	p->l4_len = bpf_ntohs(ip->payload_len);
	/* Then the kernel has put a jumbogram's option in front. */
	if (!p->l4_len && p->is_gso)
		p->l4_len = p->length - *c->offset;
	p->ip_offset = at;
	p->ip_len = sizeof(*ip) + p->l4_len;
	if (p->l4_len > p->length - *c->offset)
		return BH_REASON_MALFORMED;
	if (is_v4_in_disguise(&p->src) || is_v4_in_disguise(&p->dst))
		return BH_REASON_MALFORMED;
	return parse_ipv6_extensions(c, p, *c->offset + BH_MAX_EXTENSION_BYTES);
}

static __always_inline __be32 word_of(const __u8 *bytes)
{
	return bpf_htonl((__u32)bytes[0] << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3]);
}

/* Its ends stand for source and destination, so that an event names them. */
static __always_inline enum bh_reason parse_arp(struct cursor *c, struct packet *p)
{
	struct arp_ipv4 *arp = CURSOR_TAKE(c, struct arp_ipv4);

	if (!arp || arp->hardware != bpf_htons(ARP_ETHERNET) ||
	    arp->protocol != bpf_htons(ETH_P_IP) || arp->hardware_len != ETH_ALEN ||
	    arp->protocol_len != sizeof(arp->sender) ||
	    (arp->operation != bpf_htons(ARP_REQUEST) && arp->operation != bpf_htons(ARP_ANSWER)))
		return BH_REASON_MALFORMED;
	addr_from_v4(&p->src, word_of(arp->sender));
	addr_from_v4(&p->dst, word_of(arp->target));
	return BH_REASON_NONE;
}

static __always_inline bool is_vlan(__be16 ethertype)
{
	return ethertype == bpf_htons(ETH_P_8021Q) || ethertype == bpf_htons(ETH_P_8021AD);
}

/* Only what we sent to this machine's own stack has it. */
static __always_inline bool is_answer_mac(const __u8 *mac)
{
	for (int i = 0; i < ETH_ALEN; i++) {
		if (mac[i] != bh_answer_mac[i])
			return false;
	}
	return bh_answer_mac[0] != 0;
}

static __always_inline enum bh_reason parse_ethernet(struct cursor *c, struct packet *p)
{
	struct ethhdr *eth = CURSOR_TAKE(c, struct ethhdr);

	if (!eth)
		return BH_REASON_MALFORMED;
	p->ethertype = eth->h_proto;
	p->is_group_frame = eth->h_dest[0] & 1;
	if (p->is_host && p->direction == BH_INGRESS && is_answer_mac(eth->h_source))
		p->is_answer = 1;
	for (int i = 0; i < BH_MAX_VLAN_TAGS && is_vlan(p->ethertype); i++) {
		struct vlan_tag *tag;

		if (p->vlan_tags >= BH_MAX_VLAN_TAGS)
			break;
		tag = CURSOR_TAKE(c, struct vlan_tag);
		if (!tag)
			return BH_REASON_MALFORMED;
		packet_add_tag(p, bpf_ntohs(tag->tci));
		p->ethertype = tag->ethertype;
	}
	return BH_REASON_NONE;
}

/* A source that no packet may have: it would answer to nobody, or to this machine itself. */
static __always_inline bool is_bad_source(const struct packet *p)
{
	return addr_is_multicast(&p->src) || addr_is_loopback(&p->src) || addr_is_zero_net(&p->src);
}

/* What is neither IP nor ARP ends here. */
static __always_inline enum bh_reason parse(struct cursor *c, struct packet *p)
{
	enum bh_reason reason = parse_ethernet(c, p);

	if (reason)
		return reason;
	if (p->ethertype == bpf_htons(ETH_P_ARP))
		return parse_arp(c, p);
	if (p->ethertype == bpf_htons(ETH_P_IP))
		reason = parse_ipv4(c, p);
	else if (p->ethertype == bpf_htons(ETH_P_IPV6))
		reason = parse_ipv6(c, p);
	else
		return BH_REASON_UNSUPPORTED;
	if (!reason && p->fragment != FRAGMENT_LATER)
		reason = parse_transport(c, p);
	if (reason)
		return reason;
	return is_bad_source(p) ? BH_REASON_SPOOFED_SOURCE : BH_REASON_NONE;
}

#endif
