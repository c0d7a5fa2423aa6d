/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Frees what has expired, counts the rest and tells of its flows: the agent lets it run over the
 * whole table. */
#ifndef BPF_SWEEP_H
#define BPF_SWEEP_H

#include "conn_table.h"
#include "fragment.h"

static __always_inline struct bh_sweep *sweep_here(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&bh_sweep, &zero);
}

/* Of one that carries nothing, nothing is told; but the next record is not about this time. */
static __always_inline void sweep_flow(const struct conn_line *l, __u32 line, __u32 stamp,
				       __u32 now)
{
	struct bh_flow_told *told = told_at(line);
	bool is_begun;

	if (!told)
		return;
	is_begun = told->stamp == stamp;
	if ((__s32)(now - (is_begun ? told->at : l->rest->created)) < (__s32)bh_flow_ticks)
		return;
	if (!is_begun || has_untold(l, told))
		conn_tell(line, stamp);
	else
		told->at = now;
}

static __always_inline void sweep_line(struct bh_sweep *sweep, __u32 line)
{
	const struct conn_line l = line_at(line);
	__u32 now = BH_TICKS(sweep->now_ns), stamp;

	if (!is_line(&l))
		return;
	stamp = READ_NOW(l.conn->stamp);
	if (!l.conn->ip_version) {
		if (bh_flow_ticks)
			conn_tell_late(line);
		return;
	}
	if (is_expired(l.conn, now) && conn_free(line, stamp, BH_FLOW_EXPIRED)) {
		sweep->expired++;
		return;
	}
	sweep_flow(&l, line, stamp, now);
	if (l.conn->flags & BH_CONN_SETTLED)
		sweep->settled++;
	else
		sweep->embryonic++;
}

static __always_inline void sweep_fragments(struct bh_sweep *sweep, __u32 at)
{
	const struct fragment_bucket *bucket = bpf_map_lookup_elem(&bh_fragments, &at);

	for (int i = 0; bucket && i < BH_FRAGMENT_WAYS; i++)
		sweep->fragments += fragment_is_awaited(READ_NOW(bucket->entry[i].seen_ns),
							sweep->now_ns);
}

/* The next part.  The agent runs one sweep at a time. */
static __always_inline void sweep_some(void)
{
	struct bh_sweep *sweep = sweep_here();
	__u32 run;

	if (!sweep)
		return;
	run = sweep->runs++;
	for (__u32 i = 0; i < BH_SWEEP_LINES; i++)
		sweep_line(sweep, run * BH_SWEEP_LINES + i);
	sweep_fragments(sweep, run);
}

#endif
