/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/address_range.h"

#include <arpa/inet.h>

#define BITS 128

address_number addr_number(const struct bh_addr *a)
{
	address_number n = 0;

	for (size_t i = 0; i < COUNT(a->word); i++)
		n = n << 32 | ntohl(a->word[i]);
	return n;
}

struct bh_addr addr_of_number(address_number n)
{
	struct bh_addr a;

	for (size_t i = COUNT(a.word); i-- > 0; n >>= 32)
		a.word[i] = htonl((uint32_t)n);
	return a;
}

struct address_range prefix_range(const struct prefix *p)
{
	struct bh_addr last = prefix_last(p);

	return (struct address_range){addr_number(&p->addr), addr_number(&last)};
}

static int range_cmp(const void *a, const void *b)
{
	const struct address_range *x = a, *y = b;
	bool is_v4 = address_number_is_v4(x->lo);

	if (is_v4 != address_number_is_v4(y->lo))
		return is_v4 ? -1 : 1;
	return (x->lo > y->lo) - (x->lo < y->lo);
}

/* Nothing of the same family is between the two; all of IPv4 is nothing to IPv6. */
static bool is_next(const struct address_range *a, const struct address_range *b)
{
	if (address_number_is_v4(a->lo) != address_number_is_v4(b->lo))
		return false;
	return a->hi + 1 == b->lo || (a->hi + 1 == V4_NUMBER_FIRST && b->lo == V4_NUMBER_LAST + 1);
}

void address_ranges_normalise(address_ranges *r)
{
	size_t kept = 0;

	if (r->count < 2)
		return;
	qsort(r->items, r->count, sizeof(*r->items), range_cmp);
	for (size_t i = 1; i < r->count; i++) {
		if (is_next(&r->items[kept], &r->items[i]))
			r->items[kept].hi = r->items[i].hi;
		else
			r->items[++kept] = r->items[i];
	}
	r->count = kept + 1;
}

static unsigned int zeros_at_end(address_number n)
{
	if ((uint64_t)n)
		return (unsigned int)__builtin_ctzll((uint64_t)n);
	return n ? 64 + (unsigned int)__builtin_ctzll((uint64_t)(n >> 64)) : BITS;
}

static unsigned int zeros_at_start(address_number n)
{
	if (n >> 64)
		return (unsigned int)__builtin_clzll((uint64_t)(n >> 64));
	return n ? 64 + (unsigned int)__builtin_clzll((uint64_t)n) : BITS;
}

/* The last number of the widest prefix that starts at @lo and doesn't pass @hi. */
static address_number widest(address_number lo, address_number hi, unsigned int *ret_bits)
{
	unsigned int bits = zeros_at_end(lo);
	address_number last;

	for (;; bits--) {
		last = bits == BITS ? ADDRESS_NUMBER_MAX : lo + (((address_number)1 << bits) - 1);
		if (last <= hi)
			break;
	}
	*ret_bits = bits;
	return last;
}

static void cover_range(const struct address_range *range, prefix_list *out)
{
	address_number lo = range->lo, last;
	unsigned int bits;

	for (;; lo = last + 1) {
		last = widest(lo, range->hi, &bits);
		vec_push(out, (struct prefix){addr_of_number(lo), (uint8_t)(BITS - bits)});
		if (last == range->hi)
			return;
	}
}

void address_ranges_cover(const address_ranges *r, prefix_list *out)
{
	vec_foreach (range, r)
		cover_range(range, out);
}

struct prefix address_ranges_hull(const struct address_range *first, size_t count)
{
	address_number lo = first->lo, hi = first[count - 1].hi;
	unsigned int len = zeros_at_start(lo ^ hi);
	address_number mask = len ? ADDRESS_NUMBER_MAX << (BITS - len) : 0;

	return (struct prefix){addr_of_number(lo & mask), (uint8_t)len};
}

/* What lies between two addresses, both excluded from IPv4's range where that isn't meant. */
static void add_between(address_number lo, address_number hi, bool is_v4, address_ranges *out)
{
	if (!is_v4 && lo == V4_NUMBER_FIRST)
		lo = V4_NUMBER_LAST + 1;
	if (!is_v4 && hi == V4_NUMBER_LAST)
		hi = V4_NUMBER_FIRST - 1;
	if (lo <= hi)
		vec_push(out, (struct address_range){lo, hi});
}

void address_ranges_beside(const struct address_range *first, size_t count,
			   const struct prefix *hull, address_ranges *out)
{
	struct address_range all = prefix_range(hull);
	bool is_v4 = prefix_is_v4(hull);
	address_number at = all.lo;

	for (size_t i = 0; i < count; i++) {
		if (at < first[i].lo)
			add_between(at, first[i].lo - 1, is_v4, out);
		at = first[i].hi + 1;
	}
	if (count && first[count - 1].hi < all.hi)
		add_between(at, all.hi, is_v4, out);
}
