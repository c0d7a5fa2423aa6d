/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A hash table from byte strings to 64-bit values.  Keys are copied in.  A zeroed one is empty. */
#ifndef UTIL_MAP_H
#define UTIL_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/arena.h"

struct map_entry;

struct map {
	struct map_entry *entries; /* open addressing; size is a power of two */
	size_t count;
	size_t size;
	struct arena keys; /* long ones */
};

/* The value's place, for reading or writing, until the next put; NULL if there is none. */
uint64_t *map_get(const struct map *m, const void *key, size_t len);

/* The value's place, made with value @fresh if there was none; *ret_is_new may be NULL. */
uint64_t *map_put(struct map *m, const void *key, size_t len, uint64_t fresh, bool *ret_is_new);

/* Makes room for so many more entries at once. */
void map_reserve(struct map *m, size_t count);

void map_release(struct map *m);

/* FNV-like mixing of @len bytes; stable within a process, not a defence against an attacker. */
uint64_t hash_bytes(const void *bytes, size_t len, uint64_t seed);

/* A quicker one, for tables in memory, whose keys are short. */
uint32_t hash_key(const void *key, size_t len);

#endif
