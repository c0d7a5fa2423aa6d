/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One packet on its way: the hook, what parsing found, what was decided.  It lives in a per-CPU
 * map, not on the stack: the verifier forgets what is in maps, and so doesn't follow every kind of
 * packet apart.
 */
#ifndef BPF_PACKET_H
#define BPF_PACKET_H

#include <linux/in.h>
#include <linux/in6.h>

#include <bpf/bpf_endian.h>

#include <bulkhead/address.h>
#include <bulkhead/connection.h>
#include <bulkhead/endpoint.h>
#include <bulkhead/front.h>
#include <bulkhead/limits.h>
#include <bulkhead/reason.h>
#include <bulkhead/tables.h>
#include <bulkhead/verdict.h>

#include "cursor.h"
#include "fragment_bucket.h"

#define NS_PER_S 1000000000ull

/* What the line that a connection leaves has counted, and what was told of that: see conn_settle.h.
 * Both ways. */
struct moving {
	__u64 counted[2];
	struct bh_carried carried[2];
	__u64 told_packets[2];
	__u64 told_bytes[2];
};

/* The packet that an ICMP error is about, as its sender sent it. */
struct quote {
	struct bh_addr src;
	struct bh_addr dst;
	__be16 sport;
	__be16 dport;
	__u8 proto;
};

enum fragment {
	FRAGMENT_NONE,
	FRAGMENT_FIRST, /* has ports; more will come */
	FRAGMENT_LATER, /* has none of its own */
};

struct packet {
	__u64 now;

	/* The policy in force when the packet came. */
	__u64 adopt_until_ns;
	__u32 slot;
	__u32 generation; /* 0: there is none */
	__u32 rule_base;
	__u32 rules;
	__u32 builtins_off;
	__u8 is_reverted;   /* a program has gone back to it by itself */
	__u8 is_agent_down; /* and the policy says of some zone what happens then */
	__u8 has_failsafe;

	/* The hook. */
	__u32 length; /* bytes of the frame */
	__u32 offset; /* the cursor's: bytes parsed */
	__u32 ifindex;
	__u16 endpoint;
	__u8 direction; /* enum bh_direction */
	__u8 is_xdp;
	__u8 is_host;              /* a NIC of this machine, not a workload's veth */
	__u8 is_local_origin;      /* this machine made it: it came in on no interface */
	__u8 is_returned;          /* it came in on the interface by which it goes out */
	__u8 may_claim_link_local; /* any of them: nobody knows the workload's own */
	__u8 is_answer;            /* we made it ourselves, see reject.h */
	__u8 is_gso;               /* several packets in one, which may be longer than IP can say */
	__u8 vlan_tags;
	__u8 is_tagged; /* by a VLAN other than 0, which is only a priority */

	/* Facts.  Ports are those of the first fragment; ICMP echo has its id as the requester's.
	 */
	__u8 proto;
	__u8 tcp_flags;
	struct bh_addr src;
	struct bh_addr dst;
	__be16 sport;
	__be16 dport;
	__be16 ethertype; /* after VLAN tags */
	__u8 icmp_type;
	__u8 icmp_code;
	__u8 hop_limit;
	__u8 is_v6;
	__u8 fragment;         /* enum fragment */
	__u8 fragment_proto;   /* what the fragments have in common: IPv6's first next header */
	__u16 fragment_offset; /* in bytes */
	__u16 fragment_end;
	__u8 is_group_frame; /* to a multicast or broadcast address of the link */
	__be32 fragment_id;
	__u16 ip_offset; /* of the IP header, in the frame */
	__u16 ip_len;    /* bytes that the IP header tells of, itself included */
	__u32 l4_len;    /* bytes of the IP payload in this packet, extension headers left out */
	__u32 seq_end;   /* TCP: sequence number after this segment */
	__u32 seq;
	__u32 ack;

	/* The decision.  BH_RULE_NONE: none was made. */
	__u64 until_s; /* on the wall: when it changes; 0: not before the policy does */
	__u32 rule;
	__u32 src_identity;
	__u32 dst_identity;
	__u8 verdict;     /* enum bh_verdict */
	__u8 is_reported; /* passes, and an event says so: audit, or a rule that logs */
	__u8 is_tls_required;

	/* An event is due for which the packet's bytes are wanted, and why. */
	__u8 is_event_due;
	__u8 reason;

	/* The first bytes of the TCP payload from the top down, if anybody asked for them. */
	__u8 has_hello;
	__u64 hello;

	/* What an ICMP message carries. */
	__u8 has_target;
	__u8 has_quote;
	/* From here on not zeroed: meaningful only if the flags above say so. */
	struct bh_addr target; /* neighbour discovery: whose address is announced, or asked for */
	struct quote quote;    /* error: the packet that it is about */

	/* To a front: its key, the backend that is asked about, what was decided of others. */
	struct bh_front front;
	__u32 backend_identity;
	struct bh_backend backend;
	__u32 cell;

	/* The connection that is looked for, and the one that is entered if there is none. */
	struct bh_conn_key key;
	__u64 hash;
	struct {
		struct bh_conn conn;
		struct bh_conn_rest rest;
	} entry;
	__u32 line; /* of the entry */
	struct moving moving;

	/* The same of a datagram in pieces. */
	struct fragment_entry piece;
};

/*
 * Signed: another CPU's packet may have come later and been faster, or its clock be ahead of ours,
 * and then what it noted is newer than @now.
 */
static __always_inline __s64 elapsed_ns(__u64 since, __u64 now)
{
	return (__s64)(now - since);
}

#define VLAN_ID 0x0fff /* of a tag's control information */

static __always_inline void packet_add_tag(struct packet *p, __u16 tci)
{
	p->vlan_tags++;
	if (tci & VLAN_ID)
		p->is_tagged = 1;
}

static __always_inline void addr_from_v4(struct bh_addr *a, __be32 v4)
{
	a->word[0] = 0;
	a->word[1] = 0;
	a->word[2] = bpf_htonl(0xffff);
	a->word[3] = v4;
}

static __always_inline void addr_from_v6(struct bh_addr *a, const struct in6_addr *v6)
{
	a->word[0] = v6->in6_u.u6_addr32[0];
	a->word[1] = v6->in6_u.u6_addr32[1];
	a->word[2] = v6->in6_u.u6_addr32[2];
	a->word[3] = v6->in6_u.u6_addr32[3];
}

static __always_inline bool addr_equal(const struct bh_addr *a, const struct bh_addr *b)
{
	return a->word[0] == b->word[0] && a->word[1] == b->word[1] && a->word[2] == b->word[2] &&
	       a->word[3] == b->word[3];
}

static __always_inline bool addr_is_mapped_v4(const struct bh_addr *a)
{
	return !a->word[0] && !a->word[1] && a->word[2] == bpf_htonl(0xffff);
}

static __always_inline bool addr_is_multicast(const struct bh_addr *a)
{
	if (addr_is_mapped_v4(a))
		return (a->word[3] & bpf_htonl(0xf0000000)) == bpf_htonl(0xe0000000) ||
		       a->word[3] == bpf_htonl(0xffffffff);
	return (a->word[0] & bpf_htonl(0xff000000)) == bpf_htonl(0xff000000);
}

/* fe80::/10 (RFC 4291, 2.5.6). */
static __always_inline bool addr_is_link_local(const struct bh_addr *a)
{
	return (a->word[0] & bpf_htonl(0xffc00000)) == bpf_htonl(0xfe800000);
}

/* :: or 0.0.0.0. */
static __always_inline bool addr_is_unspecified(const struct bh_addr *a)
{
	return !a->word[0] && !a->word[1] && !a->word[3] &&
	       (!a->word[2] || a->word[2] == bpf_htonl(0xffff));
}

static __always_inline bool addr_is_loopback(const struct bh_addr *a)
{
	if (addr_is_mapped_v4(a))
		return (a->word[3] & bpf_htonl(0xff000000)) == bpf_htonl(0x7f000000);
	return !a->word[0] && !a->word[1] && !a->word[2] && a->word[3] == bpf_htonl(1);
}

/* 0.0.0.0/8, but for 0.0.0.0: "this network" (RFC 1122, 3.2.1.3). */
static __always_inline bool addr_is_zero_net(const struct bh_addr *a)
{
	return addr_is_mapped_v4(a) && a->word[3] && !(a->word[3] & bpf_htonl(0xff000000));
}

/* ::a.b.c.d, but for :: and ::1 (RFC 4291, 2.5.5.1). */
static __always_inline bool addr_is_compatible_v4(const struct bh_addr *a)
{
	return !a->word[0] && !a->word[1] && !a->word[2] && bpf_ntohl(a->word[3]) > 1;
}

#endif
