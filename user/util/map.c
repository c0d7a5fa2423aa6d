/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/map.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "util/mem.h"

#define MAP_FIRST  16 /* entries */
#define KEY_INLINE 16 /* bytes: an address needs no memory of its own */

/* Two to a cache line: there are maps of many addresses. */
struct map_entry {
	uint32_t hash; /* 0: unused */
	uint32_t len;
	uint64_t value;
	union {
		unsigned char bytes[KEY_INLINE];
		const void *far; /* in map.keys */
	} key;
};

static uint64_t mix(uint64_t h)
{
	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93ull;
	return h ^ h >> 32;
}

static uint64_t word_at(const unsigned char *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return word;
}

uint64_t hash_bytes(const void *bytes, size_t len, uint64_t seed)
{
	const uint64_t factor = 0x9fb21c651e98df25ull;
	const unsigned char *p = bytes;
	uint64_t h = mix(seed ^ 0x9e3779b97f4a7c15ull) + len, other = ~h, word = 0;

	/* Two at a time, since each waits for the one before it. */
	for (; len >= 2 * sizeof(word); len -= 2 * sizeof(word), p += 2 * sizeof(word)) {
		h = mix(h ^ word_at(p)) * factor;
		other = mix(other ^ word_at(p + sizeof(word))) * factor;
	}
	h ^= mix(other);
	for (; len >= sizeof(word); len -= sizeof(word), p += sizeof(word))
		h = mix(h ^ word_at(p)) * factor;
	if (len) {
		memcpy(&word, p, len);
		h = mix(h ^ word) * factor;
	}
	return mix(mix(h));
}

static uint32_t half_at(const unsigned char *p)
{
	uint32_t half;

	memcpy(&half, p, sizeof(half));
	return half;
}

/* Both halves of the product: each bit of it depends on many of both factors. */
static uint64_t fold(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Of the last bytes, first and last ones are taken, which may overlap. */
uint32_t hash_key(const void *key, size_t len)
{
	const uint64_t factor = 0x9fb21c651e98df25ull, other = 0xd6e8feb86659fd93ull;
	const unsigned char *p = key;
	uint64_t h = (len + 1) * 0x9e3779b97f4a7c15ull, first = 0, last = 0;

	for (; len > 2 * sizeof(h); len -= 2 * sizeof(h), p += 2 * sizeof(h))
		h = fold(word_at(p) ^ factor, word_at(p + sizeof(h)) ^ h);
	if (len >= sizeof(h)) {
		first = word_at(p);
		last = word_at(p + len - sizeof(h));
	} else if (len >= sizeof(uint32_t)) {
		first = half_at(p);
		last = half_at(p + len - sizeof(uint32_t));
	} else if (len) {
		first = (uint64_t)p[0] << 16 | (uint64_t)p[len / 2] << 8 | p[len - 1];
	}
	h = fold(first ^ factor, last ^ h);
	h = fold(h ^ other, factor);
	return (uint32_t)(h ^ h >> 32);
}

static uint32_t key_hash(const void *key, size_t len)
{
	assert(len <= UINT32_MAX);
	return hash_key(key, len) | 1u << 31;
}

static const void *entry_key(const struct map_entry *e)
{
	return e->len > KEY_INLINE ? e->key.far : e->key.bytes;
}

static bool entry_is(const struct map_entry *e, uint32_t hash, const void *key, size_t len)
{
	return e->hash == hash && e->len == len && (!len || !memcmp(entry_key(e), key, len));
}

/* The entry of the key, or the unused one where it belongs; the map has an unused one. */
static struct map_entry *map_find(const struct map *m, uint32_t hash, const void *key, size_t len)
{
	size_t i = hash & (m->size - 1);

	while (m->entries[i].hash && !entry_is(&m->entries[i], hash, key, len))
		i = (i + 1) & (m->size - 1);
	return &m->entries[i];
}

static void map_resize(struct map *m, size_t size)
{
	struct map grown = {.count = m->count, .size = size, .keys = m->keys};

	grown.entries = xcalloc(grown.size, sizeof(*grown.entries));
	for (size_t i = 0; i < m->size; i++) {
		const struct map_entry *e = &m->entries[i];

		if (e->hash)
			*map_find(&grown, e->hash, entry_key(e), e->len) = *e;
	}
	free(m->entries);
	*m = grown;
}

/* Keeps a quarter unused, so that searches stay short and end. */
static bool has_room(size_t size, size_t count)
{
	return count < size - size / 4;
}

static void map_room(struct map *m)
{
	if (!has_room(m->size, m->count))
		map_resize(m, m->size ? m->size * 2 : MAP_FIRST);
}

void map_reserve(struct map *m, size_t count)
{
	size_t size = m->size ? m->size : MAP_FIRST;

	while (!has_room(size, m->count + count))
		size *= 2;
	if (size > m->size)
		map_resize(m, size);
}

static void entry_fill(struct map *m, struct map_entry *e, uint32_t hash, const void *key,
		       size_t len)
{
	e->hash = hash;
	e->len = (uint32_t)len;
	if (len > KEY_INLINE)
		e->key.far = arena_copy(&m->keys, key, len, 1);
	else if (len)
		memcpy(e->key.bytes, key, len);
}

uint64_t *map_get(const struct map *m, const void *key, size_t len)
{
	struct map_entry *e;

	if (!m->count)
		return NULL;
	e = map_find(m, key_hash(key, len), key, len);
	return e->hash ? &e->value : NULL;
}

uint64_t *map_put(struct map *m, const void *key, size_t len, uint64_t fresh, bool *ret_is_new)
{
	uint32_t hash = key_hash(key, len);
	struct map_entry *e;
	bool is_new;

	map_room(m);
	e = map_find(m, hash, key, len);
	is_new = !e->hash;
	if (is_new) {
		entry_fill(m, e, hash, key, len);
		e->value = fresh;
		m->count++;
	}
	if (ret_is_new)
		*ret_is_new = is_new;
	return &e->value;
}

void map_release(struct map *m)
{
	arena_release(&m->keys);
	free(m->entries);
	*m = (struct map){};
}
