/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Enters connections into their table: which line they get, and who has to give way. */
#ifndef BPF_CONN_ENTER_H
#define BPF_CONN_ENTER_H

#include <linux/errno.h>

#include "conn_table.h"

#define ENTER_TRIES 3 /* other CPUs may take the line that was chosen */

/* --- free lines --- */

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

/* A free line in the bucket that has more of them; LINE_NONE. */
static __always_inline __u32 free_line_in(__u32 bucket, __u32 other)
{
	__u32 first = 0, other_first = 0, count, other_count;
	const struct bh_conn_tags *tags = tags_at(bucket), *other_tags = tags_at(other);

	if (!tags || !other_tags)
		return LINE_NONE;
	count = free_ways(tags, &first);
	other_count = free_ways(other_tags, &other_first);
	if (!count && !other_count)
		return LINE_NONE;
	return count >= other_count ? bucket * BH_CONN_WAYS + first
				    : other * BH_CONN_WAYS + other_first;
}

/* --- a line for one that is settled --- */

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
__noinline __u32 settled_choose(__u64 hash)
{
	const struct bh_conn_tags *tags = tags_at(bucket_of(hash, 0));
	const struct bh_conn_tags *other_tags = tags_at(bucket_of(hash, 1));
	__u32 line = home_of(hash);

	if (!tags || !other_tags)
		return LINE_NONE;
	if (!tags->tag[line % BH_CONN_WAYS])
		return line;
	if (!other_tags->tag[line % BH_CONN_WAYS])
		return other_home_of(hash);
	return free_line_in(bucket_of(hash, 0), bucket_of(hash, 1));
}

/* Where no line is free, one may have expired. */
static __always_inline __u32 settled_make_room(const struct packet *p)
{
	__u32 line = conn_reclaim(bucket_of(p->hash, 0), BH_TICKS(p->now));

	if (line != LINE_NONE)
		return line;
	return conn_reclaim(bucket_of(p->hash, 1), BH_TICKS(p->now));
}

/* --- a line for one that is not --- */

/* The line of the bucket whose turn it is: where none is free, they are taken in the order in which
 * they were entered. */
static __always_inline __u32 embryonic_take(__u32 bucket)
{
	__u32 at = bucket - (bh_conn_mask + 1) / BH_CONN_WAYS;
	struct bh_embryonic *embryonic = bpf_map_lookup_elem(&bh_embryonic, &at);

	if (!embryonic)
		return LINE_NONE;
	return bucket * BH_CONN_WAYS + embryonic->next++ % BH_CONN_WAYS;
}

/* Whoever had it is displaced.  Global: verified once. */
__noinline __u32 embryonic_choose(__u32 endpoint, __u64 hash)
{
	const struct bh_conn_setup *setup = conn_setup();
	const struct bh_conn *conn;
	__u32 each, bucket, line;

	if (!setup)
		return LINE_NONE;
	each = READ_NOW(setup->embryonic_each);
	bucket = embryonic_bucket(each, endpoint, hash, 0);
	line = free_line_in(bucket, embryonic_bucket(each, endpoint, hash, 1));
	if (line != LINE_NONE)
		return line;
	line = embryonic_take(bucket);
	conn = conn_at(line);
	if (!conn)
		return LINE_NONE;
	conn_free(line, READ_NOW(conn->stamp), BH_FLOW_DISPLACED);
	return line;
}

/* --- enter --- */

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
	struct bh_conn_tags *own = tags_at(line / BH_CONN_WAYS);
	struct conn_lock *lock = lock_of(line);
	const struct conn_line l = line_at(line);
	const struct conn_line entry = {&p->entry.conn, &p->entry.rest};
	struct bh_conn *conn = l.conn;
	struct bh_flow_told *told = told_at(line);
	__u32 tag = tag_of(p->hash), stamp;
	struct conn_tags tags;
	int err = 0;

	if (!own || !lock || !is_line(&l) ||
	    !conn_tags_of(line <= bh_conn_mask, p->key.endpoint, p->hash, &tags))
		return -ENOSPC;
	bpf_spin_lock(&lock->lock);
	if (has_tag(&tags, tag))
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

static __always_inline __u32 conn_choose(const struct packet *p)
{
	__u32 line;

	if (!(p->entry.conn.flags & BH_CONN_SETTLED))
		return embryonic_choose(p->entry.conn.endpoint, p->hash);
	line = settled_choose(p->hash);
	return line == LINE_NONE ? settled_make_room(p) : line;
}

/*
 * Enters p->entry, in p->line.  -EEXIST: another CPU was first; -ENOSPC: the endpoint has no room,
 * or its two buckets have none.  Global: verified once.
 */
__noinline int conn_enter(void)
{
	struct packet *p = packet_here();
	int err = -EAGAIN;

	if (!p)
		return -ENOSPC;
	if ((p->entry.conn.flags & BH_CONN_SETTLED) && !share_take(p->entry.conn.endpoint))
		return -ENOSPC;
	for (int i = 0; i < ENTER_TRIES && err == -EAGAIN; i++) {
		p->line = conn_choose(p);
		if (p->line != LINE_NONE && bh_flow_ticks)
			conn_tell_late(p->line);
		err = p->line == LINE_NONE ? -ENOSPC : conn_write(p->line);
	}
	if (err && (p->entry.conn.flags & BH_CONN_SETTLED))
		share_return(p->entry.conn.endpoint);
	return err == -EAGAIN ? -ENOSPC : err;
}

#endif
