/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The near miss: which allow rule a connection that was denied by default came closest to. */
#include <stdlib.h>

#include "policy/ends.h"
#include "policy/explain.h"
#include "policy/miss.h"
#include "policy/services.h"
#include "policy/sides.h"

/* The better, the larger. */
enum nearness {
	NEAR_NOT,
	NEAR_SOURCE,      /* source and service are right, the destination isn't */
	NEAR_DESTINATION, /* destination and service are right, the source isn't */
	NEAR_ENDS,        /* both ends are right, the protocol isn't */
	NEAR_PORT,        /* both ends and the protocol are right */
};

static enum nearness nearness(const struct miss *m, const struct rule *rule, uint8_t sides)
{
	if (rule->action != ACTION_ALLOW || rule->tier == TIER_BASELINE || !(rule->sides & sides) ||
	    rule_has_expired(rule, m->c->now))
		return NEAR_NOT;
	switch (miss_parts(m, rule)) {
	case MISS_SERVICE:
		return miss_range(m, rule) ? NEAR_PORT : NEAR_ENDS;
	case MISS_SOURCE:
		return NEAR_DESTINATION;
	case MISS_DESTINATION:
		return NEAR_SOURCE;
	}
	return NEAR_NOT;
}

static void describe_service(const struct miss *m, const struct rule *rule, struct text *out)
{
	const struct service_range *range = miss_range(m, rule);

	if (range && miss_has_ports(m)) {
		text_addf(out, "port %u, allows %u", m->number, range->lo);
		if (range->hi > range->lo)
			text_addf(out, "-%u", range->hi);
		return;
	}
	service_format(m->table, m->number, out);
	text_add(out, ", allows ");
	services_format(&rule->services, out);
}

/*
 * A class may hold several zones, so the end that is wrong has no name here; but its class tells
 * whether it is outside of all of them, since that is a mode of its own.
 */
static void describe_end(const struct miss *m, bool is_source, const struct selector *allowed,
			 struct text *out)
{
	const char *word = is_source ? "source" : "destination";

	if (miss_is_outside(m, is_source ? MISS_SOURCE : MISS_DESTINATION))
		text_addf(out, "the %s has no identity, allows ", word);
	else
		text_addf(out, "another %s, allows ", word);
	selector_describe(m->c->policy, allowed, out);
}

static void describe(const struct miss *m, const struct rule *rule, enum nearness how,
		     struct text *out)
{
	switch (how) {
	case NEAR_NOT:
		return;
	case NEAR_SOURCE:
		describe_end(m, false, rule->to, out);
		return;
	case NEAR_DESTINATION:
		describe_end(m, true, rule->from, out);
		return;
	case NEAR_ENDS:
	case NEAR_PORT:
		describe_service(m, rule, out);
		return;
	}
}

static bool is_nearer(const struct miss *m, const struct rule *rule, const struct rule *best)
{
	return miss_distance(m, miss_range(m, rule)) < miss_distance(m, miss_range(m, best));
}

/* SIDE_* that deny since no rule allows. */
static uint8_t denying_sides(const struct miss *m)
{
	const struct sides_question q = {m->src, m->dst, m->table, m->number};
	struct sides sides = sides_view(m->c, &q);

	return (uint8_t)((sides.src.cause == CAUSE_ISOLATION ? SIDE_SRC : 0) |
			 (sides.dst.cause == CAUSE_ISOLATION ? SIDE_DST : 0));
}

uint32_t explain_nearest(const struct compiled *c, uint32_t src_class, uint32_t dst_class,
			 enum bh_service_table table, uint16_t number, struct text *out)
{
	const struct miss m = {
		.c = c,
		.src = c->classes.items[src_class].identity,
		.dst = c->classes.items[dst_class].identity,
		.table = table,
		.number = number,
	};
	uint8_t sides = denying_sides(&m);
	const struct rule *best = NULL;
	enum nearness how = NEAR_NOT;

	vec_foreach (rule, &c->policy->rules) {
		enum nearness this = nearness(&m, rule, sides);

		if (this > how || (this == NEAR_PORT && how == this && is_nearer(&m, rule, best))) {
			best = rule;
			how = this;
		}
	}
	describe(&m, best, how, out);
	return best ? BH_RULE_FIRST + (uint32_t)(best - c->policy->rules.items) : 0;
}
