/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sets of small numbers, one bit each, in arrays of 64-bit words. */
#ifndef UTIL_BITSET_H
#define UTIL_BITSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/mem.h"

static inline size_t bitset_words(size_t bits)
{
	return (bits + 63) / 64;
}

/* An empty set, to be freed. */
static inline uint64_t *bitset_new(size_t bits)
{
	return xcalloc(bitset_words(bits) + 1, sizeof(uint64_t));
}

static inline void bitset_add(uint64_t *set, size_t i)
{
	set[i / 64] |= UINT64_C(1) << (i % 64);
}

static inline bool bitset_has(const uint64_t *set, size_t i)
{
	return set[i / 64] >> (i % 64) & 1;
}

/* The first member that is at least @i, or @bits if there is none. */
static inline size_t bitset_next(const uint64_t *set, size_t bits, size_t i)
{
	size_t word = i / 64;
	uint64_t left;

	if (i >= bits)
		return bits;
	left = set[word] >> (i % 64) << (i % 64);
	while (!left) {
		if (++word >= bitset_words(bits))
			return bits;
		left = set[word];
	}
	i = word * 64 + (size_t)__builtin_ctzll(left);
	return i < bits ? i : bits;
}

static inline size_t bitset_count(const uint64_t *set, size_t bits)
{
	size_t n = 0;

	for (size_t i = 0; i < bitset_words(bits); i++)
		n += (size_t)__builtin_popcountll(set[i]);
	return n;
}

#endif
