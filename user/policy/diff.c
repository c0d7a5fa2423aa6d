/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/diff.h"

#include <string.h>

#include "policy/diff_builtin.h"
#include "policy/diff_regions.h"
#include "policy/diff_services.h"
#include "policy/diff_wording.h"
#include "util/mem.h"

/* A region's end: a set of groups, as told from one side. */
struct end_key {
	uint32_t dimension, set, side;
};

struct work {
	struct joint_addresses a;
	struct joint_services s;
	struct relation relation;
	struct regions regions;
	struct diff_names names;
	struct namer namer;
	struct map ends; /* struct end_key -> place in diff.ends */
	struct diff *out;
};

/* A set of groups as joint identities, ascending. */
static void list_identities(const struct work *w, enum region_dimension d, struct list groups,
			    numbers *out)
{
	const struct lists *members = d == REGION_SRC ? &w->relation.src_members
						      : &w->relation.dst_members;

	for (size_t i = 0; i < groups.count; i++) {
		struct list classes = lists_get(members, groups.items[i]);

		for (size_t k = 0; k < classes.count; k++) {
			struct list identities = lists_get(&w->a.members, classes.items[k]);

			for (size_t n = 0; n < identities.count; n++)
				vec_push(out, identities.items[n]);
		}
	}
	numbers_sort(out);
}

static uint32_t end_of(struct work *w, enum region_dimension d, uint32_t set, enum joint_side side)
{
	struct end_key key = {d, set, side};
	numbers identities = {};
	struct diff_end *end;
	uint64_t *number;
	bool is_new;

	number = map_put(&w->ends, &key, sizeof(key), w->out->ends.count, &is_new);
	if (is_new) {
		end = xcalloc(1, sizeof(*end));
		list_identities(w, d, list_pool_get(&w->regions.sets, set), &identities);
		diff_end_word(&w->namer, (struct list){identities.items, identities.count}, side,
			      end);
		vec_push(&w->out->ends, end);
		vec_release(&identities);
	}
	return (uint32_t)*number;
}

static char sign_of(uint8_t change)
{
	bool was = CHANGE_WAS(change) >= OUTCOME_AUDIT, now = CHANGE_NOW(change) >= OUTCOME_AUDIT;

	return was == now ? '~' : now ? '+' : '-';
}

static const char *outcome_word(enum outcome outcome)
{
	static const char *const words[] = {
		[OUTCOME_DENY] = "deny",
		[OUTCOME_REJECT] = "reject",
		[OUTCOME_AUDIT] = "audit",
		[OUTCOME_ALLOW] = "allow",
		[OUTCOME_ALLOW_LOGGED] = "allow, logged",
		[OUTCOME_ALLOW_TLS] = "allow, tls",
		[OUTCOME_ALLOW_TLS_LOGGED] = "allow, tls, logged",
	};

	return words[outcome];
}

static void add_region(struct work *w, const struct region *region)
{
	char sign = sign_of(region->change);
	enum joint_side side = sign == '-' ? JOINT_OLD : JOINT_NEW;
	uint32_t src = end_of(w, REGION_SRC, region->set[REGION_SRC], side);
	uint32_t dst = end_of(w, REGION_DST, region->set[REGION_DST], side);
	struct list changed = list_pool_get(&w->regions.sets, region->set[REGION_SERVICE]);
	struct diff_region fresh = {
		.sign = sign,
		.was = outcome_word(CHANGE_WAS(region->change)),
		.now = outcome_word(CHANGE_NOW(region->change)),
		.from = w->out->ends.items[src],
		.to = w->out->ends.items[dst],
		.families = region->families,
	};
	_text_ struct text text = TEXT_INIT;

	diff_services(&w->s, changed, region->families, &fresh.services, &text);
	fresh.service_text = text_take(&text);
	vec_push(&w->out->regions, fresh);
}

static int atom_cmp(const struct diff_atom *a, const struct diff_atom *b)
{
	int order;

	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	order = a->name && b->name ? strcmp(a->name, b->name) : 0;
	return order ? order : prefix_cmp(&a->prefix, &b->prefix);
}

static int end_cmp(const struct diff_end *a, const struct diff_end *b)
{
	int order = 0;

	for (size_t i = 0; !order && i < a->terms.count && i < b->terms.count; i++) {
		const struct diff_term *x = &a->terms.items[i], *y = &b->terms.items[i];

		order = atom_cmp(&x->atom, &y->atom);
		if (!order && x->except.count != y->except.count)
			order = x->except.count < y->except.count ? -1 : 1;
		for (size_t k = 0; !order && k < x->except.count; k++)
			order = atom_cmp(&x->except.items[k], &y->except.items[k]);
	}
	if (!order && a->terms.count != b->terms.count)
		order = a->terms.count < b->terms.count ? -1 : 1;
	return order;
}

/* No two regions have both ends, the sign and a service in common. */
static int region_cmp(const void *left, const void *right)
{
	const struct diff_region *a = left, *b = right;
	int order = a->from == b->from ? 0 : end_cmp(a->from, b->from);

	if (!order && a->to != b->to)
		order = end_cmp(a->to, b->to);
	if (!order && a->sign != b->sign)
		order = a->sign < b->sign ? -1 : 1;
	return order ? order : strcmp(a->service_text, b->service_text);
}

static int find_regions(struct work *w, struct text *reterr)
{
	int err = relation_build(&w->relation, &w->a, &w->s, reterr);

	if (!err)
		relation_drop_builtin(&w->relation, &w->a);
	return err ? err : regions_build(&w->regions, &w->relation, &w->a, &w->s, reterr);
}

static void tell_regions(struct work *w)
{
	if (!w->regions.items.count)
		return;
	diff_names_build(&w->names, &w->a, &w->out->words);
	namer_init(&w->namer, &w->names);
	vec_foreach (region, &w->regions.items)
		add_region(w, region);
	qsort(w->out->regions.items, w->out->regions.count, sizeof(*w->out->regions.items),
	      region_cmp);
	namer_release(&w->namer);
	diff_names_release(&w->names);
	map_release(&w->ends);
}

int policy_diff(const struct compiled *old, const struct compiled *new, struct diff *ret,
		struct text *reterr)
{
	struct diff d = {};
	struct work w = {.out = &d};
	int err;

	joint_addresses_build(&w.a, old, new);
	joint_services_build(&w.s, old, new);
	err = find_regions(&w, reterr);
	if (!err)
		tell_regions(&w);
	joint_addresses_release(&w.a);
	joint_services_release(&w.s);
	relation_release(&w.relation);
	regions_release(&w.regions);
	if (!err)
		*ret = d;
	return err;
}

void diff_release(struct diff *d)
{
	vec_foreach (region, &d->regions) {
		vec_release(&region->services);
		free(region->service_text);
	}
	vec_release(&d->regions);
	vec_foreach (end, &d->ends) {
		diff_end_release(*end);
		free(*end);
	}
	vec_release(&d->ends);
	arena_release(&d->words);
}
