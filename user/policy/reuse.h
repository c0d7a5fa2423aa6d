/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Decisions taken over from an earlier policy, where few pairs of classes have others. */
#ifndef POLICY_REUSE_H
#define POLICY_REUSE_H

#include "policy/compile.h"

#define REUSE_PAIRS_MAX 64 /* that are decided anew; what this is about is bits of a word */

/* Rows that nobody needs any more stay: so many may have been added before all is made anew. */
#define REUSE_ROWS_MAX 4096

/*
 * Fills image.pairs and image.cells of @c, of which all else is there.  -EAGAIN, and they are
 * empty: addresses or services have other classes than in @old, or too much is different.
 */
int reuse_decisions(struct compiled *c, const struct compiled *old);

#endif
