/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Who is local here, and who may claim to be. */
#ifndef BPF_ENDPOINT_H
#define BPF_ENDPOINT_H

#include "maps.h"
#include "own_address.h"
#include "packet.h"

static __always_inline __u32 local_flags_of(const struct bh_addr *addr)
{
	struct halves halves = halves_of(addr);

	return local_flags(halves.first, halves.last);
}

/* As a destination: whether this machine takes it in. */
static __always_inline bool is_local(const struct bh_addr *addr)
{
	return local_flags_of(addr) & OWN_IS;
}

/* As a source: whether nobody but this machine has it. */
static __always_inline bool is_local_source(const struct bh_addr *addr)
{
	return is_own_source(local_flags_of(addr));
}

static __always_inline __u32 source_flags_of(const struct packet *p, const struct bh_addr *addr)
{
	struct halves halves = halves_of(addr);

	return source_flags(p->endpoint, halves.first, halves.last);
}

/* Whether the workload behind the packet's endpoint has this address. */
static __always_inline bool is_source(const struct packet *p, const struct bh_addr *addr)
{
	return (source_flags_of(p, addr) & (OWN_IS | BH_SOURCE_LINK_ONLY)) == OWN_IS;
}

/* Of an interface that no other one had to make room for; NULL: bh_endpoints may have it. */
static __always_inline const struct bh_endpoint *endpoint_at(__u32 ifindex)
{
	__u32 at = ifindex % BH_INTERFACE_ENTRIES;
	const struct bh_endpoint *endpoint = bpf_map_lookup_elem(&bh_interfaces, &at);

	return endpoint && endpoint->ifindex == ifindex ? endpoint : NULL;
}

/* Fills in who is enforced on the interface; an interface that nobody registered passes nothing. */
static __always_inline enum bh_reason find_endpoint(struct packet *p)
{
	const struct bh_endpoint *endpoint;

	if (p->is_host)
		return BH_REASON_NONE;
	p->endpoint = BH_ENDPOINT_UNKNOWN;
	endpoint = endpoint_at(p->ifindex);
	if (!endpoint)
		endpoint = bpf_map_lookup_elem(&bh_endpoints, &p->ifindex);
	if (!endpoint || endpoint->kind != BH_ENDPOINT_WORKLOAD)
		return BH_REASON_UNKNOWN_ENDPOINT;
	p->endpoint = endpoint->id;
	p->may_claim_link_local = !!(endpoint->flags & BH_ENDPOINT_FREE_LINK_LOCAL);
	return BH_REASON_NONE;
}

/* From the wire nothing has come from the one that it is for, whoever that is, nor from here. */
static __always_inline bool is_reflected(const struct packet *p)
{
	return p->is_host && p->direction == BH_INGRESS &&
	       (addr_equal(&p->src, &p->dst) || is_local_source(&p->src));
}

/*
 * A NIC judges what is to or from this machine; what is only passing through is judged at the
 * endpoints of the workloads.  What this machine made is its own, whatever source it gives.
 */
static __always_inline bool is_transit(const struct packet *p)
{
	if (!p->is_host)
		return false;
	if (p->direction == BH_INGRESS)
		return !is_local(&p->dst) && !addr_is_multicast(&p->dst);
	return !p->is_local_origin && !is_local_source(&p->src);
}

/*
 * A destination that is on no wire: it would pass a NIC as transit, and yet hosts may take it for
 * theirs (0.0.0.0 as a broadcast; 127.0.0.0/8 with net.ipv4.conf.*.route_localnet).
 */
static __always_inline bool is_bad_destination(const struct packet *p)
{
	return addr_is_unspecified(&p->dst) || addr_is_loopback(&p->dst) ||
	       addr_is_zero_net(&p->dst);
}

/*
 * Whether answers come from whom they say.  A workload gets packets of groups, and such as are
 * flooded or astray: in whose name it could answer if they opened a connection.  What this machine
 * sends to itself by a NIC would open one in which the wire may answer for it.
 */
static __always_inline bool is_answerable(const struct packet *p)
{
	if (p->is_host)
		return p->direction == BH_INGRESS || !is_local_source(&p->dst);
	return p->direction == BH_EGRESS || is_source(p, &p->dst);
}

/*
 * Of a packet of a known connection: whether the workload still has its end of it.  When an address
 * is taken away, the generation rises; so nobody goes on in the name of who has it next.
 */
static __always_inline bool is_of_own_address(const struct packet *p)
{
	return p->is_host || is_source(p, p->direction == BH_EGRESS ? &p->src : &p->dst);
}

/* Who has no address yet speaks ARP, neighbour discovery or DHCP. */
static __always_inline bool is_without_source(const struct packet *p)
{
	return addr_is_unspecified(&p->src) && !(p->is_host && p->direction == BH_EGRESS);
}

/* A workload sends from its own addresses only. */
static __always_inline bool is_strange_source(const struct packet *p)
{
	return !p->is_host && p->direction == BH_EGRESS && !is_source(p, &p->src);
}

/* Nobody on the wire has an address of this machine's. */
static __always_inline bool is_spoofed(const struct packet *p)
{
	return is_without_source(p) || is_strange_source(p) ||
	       (p->is_host && p->direction == BH_INGRESS && is_local_source(&p->src));
}

#endif
