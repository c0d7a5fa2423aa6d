/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Walks the pairs of address classes that really occur, for whoever proves or counts something. */
#ifndef POLICY_PAIRS_H
#define POLICY_PAIRS_H

#include "policy/compile.h"

/*
 * One end of the pairs: for each class the families (FAMILY_*) of the addresses that are meant, 0
 * for a class that isn't.
 */
typedef const uint8_t *pair_side;

struct pair {
	uint32_t src_class, dst_class;
	uint32_t row;
	uint8_t families; /* FAMILY_*: in which the pair occurs */
};

/* False stops the walk. */
typedef bool (*pair_visitor)(void *context, const struct pair *pair);

/* The side of a set of classes, with whatever families they have; to be freed. */
uint8_t *pairs_side(const struct compiled *c, const uint64_t *classes);

/*
 * Visits one pair for each row and family in which any pair occurs: what holds for all of these
 * holds for all pairs.  Costs source classes x blocks, not pairs.
 */
void pairs_visit(const struct compiled *c, pair_side src, pair_side dst, pair_visitor visit,
		 void *context);

/* Service classes that occur in some of these families (FAMILY_*), 32 a word; to be freed. */
uint32_t *pairs_services(const struct compiled *c, unsigned int families);

/*
 * The same, but no class meets itself in the families of @alone: where it has one address, that is
 * one that talks to itself.
 */
void pairs_visit_apart(const struct compiled *c, const pair_side sides[2], pair_side alone,
		       pair_visitor visit, void *context);

#endif
