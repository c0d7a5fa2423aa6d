/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/matches.h"

#include <string.h>

#include <bulkhead/builtin.h>

/* A posture: bits of the source, then those of the destination. */
#define POSTURE_MODE     3u
#define POSTURE_ISOLATED 4u
#define POSTURE_BITS     3

static unsigned int side_posture(const struct address_class *end, enum side side)
{
	return (unsigned int)end->mode | (end->isolated & side ? POSTURE_ISOLATED : 0);
}

posture posture_of(const struct address_class *src, const struct address_class *dst)
{
	unsigned int from = side_posture(src, SIDE_SRC), to = side_posture(dst, SIDE_DST);

	/* An end without a mode is as one that is off, unless neither has one. */
	if (src->mode == MODE_UNSET && dst->mode != MODE_UNSET)
		from |= MODE_OFF;
	if (dst->mode == MODE_UNSET && src->mode != MODE_UNSET)
		to |= MODE_OFF;
	return (posture)(from | to << POSTURE_BITS);
}

static unsigned int posture_at(posture ends, unsigned int at)
{
	return at == AT_SRC ? ends : (unsigned int)ends >> POSTURE_BITS;
}

static enum mode mode_at(posture ends, unsigned int at)
{
	return (enum mode)(posture_at(ends, at) & POSTURE_MODE);
}

/* What a denial does there, as a verdict. */
static enum bh_verdict effect_at(posture ends, unsigned int at)
{
	switch (mode_at(ends, at)) {
	case MODE_ENFORCE:
		return BH_VERDICT_DENY;
	case MODE_AUDIT:
		return BH_VERDICT_AUDIT;
	case MODE_OFF:
	case MODE_UNSET:
		break;
	}
	return BH_VERDICT_ALLOW;
}

static enum bh_verdict stronger(enum bh_verdict a, enum bh_verdict b)
{
	if (a == BH_VERDICT_DENY || b == BH_VERDICT_DENY)
		return BH_VERDICT_DENY;
	return a == BH_VERDICT_AUDIT || b == BH_VERDICT_AUDIT ? BH_VERDICT_AUDIT : BH_VERDICT_ALLOW;
}

/* The first in file order; 0 is none. */
static uint32_t first_of(uint32_t a, uint32_t b)
{
	return !a || (b && b < a) ? b : a;
}

static void put_first(uint32_t *at, uint32_t rule)
{
	*at = first_of(*at, rule + 1);
}

static void put_ordered(const struct policy *p, uint32_t *at, uint32_t rule)
{
	if (!*at || p->rules.items[rule].order < p->rules.items[*at - 1].order)
		*at = rule + 1;
}

static void put_on_side(const struct policy *p, struct matches *m, uint32_t rule, unsigned int at)
{
	switch (p->rules.items[rule].tier) {
	case TIER_FAILSAFE:
	case TIER_ZONE:
		return;
	case TIER_ADMIN:
		put_ordered(p, &m->admin[at], rule);
		return;
	case TIER_NETWORK:
		put_first(&m->network[at], rule);
		return;
	case TIER_BASELINE:
		put_ordered(p, &m->baseline[at], rule);
		return;
	}
}

static void put_rule(const struct policy *p, struct matches *m, uint32_t number)
{
	const struct rule *rule = &p->rules.items[number];

	if (rule->tier == TIER_FAILSAFE)
		put_first(&m->failsafe, number);
	else if (rule->tier == TIER_ZONE)
		put_first(rule->mode == MODE_AUDIT ? &m->audit : &m->zone, number);
	if (rule->sides & SIDE_SRC)
		put_on_side(p, m, number, AT_SRC);
	if (rule->sides & SIDE_DST)
		put_on_side(p, m, number, AT_DST);
}

/* Forgets what no rule that may still come can bring into play. */
static void simplify(struct matches *m)
{
	if (m->failsafe)
		*m = (struct matches){.failsafe = m->failsafe};
	else if (m->zone)
		*m = (struct matches){.zone = m->zone};
	for (unsigned int at = 0; at < SIDES; at++) {
		if (m->network[at])
			m->baseline[at] = 0;
	}
}

/* What a side of its own says. */
struct answer {
	bool denies;
	uint32_t rule; /* index plus 1; 0: by default */
};

static struct answer ask_side(const struct policy *p, const struct matches *m, posture ends,
			      unsigned int at)
{
	uint32_t admin = m->admin[at], baseline = m->baseline[at];

	if (admin && p->rules.items[admin - 1].action != ACTION_PASS)
		return (struct answer){p->rules.items[admin - 1].action != ACTION_ALLOW, admin};
	if (m->network[at])
		return (struct answer){false, m->network[at]};
	if (posture_at(ends, at) & POSTURE_ISOLATED)
		return (struct answer){true, 0};
	if (baseline)
		return (struct answer){p->rules.items[baseline - 1].action != ACTION_ALLOW,
				       baseline};
	return (struct answer){false, 0};
}

static uint32_t cell_of(const struct policy *p, uint32_t rule, enum bh_verdict verdict,
			uint32_t flags)
{
	bool is_logged = verdict == BH_VERDICT_ALLOW && rule && p->rules.items[rule - 1].log;
	uint32_t number = rule ? BH_RULE_FIRST + rule - 1 : BH_BUILTIN_DEFAULT;

	return BH_CELL(number, verdict, flags | (is_logged ? BH_CELL_LOG : 0));
}

/* Where no end enforces, nothing is cut: @effect is the strongest of the ends'. */
static uint32_t requirement_of(const struct policy *p, uint32_t rule, enum bh_verdict effect)
{
	return effect == BH_VERDICT_DENY && rule && p->rules.items[rule - 1].tls ? BH_CELL_TLS : 0;
}

static uint32_t denied(const struct policy *p, uint32_t rule, enum bh_verdict effect)
{
	if (effect == BH_VERDICT_DENY && rule && p->rules.items[rule - 1].action == ACTION_REJECT)
		effect = BH_VERDICT_REJECT;
	return cell_of(p, rule, effect, BH_CELL_DENIED);
}

/* Of two sides that deny, the one with the stronger effect is named; of two alike, a real rule. */
static uint32_t denied_by_sides(const struct policy *p, posture ends, struct answer src,
				struct answer dst)
{
	enum bh_verdict at_src = effect_at(ends, AT_SRC), at_dst = effect_at(ends, AT_DST);

	if (!dst.denies)
		return denied(p, src.rule, at_src);
	if (!src.denies)
		return denied(p, dst.rule, at_dst);
	if (at_src == at_dst)
		return denied(p, first_of(src.rule, dst.rule), at_src);
	return stronger(at_src, at_dst) == at_src ? denied(p, src.rule, at_src)
						  : denied(p, dst.rule, at_dst);
}

uint32_t matches_cell(const struct policy *p, const struct matches *m, posture ends)
{
	enum bh_verdict strongest = stronger(effect_at(ends, AT_SRC), effect_at(ends, AT_DST));
	bool has_mode = mode_at(ends, AT_SRC) != MODE_UNSET || mode_at(ends, AT_DST) != MODE_UNSET;
	struct answer src, dst;
	uint32_t rule;

	if (m->failsafe)
		return BH_CELL(BH_BUILTIN_FAILSAFE, BH_VERDICT_ALLOW, 0);
	if (m->zone)
		return denied(p, m->zone, strongest);
	src = ask_side(p, m, ends, AT_SRC);
	dst = ask_side(p, m, ends, AT_DST);
	if (src.denies || dst.denies)
		return denied_by_sides(p, ends, src, dst);
	rule = first_of(src.rule, dst.rule);
	if (!rule && !has_mode)
		return denied(p, 0, BH_VERDICT_ALLOW);
	if (m->audit && strongest != BH_VERDICT_ALLOW)
		return cell_of(p, m->audit, BH_VERDICT_AUDIT, 0);
	return cell_of(p, rule, BH_VERDICT_ALLOW, requirement_of(p, rule, strongest));
}

void match_table_init(struct match_table *t, const struct policy *p)
{
	*t = (struct match_table){.policy = p};
}

void match_table_release(struct match_table *t)
{
	map_release(&t->numbers);
	vec_release(&t->list);
}

static struct matches of_one(const struct policy *p, uint32_t rule)
{
	struct matches m = {};

	put_rule(p, &m, rule);
	return m;
}

static struct matches matches_of(const struct match_table *t, uint32_t matches)
{
	size_t rules = t->policy->rules.count;

	if (!matches)
		return (struct matches){};
	if (matches <= rules)
		return of_one(t->policy, matches - 1);
	return t->list.items[matches - 1 - rules];
}

/* Some rule that is among them: its index plus 1, or 0. */
static uint32_t any_of(const struct matches *m)
{
	const uint32_t *rules = (const uint32_t *)m;

	for (size_t i = 0; i < sizeof(*m) / sizeof(*rules); i++) {
		if (rules[i])
			return rules[i];
	}
	return 0;
}

uint32_t match_table_add(struct match_table *t, uint32_t matches, uint32_t rule)
{
	struct matches alone, m;
	uint64_t number;
	uint32_t one;
	bool is_new;

	if (!matches)
		return rule + 1;
	m = matches_of(t, matches);
	put_rule(t->policy, &m, rule);
	simplify(&m);
	one = any_of(&m);
	alone = matches_of(t, one);
	if (!memcmp(&m, &alone, sizeof(m)))
		return one;
	number = *map_put(&t->numbers, &m, sizeof(m), t->list.count, &is_new);
	if (is_new)
		vec_push(&t->list, m);
	return (uint32_t)(number + 1 + t->policy->rules.count);
}

uint32_t match_table_cell(const struct match_table *t, uint32_t matches, posture ends)
{
	const struct matches m = matches_of(t, matches);

	return matches_cell(t->policy, &m, ends);
}
