/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/explain.h"

#include <errno.h>
#include <string.h>

#include <bulkhead/builtin.h>

#include "policy/compiled_index.h"
#include "policy/explain_builtin.h"
#include "policy/explain_sides.h"
#include "policy/miss.h"
#include "policy/pairs.h"
#include "policy/services.h"
#include "util/mem.h"

#define LISTED_PAIRS 20 /* of a mixed answer */

struct ask {
	const struct compiled *c;
	struct end src, dst;
	services services;
	uint8_t *service_families; /* of each service class, what was asked for */
	uint8_t families;          /* in which the question makes sense */
	struct builtin_pairs builtins;
};

static bool parse_services(const struct compiled *c, const char *s, services *out,
			   struct text *reterr)
{
	_text_ struct text wrong = TEXT_INIT;

	vec_foreach (named, &c->policy->services) {
		if (strcmp(named->name, s) != 0)
			continue;
		vec_foreach (range, &named->services)
			vec_push(out, *range);
		return true;
	}
	if (services_parse(s, out, &wrong)) {
		services_normalise(out);
		return true;
	}
	text_addf(reterr, "unknown service '%s': %s", s, wrong.buf);
	return false;
}

static const char *family_word(uint8_t families)
{
	return families == FAMILY_V4 ? "IPv4" : families == FAMILY_V6 ? "IPv6" : "IPv4 and IPv6";
}

static int find_families(struct ask *a, const struct question *q, struct text *reterr)
{
	uint8_t ends = a->src.all_families & a->dst.all_families;
	uint8_t service = 0;

	if (!ends) {
		text_addf(reterr, "'%s' has %s and '%s' has %s: only ends of one family connect",
			  q->from, family_word(a->src.all_families), q->to,
			  family_word(a->dst.all_families));
		return -EINVAL;
	}
	for (uint32_t i = 0; i < a->c->image.service_classes; i++)
		service |= a->service_families[i];
	a->families = ends & service;
	if (a->families)
		return 0;
	text_addf(reterr, "service '%s' is one of %s, and the ends have %s", q->service,
		  family_word(service), family_word(ends));
	return -EINVAL;
}

static int ask_prepare(struct ask *a, const struct question *q, struct text *reterr)
{
	if (end_resolve(a->c, q->from, &a->src, reterr) ||
	    end_resolve(a->c, q->to, &a->dst, reterr) ||
	    !parse_services(a->c, q->service, &a->services, reterr))
		return -EINVAL;
	a->service_families = xcalloc(a->c->image.service_classes, sizeof(*a->service_families));
	service_partition_families(&a->c->index->services, &a->services, a->service_families);
	if (find_families(a, q, reterr))
		return -EINVAL;
	builtin_pairs_find(a->c, &a->src, &a->dst, &a->builtins);
	return 0;
}

static void ask_release(struct ask *a)
{
	end_release(&a->src);
	end_release(&a->dst);
	vec_release(&a->services);
	free(a->service_families);
	builtin_pairs_release(&a->builtins);
}

struct sum {
	const struct ask *ask;
	struct decision decision;
	bool is_begun, is_mixed;
};

/* Of rules that agree on the verdict the first in file order is named, the default last. */
static void sum_add(struct sum *s, struct decision d)
{
	if (s->is_begun && d.verdict != s->decision.verdict) {
		s->is_mixed = true;
		return;
	}
	if (!s->is_begun || (d.rule && (!s->decision.rule || d.rule < s->decision.rule)))
		s->decision = d;
	s->is_begun = true;
}

/* What is built in is named where no rule of the policy is. */
static void sum_add_builtin(struct sum *s, uint32_t rule)
{
	if (s->is_begun && s->decision.rule && s->decision.verdict == BH_VERDICT_ALLOW)
		return;
	if (s->is_begun && s->decision.verdict != BH_VERDICT_ALLOW)
		s->is_mixed = true;
	else
		s->decision = (struct decision){.verdict = BH_VERDICT_ALLOW, .rule = rule};
	s->is_begun = true;
}

static bool sum_pair(void *context, const struct pair *pair)
{
	struct sum *s = context;
	const struct ask *a = s->ask;

	for (uint32_t i = 0; i < a->c->image.service_classes; i++) {
		if (a->service_families[i] & pair->families & a->families)
			sum_add(s, compiled_decide(a->c, pair->src_class, pair->dst_class, i));
	}
	return true;
}

/* A pod that talks to itself beside others doesn't count: the others are who is asked about. */
static void sum_all(const struct ask *a, struct sum *sum)
{
	const struct pairs_apart pairs = {
		.src = a->src.families,
		.dst = a->builtins.asked,
		.mask = pairs_mask_alone,
		.mask_of = a->builtins.alone,
	};

	pairs_visit_apart(a->c, &pairs, sum_pair, sum);
	if (a->builtins.has_host)
		sum_add_builtin(sum, BH_BUILTIN_HOST);
	else if (a->builtins.has_self && !sum->is_begun)
		sum_add_builtin(sum, BH_BUILTIN_SELF);
}

static void list_classes(const struct ask *a, struct answer *ret)
{
	for (uint32_t i = 0; i < a->c->classes.count; i++) {
		if (a->src.families[i] & a->families)
			vec_push(&ret->src_classes, i);
		if (a->dst.families[i] & a->families)
			vec_push(&ret->dst_classes, i);
	}
}

int explain_ask(const struct compiled *c, const struct question *q, struct answer *ret,
		struct text *reterr)
{
	_cleanup_(ask_release)
	struct ask a = {.c = c};
	struct sum sum = {.ask = &a};
	int err = ask_prepare(&a, q, reterr);

	if (err)
		return err;
	sum_all(&a, &sum);
	memset(ret, 0, sizeof(*ret));
	ret->is_mixed = sum.is_mixed;
	ret->decision = sum.decision;
	list_classes(&a, ret);
	ret->services = a.services;
	memset(&a.services, 0, sizeof(a.services));
	return 0;
}

void answer_release(struct answer *a)
{
	vec_release(&a->src_classes);
	vec_release(&a->dst_classes);
	vec_release(&a->services);
}

/* "allow by rule 'api-to-db' at five-zone.yaml:24:5, logged" */
static void describe_decision(const struct compiled *c, struct decision d, struct text *out)
{
	const char *name = compiled_rule_name(c, d.rule);
	const struct span *at;

	text_addf(out, "%s by ", verdict_word(d.verdict));
	if (d.rule < BH_RULE_FIRST) {
		text_add(out, name);
		return;
	}
	at = &c->policy->rules.items[d.rule - BH_RULE_FIRST].at;
	text_addf(out, "rule '%s'", name);
	if (at->source)
		text_addf(out, " at %s:%u:%u", at->source->name, at->line, at->column);
	if (d.tls)
		text_add(out, ", TLS required");
	if (d.log)
		text_add(out, ", logged");
}

static void describe_end(const struct ask *a, const char *word, const char *name,
			 const struct end *end, struct text *out)
{
	uint32_t classes = 0, last = 0;

	for (uint32_t i = 0; i < a->c->classes.count; i++) {
		if (!(end->families[i] & a->families))
			continue;
		classes++;
		last = i;
	}
	text_addf(out, "  %s %s: ", word, name);
	if (classes == 1)
		end_describe(a->c, end, last, out);
	else
		text_addf(out, "%u classes", (unsigned int)classes);
	text_addc(out, '\n');
}

static void sum_listed_pair(const struct ask *a, const struct pair *pair, struct sum *sum)
{
	uint32_t dst = pair->dst_class;
	struct pair asked = *pair;

	if (pair->src_class == dst && a->builtins.alone[dst]) {
		sum_add_builtin(sum, BH_BUILTIN_SELF);
		return;
	}
	asked.families &= a->builtins.asked[dst];
	sum_pair(sum, &asked);
}

static void describe_names(const struct ask *a, const struct pair *pair, struct text *out)
{
	text_add(out, "  ");
	end_name(a->c, &a->src, pair->src_class, out);
	text_add(out, " -> ");
	end_name(a->c, &a->dst, pair->dst_class, out);
}

static void describe_local(const struct ask *a, const struct pair *pair, struct text *out)
{
	if (!(pair->families & a->builtins.local[pair->dst_class]))
		return;
	describe_names(a, pair, out);
	text_add(out, " on that machine: ");
	describe_decision(
		a->c, (struct decision){.verdict = BH_VERDICT_ALLOW, .rule = BH_BUILTIN_HOST}, out);
	text_addc(out, '\n');
}

/* What the pair of classes gets, if that is one verdict. */
static void describe_pair(const struct ask *a, const struct pair *pair, struct text *out)
{
	struct sum sum = {.ask = a};

	describe_local(a, pair, out);
	sum_listed_pair(a, pair, &sum);
	if (!sum.is_begun)
		return;
	describe_names(a, pair, out);
	text_add(out, ": ");
	if (sum.is_mixed)
		text_add(out, "mixed, by service");
	else
		describe_decision(a->c, sum.decision, out);
	text_addc(out, '\n');
}

static void list_pairs_of(const struct ask *a, const struct answer *answer, struct text *out)
{
	size_t listed = 0, total = answer->src_classes.count * answer->dst_classes.count;

	vec_foreach (src, &answer->src_classes) {
		vec_foreach (dst, &answer->dst_classes) {
			uint8_t families = a->src.families[*src] & a->dst.families[*dst];
			struct pair pair = {*src, *dst, 0, families};

			if (listed++ == LISTED_PAIRS) {
				text_addf(out, "  and %zu more pairs of classes\n",
					  total - LISTED_PAIRS);
				return;
			}
			describe_pair(a, &pair, out);
		}
	}
}

/* Decided before any rule is asked. */
static bool is_builtin_pair(uint32_t rule)
{
	return rule == BH_BUILTIN_SELF || rule == BH_BUILTIN_HOST;
}

/* Why it isn't otherwise: the rule that came nearest, and what others lack. */
static void describe_others(const struct ask *a, const struct question *q,
			    const struct answer *answer, struct text *out)
{
	const char *const ends[] = {q->from, q->to};
	const struct service_range *first = a->services.items;
	uint32_t src = answer->src_classes.items[0], dst = answer->dst_classes.items[0];
	const struct miss m = {
		.c = a->c,
		.src = a->src.identities[src],
		.dst = a->dst.identities[dst],
		.table = first->table,
		.number = first->lo,
	};
	_text_ struct text unused = TEXT_INIT;
	uint32_t nearest = 0;

	if (answer->decision.rule == BH_BUILTIN_DEFAULT)
		nearest = explain_nearest(a->c, src, dst, m.table, m.number, &unused);
	if (nearest) {
		text_addf(out, "  nearest rule: '%s' ", compiled_rule_name(a->c, nearest));
		miss_describe(&m, &a->c->policy->rules.items[nearest - BH_RULE_FIRST], q->from,
			      q->to, out);
		text_addc(out, '\n');
	}
	miss_describe_others(&m, ends, answer->decision.rule, nearest, out);
}

static struct sides_scope scope_of(const struct ask *a)
{
	return (struct sides_scope){
		.c = a->c,
		.src = &a->src,
		.dst = &a->dst,
		.builtins = &a->builtins,
		.service_families = a->service_families,
		.families = a->families,
	};
}

void explain_sides(const struct compiled *c, const struct question *q, const struct answer *answer,
		   struct answer_sides *ret)
{
	_cleanup_(ask_release)
	struct ask a = {.c = c};
	_text_ struct text unused = TEXT_INIT;
	struct sides_scope scope;

	*ret = (struct answer_sides){};
	if (ask_prepare(&a, q, &unused))
		return;
	scope = scope_of(&a);
	answer_sides_gather(&scope, answer, ret);
}

static void describe_side(const struct ask *a, const char *word, const char *name,
			  const struct answer_side *side, struct text *out)
{
	if (!side->is_known)
		return;
	text_addf(out, "  %s of %s: ", word, name);
	answer_side_describe(a->c, side, out);
	text_addc(out, '\n');
}

/* Only where they may differ: a rule of zones serves both. */
static void describe_sides(const struct ask *a, const struct question *q,
			   const struct answer *answer, struct text *out)
{
	struct sides_scope scope = scope_of(a);
	struct answer_sides sides;

	answer_sides_gather(&scope, answer, &sides);
	if (answer_sides_are_apart(&scope, &sides)) {
		describe_side(a, "egress", q->from, &sides.src, out);
		describe_side(a, "ingress", q->to, &sides.dst, out);
	}
	answer_sides_release(&sides);
}

void explain_describe(const struct compiled *c, const struct question *q,
		      const struct answer *answer, struct text *out)
{
	_cleanup_(ask_release)
	struct ask a = {.c = c};
	_text_ struct text unused = TEXT_INIT;

	if (ask_prepare(&a, q, &unused))
		return;
	if (answer->is_mixed)
		text_add(out, "mixed");
	else
		describe_decision(c, answer->decision, out);
	text_addc(out, '\n');
	describe_sides(&a, q, answer, out);
	describe_end(&a, "from", q->from, &a.src, out);
	describe_end(&a, "to", q->to, &a.dst, out);
	text_addf(out, "  service %s: ", q->service);
	services_format(&a.services, out);
	text_addc(out, '\n');
	if (answer->is_mixed)
		list_pairs_of(&a, answer, out);
	else if (!is_builtin_pair(answer->decision.rule))
		describe_others(&a, q, answer, out);
}
