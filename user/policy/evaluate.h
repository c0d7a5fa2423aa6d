/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Rules to rows: decides every pair of classes, with full semantics, without visiting each. */
#ifndef POLICY_EVALUATE_H
#define POLICY_EVALUATE_H

#include "policy/atoms.h"
#include "policy/compile.h"

/* Directory lines and blocks of one slot, which the two grids share. */
#define EVALUATE_LINES_MAX  (BH_DIRECTORY_LINES / BH_SLOTS)
#define EVALUATE_BLOCKS_MAX (BH_BLOCKS / BH_SLOTS)

/* Whether two grids keep within these bounds. */
bool evaluate_has_room(const struct image_grid *pairs, const struct image_grid *cells);

/* Entries in the lists of wide selectors' members: what bounds the compiler's own memory. */
#define EVALUATE_MEMBERS_MAX (4 * 1024 * 1024)

/* Which of the rules that haven't expired count. */
enum evaluated {
	EVALUATE_NOW,
	EVALUATE_AHEAD, /* not those denies that will expire */
};

/* Where it goes: image.pairs, image.cells and image.later, or those alike. */
struct evaluated_tables {
	struct image_grid *pairs, *cells;
	later_list *later; /* NULL: cells say what they say for ever */
};

/*
 * -E2BIG as soon as a bound above is exceeded: the grids are then unfinished, and hold what was
 * found to be needed until there.
 */
int evaluate(const struct compiled *c, const struct atoms *a, enum evaluated which,
	     const struct evaluated_tables *ret);

#endif
