/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/diff_cover.h"

#include "util/mem.h"

#define PARTIAL_TRIES 16 /* names with some of the set, and more */

void namer_init(struct namer *n, const struct diff_names *names)
{
	*n = (struct namer){
		.names = names,
		.mark = xcalloc(names->a->identities.count + 1, sizeof(*n->mark)),
		.count = xcalloc(names->meanings.count + 1, sizeof(*n->count)),
	};
}

void namer_release(struct namer *n)
{
	free(n->mark);
	free(n->count);
}

static size_t meaning_size(const struct namer *n, uint32_t meaning)
{
	return lists_get(&n->names->members, meaning).count;
}

/* Counts how many of the set each meaning has, and lists those that have any. */
static void count_meanings(struct namer *n, struct list set, numbers *touched)
{
	for (size_t i = 0; i < set.count; i++) {
		struct list meanings = lists_get(&n->names->of_identity, set.items[i]);

		for (size_t k = 0; k < meanings.count; k++) {
			if (!n->count[meanings.items[k]]++)
				vec_push(touched, meanings.items[k]);
		}
	}
}

static void uncount_meanings(struct namer *n, const numbers *touched)
{
	vec_foreach (meaning, touched)
		n->count[*meaning] = 0;
}

/* Clear names first, then what says more, then file order. */
static int worth_cmp(const void *a, const void *b, void *context)
{
	const uint32_t *x = a, *y = b;
	const struct namer *n = context;
	bool is_clear = n->names->meanings.items[*x].reading == READ_ALIKE;
	size_t size = meaning_size(n, *x), other = meaning_size(n, *y);

	if (is_clear != (n->names->meanings.items[*y].reading == READ_ALIKE))
		return is_clear ? -1 : 1;
	if (size != other)
		return size > other ? -1 : 1;
	return (*x > *y) - (*x < *y);
}

static void sort_by_worth(struct namer *n, numbers *meanings)
{
	if (meanings->count)
		qsort_r(meanings->items, meanings->count, sizeof(*meanings->items), worth_cmp, n);
}

static uint32_t mark_set(struct namer *n, struct list set)
{
	n->round++;
	for (size_t i = 0; i < set.count; i++)
		n->mark[set.items[i]] = n->round;
	return n->round;
}

/* Takes a meaning's members out of what is marked; false if none of them was. */
static bool take(struct namer *n, uint32_t meaning, uint32_t mark)
{
	struct list members = lists_get(&n->names->members, meaning);
	bool is_taken = false;

	for (size_t i = 0; i < members.count; i++) {
		if (n->mark[members.items[i]] != mark)
			continue;
		n->mark[members.items[i]] = 0;
		is_taken = true;
	}
	return is_taken;
}

static void cover_rest(struct namer *n, struct list set, uint32_t mark, struct diff_cover *out)
{
	address_ranges ranges = {};
	numbers rest = {};

	for (size_t i = 0; i < set.count; i++) {
		if (n->mark[set.items[i]] == mark)
			vec_push(&rest, set.items[i]);
	}
	diff_names_ranges(n->names, (struct list){rest.items, rest.count}, &ranges);
	address_ranges_cover(&ranges, &out->rest);
	vec_release(&ranges);
	vec_release(&rest);
}

void diff_cover_set(struct namer *n, struct list set, bool has_labels, struct diff_cover *out)
{
	numbers touched = {};
	uint32_t mark;

	count_meanings(n, set, &touched);
	sort_by_worth(n, &touched);
	mark = mark_set(n, set);
	vec_foreach (meaning, &touched) {
		bool is_usable = has_labels || !n->names->meanings.items[*meaning].is_label;

		if (is_usable && n->count[*meaning] == meaning_size(n, *meaning) &&
		    take(n, *meaning, mark))
			vec_push(&out->meanings, *meaning);
	}
	uncount_meanings(n, &touched);
	vec_release(&touched);
	numbers_sort(&out->meanings);
	cover_rest(n, set, mark, out);
}

void diff_cover_release(struct diff_cover *c)
{
	vec_release(&c->meanings);
	vec_release(&c->rest);
}

void namer_sift(struct namer *n, struct list set, struct list other, bool is_common, numbers *out)
{
	uint32_t mark = mark_set(n, other);

	out->count = 0;
	for (size_t i = 0; i < set.count; i++) {
		if ((n->mark[set.items[i]] == mark) == is_common)
			vec_push(out, set.items[i]);
	}
}

/* By how many the set lacks. */
static int lack_cmp(const void *a, const void *b, void *context)
{
	const uint32_t *x = a, *y = b;
	const struct namer *n = context;
	size_t lack = meaning_size(n, *x) - n->count[*x];
	size_t other = meaning_size(n, *y) - n->count[*y];

	if (lack != other)
		return lack < other ? -1 : 1;
	return worth_cmp(a, b, context);
}

void namer_list_partial(struct namer *n, struct list set, bool has_labels, numbers *out)
{
	numbers touched = {};

	count_meanings(n, set, &touched);
	if (touched.count)
		qsort_r(touched.items, touched.count, sizeof(*touched.items), lack_cmp, n);
	vec_foreach (meaning, &touched) {
		bool is_usable = has_labels || !n->names->meanings.items[*meaning].is_label;

		if (is_usable && n->count[*meaning] < meaning_size(n, *meaning) &&
		    out->count < PARTIAL_TRIES)
			vec_push(out, *meaning);
	}
	uncount_meanings(n, &touched);
	vec_release(&touched);
}

void namer_list_others(struct namer *n, struct list set, numbers *out)
{
	uint32_t mark = mark_set(n, set);

	for (uint32_t i = 0; i < n->names->a->identities.count; i++) {
		if (n->mark[i] != mark)
			vec_push(out, i);
	}
}
