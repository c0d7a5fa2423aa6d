/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* An image's prefixes at random, and what trying all of them finds. */
#ifndef TESTS_PREFIXES_H
#define TESTS_PREFIXES_H

#include <arpa/inet.h>
#include <stdlib.h>

#include "policy/image.h"

static uint64_t state_of_random = 88172645463325252;

static inline uint32_t below(uint32_t bound)
{
	state_of_random ^= state_of_random << 13;
	state_of_random ^= state_of_random >> 7;
	state_of_random ^= state_of_random << 17;
	return (uint32_t)(state_of_random >> 32) % bound;
}

/* The first bits of an address. */
static inline struct prefix cut(const struct bh_addr *a, unsigned int len)
{
	struct prefix p = {*a, (uint8_t)len};

	for (unsigned int bit = len; bit < 128; bit++)
		p.addr.word[bit / 32] &= htonl(~(1u << (31 - bit % 32)));
	return p;
}

static inline int compare(const void *a, const void *b)
{
	const struct image_prefix *left = a, *right = b;

	return prefix_cmp(&left->prefix, &right->prefix);
}

/* Sorted, and of equal ones the first only. */
static inline void order(struct image *image)
{
	struct image_prefix *items = image->prefixes.items;
	size_t kept = 0;

	if (items)
		qsort(items, image->prefixes.count, sizeof(*items), compare);
	for (size_t i = 0; i < image->prefixes.count; i++) {
		if (!kept || compare(&items[i], &items[kept - 1]))
			items[kept++] = items[i];
	}
	image->prefixes.count = kept;
}

static inline uint32_t naive(const struct image *image, const struct bh_addr *a)
{
	const struct image_prefix *best = NULL;

	vec_foreach (p, &image->prefixes) {
		if (prefix_has(&p->prefix, a) && (!best || p->prefix.len > best->prefix.len))
			best = p;
	}
	return best ? best->identity : 0;
}

#endif
