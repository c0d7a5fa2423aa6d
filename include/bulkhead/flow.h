/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A record of the flow ring: what a connection has carried since the record before it.  All of a
 * connection's records together, and of those that were lost, are all its packets, each once.
 */
#ifndef BULKHEAD_FLOW_H
#define BULKHEAD_FLOW_H

#include <bulkhead/connection.h>

/* clang-format off */
#define BH_FLOW_WHYS(X)                                                                          \
	X(ONGOING,   "ongoing",   "it goes on, and the last record is an interval ago")          \
	X(EXPIRED,   "expired",   "it was silent for as long as its state may be")               \
	X(CLOSED,    "closed",    "TCP: FIN from both ends, or an accepted RST")                 \
	X(REVOKED,   "revoked",   "the policy no longer allows it")                              \
	X(DISPLACED, "displaced", "not answered, and newer ones took its place")                 \
	X(PLAINTEXT, "plaintext", "TCP: cut, for it did not begin with the TLS that its rule requires") \
	X(LATE,      "late",      "packets that were on their way while it ended")

enum bh_flow_why {
#define X(id, word, help) BH_FLOW_##id,
	BH_FLOW_WHYS(X)
#undef X
	BH_FLOW_WHY_COUNT
};
/* clang-format on */

/* Index 0 of each pair: from the opener; 1: replies, as in struct bh_conn. */
struct bh_flow {
	__u64 time_ns; /* CLOCK_MONOTONIC, of the record */
	struct bh_conn_key key;
	__u64 packets[2]; /* since the record before */
	__u64 bytes[2];   /* the same, of frames as in struct bh_conn */
	__u32 line;       /* and stamp: the same in all records of a connection */
	__u32 stamp;
	__u32 created; /* ticks, as the next two */
	__u32 since;   /* the record before, or created */
	__u32 seen;    /* bh_conn.seen */
	__u32 generation;
	__u32 rule; /* numbered as in `generation` */
	__u8 tcp_flags[2];
	__u8 state;
	__u8 verdict;
	__u8 opener;
	__u8 direction;
	__u8 why; /* enum bh_flow_why */
	__u8 pad[5];
};

/* For each line: what records have told of its connection. */
struct bh_flow_told {
	__u64 packets[2];
	__u64 bytes[2];
	__u32 stamp; /* of that connection */
	__u32 at;    /* ticks: the last record; created, if there was none */
};

/* Every record is in exactly one of the first two. */
struct bh_flow_books {
	__u64 told; /* put into the ring */
	__u64 lost; /* the ring was full */
	__u64 lost_packets;
	__u64 lost_bytes;
};

/*
 * What the agent notes before it writes records to a file: it finds there, if it ends before it has
 * said that they are read, what to take back.
 */
struct bh_flow_mark {
	__u64 position; /* in the ring, of the first of these records */
	__u64 inode;    /* 0: there is nothing to take back */
	__u64 size;     /* of the file without them */
	__u64 lost;     /* records that the file tells of as lost */
	__u64 denied;   /* denied packets that it has in lines, or tells of as skipped */
};

#define BH_FLOW_RING_BYTES (4 * 1024 * 1024)
#define BH_FLOW_WAKE_BYTES (BH_FLOW_RING_BYTES / 4) /* unread, before programs wake the agent */

_Static_assert(sizeof(struct bh_flow) == 120, "flow record has no holes");
_Static_assert(sizeof(struct bh_flow_told) == 40, "what was told has no holes");

#endif
