/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/sides.h"

#include "policy/ends.h"
#include "policy/service_class.h"

typedef VEC(size_t) rule_list;

static bool does_match(const struct compiled *c, const struct sides_question *q,
		       const struct rule *rule)
{
	return !rule_has_expired(rule, c->now) &&
	       services_have(&rule->services, q->table, q->number) &&
	       selector_has(c, rule->from, q->src) && selector_has(c, rule->to, q->dst);
}

static void find_matches(const struct compiled *c, const struct sides_question *q, rule_list *ret)
{
	for (size_t i = 0; i < c->policy->rules.count; i++) {
		if (does_match(c, q, &c->policy->rules.items[i]))
			vec_push(ret, i);
	}
}

/* The rule of a tier and a side that is asked first, or POLICY_NONE. */
static size_t first_of(const struct policy *p, const rule_list *matching, enum tier tier,
		       enum side side)
{
	bool is_ordered = tier == TIER_ADMIN || tier == TIER_BASELINE;
	size_t first = POLICY_NONE;

	vec_foreach (number, matching) {
		const struct rule *rule = &p->rules.items[*number];

		if (rule->tier != tier || !(rule->sides & side))
			continue;
		if (first == POLICY_NONE ||
		    (is_ordered && rule->order < p->rules.items[first].order))
			first = *number;
	}
	return first;
}

/* The first deny of the zones that only reports, or that doesn't. */
static size_t first_deny(const struct policy *p, const rule_list *matching, bool is_audit)
{
	vec_foreach (number, matching) {
		const struct rule *rule = &p->rules.items[*number];

		if (rule->tier == TIER_ZONE && (rule->mode == MODE_AUDIT) == is_audit)
			return *number;
	}
	return POLICY_NONE;
}

static void decide(struct side_view *view, enum side_cause cause, bool is_allowed, size_t rule)
{
	view->cause = cause;
	view->is_allowed = is_allowed;
	view->rule = rule;
}

static bool is_allow(const struct policy *p, size_t rule)
{
	return p->rules.items[rule].action == ACTION_ALLOW;
}

/* The tiers that a side asks for itself, below those that speak for both. */
static void ask(const struct policy *p, const rule_list *matching, enum side side,
		struct side_view *view)
{
	size_t admin = first_of(p, matching, TIER_ADMIN, side);
	size_t network = first_of(p, matching, TIER_NETWORK, side);
	size_t baseline = first_of(p, matching, TIER_BASELINE, side);

	if (admin != POLICY_NONE && p->rules.items[admin].action != ACTION_PASS) {
		decide(view, CAUSE_ADMIN, is_allow(p, admin), admin);
		return;
	}
	view->passed = admin;
	if (network != POLICY_NONE)
		decide(view, CAUSE_NETWORK, true, network);
	else if (view->is_isolated)
		decide(view, CAUSE_ISOLATION, false, POLICY_NONE);
	else if (baseline != POLICY_NONE)
		decide(view, CAUSE_BASELINE, is_allow(p, baseline), baseline);
	else
		decide(view, CAUSE_OPEN, true, POLICY_NONE);
}

static struct side_view view_of(const struct compiled *c, uint32_t identity, enum side side)
{
	uint32_t class = c->identities.items[identity].class;

	return (struct side_view){
		.passed = POLICY_NONE,
		.mode = c->classes.items[class].mode,
		.is_isolated = c->classes.items[class].isolated & side,
	};
}

struct sides sides_view(const struct compiled *c, const struct sides_question *q)
{
	const struct policy *p = c->policy;
	struct sides s = {.src = view_of(c, q->src, SIDE_SRC), .dst = view_of(c, q->dst, SIDE_DST)};
	rule_list matching = {};
	size_t failsafe, deny;

	find_matches(c, q, &matching);
	failsafe = first_of(p, &matching, TIER_FAILSAFE, SIDE_BOTH);
	deny = first_deny(p, &matching, false);
	s.audit = first_deny(p, &matching, true);
	if (failsafe != POLICY_NONE) {
		decide(&s.src, CAUSE_FAILSAFE, true, failsafe);
		decide(&s.dst, CAUSE_FAILSAFE, true, failsafe);
	} else if (deny != POLICY_NONE) {
		decide(&s.src, CAUSE_ZONE, false, deny);
		decide(&s.dst, CAUSE_ZONE, false, deny);
	} else {
		ask(p, &matching, SIDE_SRC, &s.src);
		ask(p, &matching, SIDE_DST, &s.dst);
	}
	vec_release(&matching);
	return s;
}
