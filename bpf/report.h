/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Counting, rate limit, events.  Nothing here changes a verdict. */
#ifndef BPF_REPORT_H
#define BPF_REPORT_H

#include <bulkhead/event.h>

#include "config.h"
#include "maps.h"
#include "order.h"
#include "packet.h"

static __always_inline void count_add(struct bh_count *count, __u32 length)
{
	count->packets++;
	count->bytes += length;
}

/* @base and @rules: of the policy that it is a rule of. */
static __always_inline void count_rule(__u32 rule, __u32 base, __u32 rules, __u32 length)
{
	__u32 at = base + rule, number = at / BH_RULE_PAGE;
	struct bh_count_page *page;

	if (rule >= rules)
		return;
	page = bpf_map_lookup_elem(&bh_rule_counts, &number);
	if (page)
		count_add(&page->of[at % BH_RULE_PAGE], length);
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

/* What of an event is limited, and counted. */
struct eventful {
	__u32 reason;
	__u32 verdict;
	__u32 endpoint;
	__u32 src_identity;
	__u32 rule;
	__u32 rule_base; /* of the policy that it is a rule of */
	__u32 rules;
	__u32 length;
};

static __always_inline struct eventful eventful_of(const struct packet *p, __u32 reason)
{
	return (struct eventful){reason,  p->verdict,   p->endpoint, p->src_identity,
				 p->rule, p->rule_base, p->rules,    p->length};
}

/* What tells it from others are 36 bits: the line, and what a place there keeps. */
static __always_inline __u64 kind_of(const struct eventful *e)
{
	__u64 kind = (__u64)e->endpoint << 16 | e->reason << 8 | e->verdict;
	__u64 hash = ((__u64)e->src_identity << 32 | e->rule) * 0x9e3779b97f4a7c15ull;

	hash = (hash ^ hash >> 32 ^ kind) * 0xd6e8feb86659fd93ull;
	return hash ^ hash >> 32;
}

static __always_inline __u32 limiter_tick(__u64 now)
{
	return (__u32)(now >> BH_LIMITER_TICK_SHIFT) & BH_LIMITER_TICK_MAX;
}

/* Ticks that a place's second is old; 0 where another CPU began it while we came here. */
static __always_inline __u32 age_of(__u64 limiter, __u32 tick)
{
	__u32 began = (__u32)(limiter >> BH_LIMITER_COUNT_BITS);
	__u32 age = (tick - began) & BH_LIMITER_TICK_MAX;

	return age > BH_LIMITER_TICK_MAX - BH_LIMITER_TICKS ? 0 : age;
}

static __always_inline __u64 limiter_begin(__u64 kind, __u32 tick)
{
	return kind >> BH_LIMITER_KIND_SHIFT << BH_LIMITER_KIND_SHIFT |
	       (__u64)tick << BH_LIMITER_COUNT_BITS;
}

/*
 * Where this kind is, if it is in the line.  Which way that is nobody can foresee, and the line
 * comes from far: branches would have the CPU wait for it, where it can do the rest meanwhile.
 */
static __always_inline __u64 *limiter_way(struct bh_limiter_line *line, __u64 kind)
{
	__u64 at = 0;

	for (__u64 i = 1; i < BH_LIMITER_WAYS; i++) {
		__s64 other = (__s64)((line->way[i] ^ kind) >> BH_LIMITER_KIND_SHIFT);

		barrier_var(other);
		at |= (__u64)((other - 1) >> 63) & i;
	}
	return &line->way[at & (BH_LIMITER_WAYS - 1)];
}

static __always_inline __u64 *oldest_way(struct bh_limiter_line *line, __u32 tick)
{
	__u64 *oldest = &line->way[0];

	for (int i = 1; i < BH_LIMITER_WAYS; i++) {
		if (age_of(line->way[i], tick) > age_of(*oldest, tick))
			oldest = &line->way[i];
	}
	return oldest;
}

/*
 * The place of events of this kind.  Where it is another kind's, the one that was longer without
 * events goes: so a kind may begin its second anew, and have more events than the rate says, but
 * its first one is never in the way of another's.
 */
static __always_inline __u64 *limiter_find(__u64 kind, __u32 tick)
{
	__u32 at = kind & (BH_LIMITER_LINES - 1);
	struct bh_limiter_line *line = bpf_map_lookup_elem(&bh_limiters, &at);
	__u64 *limiter;

	if (!line)
		return NULL;
	limiter = limiter_way(line, kind);
	if (!((*limiter ^ kind) >> BH_LIMITER_KIND_SHIFT))
		return limiter;
	limiter = oldest_way(line, tick);
	*limiter = limiter_begin(kind, tick);
	return limiter;
}

/*
 * For how many ticks events of this kind are over their rate; 0: this one is not.  CPUs that race
 * here may let a few more through than the rate says, or, where both take one place at once, a few
 * less within that second; each is still booked exactly once.
 */
static __always_inline __u32 ticks_over_rate(const struct eventful *e, __u64 now)
{
	__u64 kind = kind_of(e), *limiter, l;
	__u32 tick = limiter_tick(now), age;

	if (!bh_has_events)
		return BH_LIMITER_TICKS;
	if (!bh_event_rate)
		return 0;
	limiter = limiter_find(kind, tick);
	if (!limiter)
		return 0;
	l = *limiter;
	age = age_of(l, tick);
	if (age >= BH_LIMITER_TICKS)
		l = limiter_begin(kind, tick);
	else if ((l & BH_LIMITER_COUNT_MAX) >= bh_event_rate)
		return BH_LIMITER_TICKS - age;
	*limiter = l + 1;
	return 0;
}

static __always_inline void fill_event(struct bh_event *event, const struct packet *p, __u32 reason)
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

enum book {
	BOOK_DELIVERED,
	BOOK_SUPPRESSED,
	BOOK_LOST,
};

static __always_inline void tally_add(struct bh_tally *tally, enum book book)
{
	switch (book) {
	case BOOK_DELIVERED:
		tally->delivered++;
		break;
	case BOOK_SUPPRESSED:
		tally->suppressed++;
		break;
	case BOOK_LOST:
		tally->lost++;
		break;
	}
}

static __always_inline struct bh_account *account_of(const struct packet *p, __u32 reason)
{
	__u32 at = BH_ACCOUNT_AT((__u32)p->verdict, reason);

	return bpf_map_lookup_elem(&bh_books, &at);
}

/* What a new page of bh_rare_events holds: too much for the stack. */
static const struct bh_tally_page no_tallies;

static __always_inline struct bh_tally_page *rare_page(__u32 number)
{
	struct bh_tally_page *page = bpf_map_lookup_elem(&bh_rare_events, &number);

	if (page)
		return page;
	/* Another CPU may be first. */
	bpf_map_update_elem(&bh_rare_events, &number, &no_tallies, BPF_NOEXIST);
	return bpf_map_lookup_elem(&bh_rare_events, &number);
}

/* An event of the rule at @at, which has no place.  Where the kernel has no memory left for a page
 * of them, it is booked by its reason only. */
static __always_inline void book_rarely(__u32 at, enum book book)
{
	struct bh_tally_page *page = rare_page(at / BH_RULE_PAGE);
	struct bh_tally *tally;

	if (!page)
		return;
	tally = &page->of[at % BH_RULE_PAGE];
	if (book == BOOK_DELIVERED)
		__sync_fetch_and_add(&tally->delivered, 1);
	else if (book == BOOK_SUPPRESSED)
		__sync_fetch_and_add(&tally->suppressed, 1);
	else
		__sync_fetch_and_add(&tally->lost, 1);
}

static __always_inline bool book_at(__u32 place, enum book book)
{
	__u32 number = place / BH_RULE_PAGE;
	struct bh_tally_page *page = bpf_map_lookup_elem(&bh_rule_events, &number);

	if (page)
		tally_add(&page->of[place % BH_RULE_PAGE], book);
	return page;
}

/* An event of the policy's rule at @at.  Global: verified once, and not in every program's way. */
__noinline int book_own_rule(__u32 at, __u32 book)
{
	__u32 number = at / BH_RULE_PAGE;
	const struct bh_event_places *places = bpf_map_lookup_elem(&bh_event_places, &number);
	__u64 bit = 1ull << at % BH_RULE_PAGE;
	__u32 place;

	if (!places)
		return 0;
	place = places->first + __builtin_popcountll(places->rules & (bit - 1));
	if (!(places->rules & bit) || !book_at(place, book))
		book_rarely(at, book);
	return 0;
}

/* Most denials are by a built-in rule: by default.  Those have the first places of a slot. */
static __always_inline void book_rule(const struct eventful *e, enum book book)
{
	if (e->rule >= BH_RULE_FIRST)
		book_own_rule(e->rule_base + e->rule, book);
	else
		book_at(e->rule_base ? bh_events_each + e->rule : e->rule, book);
}

/* The one place where a drop is counted, and an event. */
static __always_inline void book_as(struct bh_account *account, const struct eventful *e,
				    enum book book)
{
	tally_add(&account->events, book);
	account->bytes += e->length;
	if (e->rule < e->rules)
		book_rule(e, book);
}

static __always_inline void book(struct bh_account *account, const struct packet *p, enum book book)
{
	const struct eventful e = eventful_of(p, p->reason);

	book_as(account, &e, book);
}

/*
 * A wakeup costs more than all the rest of a packet's way.  While events come, the agent looks by
 * itself every few milliseconds; it is woken when it sleeps, and when many wait at once.  An event
 * that is not submitted yet when the agent falls asleep is seen at its last look, after that.
 */
static __always_inline bool is_wakeup_due(struct bh_control *control,
					  const struct bh_account *account)
{
	if (control->event_sleep) {
		control->event_sleep = 0;
		return true;
	}
	return (account->events.delivered & (BH_WAKE_EVENTS - 1)) == BH_WAKE_EVENTS - 1;
}

static __always_inline struct bh_lane *lane_here(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&bh_lanes, &cpu);
}

/* The place of this CPU's next event; NULL: the reader is too far behind. */
static __always_inline struct bh_event *lane_next(const struct bh_lane *lane)
{
	__u64 written = lane->written;
	__u32 at = written & (bh_lane_each - 1);

	if (written - READ_NOW(lane->read) >= bh_lane_each)
		return NULL;
	at += bpf_get_smp_processor_id() * bh_lane_each;
	return bpf_map_lookup_elem(&bh_lane_events, &at);
}

/* What was written at its next place is an event.  Nothing interrupts a program with another that
 * has events, so there is no other at that place. */
static __always_inline void lane_add(struct bh_lane *lane, struct bh_control *control,
				     const struct bh_account *account)
{
	__u32 bell = 0;

	keep_order();
	lane->written++;
	if (is_wakeup_due(control, account))
		bpf_ringbuf_output(&bh_events, &bell, sizeof(bell), BPF_RB_FORCE_WAKEUP);
}

/* Every event is exactly one of delivered, suppressed, lost. */
static __always_inline void report(struct packet *p, __u32 reason)
{
	struct bh_account *account = account_of(p, reason);
	struct bh_control *control = control_here();
	const struct eventful e = eventful_of(p, reason);
	struct bh_lane *lane = lane_here();
	struct bh_event *event;

	if (!account || !control)
		return;
	if (ticks_over_rate(&e, p->now)) {
		book(account, p, BOOK_SUPPRESSED);
		return;
	}
	if (control->event_bytes) {
		p->reason = reason;
		p->is_event_due = 1;
		return;
	}
	event = lane ? lane_next(lane) : NULL;
	if (!event) {
		book(account, p, BOOK_LOST);
		return;
	}
	fill_event(event, p, reason);
	lane_add(lane, control, account);
	book(account, p, BOOK_DELIVERED);
}

static __always_inline void copy_bytes(struct bh_event_packet *record, const struct cursor *c)
{
	__u8 *last = (__u8 *)record->bytes;
	__u32 at = 0;

	for (int i = 0; i < BH_PACKET_BYTES / 8; i++) {
		const __u64 *from = c->start + i * 8;

		if ((void *)(from + 1) > c->end)
			break;
		record->bytes[i] = *from;
		at += 8;
	}
	for (int i = 0; i < 7; i++) {
		const __u8 *from;

		if (at >= BH_PACKET_BYTES)
			break;
		from = c->start + at;
		if ((void *)(from + 1) > c->end)
			break;
		last[at++] = *from;
	}
	record->captured = at;
}

/* An event with its packet, whose bytes are the caller's to fill in. */
struct packet_event {
	struct bh_account *account;
	struct bh_control *control;
	struct bh_event_packet *record; /* NULL: it is lost, and booked */
};

static __always_inline struct packet_event packet_event_begin(const struct packet *p)
{
	struct packet_event e = {
		.account = account_of(p, p->reason),
		.control = control_here(),
	};

	if (!e.account || !e.control)
		return e;
	e.record = bpf_ringbuf_reserve(&bh_events, sizeof(*e.record), 0);
	if (!e.record) {
		book(e.account, p, BOOK_LOST);
		return e;
	}
	fill_event(&e.record->event, p, p->reason);
	e.record->pad = 0;
	return e;
}

static __always_inline void packet_event_end(const struct packet_event *e, const struct packet *p)
{
	bool is_due = is_wakeup_due(e->control, e->account);

	bpf_ringbuf_submit(e->record, is_due ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP);
	book(e->account, p, BOOK_DELIVERED);
}

/* What report() left to do where the packet can be read: the event, with the packet. */
static __always_inline void report_bytes(const struct cursor *c, const struct packet *p)
{
	const struct packet_event e = packet_event_begin(p);

	if (!e.record)
		return;
	copy_bytes(e.record, c);
	packet_event_end(&e, p);
}

#endif
