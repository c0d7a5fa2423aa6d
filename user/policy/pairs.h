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

/* The families in which a pair is passed over, as if it didn't occur there. */
typedef uint8_t (*pair_mask)(void *of, uint32_t src_class, uint32_t dst_class);

/* The pairs of two sides, without some of them. */
struct pairs_apart {
	pair_side src, dst;
	pair_mask mask; /* NULL: all */
	void *mask_of;
};

/* The same as pairs_visit(), but for what is passed over. */
void pairs_visit_apart(const struct compiled *c, const struct pairs_apart *pairs,
		       pair_visitor visit, void *context);

/* A mask, of the families (uint8_t) in which each class has one address: it doesn't meet itself. */
uint8_t pairs_mask_alone(void *alone, uint32_t src_class, uint32_t dst_class);

#endif
