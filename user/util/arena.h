/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Memory that is taken in small pieces and given back all at once.  A zeroed arena is empty. */
#ifndef UTIL_ARENA_H
#define UTIL_ARENA_H

#include <stddef.h>

struct arena_chunk;

struct arena {
	struct arena_chunk *chunks; /* the newest first: the one with room */
	size_t room;                /* bytes left in it */
};

/* Zeroed, aligned for any type. */
void *arena_alloc(struct arena *a, size_t size);

/* A copy of @len bytes, and NUL. */
char *arena_text(struct arena *a, const char *s, size_t len);

/* Everything is given back; what is taken then may lie where that lay. */
void arena_clear(struct arena *a);
void arena_release(struct arena *a);

#endif
