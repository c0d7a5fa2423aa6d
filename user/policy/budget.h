/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a compiled policy takes of a slot's tables, and which rule takes the most. */
#ifndef POLICY_BUDGET_H
#define POLICY_BUDGET_H

#include "policy/compile.h"

enum budget_table {
	BUDGET_PREFIXES,
	BUDGET_IDENTITIES,
	BUDGET_RULES,
	BUDGET_SERVICES,
	BUDGET_DIRECTORY,
	BUDGET_BLOCKS,
	BUDGET_TABLES
};

struct budget_line {
	const char *name; /* for people */
	const char *map;
	uint64_t entries;
	uint64_t room;  /* for as many, in one slot of a map of the usual size */
	uint64_t bytes; /* of keys and values; the kernel adds its own */
};

struct budget {
	struct budget_line lines[BUDGET_TABLES];
	size_t classes;
	size_t service_classes;
	size_t rows;
	size_t distinct; /* blocks, which stand for... */
	size_t parts;    /* ...so many places in both grids */

	size_t costliest; /* index into policy.rules; POLICY_NONE: there is no rule */
	bool is_measured; /* else `saved` isn't known: the policy is too large to compile again */
	size_t saved;     /* entries that the policy without it takes fewer, over all tables */
	size_t costliest_rows; /* in which it decides something */
	size_t prefixes;       /* that its selectors name */
};

/*
 * Of a policy that was compiled offline.  The costliest rule is that whose removal saves most,
 * among the few with the most rows and prefixes: the policy is compiled again without each, or the
 * first of them, or none if it is very large.
 */
void budget_take(const struct compiled *c, struct budget *ret);

/* In tenths of a per cent, rounded up: 0 is empty, 1000 is full. */
unsigned int budget_fill(const struct budget_line *line);

#endif
