/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which of many things that are kept elsewhere, by number, is like this one.  A few bytes for each,
 * where a map has its key, too.  A zeroed one is empty.
 */
#ifndef UTIL_NUMBERING_H
#define UTIL_NUMBERING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct numbering_place {
	uint32_t hash;
	uint32_t number; /* of the thing, plus 1; 0: free */
};

struct numbering {
	struct numbering_place *places; /* open addressing; at least half are free */
	size_t size;                    /* a power of two */
	size_t count;
};

/* Makes room for so many more at once. */
void numbering_reserve(struct numbering *n, size_t more);
void numbering_release(struct numbering *n);

/* Whether the thing of that number is the one that @what describes. */
typedef bool (*numbering_is)(const void *what, uint32_t number);

/* The place of the thing, or the free one where it belongs; there is room. */
static inline struct numbering_place *numbering_at(const struct numbering *n, uint32_t hash,
						   numbering_is is, const void *what)
{
	struct numbering_place *place;

	for (size_t i = hash & (n->size - 1);; i = (i + 1) & (n->size - 1)) {
		place = &n->places[i];
		if (!place->number || (place->hash == hash && is(what, place->number - 1)))
			return place;
	}
}

/* The same; a free place counts as taken, and the caller fills its number in. */
static inline struct numbering_place *numbering_find(struct numbering *n, uint32_t hash,
						     numbering_is is, const void *what)
{
	struct numbering_place *place;

	if (n->count * 2 >= n->size)
		numbering_reserve(n, 1);
	place = numbering_at(n, hash, is, what);
	if (!place->number) {
		place->hash = hash;
		n->count++;
	}
	return place;
}

#endif
