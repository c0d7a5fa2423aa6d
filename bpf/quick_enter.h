/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Enters the connection that an allowed packet opens, as conn_create() would, but straight into its
 * line. */
#ifndef BPF_QUICK_ENTER_H
#define BPF_QUICK_ENTER_H

#include "connection.h"
#include "ports.h"
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

/*
 * As write_line(), but whoever has the line gives way at once: nobody tells of it.  False: it has
 * another one's tag than @before by now, or the key is known.
 */
static __always_inline bool opener_write(const struct opener *o, __u32 line, __u32 before)
{
	struct bh_conn_tags *own = tags_at(line / BH_CONN_WAYS);
	struct conn_lock *lock = lock_of(line);
	const struct conn_line l = line_at(line);
	__u32 tag = tag_of(o->hash), stamp;
	struct conn_tags tags;
	bool is_ours;

	if (!own || !lock || !is_line(&l) || !conn_tags_of(false, o->endpoint, o->hash, &tags))
		return false;
	bpf_spin_lock(&lock->lock);
	is_ours = own->tag[line % BH_CONN_WAYS] == before && !has_tag(&tags, tag);
	if (is_ours) {
		stamp = l.conn->stamp + 2;
		l.conn->stamp = stamp - 1;
		keep_order();
		opener_put(&l, o);
		keep_order();
		l.conn->stamp = stamp;
		own->tag[line % BH_CONN_WAYS] = tag;
	}
	bpf_spin_unlock(&lock->lock);
	return is_ours;
}

/* False: the whole way finds a place, or why there is none.  Global: verified once. */
__noinline int opener_connect(void)
{
	const struct bh_conn_setup *setup = conn_setup();
	const struct opener *o = opener_here();
	const struct bh_conn_tags *tags;
	__u32 each, bucket, line;

	if (!o || !setup || former_line_of(setup, o->endpoint, o->hash) != LINE_NONE)
		return false;
	ports_note((struct port_use){o->endpoint, o->direction, o->dport, o->proto}, o->sport);
	each = READ_NOW(setup->embryonic_each);
	bucket = embryonic_bucket(each, o->endpoint, o->hash, 0);
	line = free_line_in(bucket, embryonic_bucket(each, o->endpoint, o->hash, 1));
	if (line != LINE_NONE)
		return opener_write(o, line, 0);
	line = embryonic_take(bucket);
	tags = tags_at(line / BH_CONN_WAYS);
	return tags && opener_write(o, line, READ_NOW(tags->tag[line % BH_CONN_WAYS]));
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
