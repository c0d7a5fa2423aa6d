/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The least writes from one prefix table to another.  Pure: where they go is the caller's. */
#ifndef DATAPATH_PREFIX_DIFF_H
#define DATAPATH_PREFIX_DIFF_H

#include <stddef.h>

#include "policy/image.h"

typedef VEC(struct image_prefix) prefix_list;

/* Sorted by prefix_cmp, no two equal. */
struct prefix_table {
	const struct image_prefix *items;
	size_t count;
};

/* What to do to a table; the kernel's trie in production, an array in tests. */
struct prefix_sink {
	int (*put)(void *user, const struct image_prefix *entry); /* new, or another identity */
	int (*drop)(void *user, const struct prefix *prefix);
	void *user;
};

/*
 * Brings @now to @want with the fewest writes: one walk over both.  For the idle slot, where nobody
 * sees the states in between.  Stops at the sink's first error.
 */
int prefix_diff(const struct prefix_table *now, const struct prefix_table *want,
		const struct prefix_sink *sink);

#endif
