/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Events, as programs write and the agent reads them: of a drop, an audited connection, or an
 * allowed one whose rule logs.
 */
#ifndef BULKHEAD_EVENT_H
#define BULKHEAD_EVENT_H

#include <bulkhead/address.h>
#include <bulkhead/limits.h>

struct bh_event {
	__u64 time_ns; /* CLOCK_MONOTONIC */
	struct bh_addr src;
	struct bh_addr dst;
	__be16 sport; /* 0 where the protocol has none, or the packet did not get so far */
	__be16 dport;
	__u8 proto;     /* IP protocol; 0 with an ethertype other than IP */
	__u8 tcp_flags; /* TCP header, byte 13 */
	__u8 icmp_type; /* with proto 1 and 58 */
	__u8 icmp_code;
	__u32 src_identity; /* numbered as in `generation` */
	__u32 dst_identity;
	__u32 rule; /* numbered as in `generation` */
	__u32 generation;
	__u32 length; /* bytes of the frame at the hook */
	__u32 ifindex;
	__be16 ethertype; /* after VLAN tags */
	__u16 endpoint;   /* bh_endpoint.id */
	__u8 verdict;     /* enum bh_verdict */
	__u8 reason;      /* enum bh_reason */
	__u8 direction;   /* enum bh_direction */
	__u8 is_xdp;      /* 1: seen by the XDP program, 0: by a tc program */
};

/*
 * The events of one CPU: of its places in bh_lane_events each is written again when its event has
 * been read.  Each of both ends has a cache line, so that neither has to wait for the other.
 */
struct bh_lane {
	__u64 written; /* events, by programs on that CPU, which are never in each other's way */
	__u64 pad[7];
	__u64 read; /* by the agent */
	__u64 pad2[7];
};

/* The same with the packet, as long as the agent asks for it (bh_control.event_bytes). */
struct bh_event_packet {
	struct bh_event event;
	__u32 captured; /* of the bytes: as many as the packet and its first buffer have */
	__u32 pad;
	__u64 bytes[BH_PACKET_BYTES / 8]; /* of the frame at the hook; a VLAN tag may be off */
};

_Static_assert(sizeof(struct bh_event) == 80, "event record has no holes");
_Static_assert(sizeof(struct bh_lane) == 128, "a lane's ends are two cache lines");
_Static_assert(sizeof(struct bh_event_packet) == 88 + BH_PACKET_BYTES, "nor has one with a packet");

#endif
