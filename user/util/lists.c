/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/lists.h"

#include <string.h>

#include "util/mem.h"

static int pair_cmp(const void *a, const void *b)
{
	const struct list_pair *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return (x->item > y->item) - (x->item < y->item);
}

void list_pairs_sort(list_pairs *pairs)
{
	if (pairs->count)
		qsort(pairs->items, pairs->count, sizeof(*pairs->items), pair_cmp);
}

void lists_build(struct lists *l, uint32_t keys, const list_pairs *pairs)
{
	uint32_t *start = xcalloc((size_t)keys + 2, sizeof(*start));
	uint32_t *items = xcalloc(pairs->count + 1, sizeof(*items));

	/* Counted one key too far, so that filling moves each start to where it belongs. */
	vec_foreach (pair, pairs)
		start[pair->key + 2]++;
	for (uint32_t i = 2; i < keys + 2; i++)
		start[i] += start[i - 1];
	vec_foreach (pair, pairs)
		items[start[pair->key + 1]++] = pair->item;
	*l = (struct lists){.start = start, .items = items, .keys = keys};
}

void lists_release(struct lists *l)
{
	free(l->start);
	free(l->items);
	memset(l, 0, sizeof(*l));
}
