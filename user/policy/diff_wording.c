/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/diff_wording.h"

#include <string.h>

#define NAMES_FEW    4 /* names that are read at a glance: no labels instead of them */
#define EXCEPT_WORTH 3 /* words, before "NAME except OTHER" can be shorter */
#define NAMES_WORTH  8 /* names for one prefix, before it is the better word */

static size_t cover_cost(const struct diff_cover *c)
{
	return c->meanings.count + c->rest.count;
}

/* A set under work, and the words for it so far. */
struct wording {
	struct namer *n;
	enum joint_side side;
	bool has_labels; /* they may be used as names */
	VEC(struct diff_term) terms;
	size_t cost;
};

static struct list as_list(const numbers *v)
{
	return (struct list){v->items, v->count};
}

static struct diff_atom name_atom(const struct wording *w, uint32_t meaning)
{
	const struct meaning *m = &w->n->names->meanings.items[meaning];

	return (struct diff_atom){.name = m->name, .reading = m->reading, .rank = meaning + 1};
}

static struct diff_atom prefix_atom(const struct wording *w, const struct prefix *p)
{
	return (struct diff_atom){
		.prefix = *p,
		.owner = diff_names_owner(w->n->names, w->side, p),
		.rank = UINT32_MAX,
	};
}

/* The term itself says already whose the addresses are. */
static bool is_told(const struct diff_atom *atom, const char *owner)
{
	return (atom->name && !strcmp(atom->name, owner)) ||
	       (atom->owner && !strcmp(atom->owner, owner));
}

static void add_except(const struct wording *w, struct diff_term *term, const struct diff_cover *c)
{
	vec_foreach (meaning, &c->meanings)
		vec_push(&term->except, name_atom(w, *meaning));
	vec_foreach (prefix, &c->rest) {
		struct diff_atom atom = prefix_atom(w, prefix);

		if (atom.owner && is_told(&term->atom, atom.owner))
			atom.owner = NULL;
		vec_push(&term->except, atom);
	}
}

static void add_term(struct wording *w, struct diff_term term)
{
	w->cost += 1 + term.except.count;
	vec_push(&w->terms, term);
}

static void wording_release(struct wording *w)
{
	vec_foreach (term, &w->terms)
		vec_release(&term->except);
	vec_release(&w->terms);
}

/* Prefixes of one family: or the one around them, but for what is not meant. */
static void word_family(struct wording *w, const struct address_range *first, size_t count)
{
	address_ranges ranges = {}, beside = {};
	struct diff_cover cover = {}, missing = {};
	struct prefix hull;

	if (!count)
		return;
	for (size_t i = 0; i < count; i++)
		vec_push(&ranges, first[i]);
	address_ranges_cover(&ranges, &cover.rest);
	hull = address_ranges_hull(first, count);
	address_ranges_beside(first, count, &hull, &beside);
	address_ranges_cover(&beside, &missing.rest);
	if (1 + missing.rest.count < cover.rest.count) {
		struct diff_term term = {.atom = prefix_atom(w, &hull)};

		add_except(w, &term, &missing);
		add_term(w, term);
	} else {
		vec_foreach (prefix, &cover.rest)
			add_term(w, (struct diff_term){.atom = prefix_atom(w, prefix)});
	}
	vec_release(&ranges);
	vec_release(&beside);
	diff_cover_release(&cover);
	diff_cover_release(&missing);
}

static void word_ranges(struct wording *w, const address_ranges *r)
{
	size_t v4 = 0;

	while (v4 < r->count && address_number_is_v4(r->items[v4].lo))
		v4++;
	word_family(w, r->items, v4);
	word_family(w, r->items + v4, r->count - v4);
}

/* "data except postgres" for what @left has of a name, if that is shorter; then that is gone. */
static void try_except(struct wording *w, uint32_t meaning, struct list set, numbers *left)
{
	struct list members = lists_get(&w->n->names->members, meaning);
	numbers inside = {}, missing = {}, others = {};
	struct diff_cover direct = {}, except = {};

	namer_sift(w->n, members, as_list(left), true, &inside);
	namer_sift(w->n, members, set, false, &missing);
	diff_cover_set(w->n, as_list(&inside), w->has_labels, &direct);
	if (cover_cost(&direct) >= EXCEPT_WORTH)
		diff_cover_set(w->n, as_list(&missing), w->has_labels, &except);
	if (cover_cost(&direct) >= EXCEPT_WORTH && 1 + cover_cost(&except) < cover_cost(&direct)) {
		struct diff_term term = {.atom = name_atom(w, meaning)};

		add_except(w, &term, &except);
		add_term(w, term);
		namer_sift(w->n, as_list(left), as_list(&inside), false, &others);
		left->count = 0;
		vec_foreach (identity, &others)
			vec_push(left, *identity);
	}
	vec_release(&inside);
	vec_release(&missing);
	vec_release(&others);
	diff_cover_release(&direct);
	diff_cover_release(&except);
}

static void word_by_name(struct wording *w, struct list set)
{
	numbers partial = {}, left = {};
	address_ranges ranges = {};
	struct diff_cover direct = {};
	VEC(struct diff_term) parts = {};

	for (size_t i = 0; i < set.count; i++)
		vec_push(&left, set.items[i]);
	namer_list_partial(w->n, set, w->has_labels, &partial);
	vec_foreach (meaning, &partial)
		try_except(w, *meaning, set, &left);
	diff_cover_set(w->n, as_list(&left), w->has_labels, &direct);
	/* Plain names first. */
	vec_foreach (term, &w->terms)
		vec_push(&parts, *term);
	w->terms.count = 0;
	vec_foreach (meaning, &direct.meanings)
		add_term(w, (struct diff_term){.atom = name_atom(w, *meaning)});
	vec_foreach (term, &parts)
		vec_push(&w->terms, *term);
	vec_foreach (prefix, &direct.rest)
		vec_push(&ranges, prefix_range(prefix));
	address_ranges_normalise(&ranges);
	word_ranges(w, &ranges);
	vec_release(&partial);
	vec_release(&left);
	vec_release(&ranges);
	diff_cover_release(&direct);
	vec_release(&parts);
}

static void word_by_others(struct wording *w, struct list set)
{
	struct diff_term term = {.atom = {.name = "any"}};
	struct diff_cover cover = {};
	numbers others = {};

	namer_list_others(w->n, set, &others);
	diff_cover_set(w->n, as_list(&others), false, &cover);
	add_except(w, &term, &cover);
	add_term(w, term);
	vec_release(&others);
	diff_cover_release(&cover);
}

static bool has_prefix_term(const struct wording *w)
{
	vec_foreach (term, &w->terms) {
		if (!term->atom.name)
			return true;
	}
	return false;
}

/* `host` may have no addresses. */
static bool is_all_addresses(const struct namer *n, struct list set)
{
	for (size_t i = 0; i < set.count; i++) {
		if (!lists_get(&n->names->a->ranges_of, set.items[i]).count)
			return false;
	}
	return true;
}

static struct wording *better(struct wording *best, struct wording *other, size_t weight)
{
	return other->cost && other->cost * weight < best->cost ? other : best;
}

/* All there is has no shorter word; any other set that is all but some takes two at least. */
static bool is_worth_others(const struct wording *w, struct list set)
{
	return w->cost >= EXCEPT_WORTH || set.count == w->n->names->a->identities.count;
}

void diff_end_word(struct namer *n, struct list identities, enum joint_side side,
		   struct diff_end *ret)
{
	struct wording by_name = {.n = n, .side = side}, by_others = by_name, by_prefix = by_name;
	struct wording by_label = {.n = n, .side = side, .has_labels = true};
	struct wording *best = &by_name;
	address_ranges ranges = {};

	memset(ret, 0, sizeof(*ret));
	diff_names_ranges(n->names, identities, &ranges);
	address_ranges_cover(&ranges, &ret->prefixes);
	word_by_name(&by_name, identities);
	if (by_name.cost > NAMES_FEW)
		word_by_name(&by_label, identities);
	best = better(best, &by_label, 1);
	if (is_worth_others(best, identities))
		word_by_others(&by_others, identities);
	best = better(best, &by_others, 1);
	if (best->cost > 1 && is_all_addresses(n, identities))
		word_ranges(&by_prefix, &ranges);
	best = better(best, &by_prefix, has_prefix_term(best) ? 1 : NAMES_WORTH);
	vec_foreach (term, &best->terms)
		vec_push(&ret->terms, *term);
	best->terms.count = 0;
	wording_release(&by_name);
	wording_release(&by_label);
	wording_release(&by_others);
	wording_release(&by_prefix);
	vec_release(&ranges);
}

void diff_end_release(struct diff_end *e)
{
	vec_foreach (term, &e->terms)
		vec_release(&term->except);
	vec_release(&e->terms);
	vec_release(&e->prefixes);
}
