/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Growing arrays of any type: `VEC(struct rule) rules`.  A zeroed one is empty. */
#ifndef UTIL_VEC_H
#define UTIL_VEC_H

#include <stddef.h>
#include <stdlib.h>

#define VEC(type)                                                                                  \
	struct {                                                                                   \
		type *items;                                                                       \
		size_t count;                                                                      \
		size_t size; /* items that there is room for */                                    \
	}

/* Appends a value: vec_push(&v, item).  Pointers into the vector are invalid afterwards. */
#define vec_push(v, ...)                                                                           \
	do {                                                                                       \
		(v)->items = vec_grow((v)->items, (v)->count + 1, &(v)->size,                      \
				      sizeof(*(v)->items));                                        \
		(v)->items[(v)->count++] = __VA_ARGS__;                                            \
	} while (0)

#define vec_foreach(item, v)                                                                       \
	for (typeof((v)->items + 0) item = (v)->items;                                             \
	     (v)->count && item < (v)->items + (v)->count; item++)

/* Frees the array, not what its items own; the vector is empty again. */
#define vec_release(v)                                                                             \
	do {                                                                                       \
		free((v)->items);                                                                  \
		(v)->items = NULL;                                                                 \
		(v)->count = (v)->size = 0;                                                        \
	} while (0)

/* Room for @want items; doubles, so that pushes cost amortised constant time. */
void *vec_grow(void *items, size_t want, size_t *size, size_t item_size);

#endif
