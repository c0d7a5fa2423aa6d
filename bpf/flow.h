/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The flow log: who ends a connection tells what it carried, and the sweep what goes on.
 *
 * Packets are counted without a lock, perhaps by a CPU that found the connection just before
 * another one ended it.  So a line's counters are never set back by a store: what was told is noted
 * beside them, and what is counted after the last record of a connection is told as a late one, or
 * else with the next connection of the line.  Nothing is told twice, and nothing never.
 */
#ifndef BPF_FLOW_H
#define BPF_FLOW_H

#include <bulkhead/flow.h>

#include "config.h"
#include "conn_line.h"
#include "hello.h"
#include "maps.h"
#include "order.h"
#include "packet.h"

/* What it takes to tell of a line; from before its lock is taken until after it is given back. */
struct telling {
	struct bh_flow_told *told; /* NULL: flows are not logged */
	struct bh_flow *flow;      /* NULL: the ring is full, and has_room is 0 */
	__u64 has_room;
	struct bh_flow_books *books;
	__u64 now;
	__u32 line;
};

static __always_inline struct bh_flow_told *told_at(__u32 line)
{
	return bh_flow_ticks ? bpf_map_lookup_elem(&bh_flow_told, &line) : NULL;
}

static __always_inline struct telling tell_begin(__u32 line)
{
	struct telling t = {.told = told_at(line), .line = line};
	__u32 zero = 0;

	if (!t.told)
		return t;
	t.books = bpf_map_lookup_elem(&bh_flow_books, &zero);
	if (!t.books) {
		t.told = NULL;
		return t;
	}
	t.now = bpf_ktime_get_ns();
	t.flow = bpf_ringbuf_reserve(&bh_flows, sizeof(*t.flow), 0);
	t.has_room = t.flow != NULL;
	/* 6.1's verifier, asked of a record twice, thinks that it may be none after all. */
	barrier_var(t.has_room);
	return t;
}

/* The agent reads once a second, and in between only if there is much. */
static __always_inline __u64 tell_wakeup(void)
{
	if (bpf_ringbuf_query(&bh_flows, BPF_RB_AVAIL_DATA) < BH_FLOW_WAKE_BYTES)
		return BPF_RB_NO_WAKEUP;
	return BPF_RB_FORCE_WAKEUP;
}

static __always_inline void tell_end(const struct telling *t, bool is_told)
{
	if (!t->has_room) {
		if (t->told && is_told)
			__sync_fetch_and_add(&t->books->lost, 1);
		return;
	}
	if (!is_told) {
		bpf_ringbuf_discard(t->flow, BPF_RB_NO_WAKEUP);
		return;
	}
	bpf_ringbuf_submit(t->flow, tell_wakeup());
	if (t->told)
		__sync_fetch_and_add(&t->books->told, 1);
}

static __always_inline enum bh_flow_why why_over(const struct conn_line *l, enum bh_flow_why why)
{
	if (why != BH_FLOW_EXPIRED || l->conn->state != BH_CONN_CLOSING)
		return why;
	return l->rest->hello == HELLO_CUT ? BH_FLOW_PLAINTEXT : BH_FLOW_CLOSED;
}

static __always_inline void tell_facts(const struct telling *t, const struct conn_line *l)
{
	const struct bh_conn *conn = l->conn;
	struct bh_flow *flow = t->flow;

	flow->time_ns = t->now;
	bh_conn_key_of(conn, l->rest, &flow->key);
	/* The line may be free by now. */
	flow->key.ip_version = addr_is_mapped_v4(&flow->key.addr[0]) ? 4 : 6;
	flow->line = t->line;
	flow->stamp = t->told->stamp;
	flow->created = l->rest->created;
	flow->since = t->told->at;
	flow->seen = conn->seen;
	flow->generation = conn->generation;
	flow->rule = conn->rule;
	flow->tcp_flags[0] = conn->tcp_flags[0];
	flow->tcp_flags[1] = conn->tcp_flags[1];
	flow->state = conn->state;
	flow->verdict = conn->verdict;
	flow->opener = conn->opener;
	flow->direction = conn->direction;
	__builtin_memset(flow->pad, 0, sizeof(flow->pad));
}

static __always_inline void tell_half(const struct telling *t, const struct conn_line *l, int half)
{
	__u64 packets = bh_conn_packets(l->conn, l->rest, half),
	      bytes = bh_conn_bytes(l->conn, l->rest, half);

	if (t->has_room) {
		t->flow->packets[half] = packets - t->told->packets[half];
		t->flow->bytes[half] = bytes - t->told->bytes[half];
	} else {
		__sync_fetch_and_add(&t->books->lost_packets, packets - t->told->packets[half]);
		__sync_fetch_and_add(&t->books->lost_bytes, bytes - t->told->bytes[half]);
	}
	t->told->packets[half] = packets;
	t->told->bytes[half] = bytes;
}

/*
 * Of the line's connection that has, or had, this stamp.  Under the lock.  One that is older than
 * the log is told from its beginning.
 */
static __always_inline void tell(const struct telling *t, const struct conn_line *l, __u32 stamp,
				 enum bh_flow_why why)
{
	if (!t->told)
		return;
	if (t->told->stamp != stamp) {
		__builtin_memset(t->told, 0, sizeof(*t->told));
		t->told->stamp = stamp;
		t->told->at = l->rest->created;
	}
	if (t->has_room) {
		tell_facts(t, l);
		t->flow->why = why_over(l, why);
	}
	tell_half(t, l, 0);
	tell_half(t, l, 1);
	t->told->at = BH_TICKS(t->now);
}

static __always_inline bool is_half_untold(const struct conn_line *l,
					   const struct bh_flow_told *told, int half)
{
	return bh_conn_packets(l->conn, l->rest, half) != told->packets[half] ||
	       bh_conn_bytes(l->conn, l->rest, half) != told->bytes[half];
}

static __always_inline bool has_untold(const struct conn_line *l, const struct bh_flow_told *told)
{
	return is_half_untold(l, told, 0) || is_half_untold(l, told, 1);
}

/* A free line has a stamp of its own, and the key of the connection that ended. */
static __always_inline bool has_late(const struct conn_line *l, const struct bh_flow_told *told)
{
	return !l->conn->ip_version && told->stamp + 2 == l->conn->stamp && has_untold(l, told);
}

/*
 * Adds a new connection's first packet to the line's counters, and takes away what was told of the
 * one before it.  Both counters at once: what remains of either is little.  Under the lock.
 */
static __always_inline void tell_anew(const struct conn_line *l, const struct conn_line *entry,
				      struct bh_flow_told *told, bool is_told)
{
	for (int i = 0; i < 2; i++) {
		struct bh_carried *carried = &l->rest->carried[i];
		__u64 more = entry->conn->counted[i];

		if (is_told) {
			more -= (told->packets[i] << BH_COUNTED_SHIFT) + told->bytes[i];
			more += carried->packets * BH_CARRY_OF_PACKETS +
				carried->bytes * BH_CARRY_OF_BYTES;
		} else {
			more -= READ_NOW(l->conn->counted[i]);
		}
		__sync_fetch_and_add(&l->conn->counted[i], more);
		carried->packets = carried->bytes = 0;
		told->packets[i] = told->bytes[i] = 0;
	}
	told->at = entry->rest->created;
}

/* --- from line to line --- */

/*
 * The line's connection goes to another line, and @m->counted and @m->carried with it, told or not.
 * What was counted after those were read is late.  Under the lock of the line.
 */
static __always_inline void tell_leave(struct bh_flow_told *told, __u32 stamp, struct moving *m)
{
	bool is_told = told && told->stamp == stamp;

	for (int i = 0; i < 2; i++) {
		m->told_packets[i] = is_told ? told->packets[i] : 0;
		m->told_bytes[i] = is_told ? told->bytes[i] : 0;
		if (!told)
			continue;
		told->packets[i] = bh_packets_of(m->counted[i], &m->carried[i]);
		told->bytes[i] = bh_bytes_of(m->counted[i], &m->carried[i]);
	}
	if (told)
		told->stamp = stamp;
}

/* Under the lock of the line that the connection has now, or had, by this stamp. */
static __always_inline void tell_arrive(const struct conn_line *l, struct bh_flow_told *told,
					__u32 stamp, const struct moving *m)
{
	for (int i = 0; told && i < 2; i++) {
		if (told->stamp == stamp) {
			told->packets[i] += m->told_packets[i];
			told->bytes[i] += m->told_bytes[i];
			continue;
		}
		__sync_fetch_and_add(
			&l->conn->counted[i],
			-((m->told_packets[i] << BH_COUNTED_SHIFT) + m->told_bytes[i]));
	}
}

#endif
