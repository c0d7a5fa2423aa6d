/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Denies at the first look what was denied just now (denial.h). */
#ifndef BPF_QUICK_AGAIN_H
#define BPF_QUICK_AGAIN_H

#include "denial.h"
#include "ports.h"
#include "quick_opener.h"
#include "report.h"

/* Not what may be of a connection that is established, nor what a workload sends. */
static __always_inline bool may_be_again(const struct quick_packet *p,
					 const struct quick_facts *facts,
					 const struct quick_look *look)
{
	return (p->is_host || p->direction == BH_INGRESS) &&
	       (look->proto != IPPROTO_TCP || facts->is_opening);
}

static __always_inline __be16 quick_dport(const struct quick_facts *facts)
{
	const union {
		__u32 both;
		__be16 port[2];
	} ports = {facts->ports};

	return ports.port[1];
}

static __always_inline __u64 again_what(const struct quick_packet *p,
					const struct quick_facts *facts,
					const struct quick_look *look, __u32 endpoint, __u32 slot)
{
	return denial_what((struct denial_what){
		.dport = quick_dport(facts),
		.endpoint = endpoint,
		.proto = look->proto,
		.ip_version = look->is_v6 ? 6 : 4,
		.hook = DENIAL_HOOK(slot, p->is_host, p->direction),
		.way = DENIAL_WAY(quick_is_local_origin(p), quick_is_returned(p)),
	});
}

static __always_inline void again_ends(const struct quick_facts *facts, bool is_v6,
				       __u64 ret[static 4])
{
	ret[0] = is_v6 ? facts->src_v6[0] : two_words(facts->src_v4, facts->dst_v4);
	ret[1] = is_v6 ? facts->src_v6[1] : 0;
	ret[2] = is_v6 ? facts->dst_v6[0] : 0;
	ret[3] = is_v6 ? facts->dst_v6[1] : 0;
}

/* As opener_deny() does.  A rule that was noted is in bounds. */
static __always_inline bool again_count(const struct quick_packet *p, __u32 endpoint, __u32 rule,
					__u32 slot)
{
	__u32 at = BH_ACCOUNT_AT(BH_VERDICT_DENY, BH_REASON_POLICY);
	struct bh_account *account = bpf_map_lookup_elem(&bh_books, &at);
	const struct eventful e = {
		.rule = rule,
		.rule_base = slot * bh_rules_each,
		.rules = BH_RULE_NONE,
		.length = p->length,
	};

	if (!account || rule >= BH_RULE_NONE)
		return false;
	count_endpoint(endpoint, p->direction, true, e.length);
	count_rule(e.rule, e.rule_base, e.rules, e.length);
	book_as(account, &e, BOOK_SUPPRESSED);
	return true;
}

/* False: who looks longer will know.  Nothing has happened yet then. */
static __always_inline bool is_denied_again(const struct quick_packet *p,
					    const struct bh_control *control,
					    const struct quick_question *q,
					    const struct quick_facts *facts,
					    const struct quick_look *look)
{
	__u32 tick = denial_tick(q->now), slot = BH_ACTIVE_SLOT(q->force.active), rule;
	const struct port_use use = {q->endpoint, p->direction, quick_dport(facts), look->proto};
	struct denial_key denial;

	if (READ_NOW(control->flood_until) <= tick ||
	    (look->proto == IPPROTO_UDP && q->now < control->adopt_until_ns))
		return false;
	again_ends(facts, look->is_v6, denial.ends);
	denial.what = again_what(p, facts, look, q->endpoint, slot);
	denial.generation = BH_ACTIVE_GENERATION(q->force.active);
	denial.local = local_stamp();
	rule = denial_find(&control->secret, &denial, tick, look->is_v6);
	return rule != BH_RULE_NONE && (!may_be_used(&use) || is_unknown(q->endpoint, q->hash)) &&
	       again_count(p, q->endpoint, rule, slot);
}

/* --- note --- */

#define NOTED_OF_FRESH 8 /* one of so many flows takes the place of what is fresh, too */

static __always_inline void note_key(struct denial_key *key, const struct opener *o)
{
	key->ends[0] = o->is_v6 ? o->src[0]
				: two_words(o->src[1] >> SECOND_HALF, o->dst[1] >> SECOND_HALF);
	key->ends[1] = o->is_v6 ? o->src[1] : 0;
	key->ends[2] = o->is_v6 ? o->dst[0] : 0;
	key->ends[3] = o->is_v6 ? o->dst[1] : 0;
	key->what = denial_what((struct denial_what){
		.dport = o->dport,
		.endpoint = o->endpoint,
		.proto = o->proto,
		.ip_version = o->is_v6 ? 6 : 4,
		.hook = DENIAL_HOOK(o->slot, o->is_host, o->direction),
		.way = DENIAL_WAY(o->is_local_origin, o->is_returned),
	});
	key->generation = o->generation;
	key->local = o->local;
}

/* Where it is to be noted; NULL: nowhere. */
static __always_inline struct denial *note_place(const struct denial_key *key,
						 const struct bh_conn_secret *secret,
						 const struct opener *o)
{
	__u32 tick = denial_tick(o->now), place = denial_place(secret, key, o->is_v6);
	struct denial *d;

#pragma clang loop unroll(disable)
	for (__u32 n = 0; n < DENIAL_CHOICES; n++) {
		d = denial_at(place ^ n);
		if (!d || d->until <= tick || is_denial_of(d, key, true))
			return d;
	}
	return ((o->hash >> 32) + tick) % NOTED_OF_FRESH ? NULL : d;
}

/*
 * The packet was denied, and its event is over the rate for so many @ticks.  Sources that never
 * come again must not wash out those that do, nor cost a store each.  Global: verified once.
 */
__noinline int again_note(__u32 ticks)
{
	struct bh_control *control = control_here();
	const struct opener *o = opener_here();
	struct denial_key key;
	struct denial *d;
	__u32 until;

	if (!o || !control || (!o->is_host && o->direction == BH_EGRESS) ||
	    BH_CELL_RULE(o->cell) >= bh_rules_each)
		return false;
	note_key(&key, o);
	d = note_place(&key, &control->secret, o);
	if (!d)
		return false;
	until = denial_tick(o->now) + ticks;
	if (READ_NOW(control->flood_until) < until)
		control->flood_until = until;
	denial_put(d, &key, until, BH_CELL_RULE(o->cell));
	return true;
}

#endif
