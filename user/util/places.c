/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/places.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "util/mem.h"

#define SIZE_FIRST 16
#define GONE       UINT64_MAX

uint64_t *places_find(const struct places *p, const struct places_kind *kind, uint64_t hash,
		      const void *key)
{
	if (!p->count)
		return NULL;
	for (size_t i = hash & (p->size - 1); p->slots[i]; i = (i + 1) & (p->size - 1)) {
		if (p->slots[i] != GONE && kind->is(kind->user, p->slots[i], key))
			return &p->slots[i];
	}
	return NULL;
}

static void put(struct places *p, uint64_t hash, uint64_t word)
{
	size_t i = hash & (p->size - 1);

	while (p->slots[i] && p->slots[i] != GONE)
		i = (i + 1) & (p->size - 1);
	p->used += !p->slots[i];
	p->count++;
	p->slots[i] = word;
}

/* Keeps a quarter unused, so that searches stay short and end. */
static bool has_room(size_t size, size_t count)
{
	return count < size - size / 4;
}

void places_reserve(struct places *p, const struct places_kind *kind, size_t count)
{
	struct places fresh = {.size = SIZE_FIRST};

	if (has_room(p->size, p->used + count))
		return;
	/* Not at once again for those that go and come. */
	while (!has_room(fresh.size, p->count + p->count / 4 + count))
		fresh.size *= 2;
	fresh.slots = xcalloc(fresh.size, sizeof(*fresh.slots));
	for (size_t i = 0; i < p->size; i++) {
		if (p->slots[i] && p->slots[i] != GONE)
			put(&fresh, kind->hash(kind->user, p->slots[i]), p->slots[i]);
	}
	free(p->slots);
	*p = fresh;
}

void places_add(struct places *p, const struct places_kind *kind, uint64_t word)
{
	assert(word && word != GONE);
	places_reserve(p, kind, 1);
	put(p, kind->hash(kind->user, word), word);
}

void places_drop(struct places *p, uint64_t *place)
{
	*place = GONE;
	p->count--;
}

void places_copy(const struct places *p, struct places *ret)
{
	size_t bytes = p->size * sizeof(*p->slots);

	*ret = *p;
	if (bytes)
		ret->slots = memcpy(xmalloc(bytes), p->slots, bytes);
}

void places_release(struct places *p)
{
	free(p->slots);
	*p = (struct places){};
}
