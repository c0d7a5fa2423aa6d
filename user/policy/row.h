/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Rows: what a pair of classes gets for every service class.  A row is made of another one and the
 * rules that come on top; the order doesn't matter, and equal rows are stored once.
 */
#ifndef POLICY_ROW_H
#define POLICY_ROW_H

#include <bulkhead/builtin.h>

#include "policy/atoms.h"
#include "policy/grid.h"
#include "policy/service_class.h"
#include "util/lists.h"
#include "util/map.h"

struct row_builder {
	const struct policy *policy;
	const struct atoms *atoms;
	const struct service_partition *services;
	struct grid_builder cells;
	struct map made;       /* (effect, base row, rules) -> row */
	struct map rows;       /* directory of a row -> row */
	struct lists few;      /* service list -> its classes, where these are few */
	uint64_t *is_few;      /* set of service lists */
	uint64_t *mentioned;   /* scratch: set of service classes */
	struct bh_block *work; /* scratch: the row that is being made */
	uint64_t *worked;      /* the blocks of it that differ from the base's */
	uint32_t *directory;
	VEC(uint32_t) key;
};

/* The cells go to @cells; row 0 denies everything by default. */
void row_builder_init(struct row_builder *b, const struct policy *p, const struct atoms *a,
		      const struct service_partition *s, struct image_grid *cells);
void row_builder_release(struct row_builder *b);

/* The row without a rule; @effect is the verdict that a denial gets. */
uint32_t row_default(struct row_builder *b, enum bh_verdict effect);

/* The row of those rules that made @base with this effect, and of @rules, ascending. */
uint32_t row_with(struct row_builder *b, enum bh_verdict effect, uint32_t base,
		  const uint32_t *rules, size_t count);

#endif
