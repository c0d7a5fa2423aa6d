/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Rows: what a pair of classes gets for every service class.  A row is made of rules, or of another
 * one and the rules that come on top; the order doesn't matter, and equal rows are stored once.
 */
#ifndef POLICY_ROW_H
#define POLICY_ROW_H

#include "policy/atoms.h"
#include "policy/row_store.h"
#include "policy/service_class.h"
#include "policy/timeline.h"
#include "util/lists.h"

struct row_builder {
	const struct atoms *atoms;
	const struct service_partition *services;
	struct timelines times;
	struct image_grid match_grid; /* rows x service classes -> timelines, by number */
	struct row_store matches, cells;
	struct map made; /* rules -> row of matches; (posture, row of matches, rules) -> of cells */
	uint32_t blank[POSTURES]; /* the row of cells without a rule; 0: not made yet */
	struct lists few;         /* service list -> its classes, where these are few */
	uint64_t *is_few;         /* set of service lists */
	uint64_t *mentioned;      /* scratch: set of service classes */
	uint32_t *touched;        /* scratch: of each service class its timeline */
	uint64_t *is_touched;
	VEC(uint32_t) key;
};

/* The same row twice: as what matches, for others to build on, and as cells. */
struct row {
	uint32_t matches;
	uint32_t cells;
};

/* The cells go to @cells, their changes to @later (NULL: none); row 0 denies all by default. */
void row_builder_init(struct row_builder *b, const struct compiled *c, const struct atoms *a,
		      struct image_grid *cells, later_list *later);
/* So many rows are likely to come. */
void row_builder_expect(struct row_builder *b, size_t rows);
void row_builder_release(struct row_builder *b);

/* The row of @rules, ascending. */
struct row row_of(struct row_builder *b, posture ends, const uint32_t *rules, size_t count);

/* The cells of those rules that made @base, for the same posture, and of @rules, ascending. */
uint32_t row_with(struct row_builder *b, posture ends, struct row base, const uint32_t *rules,
		  size_t count);

#endif
