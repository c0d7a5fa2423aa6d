/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* An image's prefixes as the hash table that programs search (bulkhead/tables.h). */
#ifndef POLICY_PREFIX_TABLE_H
#define POLICY_PREFIX_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include <bulkhead/tables.h>

#include "util/cleanup.h"

struct image;

struct prefix_table {
	struct bh_prefixes head;      /* its lines begin at 0 */
	struct bh_prefix_line *lines; /* with those of starts */
	size_t line_count;
	size_t entries; /* prefixes and waypoints, and runs */
};

/* Prefixes and waypoints of an image, and runs. */
size_t prefix_table_entries(const struct image *image);

/* Lines that prefix_table_build() takes if there is room. */
size_t prefix_table_lines(const struct image *image);

/*
 * In at most @room lines; all that is in it has been found by the programs' way of looking.  What
 * is equal in two images is in the same lines of both tables, unless these are of another size.
 * -E2BIG: it doesn't fit; @ret then has nothing but the number of entries.
 */
int prefix_table_build(const struct image *image, const struct bh_prefix_hash *hash, size_t room,
		       struct prefix_table *ret);
void prefix_table_release(struct prefix_table *table);
#define _prefix_table_ _cleanup_(prefix_table_release)

/* --- lines of a table, which programs may be reading; its first is lines[0] --- */

/* The same lookup as the programs make. */
uint32_t prefix_lines_identity(const struct bh_prefix_line *lines, const struct bh_prefixes *head,
			       const struct bh_addr *a);

/* Enters a whole address or gives it another word.  -ENOSPC: the lines that it may be in are full.
 */
int prefix_lines_put(struct bh_prefix_line *lines, const struct bh_prefixes *head,
		     const struct bh_prefix *entry);

/*
 * For an entry for which there was no place: another one moves out of its lines, if one can, whose
 * place is free after prefix_lines_forget().  Programs may be reading.
 */
void prefix_lines_clear_way(struct bh_prefix_line *lines, const struct bh_prefixes *head,
			    const struct bh_prefix *entry);

/* As prefix_lines_put(), of a new one; moves others.  Only while no program reads these lines. */
int prefix_lines_fit(struct bh_prefix_line *lines, const struct bh_prefixes *head,
		     const struct bh_prefix *entry);

/*
 * Takes out a whole address, which has the identity of what is around it from now on: the entry's.
 * The run that was begun for it stays.
 */
void prefix_lines_drop(struct bh_prefix_line *lines, const struct bh_prefixes *head,
		       const struct bh_prefix *entry);

/* Frees what others moved out of.  Only if no program runs that began before the last one did. */
void prefix_lines_forget(struct bh_prefix_line *lines, const struct bh_prefixes *head);

/* A whole address as an entry. */
struct bh_prefix prefix_entry_of(const struct bh_addr *a, uint32_t identity);

/* What has the first @len bits of @p, at least one, with identity 0. */
struct bh_prefix prefix_entry_cut(const struct bh_prefix *p, uint32_t len);

/* How many entries there are. */
uint64_t prefix_lines_used(const struct bh_prefix_line *lines, const struct bh_prefixes *head);

/* Where a search for an IPv4 address starts. */
__u64 *prefix_lines_start(struct bh_prefix_line *lines, const struct bh_prefix *p);

#endif
