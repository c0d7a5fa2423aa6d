/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Rules to rows: decides every pair of classes, with full semantics, without visiting each. */
#ifndef POLICY_EVALUATE_H
#define POLICY_EVALUATE_H

#include "policy/selector_set.h"
#include "policy/service_class.h"

/* Directory lines and blocks of one slot, which the two grids share. */
#define EVALUATE_LINES_MAX  (BH_DIRECTORY_LINES / BH_SLOTS)
#define EVALUATE_BLOCKS_MAX (BH_BLOCKS / BH_SLOTS)

/* Entries in the lists of wide selectors' members: what bounds the compiler's own memory. */
#define EVALUATE_MEMBERS_MAX (4 * 1024 * 1024)

/*
 * Fills image.pairs and image.cells.  -E2BIG as soon as a bound above is exceeded: the grids are
 * then unfinished, and hold what was found to be needed until there.
 */
int evaluate(struct compiled *c, const struct atoms *a, const struct selector_index *x,
	     const struct service_partition *s);

/* The verdict that a denial gets between ends of these modes. */
enum bh_verdict denial_effect(enum mode src, enum mode dst);

#endif
