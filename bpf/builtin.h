/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The built-in rules that need no connection: ARP, neighbour discovery, DHCP. */
#ifndef BPF_BUILTIN_H
#define BPF_BUILTIN_H

#include <linux/if_ether.h>

#include <bulkhead/builtin.h>

#include "endpoint.h"
#include "parse.h"

/* What a stage that may end the packet's way says. */
enum stage {
	STAGE_NEXT, /* not mine */
	STAGE_PASS,
	STAGE_DROP, /* with the reason that was set */
};

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

#define ND_HOP_LIMIT 255 /* RFC 4861, 3.1: proves that no router forwarded it */

#define DHCP_SERVER  67
#define DHCP_CLIENT  68
#define DHCP6_CLIENT 546
#define DHCP6_SERVER 547

static __always_inline bool is_builtin_on(const struct packet *p, enum bh_builtin builtin)
{
	return !(p->builtins_off & 1u << builtin);
}

static __always_inline enum stage pass_by_builtin(struct packet *p, enum bh_builtin builtin)
{
	p->rule = builtin;
	p->verdict = BH_VERDICT_ALLOW;
	return STAGE_PASS;
}

static __always_inline __be32 word_of(const __u8 *bytes)
{
	return bpf_htonl((__u32)bytes[0] << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3]);
}

static __always_inline enum stage judge_arp(struct cursor *c, struct packet *p,
					    enum bh_reason *reason)
{
	struct arp_ipv4 *arp = CURSOR_TAKE(c, struct arp_ipv4);

	*reason = BH_REASON_MALFORMED;
	if (!arp || arp->hardware != bpf_htons(ARP_ETHERNET) ||
	    arp->protocol != bpf_htons(ETH_P_IP) || arp->hardware_len != ETH_ALEN ||
	    arp->protocol_len != sizeof(arp->sender))
		return STAGE_DROP;
	addr_from_v4(&p->src, word_of(arp->sender));
	addr_from_v4(&p->dst, word_of(arp->target));

	*reason = BH_REASON_NEIGHBOUR;
	if (!is_builtin_on(p, BH_BUILTIN_ARP))
		return STAGE_DROP;
	/* A probe for a free address has no sender yet (RFC 5227, 1.1). */
	if (!addr_is_unspecified(&p->src) && is_spoofed(p)) {
		*reason = BH_REASON_SPOOFED_SOURCE;
		return STAGE_DROP;
	}
	return pass_by_builtin(p, BH_BUILTIN_ARP);
}

/* What a workload may say on the link: ask, and answer for itself. */
static __always_inline bool may_send_nd(struct cursor *c, struct packet *p)
{
	struct in6_addr *target_bytes;
	struct bh_addr target;

	if (!addr_is_unspecified(&p->src) && !addr_is_link_local(&p->src) && !is_source(p, &p->src))
		return false;
	if (p->icmp_type != ND_ADVERT)
		return p->icmp_type != ND_ROUTER_ADVERT;

	/* parse_icmp() took the reserved word with the header; the target follows it. */
	c->offset = p->inner;
	target_bytes = CURSOR_TAKE(c, struct in6_addr);
	if (!target_bytes)
		return false;
	addr_from_v6(&target, target_bytes);
	return addr_is_link_local(&target) || is_source(p, &target);
}

static __always_inline bool is_nd(__u8 type)
{
	return type >= ND_ROUTER_SOLICIT && type <= ND_REDIRECT;
}

static __always_inline bool is_mld(__u8 type)
{
	return (type >= MLD_QUERY && type <= MLD_DONE) || type == MLD2_REPORT;
}

static __always_inline enum stage judge_nd(struct cursor *c, struct packet *p,
					   enum bh_reason *reason)
{
	if (!p->is_v6 || p->proto != IPPROTO_ICMPV6 || p->fragment ||
	    !(is_nd(p->icmp_type) || is_mld(p->icmp_type)))
		return STAGE_NEXT;
	*reason = BH_REASON_NEIGHBOUR;
	if (!is_builtin_on(p, BH_BUILTIN_ND) || p->icmp_code || p->icmp_type == ND_REDIRECT)
		return STAGE_DROP;
	if (is_nd(p->icmp_type) && p->hop_limit != ND_HOP_LIMIT)
		return STAGE_DROP;
	if (!p->is_host && p->direction == BH_EGRESS && !may_send_nd(c, p))
		return STAGE_DROP;
	return pass_by_builtin(p, BH_BUILTIN_ND);
}

/* This machine as a client: out to the server's port, in to the client's. */
static __always_inline enum stage judge_dhcp(struct packet *p)
{
	__be16 client = p->is_v6 ? bpf_htons(DHCP6_CLIENT) : bpf_htons(DHCP_CLIENT);
	__be16 server = p->is_v6 ? bpf_htons(DHCP6_SERVER) : bpf_htons(DHCP_SERVER);
	bool is_out = p->direction == BH_EGRESS;

	if (!p->is_host || p->proto != IPPROTO_UDP || p->fragment == FRAGMENT_LATER ||
	    !is_builtin_on(p, BH_BUILTIN_DHCP))
		return STAGE_NEXT;
	if (p->sport != (is_out ? client : server) || p->dport != (is_out ? server : client))
		return STAGE_NEXT;
	return pass_by_builtin(p, BH_BUILTIN_DHCP);
}

static __always_inline enum stage judge_builtins(struct cursor *c, struct packet *p,
						 enum bh_reason *reason)
{
	enum stage stage;

	if (p->ethertype == bpf_htons(ETH_P_ARP))
		return judge_arp(c, p, reason);
	stage = judge_nd(c, p, reason);
	return stage == STAGE_NEXT ? judge_dhcp(p) : stage;
}

#endif
