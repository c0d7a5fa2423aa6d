/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/reference/reference.h"

#include <bulkhead/builtin.h>

#include "util/mem.h"

/* One connection, and the rules that are about it, in file order. */
struct connection {
	const struct policy *policy;
	const struct reference_end *src, *dst;
	size_t *matching;
	size_t count;
};

/* What one side says: yes or no, and by which rule; POLICY_NONE: by none. */
struct opinion {
	bool is_yes;
	size_t rule;
};

static bool is_in_force(const struct reference *r, const struct rule *rule)
{
	if (!rule->expires)
		return true;
	if (r->looks_ahead && rule->action != ACTION_ALLOW)
		return false;
	return rule->expires > r->now;
}

static void find_matching(const struct reference *r, const struct reference_service *s,
			  struct connection *c)
{
	c->matching = xcalloc(r->policy->rules.count + 1, sizeof(*c->matching));
	for (size_t i = 0; i < r->policy->rules.count; i++) {
		if (c->src->is_from[i] && c->dst->is_to[i] && s->is_meant[i] &&
		    is_in_force(r, &r->policy->rules.items[i]))
			c->matching[c->count++] = i;
	}
}

/* Of the rules of a tier that speak for one of the sides: the first by order, then in the file. */
static size_t first(const struct connection *c, enum tier tier, unsigned int sides, bool is_audit)
{
	size_t found = POLICY_NONE;

	for (size_t i = 0; i < c->count; i++) {
		const struct rule *rule = &c->policy->rules.items[c->matching[i]];

		if (rule->tier != tier || !(rule->sides & sides) ||
		    (rule->mode == MODE_AUDIT) != is_audit)
			continue;
		if (found == POLICY_NONE || rule->order < c->policy->rules.items[found].order)
			found = c->matching[i];
	}
	return found;
}

static struct opinion opinion_of(const struct connection *c, size_t rule)
{
	return (struct opinion){c->policy->rules.items[rule].action == ACTION_ALLOW, rule};
}

static struct opinion ask_side(const struct connection *c, enum side side)
{
	const struct reference_end *end = side == SIDE_SRC ? c->src : c->dst;
	size_t rule = first(c, TIER_ADMIN, side, false);

	if (rule != POLICY_NONE && c->policy->rules.items[rule].action != ACTION_PASS)
		return opinion_of(c, rule);
	rule = first(c, TIER_NETWORK, side, false);
	if (rule != POLICY_NONE)
		return opinion_of(c, rule);
	if (end->isolated & side)
		return (struct opinion){false, POLICY_NONE};
	rule = first(c, TIER_BASELINE, side, false);
	if (rule != POLICY_NONE)
		return opinion_of(c, rule);
	return (struct opinion){true, POLICY_NONE};
}

static uint32_t number_of(size_t rule)
{
	return rule == POLICY_NONE ? BH_BUILTIN_DEFAULT : BH_RULE_FIRST + (uint32_t)rule;
}

static int strength(enum mode mode)
{
	return mode == MODE_ENFORCE ? 2 : mode == MODE_AUDIT ? 1 : 0;
}

/* The strongest mode of the ends that deny says what becomes of it; that end's rule is named. */
static struct reference_answer denied(const struct connection *c, struct opinion src,
				      struct opinion dst)
{
	struct reference_answer answer = {.is_denied = true};
	int src_strength = src.is_yes ? -1 : strength(c->src->mode);
	int dst_strength = dst.is_yes ? -1 : strength(c->dst->mode);
	int strongest = src_strength > dst_strength ? src_strength : dst_strength;
	size_t rule = POLICY_NONE;

	if (src_strength == strongest)
		rule = src.rule;
	if (dst_strength == strongest && dst.rule < rule)
		rule = dst.rule;
	answer.rule = number_of(rule);
	if (strongest == 0)
		answer.verdict = BH_VERDICT_ALLOW;
	else if (strongest == 1)
		answer.verdict = BH_VERDICT_AUDIT;
	else if (rule != POLICY_NONE && c->policy->rules.items[rule].action == ACTION_REJECT)
		answer.verdict = BH_VERDICT_REJECT;
	else
		answer.verdict = BH_VERDICT_DENY;
	return answer;
}

/* Allowed; but a rule that only reports may say that it would not be. */
static struct reference_answer allowed(const struct connection *c, size_t rule)
{
	size_t audit = first(c, TIER_ZONE, SIDE_BOTH, true);

	if (audit != POLICY_NONE && (strength(c->src->mode) || strength(c->dst->mode)))
		return (struct reference_answer){BH_VERDICT_AUDIT, .rule = number_of(audit)};
	return (struct reference_answer){BH_VERDICT_ALLOW, .rule = number_of(rule)};
}

static struct reference_answer decide(const struct connection *c)
{
	struct opinion no = {false, first(c, TIER_ZONE, SIDE_BOTH, false)}, src, dst;

	if (first(c, TIER_FAILSAFE, SIDE_BOTH, false) != POLICY_NONE)
		return (struct reference_answer){BH_VERDICT_ALLOW, .rule = BH_BUILTIN_FAILSAFE};
	if (no.rule != POLICY_NONE)
		return denied(c, no, no);
	src = ask_side(c, SIDE_SRC);
	dst = ask_side(c, SIDE_DST);
	if (!src.is_yes || !dst.is_yes)
		return denied(c, src, dst);
	/* Nobody's business: neither end has anything to do with the policy. */
	if (src.rule == POLICY_NONE && dst.rule == POLICY_NONE && c->src->mode == MODE_UNSET &&
	    c->dst->mode == MODE_UNSET)
		return denied(c, no, no);
	return allowed(c, src.rule < dst.rule ? src.rule : dst.rule);
}

struct reference_answer reference_answer_for(const struct reference *r,
					     const struct reference_end *src,
					     const struct reference_end *dst,
					     const struct reference_service *s)
{
	struct connection c = {.policy = r->policy, .src = src, .dst = dst};
	struct reference_answer answer;

	find_matching(r, s, &c);
	answer = decide(&c);
	if (answer.rule >= BH_RULE_FIRST && answer.verdict == BH_VERDICT_ALLOW) {
		const struct rule *rule = &r->policy->rules.items[answer.rule - BH_RULE_FIRST];
		bool is_enforced = strength(src->mode) == 2 || strength(dst->mode) == 2;

		answer.log = rule->log;
		answer.tls = rule->tls && is_enforced && !answer.is_denied;
	}
	free(c.matching);
	return answer;
}

struct reference_answer reference_decide(const struct reference *r,
					 const struct reference_question *q)
{
	struct reference_end src, dst;
	struct reference_service service;
	struct reference_answer answer;

	reference_end_make(r, &q->src, &src);
	reference_end_make(r, &q->dst, &dst);
	reference_service_make(r, q->table, q->number, &service);
	answer = reference_answer_for(r, &src, &dst, &service);
	reference_end_release(&src);
	reference_end_release(&dst);
	reference_service_release(&service);
	return answer;
}
