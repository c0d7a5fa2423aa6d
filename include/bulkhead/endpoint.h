/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is enforced on an interface, and which addresses may be behind it. */
#ifndef BULKHEAD_ENDPOINT_H
#define BULKHEAD_ENDPOINT_H

#include <bulkhead/address.h>
#include <bulkhead/limits.h>

enum bh_endpoint_kind {
	BH_ENDPOINT_NONE,     /* zero: not an endpoint */
	BH_ENDPOINT_IS_HOST,  /* a NIC of this machine */
	BH_ENDPOINT_WORKLOAD, /* the host side of a workload's veth */
};

/* Value of bh_endpoints, by interface index, and of bh_interfaces, by its low bits. */
struct bh_endpoint {
	__u16 id;   /* BH_ENDPOINT_HOST for every NIC, else unique */
	__u8 kind;  /* enum bh_endpoint_kind */
	__u8 flags; /* BH_ENDPOINT_* below */
	__u32 ifindex;
};

/* Nobody knows the workload's link-local addresses: it may claim any in neighbour discovery. */
#define BH_ENDPOINT_FREE_LINK_LOCAL (1u << 0)

/* Answers leave by bh_tc_answer: XDP_TX gets nowhere. */
#define BH_ENDPOINT_HAS_ANSWERER (1u << 1)

/*
 * Key of the trie of sources: what the workload behind an endpoint may send from.  The value is 0,
 * or BH_SOURCE_LINK_ONLY.
 */
struct bh_source_key {
	__u32 prefix_len; /* BH_SOURCE_ENDPOINT_BITS + 0..128, in bits */
	__u32 endpoint;
	struct bh_addr addr;
};

#define BH_SOURCE_ENDPOINT_BITS 32

/* Only for neighbour discovery: it is in no policy, and would pass for whoever is outside. */
#define BH_SOURCE_LINK_ONLY (1u << 0)

/* Key of the trie of what this machine takes for itself; the value is a set of BH_LOCAL_*. */
struct bh_local_key {
	__u32 prefix_len; /* 0..128, in bits */
	struct bh_addr addr;
};

#define BH_LOCAL_GROUP  (1u << 0) /* broadcast and the like: others may have it, too */
#define BH_LOCAL_ANYONE (1u << 1) /* only a destination: a route takes in what others send from */

/*
 * What the tries are asked most, in a line.  Who reads it takes the stamp before and after: if that
 * is 0, odd or another one, or what is here doesn't tell, the trie does.  The agent makes it odd
 * before it changes the trie, and another even number afterwards.
 */

/* Whole addresses that are the sources of an endpoint; programs find them by its id. */
#define BH_SOURCE_LINE_ADDRESSES 7

struct bh_source_line {
	__u32 stamp;
	__u16 count;
	__u16 has_more; /* that the trie knows */
	__u64 pad;
	struct bh_addr addr[BH_SOURCE_LINE_ADDRESSES];
};

/* Whole addresses that this machine takes for itself, with their BH_LOCAL_*. */
#define BH_LOCAL_LINE_ADDRESSES 3

struct bh_local_line {
	struct bh_addr addr[BH_LOCAL_LINE_ADDRESSES];
	__u8 flags[BH_LOCAL_LINE_ADDRESSES];
	__u8 count;
	__u8 has_more;
	__u8 pad[11];
};

/* Of the two halves of an address, as they are in memory. */
#define BH_LOCAL_HASH(first, last) (((first) ^ (last) >> 29 ^ (last)) * 0x9e3779b97f4a7c15ull)
#define BH_LOCAL_LINE(first, last) ((__u32)(BH_LOCAL_HASH(first, last) >> 32) % BH_LOCAL_LINES)

/* Which addresses are in shorter prefixes may be asked of the trie only: by the first 16 bits. */
enum bh_local_family {
	BH_LOCAL_V6,
	BH_LOCAL_V4,
	BH_LOCAL_FAMILIES
};

struct bh_local_head {
	__u32 stamp; /* of all lines */
	__u32 pad;
	__u64 has_whole[BH_LOCAL_LINES / 64]; /* lines that are not empty: few are */
	__u64 has_shorter[BH_LOCAL_FAMILIES][65536 / 64];
};

/* Relative to the endpoint: ingress is towards it, egress is what it sends. */
enum bh_direction {
	BH_INGRESS,
	BH_EGRESS,
};

_Static_assert(sizeof(struct bh_endpoint) == 8, "endpoint value");
_Static_assert(sizeof(struct bh_source_key) == 24, "LPM key: length, then 20 bytes");
_Static_assert(sizeof(struct bh_local_key) == 20, "LPM key: length, then 16 bytes");
_Static_assert(sizeof(struct bh_source_line) == 128, "sources are two cache lines");
_Static_assert(sizeof(struct bh_local_line) == 64, "a line of addresses is a cache line");

#endif
