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

#define ND_HOP_LIMIT  255 /* RFC 4861, 3.1: proves that no router forwarded it */
#define MLD_HOP_LIMIT 1   /* RFC 3810, 5: a router would not forward it */

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

static __always_inline enum stage judge_arp(struct packet *p, enum bh_reason *reason)
{
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

static __always_inline bool may_claim(const struct packet *p, const struct bh_addr *addr)
{
	return source_flags_of(p, addr) || (p->may_claim_link_local && addr_is_link_local(addr));
}

/* What a workload may say on the link: ask, answer for itself, and claim what is its own. */
static __always_inline enum bh_reason judge_claims(const struct packet *p)
{
	bool has_no_source = addr_is_unspecified(&p->src);

	if (p->icmp_type == ND_ROUTER_ADVERT || p->icmp_type == MLD_QUERY)
		return BH_REASON_NEIGHBOUR;
	if (!has_no_source && !may_claim(p, &p->src))
		return BH_REASON_SPOOFED_SOURCE;
	/* To ask for an address without having one is to claim it (RFC 4862, 5.4). */
	if (p->icmp_type == ND_ADVERT || (p->icmp_type == ND_SOLICIT && has_no_source))
		return p->has_target && may_claim(p, &p->target) ? BH_REASON_NONE
								 : BH_REASON_SPOOFED_SOURCE;
	return BH_REASON_NONE;
}

static __always_inline bool is_nd(__u8 type)
{
	return type >= ND_ROUTER_SOLICIT && type <= ND_REDIRECT;
}

static __always_inline bool is_mld(__u8 type)
{
	return (type >= MLD_QUERY && type <= MLD_DONE) || type == MLD2_REPORT;
}

static __always_inline enum stage judge_nd(struct packet *p, enum bh_reason *reason)
{
	if (!p->is_v6 || p->proto != IPPROTO_ICMPV6 || p->fragment == FRAGMENT_LATER ||
	    !(is_nd(p->icmp_type) || is_mld(p->icmp_type)))
		return STAGE_NEXT;
	*reason = BH_REASON_NEIGHBOUR;
	/* In pieces it would hide from who looks for it on the way (RFC 6980). */
	if (p->fragment)
		return STAGE_DROP;
	if (!is_builtin_on(p, BH_BUILTIN_ND) || p->icmp_code || p->icmp_type == ND_REDIRECT)
		return STAGE_DROP;
	if (p->hop_limit != (is_nd(p->icmp_type) ? ND_HOP_LIMIT : MLD_HOP_LIMIT))
		return STAGE_DROP;
	if (!p->is_host && p->direction == BH_EGRESS) {
		*reason = judge_claims(p);
		if (*reason)
			return STAGE_DROP;
	}
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

/*
 * A workload to itself, by way of this machine (a service's address that leads back to it).  No
 * address but its own tells who sent such a packet: a NIC lets none in, see is_reflected().
 */
static __always_inline enum stage judge_self(struct packet *p)
{
	if (p->is_host || !is_builtin_on(p, BH_BUILTIN_SELF) || !addr_equal(&p->src, &p->dst) ||
	    !is_source(p, &p->src))
		return STAGE_NEXT;
	return pass_by_builtin(p, BH_BUILTIN_SELF);
}

static __always_inline enum stage judge_builtins(struct packet *p, enum bh_reason *reason)
{
	enum stage stage;

	if (p->ethertype == bpf_htons(ETH_P_ARP))
		return judge_arp(p, reason);
	stage = judge_nd(p, reason);
	if (stage == STAGE_NEXT)
		stage = judge_self(p);
	return stage == STAGE_NEXT ? judge_dhcp(p) : stage;
}

#endif
