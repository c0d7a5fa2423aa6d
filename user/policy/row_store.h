/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The distinct rows of a grid: one is made from another by changing some of its values. */
#ifndef POLICY_ROW_STORE_H
#define POLICY_ROW_STORE_H

#include "policy/grid.h"

struct row_store {
	struct grid_builder grid;
	struct numbering rows; /* directories of rows */
	struct bh_block *work; /* the row that is being made */
	uint64_t *worked;      /* the blocks of it that differ from the first one's */
	uint32_t *directory;
};

/* Row 0 of @grid is all zero. */
void row_store_init(struct row_store *s, struct image_grid *grid, uint32_t columns);
/* So many rows are likely to come, each with a block that no other has. */
void row_store_expect(struct row_store *s, size_t rows);
void row_store_release(struct row_store *s);

/* Begins a new row with the values of @row; row_store_at() gives places in it to change. */
void row_store_begin(struct row_store *s, uint32_t row);
uint32_t *row_store_at(struct row_store *s, size_t column);

/* The number of the row that was made. */
uint32_t row_store_end(struct row_store *s);

#endif
