/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Every bound that the kernel and the user side share.  What the agent may size is a default here.
 */
#ifndef BULKHEAD_LIMITS_H
#define BULKHEAD_LIMITS_H

/*
 * Changes whenever the meaning of a pinned map does, and its members don't: other members are
 * noticed anyway.  Pins of another version are replaced, never misread.
 */
#define BH_LAYOUT_VERSION 12

#define BH_SLOTS 2 /* the policy in force, and the one being built */

#define BH_LINE_ENTRIES  16 /* block numbers in a directory line: one 64-byte cache line */
#define BH_BLOCK_ENTRIES 32 /* grid values in a block: 128 bytes */

#define BH_SERVICE_LINE_ENTRIES 32 /* service classes in a line: 64 bytes */
#define BH_SERVICE_TABLE_LINES  (65536 / BH_SERVICE_LINE_ENTRIES)
/* Five tables of 65536 (see enum bh_service_table), then one of 256 protocol numbers. */
#define BH_SERVICE_LINES (5 * BH_SERVICE_TABLE_LINES + 256 / BH_SERVICE_LINE_ENTRIES)

/* Rule numbers below BH_RULE_FIRST are built in; see builtin.h. */
#define BH_RULE_FIRST 16
#define BH_RULE_MAX   0xffffff    /* a cell has 24 bits for the rule */
#define BH_RULE_NONE  BH_RULE_MAX /* in events: dropped before any rule was asked */

/*
 * What a policy may need at most, in entries over both slots.  The agent makes these tables for the
 * policy that it starts with: with room for an eighth more, and no smaller than BH_*_LEAST.
 */
#define BH_PREFIX_ENTRIES   4194304 /* prefixes and waypoints: so many find a place in the lines */
#define BH_PREFIX_LINES     1179648 /* 144 MiB */
#define BH_IDENTITY_ENTRIES 2097152 /* 16 MiB */
#define BH_DIRECTORY_LINES  524288  /* 32 MiB */
#define BH_BLOCKS           524288  /* 64 MiB */
#define BH_RULE_ENTRIES     262144  /* 4 MiB a CPU */

#define BH_PREFIX_LINES_LEAST     16384 /* 2 MiB */
#define BH_IDENTITY_ENTRIES_LEAST 8192
#define BH_DIRECTORY_LINES_LEAST  32768 /* 2 MiB */
#define BH_BLOCKS_LEAST           32768 /* 4 MiB */
#define BH_RULE_ENTRIES_LEAST     32768 /* these are whole pages in each slot */
#define BH_EVENT_PLACES_LEAST     4096

/* Of tables that are made before any policy is known, where that is less. */
#define BH_PREFIX_LINES_DEFAULT     188416 /* 23 MiB */
#define BH_IDENTITY_ENTRIES_DEFAULT 262144 /* 2 MiB */

/* Capacities, in entries; the agent may choose others for connections at load. */
#define BH_LATER_ENTRIES 65536 /* over both slots; 1 MiB; programs count on this number */

#define BH_KNOWN_ENTRIES 32768 /* for each grid and slot; a power of two; 1 MiB */

#define BH_CONN_LINES        262144 /* a power of two; 32 MiB, and the embryonic ones */
#define BH_FRAGMENT_BUCKETS  2048
#define BH_FRAGMENT_WAYS     4 /* datagrams in a bucket */
#define BH_ENDPOINT_ENTRIES  1024
#define BH_INTERFACE_ENTRIES 16384 /* a power of two; programs count on this number */
#define BH_SOURCE_ENTRIES    65536
#define BH_LOCAL_ENTRIES     65536 /* memory as they are used */
#define BH_LOCAL_LINES       2048  /* a power of two; programs count on this number */
#define BH_OWNER_ENTRIES     65536 /* likewise */
#define BH_FRONT_ENTRIES     65536 /* likewise */
#define BH_BACKEND_ENTRIES   16384 /* fronts with backends; likewise: 2 KiB each */
#define BH_BACKENDS_MAX      96    /* of a front: as many as these hold */
#define BH_LIMITER_LINES     4096  /* a power of two; programs count on this number */
#define BH_RING_BYTES        (1024 * 1024)

/* In sixteenths of these lines: how many connections may settle, so that each finds a line; and how
 * many lines more there are, for those that have not. */
#define BH_CONN_SETTLED_PARTS   10
#define BH_CONN_EMBRYONIC_PARTS 2
#define BH_CONN_ALL_OF(lines)   ((lines) / 16 * (16 + BH_CONN_EMBRYONIC_PARTS))
#define BH_CONN_LINES_ALL       BH_CONN_ALL_OF(BH_CONN_LINES)

/* Events that wait to be read: all CPUs have so many together, and each has no fewer. */
#define BH_LANE_EVENTS       32768 /* 2.5 MiB; a power of two */
#define BH_LANE_EVENTS_LEAST 1024  /* likewise */

#define BH_WAKE_EVENTS  4096 /* of one kind on one CPU, and the agent is woken; a power of two */
#define BH_PACKET_BYTES 128  /* of a packet, copied for those who want to see it */

#define BH_LATER_MAX    8  /* changes of one decision that the tables know in advance */
#define BH_DOWN_AFTER_S 10 /* without a heartbeat, and the agent counts as down */

#define BH_REJECT_RATE      1000 /* answers to rejected packets a second, on the whole machine */
#define BH_REJECT_BURST     1000 /* at once, after a silence */
#define BH_REJECT_QUOTE_MAX 128  /* bytes of a rejected packet in an ICMP error about it */

/* Pulled into the linear part of an skb before parsing. */
#define BH_MAX_HEADER_BYTES_V4 192 /* with all options, and those of what an ICMP error quotes */
#define BH_MAX_HEADER_BYTES    704 /* with all extension headers */
#define BH_MAX_VLAN_TAGS       2
#define BH_MAX_EXTENSIONS      8 /* IPv6 extension headers; longer chains are dropped */
#define BH_MAX_EXTENSION_BYTES 512

#endif
