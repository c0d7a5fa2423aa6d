/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/list_pool.h"

#include <string.h>

static int number_cmp(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

void numbers_sort(numbers *n)
{
	if (n->count)
		qsort(n->items, n->count, sizeof(*n->items), number_cmp);
}

uint32_t list_pool_add(struct list_pool *p, const uint32_t *items, size_t count)
{
	size_t size = count * sizeof(*items);
	bool is_new;
	uint64_t *number = map_put(&p->known, items, size, p->lists.count, &is_new);
	uint32_t *copy;

	if (is_new) {
		copy = count ? arena_alloc(&p->memory, size) : NULL;
		if (count)
			memcpy(copy, items, size);
		vec_push(&p->lists, (struct list){copy, count});
	}
	return (uint32_t)*number;
}

void list_pool_release(struct list_pool *p)
{
	map_release(&p->known);
	arena_release(&p->memory);
	vec_release(&p->lists);
}
