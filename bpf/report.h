/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Counting, rate limit, event ring.  Nothing here changes a verdict. */
#ifndef BPF_REPORT_H
#define BPF_REPORT_H

#include <bulkhead/event.h>

#include "config.h"
#include "maps.h"
#include "packet.h"

static __always_inline void count_add(struct bh_count *count, __u32 length)
{
	count->packets++;
	count->bytes += length;
}

static __always_inline void count_drop(const struct packet *p, __u32 reason)
{
	struct bh_count *count = bpf_map_lookup_elem(&bh_drops, &reason);

	if (count)
		count_add(count, p->length);
}

/* @base and @rules: of the policy that it is a rule of. */
static __always_inline void count_rule(__u32 rule, __u32 base, __u32 rules, __u32 length)
{
	__u32 at = base + rule;
	struct bh_count *count;

	if (rule >= rules)
		return;
	count = bpf_map_lookup_elem(&bh_rule_counts, &at);
	if (count)
		count_add(count, length);
}

static __always_inline void count_endpoint(__u32 endpoint, enum bh_direction direction,
					   bool is_dropped, __u32 length)
{
	struct bh_endpoint_count *counts = bpf_map_lookup_elem(&bh_ep_counts, &endpoint);

	if (!counts)
		return;
	if (is_dropped)
		count_add(&counts->dropped[direction & 1], length);
	else
		count_add(&counts->passed[direction & 1], length);
}

/*
 * Whether this event is over the rate of its kind.  CPUs that race here may let a few more through
 * than the rate says; each is still booked exactly once.
 */
static __always_inline bool is_over_rate(const struct packet *p, enum bh_reason reason)
{
	struct bh_limiter_key key = {
		.src_identity = p->src_identity,
		.rule = p->rule,
		.reason = reason,
		.verdict = p->verdict,
		.endpoint = p->endpoint,
	};
	struct bh_limiter fresh = {.window_ns = p->now, .count = 1};
	struct bh_limiter *limiter;

	if (!bh_event_rate)
		return false;
	limiter = bpf_map_lookup_elem(&bh_limiters, &key);
	if (!limiter) {
		bpf_map_update_elem(&bh_limiters, &key, &fresh, BPF_ANY);
		return false;
	}
	if (elapsed_ns(limiter->window_ns, p->now) >= (__s64)NS_PER_S) {
		limiter->window_ns = p->now;
		limiter->count = 1;
		return false;
	}
	if (limiter->count >= bh_event_rate)
		return true;
	limiter->count++;
	return false;
}

static __always_inline void fill_event(struct bh_event *event, const struct packet *p,
				       enum bh_reason reason)
{
	event->time_ns = bpf_ktime_get_ns();
	event->src = p->src;
	event->dst = p->dst;
	event->sport = p->sport;
	event->dport = p->dport;
	event->proto = p->proto;
	event->tcp_flags = p->tcp_flags;
	event->icmp_type = p->icmp_type;
	event->icmp_code = p->icmp_code;
	event->src_identity = p->src_identity;
	event->dst_identity = p->dst_identity;
	event->rule = p->rule;
	event->generation = p->generation;
	event->length = p->length;
	event->ifindex = p->ifindex;
	event->ethertype = p->ethertype;
	event->endpoint = p->endpoint;
	event->verdict = p->verdict;
	event->reason = reason;
	event->direction = p->direction;
	event->is_xdp = p->is_xdp;
}

/* Every event is produced, and then exactly one of delivered, suppressed, lost. */
static __always_inline void report(const struct packet *p, enum bh_reason reason)
{
	__u32 verdict = p->verdict;
	struct bh_books *books = bpf_map_lookup_elem(&bh_books, &verdict);
	struct bh_event *event;

	if (!books)
		return;
	books->produced++;
	if (is_over_rate(p, reason)) {
		books->suppressed++;
		return;
	}
	event = bpf_ringbuf_reserve(&bh_events, sizeof(*event), 0);
	if (!event) {
		books->lost++;
		return;
	}
	fill_event(event, p, reason);
	bpf_ringbuf_submit(event, 0);
	books->delivered++;
}

#endif
