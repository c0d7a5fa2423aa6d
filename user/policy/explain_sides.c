/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/explain_sides.h"

#include <string.h>

#include <bulkhead/builtin.h>

#include "policy/compiled_index.h"

#define VIEWS_MAX 64 /* pairs and services of an answer that are looked at */

void answer_sides_release(struct answer_sides *s)
{
	free(s->src.since);
	free(s->dst.since);
	*s = (struct answer_sides){};
}

static const struct workload *workload_of(const struct sides_scope *s, const struct end *e,
					  uint32_t class)
{
	size_t workload = s->c->identities.items[e->identities[class]].workload;

	if (e->workload != POLICY_NONE)
		workload = e->workload;
	return workload == POLICY_NONE ? NULL : &s->c->policy->workloads.items[workload];
}

/* "NetworkPolicy shop/deny-all selects it", and how many others do. */
static void add_isolators(const struct policy *p, const struct workload *w, enum side side,
			  struct text *out)
{
	size_t count = 0;

	vec_foreach (isolator, &p->isolators) {
		if (!(isolator->sides & side) || !selector_takes(p, isolator->subject, w))
			continue;
		if (!count++)
			text_addf(out, "NetworkPolicy %s", isolator->name);
	}
	if (count > 1)
		text_addf(out, " and %zu more select it", count - 1);
	else
		text_add(out, count ? " selects it" : "a NetworkPolicy selects it");
}

/* Why an end is isolated. */
static char *since(const struct sides_scope *s, const struct end *e, uint32_t class, enum side side)
{
	const struct policy *p = s->c->policy;
	const struct identity *id = &s->c->identities.items[e->identities[class]];
	const struct workload *w = workload_of(s, e, class);
	_text_ struct text out = TEXT_INIT;

	if (id->zone != POLICY_NONE)
		text_addf(&out, "it is in zone %s", p->zones.items[id->zone].name);
	else if (w && w->group != POLICY_NONE)
		text_addf(&out, "it is of workload %s", p->workloads.items[w->group].name);
	else if (w && w->kind == WORKLOAD_POD)
		add_isolators(p, w, side, &out);
	else if (w)
		text_addf(&out, "it is workload %s", w->name);
	return text_take(&out);
}

static bool is_same(const struct side_view *a, const struct side_view *b)
{
	return a->cause == b->cause && a->rule == b->rule && a->passed == b->passed &&
	       a->mode == b->mode;
}

struct gathering {
	const struct sides_scope *scope;
	struct answer_sides *sides;
	size_t views;
};

static void merge(struct gathering *g, struct answer_side *side, const struct side_view *view)
{
	if (g->views == 0) {
		side->view = *view;
		side->is_known = true;
	}
	if (!is_same(&side->view, view))
		side->is_known = false;
}

static void gather_pair(struct gathering *g, uint32_t src, uint32_t dst)
{
	const struct sides_scope *s = g->scope;
	uint8_t families = s->families & s->src->families[src] & s->builtins->asked[dst];

	if (src == dst)
		families &= (uint8_t)~s->builtins->alone[src];
	for (uint32_t i = 0; i < s->c->image.service_classes && g->views <= VIEWS_MAX; i++) {
		const struct service_range *range;
		struct sides_question q;
		struct sides view;

		/* A class that nothing is in has no range. */
		if (!(s->service_families[i] & families))
			continue;
		range = s->c->service_classes.items[i].items;
		q = (struct sides_question){
			.src = s->src->identities[src],
			.dst = s->dst->identities[dst],
			.table = range->table,
			.number = range->lo,
		};
		view = sides_view(s->c, &q);
		merge(g, &g->sides->src, &view.src);
		merge(g, &g->sides->dst, &view.dst);
		g->views++;
	}
}

static void give_reason(const struct sides_scope *s, const struct end *e, const uint32_t *classes,
			size_t count, struct answer_side *side)
{
	bool is_src = e == s->src;

	if (side->is_known && side->view.cause == CAUSE_ISOLATION && count == 1)
		side->since = since(s, e, classes[0], is_src ? SIDE_SRC : SIDE_DST);
}

void answer_sides_gather(const struct sides_scope *s, const struct answer *a,
			 struct answer_sides *ret)
{
	struct answer_sides sides = {};
	struct gathering g = {.scope = s, .sides = &sides};
	uint32_t rule = a->decision.rule;

	*ret = sides;
	if (a->is_mixed || rule == BH_BUILTIN_SELF || rule == BH_BUILTIN_HOST)
		return;
	vec_foreach (src, &a->src_classes) {
		vec_foreach (dst, &a->dst_classes)
			gather_pair(&g, *src, *dst);
	}
	if (g.views > VIEWS_MAX)
		return;
	give_reason(s, s->src, a->src_classes.items, a->src_classes.count, &sides.src);
	give_reason(s, s->dst, a->dst_classes.items, a->dst_classes.count, &sides.dst);
	*ret = sides;
}

static bool is_of_pods(const struct sides_scope *s, const struct end *e)
{
	for (uint32_t i = 0; i < s->c->classes.count; i++) {
		size_t workload = s->c->identities.items[e->identities[i]].workload;

		if (e->families[i] && workload != POLICY_NONE &&
		    s->c->policy->workloads.items[workload].kind == WORKLOAD_POD)
			return true;
	}
	return false;
}

static bool has_side_rule(const struct policy *p, const struct answer_side *side)
{
	return side->is_known && side->view.rule != POLICY_NONE &&
	       p->rules.items[side->view.rule].sides != SIDE_BOTH;
}

bool answer_sides_are_apart(const struct sides_scope *s, const struct answer_sides *sides)
{
	const struct policy *p = s->c->policy;
	size_t src = sides->src.view.rule, dst = sides->dst.view.rule;

	if (has_side_rule(p, &sides->src) || has_side_rule(p, &sides->dst))
		return true;
	if (src == dst && src != POLICY_NONE)
		return false;
	return is_of_pods(s, s->src) || is_of_pods(s, s->dst);
}

static const char *kind_of(const struct rule *rule)
{
	switch (rule->tier) {
	case TIER_FAILSAFE:
		return "failsafe";
	case TIER_ZONE:
		return "rule";
	case TIER_NETWORK:
		return rule->sides == SIDE_BOTH ? "rule" : "NetworkPolicy";
	case TIER_ADMIN:
	case TIER_BASELINE:
		return "ClusterNetworkPolicy";
	}
	return "";
}

static void add_rule(const struct compiled *c, size_t number, struct text *out)
{
	const struct rule *rule = &c->policy->rules.items[number];

	text_addf(out, "%s %s", kind_of(rule), rule->name);
	if (rule->at.source)
		text_addf(out, " (%s:%u)", rule->at.source->name, rule->at.line);
}

static void add_cause(const struct compiled *c, const struct answer_side *side, struct text *out)
{
	const struct side_view *v = &side->view;

	switch (v->cause) {
	case CAUSE_FAILSAFE:
	case CAUSE_ZONE:
	case CAUSE_ADMIN:
	case CAUSE_NETWORK:
	case CAUSE_BASELINE:
		text_addf(out, "%s by ", v->is_allowed ? "allowed" : "denied");
		add_rule(c, v->rule, out);
		return;
	case CAUSE_ISOLATION:
		text_addf(out, "denied by default%s%s", side->since ? ", since " : "",
			  side->since ? side->since : "");
		return;
	case CAUSE_OPEN:
		text_add(out, "open, since nothing isolates it");
		return;
	}
}

void answer_side_describe(const struct compiled *c, const struct answer_side *side,
			  struct text *out)
{
	const struct side_view *v = &side->view;

	add_cause(c, side, out);
	if (!v->is_allowed && v->mode == MODE_AUDIT)
		text_add(out, ", and only reported in mode audit");
	else if (!v->is_allowed && v->mode != MODE_ENFORCE)
		text_add(out, ", without effect here");
	if (v->passed == POLICY_NONE)
		return;
	text_add(out, "; passed on by ");
	add_rule(c, v->passed, out);
}
