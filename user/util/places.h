/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A hash table of what is kept elsewhere, where its keys are, too: eight bytes a place.  A zeroed
 * one is empty.
 */
#ifndef UTIL_PLACES_H
#define UTIL_PLACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct places {
	uint64_t *slots; /* open addressing; the number is a power of two */
	size_t size;
	size_t count; /* in it */
	size_t used;  /* the same, and slots of those that went */
};

/* What a word means that is in a place: any but 0 and UINT64_MAX. */
struct places_kind {
	uint64_t (*hash)(const void *user, uint64_t word); /* of its key */
	bool (*is)(const void *user, uint64_t word, const void *key);
	const void *user;
};

/* NULL: it is not there.  Another word of the same key may be put there; good until places_add().
 */
uint64_t *places_find(const struct places *p, const struct places_kind *kind, uint64_t hash,
		      const void *key);

/* One whose key is not there. */
void places_add(struct places *p, const struct places_kind *kind, uint64_t word);

void places_drop(struct places *p, uint64_t *place);
void places_reserve(struct places *p, const struct places_kind *kind, size_t count);
void places_copy(const struct places *p, struct places *ret);
void places_release(struct places *p);

#endif
