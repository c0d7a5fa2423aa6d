/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Every map: what it takes to what, and who writes it.  The agent may change sizes before load. */
#ifndef BPF_MAPS_H
#define BPF_MAPS_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include <bulkhead/builtin.h>
#include <bulkhead/connection.h>
#include <bulkhead/counters.h>
#include <bulkhead/endpoint.h>
#include <bulkhead/event.h>
#include <bulkhead/flow.h>
#include <bulkhead/front.h>
#include <bulkhead/limits.h>
#include <bulkhead/reason.h>
#include <bulkhead/tables.h>
#include <bulkhead/verdict.h>

#include "answer.h"
#include "conn_lock.h"
#include "fragment_bucket.h"
#include "packet.h"

/*
 * The word that says which slot is in force, and switches.  The agent writes it, in shared memory:
 * that makes one store of it, and the kernel allows it only without BPF_F_RDONLY_PROG.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bh_control);
} bh_control SEC(".maps");

/* In which generations addresses changed.  The agent writes, in shared memory. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bh_epochs);
} bh_epochs SEC(".maps");

/*
 * The memory of these two, at addresses that are constants once programs are loaded: the agent
 * loads them with the maps in place of these sections.  To look a map up is a twentieth of what
 * most packets cost.
 */
__u64 bh_control_words[sizeof(struct bh_control) / sizeof(__u64)] SEC(".data.control");
__u64 bh_epochs_words[sizeof(struct bh_epochs) / sizeof(__u64)] SEC(".data.epochs");

static __always_inline struct bh_control *control_here(void)
{
	return (struct bh_control *)bh_control_words;
}

static __always_inline const struct bh_epochs *epochs_here(void)
{
	return (const struct bh_epochs *)bh_epochs_words;
}

/* Slot -> header of its policy.  The agent writes the idle one. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE | BPF_F_RDONLY_PROG);
	__uint(max_entries, BH_SLOTS);
	__type(key, __u32);
	__type(value, struct bh_policy);
} bh_policies SEC(".maps");

/*
 * Prefixes with their identities, a line at a time; slot s has the s-th half.  The agent writes, in
 * shared memory: where one address of the slot in force changes, an update of a whole line by
 * syscall could be seen half done, and the kernel shares no memory for writing with
 * BPF_F_RDONLY_PROG.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, BH_PREFIX_LINES_DEFAULT);
	__type(key, __u32);
	__type(value, struct bh_prefix_line);
} bh_prefixes SEC(".maps");

/* Identity -> place in the pair grid.  The agent writes. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE | BPF_F_RDONLY_PROG);
	__uint(max_entries, BH_IDENTITY_ENTRIES_DEFAULT);
	__type(key, __u32);
	__type(value, struct bh_identity);
} bh_identities SEC(".maps");

/* (Table, number) -> service class, a line at a time.  The agent writes. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE | BPF_F_RDONLY_PROG);
	__uint(max_entries, BH_SLOTS *BH_SERVICE_LINES);
	__type(key, __u32);
	__type(value, struct bh_service_line);
} bh_services SEC(".maps");

/* Directories of both grids of both slots: (row, part of the columns) -> block.  The agent writes.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE | BPF_F_RDONLY_PROG);
	__uint(max_entries, BH_DIRECTORY_LINES);
	__type(key, __u32);
	__type(value, struct bh_directory_line);
} bh_directory SEC(".maps");

/* Blocks of both grids of both slots: rows, or cells.  The agent writes. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE | BPF_F_RDONLY_PROG);
	__uint(max_entries, BH_BLOCKS);
	__type(key, __u32);
	__type(value, struct bh_block);
} bh_blocks SEC(".maps");

/* What was found in the grids; slot s has the s-th half, of that the pair grid the first one.
 * Programs write, the agent zeroes the idle slot. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, BH_SLOTS * 2 * BH_KNOWN_LINES);
	__type(key, __u32);
	__type(value, struct bh_known_line);
} bh_known SEC(".maps");

/* Changes of decisions when rules expire; slot s has the s-th half.  The agent writes. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE | BPF_F_RDONLY_PROG);
	__uint(max_entries, BH_LATER_ENTRIES);
	__type(key, __u32);
	__type(value, struct bh_later);
} bh_later SEC(".maps");

/* Interface -> endpoint.  The agent writes. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_RDONLY_PROG);
	__uint(max_entries, BH_ENDPOINT_ENTRIES);
	__type(key, __u32);
	__type(value, struct bh_endpoint);
} bh_endpoints SEC(".maps");

/* Low bits of an interface -> endpoint, of one interface that has them.  The agent writes. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_RDONLY_PROG);
	__uint(max_entries, BH_INTERFACE_ENTRIES);
	__type(key, __u32);
	__type(value, struct bh_endpoint);
} bh_interfaces SEC(".maps");

/* (Endpoint, address), what a workload may send from -> BH_SOURCE_LINK_ONLY or 0.  The agent
 * writes. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_RDONLY_PROG);
	__uint(max_entries, BH_SOURCE_ENTRIES);
	__type(key, struct bh_source_key);
	__type(value, __u32);
} bh_sources SEC(".maps");

/* What this machine takes for itself -> BH_LOCAL_*.  The agent writes. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_RDONLY_PROG);
	__uint(max_entries, BH_LOCAL_ENTRIES);
	__type(key, struct bh_local_key);
	__type(value, __u32);
} bh_local SEC(".maps");

/* Endpoint id -> what most packets ask of bh_sources.  The agent writes, in shared memory: as it
 * does the next two. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, BH_ENDPOINT_ENTRIES);
	__type(key, __u32);
	__type(value, struct bh_source_line);
} bh_source_lines SEC(".maps");

/* Address, hashed -> what most packets ask of bh_local. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, BH_LOCAL_LINES);
	__type(key, __u32);
	__type(value, struct bh_local_line);
} bh_local_lines SEC(".maps");

/* Whether the lines are to be asked. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bh_local_head);
} bh_local_head SEC(".maps");

/* Address -> endpoint whose workload has it.  The agent writes. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_RDONLY_PROG);
	__uint(max_entries, BH_OWNER_ENTRIES);
	__type(key, struct bh_owner_key);
	__type(value, struct bh_endpoint);
} bh_owners SEC(".maps");

/* The fronts that there are -> enum bh_front_kind.  The agent writes. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_RDONLY_PROG);
	__uint(max_entries, BH_FRONT_ENTRIES);
	__type(key, struct bh_front);
	__type(value, __u32);
} bh_fronts SEC(".maps");

/* Front -> who may get what is sent there.  The agent writes. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_RDONLY_PROG);
	__uint(max_entries, BH_BACKEND_ENTRIES);
	__type(key, struct bh_front);
	__type(value, struct bh_backends);
} bh_backends SEC(".maps");

/* The connection table; see connection.h.  Programs write, the agent reads. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, BH_CONN_LINES_ALL);
	__type(key, __u32);
	__type(value, struct bh_conn);
} bh_conns SEC(".maps");

/* Line of bh_conns -> its farther half.  Programs write, the agent reads. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, BH_CONN_LINES_ALL);
	__type(key, __u32);
	__type(value, struct bh_conn_rest);
} bh_conn_rests SEC(".maps");

/* Bucket of bh_conns -> tags of its lines.  Programs write. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, BH_CONN_LINES_ALL / BH_CONN_WAYS);
	__type(key, __u32);
	__type(value, struct bh_conn_tags);
} bh_conn_tags SEC(".maps");

/* Port, hashed -> whether packets of connections may come to it; see ports.h.  Programs write. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BH_PORT_LINES);
	__type(key, __u32);
	__type(value, struct bh_port_line);
} bh_ports SEC(".maps");

/* Group of buckets -> its lock. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BH_CONN_LINES_ALL / BH_CONN_GROUP_LINES + 1);
	__type(key, __u32);
	__type(value, struct conn_lock);
} bh_conn_locks SEC(".maps");

/* Bucket of embryonic connections -> whose turn it is to give way.  Programs write. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, (BH_CONN_LINES_ALL - BH_CONN_LINES) / BH_CONN_WAYS);
	__type(key, __u32);
	__type(value, struct bh_embryonic);
} bh_embryonic SEC(".maps");

/* Endpoint id -> what it has of the connection table.  Programs write. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BH_ENDPOINT_ENTRIES);
	__type(key, __u32);
	__type(value, struct conn_share);
} bh_shares SEC(".maps");

/* What all endpoints have of it.  Programs write. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct conn_room);
} bh_room SEC(".maps");

/* Secrets and shares of the tables that programs write.  The agent writes. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_RDONLY_PROG);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bh_conn_setup);
} bh_conn_setup SEC(".maps");

/* What bh_read_clock read. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bh_clock);
} bh_clock SEC(".maps");

/* What a sweep is asked, and found. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bh_sweep);
} bh_sweep SEC(".maps");

/* Fragmented datagrams and the ports that their first fragments carried.  Programs write. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BH_FRAGMENT_BUCKETS);
	__type(key, __u32);
	__type(value, struct fragment_bucket);
} bh_fragments SEC(".maps");

/* Page of (slot, rule) -> packets that each decided.  Programs write, the agent zeroes the idle
 * slot. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, BH_RULE_ENTRIES / BH_RULE_PAGE);
	__type(key, __u32);
	__type(value, struct bh_count_page);
} bh_rule_counts SEC(".maps");

/* Page of (slot, rule) -> where the events of its rules are counted.  The agent writes. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE | BPF_F_RDONLY_PROG);
	__uint(max_entries, BH_RULE_ENTRIES / BH_RULE_PAGE);
	__type(key, __u32);
	__type(value, struct bh_event_places);
} bh_event_places SEC(".maps");

/* Page of places -> what became of those events.  Programs write, the agent zeroes the idle slot.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, BH_RULE_ENTRIES / BH_RULE_PAGE);
	__type(key, __u32);
	__type(value, struct bh_tally_page);
} bh_rule_events SEC(".maps");

/* Page of (slot, rule) -> the same of rules without places.  Programs write, and make a page when
 * one of its rules has its first event; the agent drops those of the idle slot. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, BH_RULE_ENTRIES / BH_RULE_PAGE);
	__type(key, __u32);
	__type(value, struct bh_tally_page);
} bh_rare_events SEC(".maps");

/* Endpoint id -> what passed and what was dropped.  Programs write. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, BH_ENDPOINT_ENTRIES);
	__type(key, __u32);
	__type(value, struct bh_endpoint_count);
} bh_ep_counts SEC(".maps");

/* (Verdict, reason) -> what became of the events, and with them of all drops.  Programs write. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, BH_ACCOUNTS);
	__type(key, __u32);
	__type(value, struct bh_account);
} bh_books SEC(".maps");

/* (Source identity, rule, reason), hashed -> events in the current second.  Programs write. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BH_LIMITER_LINES);
	__type(key, __u32);
	__type(value, struct bh_limiter_line);
} bh_limiters SEC(".maps");

/* What became of rejected packets.  Programs write. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bh_rejects);
} bh_rejects SEC(".maps");

/* The rate of answers, for all CPUs together.  Programs write. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct answer_bucket);
} bh_answer_rate SEC(".maps");

/* CPU -> how far its events are written, and read.  Programs write, and the agent.  It sizes this
 * and the next for the machine's CPUs. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bh_lane);
} bh_lanes SEC(".maps");

/* Lane after lane, bh_lane_each events of each.  Programs write, the agent reads. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, BH_LANE_EVENTS_LEAST);
	__type(key, __u32);
	__type(value, struct bh_event);
} bh_lane_events SEC(".maps");

/* Events with their packets, as struct bh_event_packet, and 4 bytes to wake who reads lanes.
 * Programs write, the agent reads. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, BH_RING_BYTES);
} bh_events SEC(".maps");

/* Flows, as struct bh_flow.  Programs write, the agent reads.  It sizes this and the next if it
 * wants any. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
} bh_flows SEC(".maps");

/* Line of bh_conns -> what the flow log has of it.  Programs write. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bh_flow_told);
} bh_flow_told SEC(".maps");

/* What became of the records of flows.  Programs write. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bh_flow_books);
} bh_flow_books SEC(".maps");

/* How far the agent has written them.  It writes. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bh_flow_mark);
} bh_flow_mark SEC(".maps");

/* Where each CPU keeps the packet that it is judging. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct packet);
} bh_packet SEC(".maps");

/* The packet's place; softirqs are off while a program runs, so nobody else on this CPU has it. */
static __always_inline struct packet *packet_here(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&bh_packet, &zero);
}

/* Where packets go on that no first look is enough for: one program for all hooks of a kind. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} bh_rest_xdp SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} bh_rest_tc SEC(".maps");

/* Where each CPU builds an answer. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct answer);
} bh_answer SEC(".maps");

#endif
