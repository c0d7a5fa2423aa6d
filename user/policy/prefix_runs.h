/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The part of a prefix table in which addresses are eight by eight, or four by four, each family in
 * lines of its own (bulkhead/tables.h).
 */
#ifndef POLICY_PREFIX_RUNS_H
#define POLICY_PREFIX_RUNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bulkhead/tables.h>

/* A run by itself. */
struct run {
	bool is_v4;
	uint64_t high; /* 0 for IPv4 */
	uint64_t low;  /* BH_RUN_KEY(), BH_RUN6_LOW() */
	union bh_run_identities identity;
};

/* How many bits the addresses of a run differ in, if there are so many identities. */
uint32_t run_bits_for(size_t identities);

/* The run of an address, all of one identity. */
struct run run_of(const struct bh_prefixes *head, const struct bh_prefix *address,
		  uint32_t identity);
bool run_is_of(const struct run *run, const struct bh_prefixes *head,
	       const struct bh_prefix *address);

/* One address of a run, by its last bits. */
uint32_t run_get(const union bh_run_identities *run, const struct bh_prefixes *head,
		 uint64_t address);

/* Stores it at once.  Programs may be reading. */
void run_set(union bh_run_identities *run, const struct bh_prefixes *head, uint64_t address,
	     uint32_t identity);

/* --- in the lines of a table; its first is lines[0] --- */

/* The run of an address; NULL: it is in none. */
union bh_run_identities *runs_find(struct bh_prefix_line *lines, const struct bh_prefixes *head,
				   const struct bh_prefix *address);

/* Enters one that isn't there.  Programs may be reading.  -ENOSPC: there is no place for it. */
int runs_put(struct bh_prefix_line *lines, const struct bh_prefixes *head, const struct run *run);

/* The same while no program reads; moves others. */
int runs_fit(struct bh_prefix_line *lines, const struct bh_prefixes *head, const struct run *run);

/* As prefix_lines_clear_way(), for a run that had no place; as the others of prefix_table.h. */
void runs_clear_way(struct bh_prefix_line *lines, const struct bh_prefixes *head,
		    const struct bh_prefix *address);
void runs_forget(struct bh_prefix_line *lines, const struct bh_prefixes *head);
uint64_t runs_used(const struct bh_prefix_line *lines, const struct bh_prefixes *head);

#endif
