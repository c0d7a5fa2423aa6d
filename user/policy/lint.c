/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/lint.h"

#include <string.h>

#include "policy/compiled_index.h"
#include "policy/linter.h"
#include "policy/load.h"
#include "util/bitset.h"

#define END_OF_SET UINT32_MAX /* in the pool: none is empty there */

/* The zones of the identities that a selector contains, into l->zones. */
static void collect_zones(struct linter *l, const struct selector *s)
{
	size_t n = l->c->identities.count;

	memset(l->identities, 0, bitset_words(n) * sizeof(*l->identities));
	memset(l->zones, 0, bitset_words(lint_no_zone(l) + 1) * sizeof(*l->zones));
	selector_add(&l->c->index->selectors, s, l->identities);
	for (size_t i = bitset_next(l->identities, n, 0); i < n;
	     i = bitset_next(l->identities, n, i + 1)) {
		const struct identity *id = &l->c->identities.items[i];

		/* That of `host`, for one, has no address offline. */
		if (id->has_v4 || id->has_v6)
			bitset_add(l->zones, id->zone == POLICY_NONE ? lint_no_zone(l) : id->zone);
	}
}

/* The number of the set that l->zones is. */
static uint32_t number_zones(struct linter *l)
{
	struct zone_set set = {.start = l->pool.count};
	size_t n = lint_no_zone(l) + 1;
	uint64_t number;
	bool is_new;

	for (size_t i = bitset_next(l->zones, n, 0); i < n; i = bitset_next(l->zones, n, i + 1)) {
		vec_push(&l->pool, (uint32_t)i);
		set.count++;
	}
	vec_push(&l->pool, END_OF_SET);
	number = *map_put(&l->set_numbers, l->pool.items + set.start,
			  (set.count + 1) * sizeof(*l->pool.items), l->sets.count, &is_new);
	if (is_new)
		vec_push(&l->sets, set);
	else
		l->pool.count = set.start;
	return (uint32_t)number;
}

struct list lint_zones(const struct linter *l, uint32_t selector)
{
	const struct zone_set *set = &l->sets.items[l->set_of[selector]];

	return (struct list){.items = l->pool.items + set->start, .count = set->count};
}

enum zone_role lint_role(const struct linter *l, uint32_t zone)
{
	return zone == lint_no_zone(l) ? ROLE_UNSET : zone_role(&l->policy->zones.items[zone]);
}

void lint_add_zone(const struct linter *l, uint32_t zone, struct text *out)
{
	if (zone == lint_no_zone(l))
		text_add(out, "addresses in no zone");
	else
		text_addf(out, "'%s'", l->policy->zones.items[zone].name);
}

bool lint_is_anyone(const struct selector *s)
{
	if (s->kind == SELECT_ANY)
		return true;
	if (s->kind != SELECT_ONE_OF)
		return false;
	vec_foreach (child, &s->children) {
		if (lint_is_anyone(*child))
			return true;
	}
	return false;
}

bool lint_is_everywhere(const struct prefix *p)
{
	return p->len == (prefix_is_v4(p) ? BH_V4_PREFIX_LEN : 0);
}

bool lint_is_frame(const struct zone *zone)
{
	vec_foreach (placed, &zone->prefixes) {
		if (lint_is_everywhere(&placed->prefix))
			return true;
	}
	return false;
}

bool lint_is_live(const struct linter *l, const struct rule *rule)
{
	bool is_own = rule->sides == SIDE_BOTH &&
		      (rule->tier == TIER_ZONE || rule->tier == TIER_NETWORK);

	return is_own && (!rule->expires || rule->expires > l->now);
}

bool lint_allows(const struct linter *l, const struct rule *rule)
{
	return rule->action == ACTION_ALLOW && lint_is_live(l, rule);
}

static void linter_init(struct linter *l)
{
	atoms_collect(&l->atoms, l->policy, l->now);
	l->set_of = xcalloc(l->atoms.selectors.count + 1, sizeof(*l->set_of));
	l->identities = bitset_new(l->c->identities.count);
	l->zones = bitset_new(lint_no_zone(l) + 1);
	for (size_t i = 0; i < l->atoms.selectors.count; i++) {
		collect_zones(l, l->atoms.selectors.items[i]);
		l->set_of[i] = number_zones(l);
	}
}

static void linter_release(struct linter *l)
{
	atoms_release(&l->atoms);
	map_release(&l->set_numbers);
	vec_release(&l->sets);
	vec_release(&l->pool);
	free(l->set_of);
	free(l->identities);
	free(l->zones);
}

void lint(const struct compiled *c, int64_t now, struct diags *d)
{
	_cleanup_(linter_release)
	struct linter l = {.c = c, .policy = c->policy, .now = now, .diags = d};
	size_t first = d->list.count;

	linter_init(&l);
	lint_rules(&l);
	lint_addresses(&l);
	lint_shadows(&l);
	lint_directions(&l);
	lint_use(&l);
	policy_sort_diags(c->policy, d, first);
}
