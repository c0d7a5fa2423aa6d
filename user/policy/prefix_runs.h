/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The part of a prefix table in which IPv4 addresses are eight by eight (bulkhead/tables.h). */
#ifndef POLICY_PREFIX_RUNS_H
#define POLICY_PREFIX_RUNS_H

#include <stdbool.h>
#include <stdint.h>

#include <bulkhead/tables.h>

/* A run by itself. */
struct run {
	uint32_t key; /* BH_RUN_KEY() */
	uint16_t identity[BH_RUN_ADDRESSES];
};

/* The run of an address, all of one identity. */
struct run run_of(uint32_t address, uint32_t identity);

/* --- in the lines of a table; its first is lines[0] --- */

/* An address's identity in its run; NULL: it is in none. */
uint16_t *runs_find(struct bh_prefix_line *lines, const struct bh_prefixes *head, uint32_t address);

/* Enters one that isn't there.  Programs may be reading.  -ENOSPC: there is no place for it. */
int runs_put(struct bh_prefix_line *lines, const struct bh_prefixes *head, const struct run *run);

/* The same while no program reads; moves others. */
int runs_fit(struct bh_prefix_line *lines, const struct bh_prefixes *head, const struct run *run);

/* As prefix_lines_clear_way(), for a run that had no place; as the others of prefix_table.h. */
void runs_clear_way(struct bh_prefix_line *lines, const struct bh_prefixes *head, uint32_t address);
void runs_forget(struct bh_prefix_line *lines, const struct bh_prefixes *head);
uint64_t runs_used(const struct bh_prefix_line *lines, const struct bh_prefixes *head);

#endif
