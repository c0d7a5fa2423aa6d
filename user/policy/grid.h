/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Builds an image_grid: finds the block that is already there. */
#ifndef POLICY_GRID_H
#define POLICY_GRID_H

#include "policy/image.h"
#include "util/cleanup.h"

struct grid_builder {
	struct image_grid *grid;
	uint32_t *table; /* open addressing, by content: block number + 1, or 0 */
	size_t size;     /* of the table: a power of two */
};

/* Makes @grid one of no rows and @columns columns, with the zero block. */
void grid_builder_init(struct grid_builder *b, struct image_grid *grid, uint32_t columns);
void grid_builder_release(struct grid_builder *b);
#define _grid_builder_ _cleanup_(grid_builder_release)

/* The number of the block with this content. */
uint32_t grid_builder_block(struct grid_builder *b, const struct bh_block *block);

/* Appends @rows rows of zeros; returns the directory of the first, valid until the next call. */
uint32_t *grid_builder_rows(struct grid_builder *b, uint32_t rows);

/* Directory lines that a grid takes. */
size_t grid_lines(const struct image_grid *g);

void grid_release(struct image_grid *g);

#endif
