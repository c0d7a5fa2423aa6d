/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the agent chooses before load; the verifier deletes the branches that this makes dead. */
#ifndef BPF_CONFIG_H
#define BPF_CONFIG_H

#include <stdbool.h>

#include <linux/if_ether.h>
#include <linux/types.h>

#include <bulkhead/connection.h>
#include <bulkhead/limits.h>
#include <bulkhead/vlan.h>

/* So that what nearly all packets do is one straight piece of code. */
#define unlikely(condition) __builtin_expect(!!(condition), 0)

/* Events a second for each (source identity, rule, reason); 0: no limit. */
const volatile __u32 bh_event_rate = 0;

/* How many events of each CPU may wait to be read: a power of two. */
const volatile __u32 bh_lane_each = BH_LANE_EVENTS_LEAST;

/* Off: every event is suppressed, for comparison. */
const volatile bool bh_has_events = true;

/* Ticks between two records of a connection that goes on; 0: flows are not logged. */
const volatile __u32 bh_flow_ticks = 0;

/* How old the agent's heartbeat is when it counts as down. */
const volatile __u32 bh_down_after_s = BH_DOWN_AFTER_S;

/* Answers a second to rejected packets, on the whole machine; 0: none. */
const volatile __u32 bh_reject_rate = BH_REJECT_RATE;

/*
 * How our programs know an answer of ours (reject.h).  Secrets, chosen at random at every load: who
 * knew one could pass a program with it.  0: none is known.
 */
const volatile __u32 bh_answer_mark = 0;
const volatile __u8 bh_answer_mac[ETH_ALEN] = {};
const volatile __u64 bh_answer_tag = 0;

const volatile __u32 bh_vlan = BH_VLAN_INSPECT; /* enum bh_vlan_mode */

/* Whether the kernel knows packets in several buffers in XDP, and how long they are (5.18). */
const volatile bool bh_has_xdp_frags = true;

/* Whether atomic operations may return something (5.12). */
const volatile bool bh_has_fetch = true;

/* Off: every packet goes the whole way, for comparison. */
const volatile bool bh_is_quick = true;

/* One less than the lines of bh_conns, which are a power of two. */
const volatile __u32 bh_conn_mask = BH_CONN_LINES - 1;

/* How many rules each slot has room for in bh_rule_counts. */
const volatile __u32 bh_rules_each = BH_RULE_ENTRIES / BH_SLOTS;

/* How many of their events' places in bh_rule_events. */
const volatile __u32 bh_events_each = BH_RULE_ENTRIES / BH_SLOTS;

/* Whether this machine may show stores to other CPUs in another order, as x86 does not. */
const volatile bool bh_is_weakly_ordered = false;

/* Ticks. */
#define X(id, seconds) [BH_TIMEOUT_##id] = BH_TICKS_OF_S(seconds),
const volatile __u32 bh_timeouts[BH_TIMEOUT_COUNT] = {BH_TIMEOUTS(X)};
#undef X

#endif
