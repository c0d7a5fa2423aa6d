/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sets of addresses as ranges of numbers.  The IPv4 range lies within, and belongs to no IPv6. */
#ifndef UTIL_ADDRESS_RANGE_H
#define UTIL_ADDRESS_RANGE_H

#include "util/address.h"
#include "util/vec.h"

typedef unsigned __int128 address_number;

#define ADDRESS_NUMBER_MAX (~(address_number)0)
#define V4_NUMBER_FIRST    ((address_number)0xffff << 32)
#define V4_NUMBER_LAST     (V4_NUMBER_FIRST + UINT32_MAX)

struct address_range {
	address_number lo, hi; /* inclusive, of one family */
};
typedef VEC(struct address_range) address_ranges;
typedef VEC(struct prefix) prefix_list;

address_number addr_number(const struct bh_addr *a);
struct bh_addr addr_of_number(address_number n);
struct address_range prefix_range(const struct prefix *p);

static inline bool address_number_is_v4(address_number n)
{
	return n >= V4_NUMBER_FIRST && n <= V4_NUMBER_LAST;
}

/* Sorts and joins ranges; they don't overlap before.  Families stay apart, IPv4 first. */
void address_ranges_normalise(address_ranges *r);

/* Appends the fewest prefixes that are exactly these normalised ranges. */
void address_ranges_cover(const address_ranges *r, prefix_list *out);

/* The narrowest prefix around normalised ranges @first.. of one family, @count of them. */
struct prefix address_ranges_hull(const struct address_range *first, size_t count);

/* Appends what @hull has beside these normalised ranges within it. */
void address_ranges_beside(const struct address_range *first, size_t count,
			   const struct prefix *hull, address_ranges *out);

#endif
