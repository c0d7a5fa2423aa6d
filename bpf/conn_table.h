/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Lines of the connection table: find and free; conn_enter.h enters.  Several CPUs do so at once:
 *
 * - A line's key, its tag and what was decided change only under the lock of its group, and with
 *   a new stamp if the line gets another connection.
 * - Who reads takes the stamp first, then the key and what was decided, then the stamp again.  If
 *   it is another one, or odd, what was read may be of two connections, and counts as not found.
 * - The rest of a line (times, counters, the state of TCP) is written without a lock.  A packet
 *   that is slower than its connection's end may so touch the next one in the line: that one's
 *   counters, state or timeout, never what it is allowed, nor that it has to say hello first.
 */
#ifndef BPF_CONN_TABLE_H
#define BPF_CONN_TABLE_H

#include <linux/errno.h>

#include <bulkhead/connection.h>

#include "config.h"
#include "conn_place.h"
#include "flow.h"
#include "keyed_hash.h"
#include "maps.h"
#include "order.h"

/* A known connection, seen from a packet. */
struct hit {
	struct conn_line at; /* NULL: not known */
	__u32 line;
	__u32 stamp;
	__u32 generation;
	__u32 until_s;
	__u8 state;
	__u8 verdict;
	__u8 opener;
	__u8 direction;
	bool is_reply;
};

static __always_inline struct conn_share *share_of(__u32 endpoint)
{
	return bpf_map_lookup_elem(&bh_shares, &endpoint);
}

static __always_inline struct conn_room *room_here(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&bh_room, &zero);
}

static __always_inline bool is_expired(const struct bh_conn *conn, __u32 now)
{
	__u32 timeout = conn->timeout;

	if (timeout >= BH_TIMEOUT_COUNT)
		return true;
	/* `seen` may be newer than our clock reading when another CPU is faster. */
	return (__s32)(now - conn->seen) > (__s32)bh_timeouts[timeout];
}

/* --- shares --- */

static __always_inline bool has_room(const struct bh_conn_setup *setup,
				     const struct conn_share *share, const struct conn_room *room)
{
	return READ_NOW(share->settled) < setup->settled_each ||
	       READ_NOW(room->settled) < setup->settled_shared;
}

static __always_inline bool share_take(__u32 endpoint)
{
	const struct bh_conn_setup *setup = conn_setup();
	struct conn_share *share = share_of(endpoint);
	struct conn_room *room = room_here();
	bool is_taken;

	/* Without the lock first: packets of connections that can't settle would all wait for it.
	 */
	if (!setup || !share || !room || !has_room(setup, share, room))
		return false;
	bpf_spin_lock(&room->lock);
	is_taken = has_room(setup, share, room);
	if (is_taken) {
		share->settled++;
		room->settled++;
	}
	bpf_spin_unlock(&room->lock);
	return is_taken;
}

static __always_inline void share_return(__u32 endpoint)
{
	struct conn_share *share = share_of(endpoint);
	struct conn_room *room = room_here();

	if (!share || !room)
		return;
	bpf_spin_lock(&room->lock);
	share->settled--;
	room->settled--;
	bpf_spin_unlock(&room->lock);
}

/* --- free --- */

/* Only one that nobody answered is displaced. */
static __always_inline bool may_end(const struct bh_conn *conn, __u32 stamp, enum bh_flow_why why)
{
	return conn->stamp == stamp && conn->ip_version &&
	       !((conn->flags & BH_CONN_SETTLED) && why == BH_FLOW_DISPLACED);
}

/* Under the lock. */
static __always_inline void line_clear(const struct conn_line *l, struct bh_conn_tags *tags,
				       __u32 line, __u32 stamp)
{
	tags->tag[line % BH_CONN_WAYS] = 0;
	l->conn->ip_version = 0;
	keep_order();
	l->conn->stamp = stamp + 2;
}

/* False if the line does not hold that connection any more. */
static __always_inline bool free_line(__u32 line, __u32 stamp, enum bh_flow_why why)
{
	struct bh_conn_tags *tags = tags_at(line / BH_CONN_WAYS);
	struct conn_lock *lock = lock_of(line);
	const struct conn_line l = line_at(line);
	struct bh_conn *conn = l.conn;
	bool is_settled, is_freed;
	struct telling telling;
	__u32 endpoint;

	if (!tags || !lock || !is_line(&l) || !may_end(conn, stamp, why))
		return false;
	telling = tell_begin(line);
	bpf_spin_lock(&lock->lock);
	endpoint = conn->endpoint;
	is_settled = conn->flags & BH_CONN_SETTLED;
	is_freed = may_end(conn, stamp, why);
	if (is_freed) {
		line_clear(&l, tags, line, stamp);
		tell(&telling, &l, stamp, why);
	}
	bpf_spin_unlock(&lock->lock);
	tell_end(&telling, is_freed);
	if (is_freed && is_settled)
		share_return(endpoint);
	return is_freed;
}

/* Global: verified once. */
__noinline int conn_free(__u32 line, __u32 stamp, int why)
{
	return free_line(line, stamp, why);
}

static __always_inline void conn_delete(const struct hit *hit, enum bh_flow_why why)
{
	conn_free(hit->line, hit->stamp, why);
}

/* A record of a connection that goes on, or of what was counted after its end. */
static __always_inline bool tell_line(__u32 line, __u32 stamp, bool is_over)
{
	struct conn_lock *lock = lock_of(line);
	const struct conn_line l = line_at(line);
	struct telling telling;
	bool is_told;

	if (!bh_flow_ticks || !lock || !is_line(&l))
		return false;
	telling = tell_begin(line);
	bpf_spin_lock(&lock->lock);
	is_told = l.conn->stamp == (is_over ? stamp + 2 : stamp) && !l.conn->ip_version == is_over;
	if (is_told)
		tell(&telling, &l, stamp, is_over ? BH_FLOW_LATE : BH_FLOW_ONGOING);
	bpf_spin_unlock(&lock->lock);
	tell_end(&telling, is_told);
	return is_told;
}

/* Global: verified once, as is the next. */
__noinline int conn_tell(__u32 line, __u32 stamp)
{
	return tell_line(line, stamp, false);
}

/* If there is anything late in this free line. */
__noinline int conn_tell_late(__u32 line)
{
	const struct bh_flow_told *told = told_at(line);
	const struct conn_line l = line_at(line);

	if (!told || !is_line(&l) || !has_late(&l, told))
		return false;
	return tell_line(line, told->stamp, true);
}

/* --- find --- */

static __always_inline void conn_hash(struct packet *p)
{
	const struct bh_control *control = control_here();

	p->hash = control ? keyed_hash(&control->secret, &p->key) : 0;
}

/* Whether the line has the connection of that key. */
static __always_inline bool conn_read(const struct bh_conn_key *key, __u32 line, struct hit *hit)
{
	const struct line_key parts = line_key_of((const __u64 *)key);
	const struct conn_line l = line_at(line);
	struct bh_conn *conn = l.conn;

	if (!is_line(&l))
		return false;
	hit->stamp = READ_NOW(conn->stamp);
	keep_order();
	if (!is_key(&l, &parts))
		return false;
	hit->generation = READ_NOW(conn->generation);
	hit->until_s = READ_NOW(l.rest->until_s);
	hit->state = READ_NOW(conn->state);
	hit->verdict = READ_NOW(conn->verdict);
	hit->opener = READ_NOW(conn->opener);
	hit->direction = READ_NOW(conn->direction);
	keep_order();
	if (hit->stamp != READ_NOW(conn->stamp) || (hit->stamp & 1))
		return false;
	hit->line = line;
	hit->at = l;
	return true;
}

/* One that is found while it settles is read where it is then. */
static __always_inline bool conn_look_up(const struct packet *p, struct hit *hit)
{
	__u32 line = conn_line_of(p->key.endpoint, p->hash);

	if (line == LINE_NONE)
		return false;
	if (conn_read(&p->key, line, hit))
		return true;
	line = settled_line_of(p->hash);
	return line != LINE_NONE && conn_read(&p->key, line, hit);
}

/*
 * By p->key; at.conn NULL if there is none, or none that is still alive.  What is expected to be
 * there is looked for at home; what isn't, among the tags, which are near: the lines are not.
 */
static __always_inline struct hit conn_find(struct packet *p, __u8 sender, bool is_expected)
{
	struct hit hit = {};

	conn_hash(p);
	if (!(is_expected && conn_read(&p->key, home_of(p->hash), &hit)) && !conn_look_up(p, &hit))
		return hit;
	if (is_expired(hit.at.conn, BH_TICKS(p->now))) {
		conn_delete(&hit, BH_FLOW_EXPIRED);
		hit.at.conn = NULL;
		return hit;
	}
	hit.is_reply = sender != hit.opener;
	return hit;
}

/* --- change --- */

/* What was decided for a packet of the connection, in this packet's generation. */
static __always_inline void conn_stamp_decision(const struct packet *p, const struct hit *hit)
{
	struct conn_lock *lock = lock_of(hit->line);
	struct bh_conn *conn = hit->at.conn;

	if (!lock)
		return;
	bpf_spin_lock(&lock->lock);
	if (conn->stamp == hit->stamp) {
		conn->rule = p->rule;
		conn->verdict = p->verdict;
		hit->at.rest->until_s = p->until_s;
		conn->flags = (conn->flags & ~BH_CONN_TIMED) | (p->until_s ? BH_CONN_TIMED : 0);
		conn->generation = p->generation;
	}
	bpf_spin_unlock(&lock->lock);
}

#endif
