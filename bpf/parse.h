/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Bytes to facts.  What can't be parsed gets a reason, never the benefit of the doubt. */
#ifndef BPF_PARSE_H
#define BPF_PARSE_H

#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>

#include "config.h"
#include "packet.h"
#include "transport.h"

#define IPV4_MORE_FRAGMENTS  0x2000 /* RFC 791, 3.1 */
#define IPV6_MORE_FRAGMENTS  0x0001 /* RFC 8200, 4.5 */
#define IPV6_FRAGMENT_OFFSET 0xfff8

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

struct vlan_tag {
	__be16 tci;
	__be16 ethertype;
};

struct extension_header {
	__u8 next;
	__u8 len; /* in units of 8 bytes beyond the first 8; AH: of 4 bytes beyond the first 8 */
};

struct fragment_header {
	__u8 next;
	__u8 reserved;
	__be16 offset;
	__be32 id;
};

/* A later fragment may not reach back into the header that was judged (RFC 1858, 3128). */
static __always_inline bool overlaps_header(__u8 proto, __u32 offset_bytes)
{
	return proto == IPPROTO_TCP && offset_bytes < sizeof(struct tcphdr);
}

static __always_inline enum bh_reason parse_ipv4(struct cursor *c, struct packet *p)
{
	__u32 at = *c->offset, room = p->length - at;
	struct iphdr *ip = CURSOR_TAKE(c, struct iphdr);
	__u32 header, total, offset;

	if (!ip || ip->version != 4 || ip->ihl < 5)
		return BH_REASON_MALFORMED;
	header = ip->ihl * 4;
	total = bpf_ntohs(ip->tot_len);
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
	/* Options only move what follows; hosts refuse source routes themselves. */
	if (!cursor_take(c, header - sizeof(*ip)))
		return BH_REASON_MALFORMED;

	if (offset & IPV4_FRAGMENT_OFFSET) {
		p->fragment = FRAGMENT_LATER;
		if (overlaps_header(p->proto, (offset & IPV4_FRAGMENT_OFFSET) * 8))
			return BH_REASON_FRAGMENT;
		return BH_REASON_NONE;
	}
	if (offset & IPV4_MORE_FRAGMENTS)
		p->fragment = FRAGMENT_FIRST;
	return BH_REASON_NONE;
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
	p->fragment = offset & IPV6_FRAGMENT_OFFSET ? FRAGMENT_LATER : FRAGMENT_FIRST;
	if (p->fragment == FRAGMENT_LATER &&
	    overlaps_header(p->proto, offset & IPV6_FRAGMENT_OFFSET))
		return BH_REASON_FRAGMENT;
	return BH_REASON_NONE;
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
		return BH_REASON_UNSUPPORTED;
	p->proto = extension->next;
	return BH_REASON_NONE;
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
	p->ip_offset = at;
	p->ip_len = sizeof(*ip) + p->l4_len;
	if (p->l4_len > p->length - *c->offset)
		return BH_REASON_MALFORMED;
	/* ::ffff:a.b.c.d never belongs on the wire (RFC 4291, 2.5.5.2), and would pose as IPv4
	 * here. */
	if (addr_is_mapped_v4(&p->src) || addr_is_mapped_v4(&p->dst))
		return BH_REASON_MALFORMED;

	for (int i = 0; i < BH_MAX_EXTENSIONS; i++) {
		enum bh_reason reason;

		if (!is_extension(p->proto) || p->fragment == FRAGMENT_LATER)
			break;
		reason = parse_ipv6_extension(c, p);
		if (reason)
			return reason;
	}
	if (p->fragment == FRAGMENT_LATER)
		return BH_REASON_NONE;
	if (is_extension(p->proto) || p->proto == IPPROTO_NONE)
		return BH_REASON_UNSUPPORTED;
	return BH_REASON_NONE;
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
	    arp->protocol_len != sizeof(arp->sender))
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
		struct vlan_tag *tag = CURSOR_TAKE(c, struct vlan_tag);

		if (!tag)
			return BH_REASON_MALFORMED;
		p->ethertype = tag->ethertype;
	}
	return BH_REASON_NONE;
}

/* A source that no packet may have: it would answer to nobody, or to this machine itself. */
static __always_inline bool is_bad_source(const struct packet *p)
{
	return addr_is_multicast(&p->src) || addr_is_loopback(&p->src);
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
