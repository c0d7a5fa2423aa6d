/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "policy/learn_triples.h"

#define NAME_PART_MAX 24 /* characters of an end in a rule's name */

struct named_party {
	struct party party;
	char *name;
};

static int named_party_cmp(const void *left, const void *right)
{
	const struct named_party *a = left, *b = right;

	return strcmp(a->name, b->name);
}

static void add_parties(const struct triples *t, const struct policy *p, const struct box *box,
			enum axis axis, struct learned_rule *rule)
{
	VEC(struct named_party) named = {};

	vec_foreach (number, &box->on[axis]) {
		struct party party = t->parties.items[*number];
		struct text name = TEXT_INIT;

		party_format(p, &party, &name);
		vec_push(&named, (struct named_party){party, text_take(&name)});
	}
	if (named.count)
		qsort(named.items, named.count, sizeof(*named.items), named_party_cmp);
	vec_foreach (item, &named) {
		if (axis == AXIS_FROM)
			vec_push(&rule->from, item->party);
		else
			vec_push(&rule->to, item->party);
		free(item->name);
	}
	vec_release(&named);
}

static int range_cmp(const void *left, const void *right)
{
	const struct service_range *a = left, *b = right;

	if (a->table != b->table)
		return a->table < b->table ? -1 : 1;
	return (int)a->lo - (int)b->lo;
}

static void add_rule(const struct triples *t, const struct policy *p, const struct box *box,
		     struct learned *learned)
{
	struct learned_rule rule = {.support = box->support};

	add_parties(t, p, box, AXIS_FROM, &rule);
	add_parties(t, p, box, AXIS_TO, &rule);
	vec_foreach (number, &box->on[AXIS_SERVICE])
		vec_push(&rule.services, t->services.items[*number]);
	if (rule.services.count)
		qsort(rule.services.items, rule.services.count, sizeof(*rule.services.items),
		      range_cmp);
	vec_push(&learned->rules, rule);
}

/* "edge-lb-and-2-more", of characters that a name may have. */
static void add_list_name(const struct policy *p, const struct party *first, size_t count,
			  struct text *out)
{
	_text_ struct text name = TEXT_INIT;
	size_t len;

	party_format(p, first, &name);
	for (char *s = name.buf; *s; s++) {
		if (!isalnum((unsigned char)*s))
			*s = '-';
	}
	len = name.len < NAME_PART_MAX ? name.len : NAME_PART_MAX;
	while (len && name.buf[len - 1] == '-')
		len--;
	text_addn(out, len ? name.buf : "all", len ? len : 3);
	if (count > 1)
		text_addf(out, "-and-%zu-more", count - 1);
}

/* @taken holds each name with the number that was last put behind it. */
static void name_rule(const struct policy *p, struct map *taken, struct learned_rule *rule)
{
	_text_ struct text base = TEXT_INIT;
	struct text name = TEXT_INIT;
	bool is_new;
	uint64_t n;

	text_add(&base, "learned-");
	add_list_name(p, rule->from.items, rule->from.count, &base);
	text_add(&base, "-to-");
	add_list_name(p, rule->to.items, rule->to.count, &base);
	text_add(&name, base.buf);
	n = *map_put(taken, base.buf, base.len, 1, &is_new);
	while (!is_new) {
		text_reset(&name);
		text_addf(&name, "%s-%" PRIu64, base.buf, ++n);
		map_put(taken, name.buf, name.len, 1, &is_new);
	}
	*map_get(taken, base.buf, base.len) = n;
	rule->name = text_take(&name);
}

static int rule_cmp(const void *left, const void *right)
{
	const struct learned_rule *a = left, *b = right;
	int order;

	if (a->support.events != b->support.events)
		return a->support.events > b->support.events ? -1 : 1;
	order = memcmp(a->to.items, b->to.items, sizeof(*a->to.items));
	if (!order)
		order = memcmp(a->from.items, b->from.items, sizeof(*a->from.items));
	return order ? order : range_cmp(a->services.items, b->services.items);
}

void triples_rules(const struct triples *t, const struct compiled *c, struct learned *learned)
{
	const struct policy *p = c->policy;
	struct map taken = {};
	boxes b = {};

	triples_join(t, &b);
	vec_foreach (box, &b)
		add_rule(t, p, box, learned);
	if (learned->rules.count)
		qsort(learned->rules.items, learned->rules.count, sizeof(*learned->rules.items),
		      rule_cmp);
	vec_foreach (rule, &p->rules)
		map_put(&taken, rule->name, strlen(rule->name), 1, NULL);
	vec_foreach (rule, &learned->rules)
		name_rule(p, &taken, rule);
	map_release(&taken);
	boxes_release(&b);
}
