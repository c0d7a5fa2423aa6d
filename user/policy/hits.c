/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/hits.h"

#include <stdlib.h>
#include <string.h>

#include "util/mem.h"

void reach_build(struct reach *r, const struct atoms *a, const rule_numbers *rules,
		 const list_pairs *from, const list_pairs *to, uint32_t sources)
{
	uint32_t selectors = (uint32_t)a->selectors.count;
	list_pairs pairs = {};

	vec_foreach (pair, from)
		vec_push(&pairs, (struct list_pair){pair->item, pair->key});
	lists_build(&r->selectors, sources, &pairs);
	pairs.count = 0;
	vec_foreach (rule, rules)
		vec_push(&pairs, (struct list_pair){a->rules.items[*rule].from, *rule});
	lists_build(&r->rules, selectors, &pairs);
	lists_build(&r->destinations, selectors, to);
	vec_release(&pairs);
}

void reach_release(struct reach *r)
{
	lists_release(&r->selectors);
	lists_release(&r->rules);
	lists_release(&r->destinations);
}

void hits_init(struct hits *h, uint32_t destinations)
{
	memset(h, 0, sizeof(*h));
	h->first = xmalloc(destinations * sizeof(*h->first) + 1);
	for (uint32_t i = 0; i < destinations; i++)
		h->first[i] = HITS_END;
}

void hits_release(struct hits *h)
{
	free(h->first);
	vec_release(&h->list);
	vec_release(&h->destinations);
}

static void hits_clear(struct hits *h)
{
	vec_foreach (destination, &h->destinations)
		h->first[*destination] = HITS_END;
	h->destinations.count = 0;
	h->list.count = 0;
}

static int number_cmp(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void collect_rule(struct hits *h, const struct reach *r, const struct atoms *a,
			 uint32_t rule)
{
	struct list to = lists_get(&r->destinations, a->rules.items[rule].to);

	for (size_t i = 0; i < to.count; i++) {
		uint32_t *first = &h->first[to.items[i]];

		if (*first == HITS_END)
			vec_push(&h->destinations, to.items[i]);
		vec_push(&h->list, (struct hit){rule, *first});
		*first = (uint32_t)h->list.count - 1;
	}
}

void hits_collect(struct hits *h, const struct reach *r, const struct atoms *a, uint32_t source)
{
	struct list selectors = lists_get(&r->selectors, source);

	hits_clear(h);
	for (size_t i = 0; i < selectors.count; i++) {
		struct list rules = lists_get(&r->rules, selectors.items[i]);

		for (size_t j = 0; j < rules.count; j++)
			collect_rule(h, r, a, rules.items[j]);
	}
	if (h->destinations.count > 1)
		qsort(h->destinations.items, h->destinations.count, sizeof(*h->destinations.items),
		      number_cmp);
}

void hits_rules(const struct hits *h, uint32_t destination, rule_numbers *ret)
{
	ret->count = 0;
	for (uint32_t i = h->first[destination]; i != HITS_END; i = h->list.items[i].next)
		vec_push(ret, h->list.items[i].rule);
	if (ret->count > 1)
		qsort(ret->items, ret->count, sizeof(*ret->items), number_cmp);
}
