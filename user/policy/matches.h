/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the rules that match one (source, destination, service) come to, and the cell that follows
 * from it.  The order in which rules are added doesn't matter.
 */
#ifndef POLICY_MATCHES_H
#define POLICY_MATCHES_H

#include "policy/compile.h"
#include "util/map.h"

/* Index of a side in arrays. */
enum {
	AT_SRC,
	AT_DST,
	SIDES
};

/* Of each kind the first rule that matches, as its index plus 1; 0: none does. */
struct matches {
	uint32_t failsafe;
	uint32_t zone;  /* denies and rejects */
	uint32_t audit; /* denies and rejects that only report */
	uint32_t admin[SIDES];
	uint32_t network[SIDES];
	uint32_t baseline[SIDES];
};

/* What two ends do of themselves: the mode of each, and whether it is isolated on its side. */
typedef uint8_t posture;

#define POSTURES 64 /* they are below this */

posture posture_of(const struct address_class *src, const struct address_class *dst);

uint32_t matches_cell(const struct policy *p, const struct matches *m, posture ends);

/* Matches by number: 0 is none, 1 + i is rule i alone, and the rest are listed. */
struct match_table {
	const struct policy *policy;
	struct map numbers;
	VEC(struct matches) list;
};

void match_table_init(struct match_table *t, const struct policy *p);
void match_table_release(struct match_table *t);

/* The number of @matches and a rule more. */
uint32_t match_table_add(struct match_table *t, uint32_t matches, uint32_t rule);

/* The cell of the matches with this number. */
uint32_t match_table_cell(const struct match_table *t, uint32_t matches, posture ends);

#endif
