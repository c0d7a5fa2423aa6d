/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Memory that is taken in small pieces and given back all at once.  A zeroed arena is empty. */
#ifndef UTIL_ARENA_H
#define UTIL_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena_chunk {
	struct arena_chunk *next;
	size_t size;
	_Alignas(max_align_t) char bytes[];
};

struct arena {
	struct arena_chunk *chunks; /* the newest first: the one with room */
	size_t room;                /* bytes left in it */
	size_t taken;               /* bytes of all of them */
	bool is_brief;              /* it is filled at once, and soon given back as a whole */
};

/* Zeroed, aligned for any type. */
void *arena_alloc(struct arena *a, size_t size);

/* Of an arena with too little room. */
void *arena_take_new(struct arena *a, size_t size);

/* The same, with whatever is in it, and aligned so. */
static inline void *arena_take(struct arena *a, size_t size, size_t align)
{
	/* A chunk's size is aligned for any type, so what is aligned leaves a room that is. */
	size_t skip = a->room % align;

	if (size + skip > a->room)
		return arena_take_new(a, size);
	a->room -= size + skip;
	return a->chunks->bytes + (a->chunks->size - a->room - size);
}

/* A copy of what has @size bytes, for items of which @align is right. */
void *arena_copy(struct arena *a, const void *from, size_t size, size_t align);

/* A copy of @len bytes, and NUL. */
char *arena_text(struct arena *a, const char *s, size_t len);

/* Everything is given back; what is taken then may lie where that lay. */
void arena_clear(struct arena *a);
void arena_release(struct arena *a);

#endif
