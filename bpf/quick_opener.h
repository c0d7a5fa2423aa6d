/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A whole and plain packet that may open a connection: who its ends are, and what the policy in
 * force says of them.  What the whole way (path.h) would look at twice, it gets.
 */
#ifndef BPF_QUICK_OPENER_H
#define BPF_QUICK_OPENER_H

#include "decide.h"
#include "endpoint.h"
#include "front.h"
#include "ports.h"
#include "quick.h"
#include "quick_ends.h"

struct opener {
	__u64 src[2], dst[2]; /* struct bh_addr */
	struct line_key key;  /* that its connection would have, and its hash */
	__u64 hash;
	__u64 now;
	__u32 slot;
	__u32 generation;
	__u32 local; /* stamp of bh_local_head */
	__u32 builtins_off;
	__u32 length;
	__u32 ifindex;
	__u32 endpoint;
	__u32 seq_end;
	union {
		struct {
			__be16 sport, dport;
		};
		__u32 ports; /* both, as they lie in the header */
	};
	__u8 proto;
	__u8 tcp_flags;
	__u8 is_v6;
	__u8 sender;
	__u8 is_local_origin;
	__u8 is_returned;
	__u8 is_xdp;

	/* Of every packet that goes on after a first look, whose fate is enum quick_fate. */
	__u8 first;
	__u8 direction;
	__u8 is_host;

	/* What is found. */
	__u32 src_identity;
	__u32 dst_identity;
	__u32 cell;
};

/* Where each CPU keeps it: the stack is for others. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct opener);
} bh_opener SEC(".maps");

static __always_inline struct opener *opener_here(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&bh_opener, &zero);
}

/* Global: verified once, and in few packets' way. */
__noinline int opener_is_unknown(void)
{
	const struct opener *o = opener_here();

	return o && is_unknown(o->endpoint, o->hash);
}

static __always_inline bool opener_may_be_known(const struct opener *o)
{
	const struct port_use use = {o->endpoint, o->direction, o->dport, o->proto};

	return may_be_used(&use);
}

/* 1 if it is 0, else 0: without a branch, after each way of which verifiers would look at the rest.
 */
static __always_inline __u8 is_zero(__u32 number)
{
	__u64 borrowed = ((__u64)number - 1) >> 63;

	barrier_var(borrowed);
	return borrowed;
}

static __always_inline __u8 quick_is_local_origin(const struct quick_packet *p)
{
	return p->skb && is_zero(p->skb->ingress_ifindex);
}

static __always_inline __u8 quick_is_returned(const struct quick_packet *p)
{
	return p->skb && is_zero(p->skb->ingress_ifindex ^ p->skb->ifindex);
}

static __always_inline bool is_of_workload(const struct opener *o, const __u64 addr[2])
{
	return (source_flags(o->endpoint, addr[0], addr[1]) & (OWN_IS | BH_SOURCE_LINK_ONLY)) ==
	       OWN_IS;
}

/* As front_opened() would say. */
static __always_inline bool is_to_front(const struct opener *o)
{
	const struct bh_addr addr = addr_of(o->dst[0], o->dst[1]);

	if (o->builtins_off & 1u << BH_BUILTIN_FRONT)
		return false;
	return front_at(&addr, o->dport, o->proto);
}

/* What the addresses say of a packet before any policy does. */
enum standing {
	STANDING_DOUBTFUL, /* somebody's address in another's mouth, or an end with rules of its own
			    */
	STANDING_TRANSIT,
	STANDING_PLAIN,
};

/* See is_reflected() and is_transit(). */
static __always_inline enum standing standing_at_host(const struct opener *o, __u32 src, __u32 dst)
{
	bool is_ours = src & END_IS_OWN_SOURCE;

	if (o->direction == BH_INGRESS) {
		if (is_ours)
			return STANDING_DOUBTFUL;
		return dst & END_IS_OWN ? STANDING_PLAIN : STANDING_TRANSIT;
	}
	return o->is_local_origin || is_ours ? STANDING_PLAIN : STANDING_TRANSIT;
}

/* See is_strange_source(), front_opened(), is_own_host() and is_own_return(). */
static __always_inline enum standing standing_at_workload(const struct opener *o, __u32 src,
							  __u32 dst)
{
	bool is_doubtful;

	if (o->direction == BH_INGRESS)
		is_doubtful = (o->is_local_origin || o->is_returned) && (src & END_IS_OWN_SOURCE);
	else
		is_doubtful = (dst & END_IS_OWN) || is_to_front(o) || !is_of_workload(o, o->src);
	return is_doubtful ? STANDING_DOUBTFUL : STANDING_PLAIN;
}

/* @src, @dst: end_known.identity. */
static __always_inline enum standing standing_of(const struct opener *o, __u32 src, __u32 dst)
{
	return o->is_host ? standing_at_host(o, src, dst) : standing_at_workload(o, src, dst);
}

#endif
