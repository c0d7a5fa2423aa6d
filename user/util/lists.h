/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Many short lists of numbers in one array: what each key has.  A zeroed one has no keys. */
#ifndef UTIL_LISTS_H
#define UTIL_LISTS_H

#include <stddef.h>
#include <stdint.h>

#include "util/vec.h"

struct lists {
	uint32_t *start; /* keys + 1 of them: where each list begins in items */
	uint32_t *items;
	uint32_t keys;
};

struct list {
	const uint32_t *items;
	size_t count;
};

struct list_pair {
	uint32_t key;
	uint32_t item;
};
typedef VEC(struct list_pair) list_pairs;

/* By key, then by item. */
void list_pairs_sort(list_pairs *pairs);

/* Every pair's key is below @keys.  A list keeps the order that its pairs had. */
void lists_build(struct lists *l, uint32_t keys, const list_pairs *pairs);
void lists_release(struct lists *l);

static inline struct list lists_get(const struct lists *l, uint32_t key)
{
	return (struct list){l->items + l->start[key], l->start[key + 1] - l->start[key]};
}

#endif
