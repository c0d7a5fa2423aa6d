/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Lines of the connection table: find, enter, settle, free.  Several CPUs do so at once:
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
#include "flow.h"
#include "keyed_hash.h"
#include "maps.h"
#include "order.h"

#define LINE_NONE    0xffffffffu
#define ENTER_TRIES  3 /* other CPUs may take the line that was chosen */
#define ALTERNATIVES (BH_CONN_GROUP_BUCKETS - 1)

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

static __always_inline struct bh_conn_tags *tags_at(__u32 bucket)
{
	return bpf_map_lookup_elem(&bh_conn_tags, &bucket);
}

static __always_inline const struct bh_conn_setup *conn_setup(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&bh_conn_setup, &zero);
}

static __always_inline struct conn_share *share_of(__u32 endpoint)
{
	return bpf_map_lookup_elem(&bh_shares, &endpoint);
}

static __always_inline struct conn_room *room_here(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&bh_room, &zero);
}

/* --- where a key may be --- */

static __always_inline __u32 tag_of(__u64 hash)
{
	return (__u32)hash | 1;
}

/* The line that a key has when nothing is in the way. */
static __always_inline __u32 home_of(__u64 hash)
{
	return (hash >> 32) & bh_conn_mask;
}

/* The other of a key's buckets is of the same group. */
static __always_inline __u32 bucket_of(__u64 hash, int choice)
{
	__u32 bucket = home_of(hash) / BH_CONN_WAYS;

	return choice ? bucket ^ ((hash >> 56 & ALTERNATIVES) | 1) : bucket;
}

/* The line that it has when something is: the same place in the other bucket. */
static __always_inline __u32 other_home_of(__u64 hash)
{
	return bucket_of(hash, 1) * BH_CONN_WAYS + home_of(hash) % BH_CONN_WAYS;
}

/* BH_CONN_WAYS: none has the tag. */
static __always_inline __u32 way_of(const struct bh_conn_tags *tags, __u32 tag)
{
	for (__u32 way = 0; way < BH_CONN_WAYS; way++) {
		if (tags->tag[way] == tag)
			return way;
	}
	return BH_CONN_WAYS;
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
		tags->tag[line % BH_CONN_WAYS] = 0;
		conn->ip_version = 0;
		keep_order();
		conn->stamp = stamp + 2;
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

/* The line that a connection of that hash has, if there is one; LINE_NONE.  Global: verified once.
 */
__noinline __u32 conn_line_of(__u64 hash)
{
	for (int choice = 0; choice < 2; choice++) {
		__u32 bucket = bucket_of(hash, choice), way = BH_CONN_WAYS;
		const struct bh_conn_tags *tags = tags_at(bucket);

		if (tags)
			way = way_of(tags, tag_of(hash));
		if (way < BH_CONN_WAYS)
			return bucket * BH_CONN_WAYS + way;
	}
	return LINE_NONE;
}

/*
 * By p->key; at.conn NULL if there is none, or none that is still alive.  What is expected to be
 * there is looked for at home; what isn't, among the tags, which are near: the lines are not.
 */
static __always_inline struct hit conn_find(struct packet *p, __u8 sender, bool is_expected)
{
	struct hit hit = {};
	__u32 line;

	conn_hash(p);
	if (!is_expected || !conn_read(&p->key, home_of(p->hash), &hit)) {
		line = conn_line_of(p->hash);
		if (line == LINE_NONE || !conn_read(&p->key, line, &hit))
			return hit;
	}
	if (is_expired(hit.at.conn, BH_TICKS(p->now))) {
		conn_delete(&hit, BH_FLOW_EXPIRED);
		hit.at.conn = NULL;
		return hit;
	}
	hit.is_reply = sender != hit.opener;
	return hit;
}

/* --- enter --- */

/* The first free way, and how many there are. */
static __always_inline __u32 free_ways(const struct bh_conn_tags *tags, __u32 *ret_first)
{
	__u32 count = 0;

	for (__u32 way = 0; way < BH_CONN_WAYS; way++) {
		if (tags->tag[way])
			continue;
		if (!count)
			*ret_first = way;
		count++;
	}
	return count;
}

/*
 * Frees a line of the bucket whose connection has expired; LINE_NONE: there is none.  Global:
 * verified once.  The chain of calls that ends here has little stack left.
 */
__noinline __u32 conn_reclaim(__u32 bucket, __u32 now)
{
	for (__u32 way = 0; way < BH_CONN_WAYS; way++) {
		__u32 line = bucket * BH_CONN_WAYS + way, stamp;
		struct bh_conn *conn = conn_at(line);

		if (!conn)
			break;
		stamp = READ_NOW(conn->stamp);
		if (conn->ip_version && is_expired(conn, now) &&
		    conn_free(line, stamp, BH_FLOW_EXPIRED))
			return line;
	}
	return LINE_NONE;
}

/*
 * Homes first, where the quick way looks.  Two choices more make long chains as good as impossible,
 * as long as some lines are free.
 */
__noinline __u32 conn_choose(__u64 hash)
{
	__u32 first = 0, other = 0, count, other_count, line;
	const struct bh_conn_tags *tags = tags_at(bucket_of(hash, 0));
	const struct bh_conn_tags *other_tags = tags_at(bucket_of(hash, 1));

	if (!tags || !other_tags)
		return LINE_NONE;
	line = home_of(hash);
	if (!tags->tag[line % BH_CONN_WAYS])
		return line;
	if (!other_tags->tag[line % BH_CONN_WAYS])
		return other_home_of(hash);
	count = free_ways(tags, &first);
	other_count = free_ways(other_tags, &other);
	if (count && count >= other_count)
		return bucket_of(hash, 0) * BH_CONN_WAYS + first;
	if (other_count)
		return bucket_of(hash, 1) * BH_CONN_WAYS + other;
	return LINE_NONE;
}

/* Where no line is free, one may have expired. */
static __always_inline __u32 conn_make_room(const struct packet *p)
{
	__u32 line = conn_reclaim(bucket_of(p->hash, 0), BH_TICKS(p->now));

	if (line != LINE_NONE)
		return line;
	return conn_reclaim(bucket_of(p->hash, 1), BH_TICKS(p->now));
}

/* Under the lock.  Counters of a line whose flows are told go on, see flow.h. */
static __always_inline void conn_put(const struct conn_line *l, const struct conn_line *entry,
				     struct bh_flow_told *told, __u32 before)
{
	struct bh_carried carried[2] = {l->rest->carried[0], l->rest->carried[1]};

	*l->rest = *entry->rest;
	if (!told) {
		*l->conn = *entry->conn;
		return;
	}
	l->rest->carried[0] = carried[0];
	l->rest->carried[1] = carried[1];
	__builtin_memcpy(l->conn, entry->conn, offsetof(struct bh_conn, counted));
	__builtin_memcpy(l->conn->ack, entry->conn->ack, sizeof(l->conn->ack));
	tell_anew(l, entry, told, told->stamp + 2 == before);
	told->stamp = before + 2;
}

/*
 * Writes p->entry into the line, if that is still free, and the key still unknown: -EAGAIN,
 * -EEXIST.  The entry gets the line's stamp.  Keys of equal tags are taken for the same one: the
 * later one finds no room.
 */
static __always_inline int write_line(struct packet *p, __u32 line)
{
	const struct bh_conn_tags *tags = tags_at(bucket_of(p->hash, 0));
	const struct bh_conn_tags *other = tags_at(bucket_of(p->hash, 1));
	struct bh_conn_tags *own = tags_at(line / BH_CONN_WAYS);
	struct conn_lock *lock = lock_of(line);
	const struct conn_line l = line_at(line);
	const struct conn_line entry = {&p->entry.conn, &p->entry.rest};
	struct bh_conn *conn = l.conn;
	struct bh_flow_told *told = told_at(line);
	__u32 tag = tag_of(p->hash), stamp;
	int err = 0;

	if (!tags || !other || !own || !lock || !is_line(&l))
		return -ENOSPC;
	bpf_spin_lock(&lock->lock);
	if (way_of(tags, tag) < BH_CONN_WAYS || way_of(other, tag) < BH_CONN_WAYS)
		err = -EEXIST;
	else if (own->tag[line % BH_CONN_WAYS])
		err = -EAGAIN;
	if (!err) {
		stamp = conn->stamp + 2;
		p->entry.conn.stamp = stamp - 1;
		conn->stamp = stamp - 1;
		keep_order();
		conn_put(&l, &entry, told, stamp - 2);
		keep_order();
		conn->stamp = stamp;
		p->entry.conn.stamp = stamp;
		own->tag[line % BH_CONN_WAYS] = tag;
	}
	bpf_spin_unlock(&lock->lock);
	return err;
}

/* Global: so the stack of who calls it stays small. */
__noinline int conn_write(__u32 line)
{
	struct packet *p = packet_here();

	return p ? write_line(p, line) : -ENOSPC;
}

static __always_inline __u32 take_number(struct conn_share *share)
{
	struct conn_room *room;
	__u32 number;

	if (bh_has_fetch)
		return __sync_fetch_and_add(&share->begun, 1);
	room = room_here();
	if (!room)
		return 0;
	bpf_spin_lock(&room->lock);
	number = share->begun++;
	bpf_spin_unlock(&room->lock);
	return number;
}

/* The next place in the endpoint's part of bh_embryonic; whoever had it is displaced. */
static __always_inline struct bh_embryonic *embryonic_next(__u32 endpoint)
{
	const struct bh_conn_setup *setup = conn_setup();
	struct conn_share *share = share_of(endpoint);
	struct bh_embryonic *place;
	struct bh_conn *oldest;
	__u32 at;

	if (!setup || !share || !setup->embryonic_each)
		return NULL;
	at = endpoint * setup->embryonic_each + take_number(share) % setup->embryonic_each;
	place = bpf_map_lookup_elem(&bh_embryonic, &at);
	if (!place)
		return NULL;
	oldest = conn_at(place->line);
	if (oldest && oldest->endpoint == endpoint)
		conn_free(place->line, place->stamp, BH_FLOW_DISPLACED);
	return place;
}

/*
 * Enters p->entry.  -EEXIST: another CPU was first; -ENOSPC: the endpoint has no room, or its two
 * buckets have none.  Global: verified once.
 */
__noinline int conn_enter(void)
{
	struct bh_embryonic *place = NULL;
	struct packet *p = packet_here();
	int err = -EAGAIN;
	__u32 line;

	if (!p)
		return -ENOSPC;
	if ((p->entry.conn.flags & BH_CONN_SETTLED) && !share_take(p->entry.conn.endpoint))
		return -ENOSPC;
	if (!(p->entry.conn.flags & BH_CONN_SETTLED)) {
		place = embryonic_next(p->entry.conn.endpoint);
		if (!place)
			return -ENOSPC;
	}
	for (int i = 0; i < ENTER_TRIES && err == -EAGAIN; i++) {
		line = conn_choose(p->hash);
		if (line == LINE_NONE)
			line = conn_make_room(p);
		if (line != LINE_NONE && bh_flow_ticks)
			conn_tell_late(line);
		err = line == LINE_NONE ? -ENOSPC : conn_write(line);
	}
	if (!err && place) {
		place->line = line;
		place->stamp = p->entry.conn.stamp;
	}
	if (err && (p->entry.conn.flags & BH_CONN_SETTLED))
		share_return(p->entry.conn.endpoint);
	return err == -EAGAIN ? -ENOSPC : err;
}

/* --- change --- */

/* The agent's sweep frees what has expired, but agents may be down for long. */
static __always_inline void reclaim_somewhere(__u32 now)
{
	struct conn_room *room = room_here();

	if (room)
		conn_reclaim(room->next++ & bh_conn_mask / BH_CONN_WAYS, now);
}

/*
 * From now on only its own end takes the connection's place.  Without room in the endpoint's share
 * it stays where a flood may displace it: worse service, never a wrong verdict.
 */
static __always_inline void conn_settle(const struct hit *hit, __u32 now)
{
	struct bh_conn *conn = hit->at.conn;
	struct conn_lock *lock = lock_of(hit->line);
	__u32 endpoint = conn->endpoint;
	bool is_ours;

	if (!lock)
		return;
	if (!share_take(endpoint)) {
		reclaim_somewhere(now);
		return;
	}
	bpf_spin_lock(&lock->lock);
	is_ours = conn->stamp == hit->stamp && conn->ip_version && !(conn->flags & BH_CONN_SETTLED);
	if (is_ours)
		conn->flags |= BH_CONN_SETTLED;
	bpf_spin_unlock(&lock->lock);
	if (!is_ours)
		share_return(endpoint);
}

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
