/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/linter.h"
#include "util/bitset.h"

/* That a rule allows something from one of two zones to the other. */
struct passage {
	uint32_t low, high; /* the zones */
	uint32_t rule;
	bool is_back; /* from high to low */
};

/* Some services of a passage. */
struct stretch {
	uint32_t lo, hi; /* table << 16 | number */
	uint32_t rule;
	bool is_back;
};

struct director {
	struct linter *linter;
	struct map seen; /* from, to and services of the rules that were taken */
	VEC(struct passage) passages;
	VEC(struct stretch) stretches; /* of two zones */
	uint64_t *told;                /* rules */
};

static void add_passage(struct director *d, uint32_t rule, uint32_t from, uint32_t to)
{
	bool is_back = from > to;

	if (from == to || from == lint_no_zone(d->linter) || to == lint_no_zone(d->linter))
		return;
	vec_push(&d->passages,
		 (struct passage){is_back ? to : from, is_back ? from : to, rule, is_back});
}

static void report(struct director *d, const uint32_t zones[static 2], uint32_t one, uint32_t two)
{
	const struct policy *p = d->linter->policy;
	const struct rule *later = &p->rules.items[one > two ? one : two];
	const struct rule *other = &p->rules.items[one > two ? two : one];

	if (bitset_has(d->told, (size_t)(later - p->rules.items)))
		return;
	bitset_add(d->told, (size_t)(later - p->rules.items));
	diag_finding(
		d->linter->diags, "BH008", later->at,
		"rule '%s' lets zones '%s' and '%s' open the same service to each other%s%s%s; "
		"let one side open it",
		later->name, p->zones.items[zones[0]].name, p->zones.items[zones[1]].name,
		other == later ? "" : ", with rule '", other == later ? "" : other->name,
		other == later ? "" : "'");
	if (other != later)
		diag_note(d->linter->diags, other->at, "rule '%s' is here", other->name);
}

/* Two zones that are both in either end: the rule is its own other direction. */
static bool is_mutual(const struct director *d, struct list from, struct list to,
		      uint32_t ret_zones[static 2])
{
	size_t count = 0;

	for (size_t i = 0, j = 0; i < from.count && j < to.count && count < 2;) {
		if (from.items[i] == to.items[j] && from.items[i] != lint_no_zone(d->linter))
			ret_zones[count++] = from.items[i];
		if (from.items[i] <= to.items[j])
			i++;
		else
			j++;
	}
	return count == 2;
}

static void add_rule(struct director *d, uint32_t rule)
{
	const struct linter *l = d->linter;
	const struct atom_rule *atom = &l->atoms.rules.items[rule];
	const uint32_t key[] = {l->set_of[atom->from], l->set_of[atom->to], atom->services};
	struct list from = lint_zones(l, atom->from), to = lint_zones(l, atom->to);
	uint32_t zones[2];
	bool is_new;

	map_put(&d->seen, key, sizeof(key), 0, &is_new);
	if (!is_new)
		return;
	if (is_mutual(d, from, to, zones)) {
		report(d, zones, rule, rule);
		return;
	}
	for (size_t i = 0; i < from.count; i++) {
		for (size_t j = 0; j < to.count; j++)
			add_passage(d, rule, from.items[i], to.items[j]);
	}
}

static int passage_cmp(const void *left, const void *right)
{
	const struct passage *a = left, *b = right;

	if (a->low != b->low)
		return a->low < b->low ? -1 : 1;
	if (a->high != b->high)
		return a->high < b->high ? -1 : 1;
	return (a->rule > b->rule) - (a->rule < b->rule);
}

static int stretch_cmp(const void *left, const void *right)
{
	const struct stretch *a = left, *b = right;

	if (a->lo != b->lo)
		return a->lo < b->lo ? -1 : 1;
	return (a->rule > b->rule) - (a->rule < b->rule);
}

/* Two stretches of one service, there and back; the first, if there are any. */
static bool find_common(const struct director *d, const struct stretch *ret[static 2])
{
	/* Of what goes there, and back: the one that reaches furthest so far. */
	const struct stretch *furthest[2] = {};

	vec_foreach (stretch, &d->stretches) {
		const struct stretch *other = furthest[!stretch->is_back];
		const struct stretch **own = &furthest[stretch->is_back];

		if (other && other->hi >= stretch->lo) {
			ret[0] = other;
			ret[1] = stretch;
			return true;
		}
		if (!*own || (*own)->hi < stretch->hi)
			*own = stretch;
	}
	return false;
}

/* The passages between two zones. */
static void check_zones(struct director *d, const struct passage *passages, size_t count)
{
	const uint32_t zones[] = {passages->low, passages->high};
	const struct stretch *common[2];
	size_t back = 0;

	for (size_t i = 0; i < count; i++)
		back += passages[i].is_back;
	if (!back || back == count)
		return;
	d->stretches.count = 0;
	for (size_t i = 0; i < count; i++) {
		uint32_t rule = passages[i].rule;

		vec_foreach (range, &d->linter->policy->rules.items[rule].services)
			vec_push(&d->stretches,
				 (struct stretch){(uint32_t)range->table << 16 | range->lo,
						  (uint32_t)range->table << 16 | range->hi, rule,
						  passages[i].is_back});
	}
	qsort(d->stretches.items, d->stretches.count, sizeof(*d->stretches.items), stretch_cmp);
	if (find_common(d, common))
		report(d, zones, common[0]->rule, common[1]->rule);
}

static void check_passages(struct director *d)
{
	const struct passage *all = d->passages.items;
	size_t next;

	if (d->passages.count)
		qsort(d->passages.items, d->passages.count, sizeof(*d->passages.items),
		      passage_cmp);
	for (size_t i = 0; i < d->passages.count; i = next) {
		for (next = i + 1; next < d->passages.count && all[next].low == all[i].low &&
				   all[next].high == all[i].high;)
			next++;
		check_zones(d, all + i, next - i);
	}
}

void lint_directions(struct linter *l)
{
	_free_ uint64_t *told = bitset_new(l->policy->rules.count);
	struct director d = {.linter = l, .told = told};

	for (uint32_t i = 0; i < l->policy->rules.count; i++) {
		const struct rule *rule = &l->policy->rules.items[i];

		if (lint_allows(l, rule) && !lint_is_anyone(rule->from))
			add_rule(&d, i);
	}
	check_passages(&d);
	map_release(&d.seen);
	vec_release(&d.passages);
	vec_release(&d.stretches);
}
