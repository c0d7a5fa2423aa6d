/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <string.h>

#include "policy/compiled_index.h"
#include "policy/linter.h"
#include "util/bitset.h"

/* What selectors do with a zone or a workload, as bits. */
enum {
	USE_NAMED = 1, /* some selector names it, if only to say which part of it is meant */
	USE_TAKEN = 2, /* some selector contains all of it by name, zone or label */
	USE_RULED = 4, /* a rule's does */
	USE_HOLDS = 8, /* a zone: workloads are in it */
};

struct use {
	const struct linter *linter;
	uint8_t *zones;
	uint8_t *workloads;
	uint64_t *identities; /* scratch */
};

/* Whoever is in the group too. */
static void use_workload(struct use *u, size_t workload, uint8_t bits)
{
	size_t group;

	if (workload == POLICY_NONE)
		return;
	u->workloads[workload] |= bits;
	group = u->linter->policy->workloads.items[workload].group;
	if (group != POLICY_NONE)
		u->workloads[group] |= bits;
}

static void use_members(struct use *u, const struct selector *s, uint8_t bits)
{
	const struct compiled *c = u->linter->c;
	size_t n = c->identities.count;

	memset(u->identities, 0, bitset_words(n) * sizeof(*u->identities));
	selector_add(&c->index->selectors, s, u->identities);
	for (size_t i = bitset_next(u->identities, n, 0); i < n;
	     i = bitset_next(u->identities, n, i + 1))
		use_workload(u, c->identities.items[i].workload, bits);
}

static void use_selector(struct use *u, const struct selector *s, uint8_t bits)
{
	switch (s->kind) {
	case SELECT_ANY:
	case SELECT_OUTSIDE:
	case SELECT_HOST:
	case SELECT_CIDR:
		return;
	case SELECT_ZONE:
		u->zones[s->zone] |= bits;
		return;
	case SELECT_WORKLOAD:
		use_workload(u, s->workload, bits);
		return;
	case SELECT_LABELS:
	case SELECT_PODS:
	case SELECT_NODES:
		use_members(u, s, bits);
		return;
	case SELECT_EXCEPT:
		use_selector(u, s->children.items[0], bits & ~USE_RULED);
		return;
	case SELECT_ALL_OF:
		use_members(u, s, bits);
		vec_foreach (child, &s->children) {
			if ((*child)->kind == SELECT_ZONE)
				u->zones[(*child)->zone] |= USE_NAMED;
		}
		return;
	case SELECT_ONE_OF:
		vec_foreach (child, &s->children)
			use_selector(u, *child, bits);
		return;
	}
}

static void use_selectors(struct use *u)
{
	const struct atoms *a = &u->linter->atoms;
	_free_ uint64_t *ruled = bitset_new(a->selectors.count);

	vec_foreach (rule, &a->rules) {
		bitset_add(ruled, rule->from);
		bitset_add(ruled, rule->to);
	}
	for (size_t i = 0; i < a->selectors.count; i++)
		use_selector(u, a->selectors.items[i],
			     USE_NAMED | USE_TAKEN | (bitset_has(ruled, i) ? USE_RULED : 0));
}

/* What holds for a zone holds for who is in it. */
static void use_in_zone(struct use *u, size_t workload, size_t zone)
{
	if (workload == POLICY_NONE || zone == POLICY_NONE)
		return;
	use_workload(u, workload, u->zones[zone] & (USE_TAKEN | USE_RULED));
	u->zones[zone] |= USE_HOLDS;
}

static void use_zones(struct use *u)
{
	const struct policy *p = u->linter->policy;

	for (size_t i = 0; i < p->workloads.count; i++)
		use_in_zone(u, i, p->workloads.items[i].zone);
	vec_foreach (identity, &u->linter->c->identities)
		use_in_zone(u, identity->workload, identity->zone);
}

static void report_workload(const struct linter *l, const struct workload *w, uint8_t bits)
{
	if (!(bits & USE_RULED))
		diag_finding(
			l->diags, "BH007", w->at,
			"no rule matches workload '%s' by name, zone or label; write one if it "
			"is to reach or be reached",
			w->name);
	/* Its own mode is a use of it. */
	if (!(bits & USE_TAKEN) && !w->mode)
		diag_finding(l->diags, "BH011", w->at,
			     "workload '%s' is unused: no selector names it, its zone or a label",
			     w->name);
}

static void report_unused(const struct use *u)
{
	const struct linter *l = u->linter;
	const struct policy *p = l->policy;

	for (size_t i = 0; i < p->workloads.count; i++) {
		if (p->workloads.items[i].kind == WORKLOAD_GROUP)
			report_workload(l, &p->workloads.items[i], u->workloads[i]);
	}
	for (size_t i = 0; i < p->zones.count; i++) {
		const struct zone *zone = &p->zones.items[i];

		/* That every address is in a zone is a use: nobody is outside of default deny. */
		if (!(u->zones[i] & (USE_NAMED | USE_HOLDS)) && !lint_is_frame(zone))
			diag_finding(
				l->diags, "BH011", zone->at,
				"zone '%s' is unused: no selector names it, no workload is in it",
				zone->name);
	}
	vec_foreach (named, &p->services) {
		if (!named->is_used)
			diag_finding(l->diags, "BH011", named->at,
				     "service '%s' is unused: no list names it", named->name);
	}
}

void lint_use(struct linter *l)
{
	_free_ uint8_t *zones = xcalloc(l->policy->zones.count + 1, sizeof(*zones));
	_free_ uint8_t *workloads = xcalloc(l->policy->workloads.count + 1, sizeof(*workloads));
	struct use u = {
		.linter = l,
		.zones = zones,
		.workloads = workloads,
		.identities = l->identities,
	};

	use_selectors(&u);
	use_zones(&u);
	report_unused(&u);
}
