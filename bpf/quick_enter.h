/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Enters the connection that an allowed packet opens, as conn_create() would, but straight into its
 * line. */
#ifndef BPF_QUICK_ENTER_H
#define BPF_QUICK_ENTER_H

#include "asked.h"
#include "connection.h"
#include "quick_opener.h"
#include "report.h"

/* Plainly allowed, answered by who it is for (see is_answerable()), and nobody tells of it. */
static __always_inline bool may_enter(const struct opener *o, const struct end_known *dst)
{
	if (BH_CELL_VERDICT(o->cell) != BH_VERDICT_ALLOW || (o->cell & (BH_CELL_LOG | BH_CELL_TLS)))
		return false;
	if (bh_flow_ticks || BH_CELL_RULE(o->cell) == BH_BUILTIN_FAILSAFE)
		return false;
	if (o->is_host)
		return o->direction == BH_INGRESS || !(dst->identity & END_IS_OWN_SOURCE);
	return o->direction == BH_EGRESS || is_of_workload(o, o->dst);
}

/* Under the lock, between an odd stamp and an even one. */
static __always_inline void opener_put(const struct conn_line *l, const struct opener *o)
{
	bool is_tcp = o->proto == IPPROTO_TCP;
	struct bh_conn *conn = l->conn;

	*l->rest = (struct bh_conn_rest){.created = BH_TICKS(o->now), .seq_end = {o->seq_end}};
	line_put_key(l, &o->key);
	conn->generation = o->generation;
	conn->seen = BH_TICKS(o->now);
	conn->rule = BH_CELL_RULE(o->cell);
	conn_set_state(conn, BH_CONN_NEW, is_tcp ? BH_TIMEOUT_TCP_NEW : BH_TIMEOUT_UDP_NEW);
	conn->verdict = BH_VERDICT_ALLOW;
	conn->opener = o->sender;
	conn->direction = o->direction;
	conn->flags = 0;
	conn->tcp_flags[0] = o->tcp_flags;
	conn->tcp_flags[1] = 0;
	conn->counted[0] = BH_COUNTED_ONE((__u64)o->length);
	conn->counted[1] = 0;
	conn->ack[0] = conn->ack[1] = 0;
}

/* As write_line(); 0: the line is taken, or the key is known by now.  Otherwise its stamp. */
static __always_inline __u32 opener_write(const struct opener *o, __u32 line)
{
	const struct bh_conn_tags *tags = tags_at(bucket_of(o->hash, 0));
	const struct bh_conn_tags *other = tags_at(bucket_of(o->hash, 1));
	struct bh_conn_tags *own = tags_at(line / BH_CONN_WAYS);
	struct conn_lock *lock = lock_of(line);
	const struct conn_line l = line_at(line);
	__u32 tag = tag_of(o->hash), stamp = 0;

	if (!tags || !other || !own || !lock || !is_line(&l))
		return 0;
	bpf_spin_lock(&lock->lock);
	if (way_of(tags, tag) == BH_CONN_WAYS && way_of(other, tag) == BH_CONN_WAYS &&
	    !own->tag[line % BH_CONN_WAYS]) {
		stamp = l.conn->stamp + 2;
		l.conn->stamp = stamp - 1;
		keep_order();
		opener_put(&l, o);
		keep_order();
		l.conn->stamp = stamp;
		own->tag[line % BH_CONN_WAYS] = tag;
	}
	bpf_spin_unlock(&lock->lock);
	return stamp;
}

/* False: the whole way finds a place, or why there is none.  Global: verified once. */
__noinline int opener_connect(void)
{
	struct opener *o = opener_here();
	struct bh_embryonic *place;
	__u32 line, stamp;

	if (!o)
		return false;
	if (!o->was_entered)
		conn_expect(o->endpoint, o->hash);
	o->was_entered = 1;
	asked_note(&(struct asked){o->endpoint, !o->direction, o->sport, o->proto});
	line = conn_choose(o->hash);
	if (line == LINE_NONE)
		return false;
	place = embryonic_next(o->endpoint);
	if (!place)
		return false;
	stamp = opener_write(o, line);
	if (!stamp)
		return false;
	place->line = line;
	place->stamp = stamp;
	return true;
}

static __always_inline enum quick_fate opener_enter(const struct opener *o,
						    const struct bh_policy *policy)
{
	if (!opener_connect())
		return QUICK_NOT;
	count_endpoint(o->endpoint, o->direction, false, o->length);
	count_rule(BH_CELL_RULE(o->cell), policy->rule, policy->rules, o->length);
	return QUICK_PASS;
}

#endif
