/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/reference/shrink.h"

#include <string.h>

#include "util/cleanup.h"

#define SHRINK_ITEM_MAX 512 /* bytes of the largest thing in a vector */

static bool fails(const struct shrink *s)
{
	return s->still_fails(s->policy, s->user);
}

/* An item goes to the end of its vector and out, or comes back from there. */
static void rotate(char *items, size_t from, size_t to, size_t size)
{
	char item[SHRINK_ITEM_MAX];

	memcpy(item, items + from * size, size);
	if (from < to)
		memmove(items + from * size, items + (from + 1) * size, (to - from) * size);
	else
		memmove(items + (to + 1) * size, items + to * size, (from - to) * size);
	memcpy(items + to * size, item, size);
}

static void drop_items(struct shrink *s, void *items, size_t *count, size_t size, size_t least)
{
	for (size_t i = *count; i-- > 0 && *count > least;) {
		size_t last = *count - 1;

		rotate(items, i, last, size);
		--*count;
		if (fails(s)) {
			s->has_dropped = true;
			continue;
		}
		++*count;
		rotate(items, last, i, size);
	}
}

#define DROP(s, v, least)                                                                          \
	do {                                                                                       \
		_Static_assert(sizeof(*(v)->items) <= SHRINK_ITEM_MAX, "item");                    \
		drop_items(s, (v)->items, &(v)->count, sizeof(*(v)->items), least);                \
	} while (0)

/* A word of the policy is set to something plainer. */
#define PLAIN(s, place, value)                                                                     \
	do {                                                                                       \
		typeof((place) + 0) was_ = (place);                                                \
		(place) = (value);                                                                 \
		if (was_ != (place) && !fails(s))                                                  \
			(place) = was_;                                                            \
	} while (0)

static void shrink_requirements(struct shrink *s, requirements *all)
{
	DROP(s, all, 0);
	vec_foreach (r, all)
		DROP(s, &r->values, 1);
}

static void shrink_selector(struct shrink *s, struct selector *selector)
{
	enum selector_kind kind = selector->kind;

	PLAIN(s, selector->kind, SELECT_ANY);
	if (selector->kind != kind)
		return;
	DROP(s, &selector->except, 0);
	PLAIN(s, selector->space, POLICY_NONE);
	shrink_requirements(s, &selector->requirements);
	shrink_requirements(s, &selector->space_requirements);
	DROP(s, &selector->children, 1);
	vec_foreach (child, &selector->children)
		shrink_selector(s, *child);
}

static void shrink_rule(struct shrink *s, struct rule *rule)
{
	shrink_selector(s, rule->from);
	shrink_selector(s, rule->to);
	DROP(s, &rule->services, 1);
	PLAIN(s, rule->log, false);
	PLAIN(s, rule->tls, false);
	PLAIN(s, rule->expires, 0);
	PLAIN(s, rule->mode, MODE_UNSET);
}

static void shrink_members(struct shrink *s)
{
	vec_foreach (zone, &s->policy->zones) {
		DROP(s, &zone->prefixes, 0);
		PLAIN(s, zone->mode, MODE_ENFORCE);
	}
	vec_foreach (space, &s->policy->namespaces) {
		DROP(s, &space->labels, 0);
		PLAIN(s, space->mode, MODE_UNSET);
	}
	vec_foreach (w, &s->policy->workloads) {
		DROP(s, &w->prefixes, 0);
		DROP(s, &w->labels, 0);
		DROP(s, &w->ports, 0);
		PLAIN(s, w->zone, POLICY_NONE);
		PLAIN(s, w->group, POLICY_NONE);
		PLAIN(s, w->node, POLICY_NONE);
		PLAIN(s, w->mode, MODE_UNSET);
		PLAIN(s, w->document_mode, MODE_UNSET);
		PLAIN(s, w->isolated, 0);
	}
}

static void shrink_promises(struct shrink *s)
{
	DROP(s, &s->policy->nevers, 0);
	DROP(s, &s->policy->expects, 0);
	vec_foreach (never, &s->policy->nevers) {
		shrink_selector(s, never->from);
		shrink_selector(s, never->to);
		DROP(s, &never->services, 1);
	}
	vec_foreach (expect, &s->policy->expects) {
		shrink_selector(s, expect->from);
		shrink_selector(s, expect->to);
		DROP(s, &expect->services, 1);
	}
}

void shrink_policy(struct shrink *s)
{
	do {
		s->has_dropped = false;
		DROP(s, &s->policy->rules, 0);
		shrink_promises(s);
		vec_foreach (rule, &s->policy->rules)
			shrink_rule(s, rule);
		shrink_members(s);
	} while (s->has_dropped);
}
