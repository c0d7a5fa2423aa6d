/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Lists of numbers, each kept once: equal lists have one number.  A zeroed pool is empty. */
#ifndef UTIL_LIST_POOL_H
#define UTIL_LIST_POOL_H

#include "util/arena.h"
#include "util/lists.h"
#include "util/map.h"

typedef VEC(uint32_t) numbers;

/* Ascending. */
void numbers_sort(numbers *n);

struct list_pool {
	struct map known;
	struct arena memory;
	VEC(struct list) lists;
};

/* The list's number, counted in the order of first sight. */
uint32_t list_pool_add(struct list_pool *p, const uint32_t *items, size_t count);
void list_pool_release(struct list_pool *p);

/* Valid until the pool is released. */
static inline struct list list_pool_get(const struct list_pool *p, uint32_t number)
{
	return p->lists.items[number];
}

#endif
