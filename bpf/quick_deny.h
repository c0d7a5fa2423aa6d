/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Denies what would open a connection, and leaves behind what the whole way would (path.h). */
#ifndef BPF_QUICK_DENY_H
#define BPF_QUICK_DENY_H

#include "quick_again.h"
#include "quick_opener.h"
#include "report.h"

static __always_inline void opener_fill_event(struct bh_event *event, const struct opener *o)
{
	__u64 *src = (void *)&event->src, *dst = (void *)&event->dst;

	event->time_ns = bpf_ktime_get_ns();
	src[0] = o->src[0];
	src[1] = o->src[1];
	dst[0] = o->dst[0];
	dst[1] = o->dst[1];
	event->sport = o->sport;
	event->dport = o->dport;
	event->proto = o->proto;
	event->tcp_flags = o->tcp_flags;
	event->icmp_type = 0;
	event->icmp_code = 0;
	event->src_identity = o->src_identity;
	event->dst_identity = o->dst_identity;
	event->rule = BH_CELL_RULE(o->cell);
	event->generation = o->generation;
	event->length = o->length;
	event->ifindex = o->ifindex;
	event->ethertype = o->is_v6 ? bpf_htons(ETH_P_IPV6) : bpf_htons(ETH_P_IP);
	event->endpoint = o->endpoint;
	event->verdict = BH_VERDICT_DENY;
	event->reason = BH_REASON_POLICY;
	event->direction = o->direction;
	event->is_xdp = o->is_xdp;
}

static __always_inline void opener_report(const struct opener *o, const struct eventful *e,
					  struct bh_control *control, struct bh_account *account)
{
	struct bh_lane *lane = lane_here();
	__u32 ticks = ticks_over_rate(e, o->now);
	struct bh_event *event;

	if (ticks) {
		book_as(account, e, BOOK_SUPPRESSED);
		again_note(ticks);
		return;
	}
	event = lane ? lane_next(lane) : NULL;
	if (!event) {
		book_as(account, e, BOOK_LOST);
		return;
	}
	opener_fill_event(event, o);
	lane_add(lane, control, account);
	book_as(account, e, BOOK_DELIVERED);
}

/* Where events come with their packets, somebody else has to write them. */
static __always_inline enum quick_fate opener_deny(struct opener *o, const struct bh_policy *policy)
{
	__u32 at = BH_ACCOUNT_AT(BH_VERDICT_DENY, BH_REASON_POLICY);
	struct bh_control *control = control_here();
	struct bh_account *account = bpf_map_lookup_elem(&bh_books, &at);
	const struct eventful e = {
		.reason = BH_REASON_POLICY,
		.verdict = BH_VERDICT_DENY,
		.endpoint = o->endpoint,
		.src_identity = o->src_identity,
		.rule = BH_CELL_RULE(o->cell),
		.rule_base = policy->rule,
		.rules = policy->rules,
		.length = o->length,
	};

	if (!control || !account || control->event_bytes)
		return QUICK_NOT;
	count_endpoint(e.endpoint, o->direction, true, e.length);
	count_rule(e.rule, e.rule_base, e.rules, e.length);
	opener_report(o, &e, control, account);
	return QUICK_DROP;
}

#endif
