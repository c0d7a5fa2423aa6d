/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A connection that both ends have taken part in goes to where nobody takes its line from it.
 *
 * It is entered there before it leaves its embryonic line, so everybody finds it meanwhile.  What
 * was counted before goes along, what another CPU still counts in the line that it has left is told
 * with that.  What it notes of TCP there is lost: as in any race, up to the next packet.
 */
#ifndef BPF_CONN_SETTLE_H
#define BPF_CONN_SETTLE_H

#include "conn_enter.h"

/* The agent's sweep frees what has expired, but agents may be down for long. */
static __always_inline void reclaim_somewhere(__u32 now)
{
	struct conn_room *room = room_here();

	if (room)
		conn_reclaim(room->next++ & bh_conn_mask / BH_CONN_WAYS, now);
}

/* The entry is what the line says, but for the counters.  False: it is another connection's. */
static __always_inline bool settle_begin(struct packet *p, __u32 line, __u32 stamp)
{
	const struct conn_line l = line_at(line);

	if (!is_line(&l) || l.conn->stamp != stamp || !l.conn->ip_version)
		return false;
	p->entry.conn = *l.conn;
	p->entry.rest = *l.rest;
	keep_order();
	if (READ_NOW(l.conn->stamp) != stamp)
		return false;
	p->entry.conn.flags |= BH_CONN_SETTLED;
	__builtin_memset(p->entry.conn.counted, 0, sizeof(p->entry.conn.counted));
	__builtin_memset(p->entry.rest.carried, 0, sizeof(p->entry.rest.carried));
	return true;
}

/* Frees the line that a connection had.  False: it has ended there meanwhile. */
static __always_inline bool settle_leave(__u32 line, __u32 stamp, struct moving *m)
{
	struct bh_conn_tags *tags = tags_at(line / BH_CONN_WAYS);
	struct conn_lock *lock = lock_of(line);
	struct bh_flow_told *told = told_at(line);
	const struct conn_line l = line_at(line);
	bool is_there;

	if (!tags || !lock || !is_line(&l))
		return false;
	bpf_spin_lock(&lock->lock);
	is_there = l.conn->stamp == stamp && l.conn->ip_version;
	if (is_there) {
		for (int i = 0; i < 2; i++) {
			m->counted[i] = READ_NOW(l.conn->counted[i]);
			m->carried[i] = l.rest->carried[i];
		}
		tell_leave(told, stamp, m);
		line_clear(&l, tags, line, stamp);
	}
	bpf_spin_unlock(&lock->lock);
	return is_there;
}

/* Adds to what the line that it has now may have counted already.  If it has ended there, too, that
 * is late like any other packet. */
static __always_inline void settle_arrive(__u32 line, __u32 stamp, const struct moving *m)
{
	struct conn_lock *lock = lock_of(line);
	struct bh_flow_told *told = told_at(line);
	const struct conn_line l = line_at(line);

	if (!lock || !is_line(&l))
		return;
	bpf_spin_lock(&lock->lock);
	for (int i = 0; i < 2; i++) {
		l.rest->carried[i].packets += m->carried[i].packets;
		l.rest->carried[i].bytes += m->carried[i].bytes;
		__sync_fetch_and_add(&l.conn->counted[i], m->counted[i]);
	}
	tell_arrive(&l, told, stamp, m);
	bpf_spin_unlock(&lock->lock);
}

/*
 * Without room in the endpoint's share it stays where a flood may displace it: worse service, never
 * a wrong verdict.  Global: verified once.
 */
__noinline int conn_settle(__u32 line, __u32 stamp)
{
	struct packet *p = packet_here();
	int err;

	if (!p || !settle_begin(p, line, stamp))
		return 0;
	err = conn_enter();
	if (err == -ENOSPC)
		reclaim_somewhere(BH_TICKS(p->now));
	if (err)
		return 0;
	if (settle_leave(line, stamp, &p->moving))
		settle_arrive(p->line, p->entry.conn.stamp, &p->moving);
	return 0;
}

#endif
