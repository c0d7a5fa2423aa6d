/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Growing arrays of any type: `VEC(struct rule) rules`.  A zeroed one is empty.  One that has
 * items, but room for none, has them from elsewhere: it makes itself a copy before it grows.
 */
#ifndef UTIL_VEC_H
#define UTIL_VEC_H

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define VEC(type)                                                                                  \
	struct {                                                                                   \
		type *items;                                                                       \
		size_t count;                                                                      \
		size_t size; /* items that there is room for */                                    \
	}

/* Appends a value: vec_push(&v, item).  Pointers into the vector are invalid afterwards. */
#define vec_push(v, ...)                                                                           \
	do {                                                                                       \
		if ((v)->count >= (v)->size)                                                       \
			vec_reserve(v, 1);                                                         \
		(v)->items[(v)->count++] = __VA_ARGS__;                                            \
	} while (0)

/* Appends @n items; @from may be NULL if there are none. */
#define vec_append(v, from, n)                                                                     \
	do {                                                                                       \
		size_t n_ = (n);                                                                   \
		vec_reserve(v, n_);                                                                \
		if (n_)                                                                            \
			memcpy((v)->items + (v)->count, (from), n_ * sizeof(*(v)->items));         \
		(v)->count += n_;                                                                  \
	} while (0)

/* Makes room for @n more items at once. */
#define vec_reserve(v, n)                                                                          \
	((v)->items = vec_grow((v)->items, (v)->count, (n), &(v)->size, sizeof(*(v)->items)))

/* Puts a value before the item at @at, or at the end. */
#define vec_insert(v, at, ...)                                                                     \
	do {                                                                                       \
		size_t at_ = (at);                                                                 \
		vec_push(v, __VA_ARGS__);                                                          \
		typeof(*(v)->items) last_ = (v)->items[(v)->count - 1];                            \
		memmove((v)->items + at_ + 1, (v)->items + at_,                                    \
			((v)->count - 1 - at_) * sizeof(*(v)->items));                             \
		(v)->items[at_] = last_;                                                           \
	} while (0)

#define vec_remove(v, at)                                                                          \
	do {                                                                                       \
		size_t at_ = (at);                                                                 \
		(v)->count--;                                                                      \
		memmove((v)->items + at_, (v)->items + at_ + 1,                                    \
			((v)->count - at_) * sizeof(*(v)->items));                                 \
	} while (0)

#define vec_foreach(item, v)                                                                       \
	for (typeof((v)->items + 0) item = (v)->items;                                             \
	     (v)->count && item < (v)->items + (v)->count; item++)

/* Frees the array, not what its items own; the vector is empty again. */
#define vec_release(v)                                                                             \
	do {                                                                                       \
		if ((v)->size)                                                                     \
			free((v)->items);                                                          \
		(v)->items = NULL;                                                                 \
		(v)->count = (v)->size = 0;                                                        \
	} while (0)

/* Room for @more items; at least doubles, so that pushes cost amortised constant time. */
void *vec_grow(void *items, size_t count, size_t more, size_t *size, size_t item_size);

#endif
