/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Builds an image_grid: finds the block that is already there. */
#ifndef POLICY_GRID_H
#define POLICY_GRID_H

#include "policy/image.h"
#include "util/cleanup.h"
#include "util/numbering.h"

/*
 * The place of the content, or the free one where it belongs, to be filled by the caller.  @things
 * are @size bytes each.
 */
struct numbering_place *content_find(struct numbering *n, const void *content, const void *things,
				     size_t size);

struct grid_builder {
	struct image_grid *grid;
	struct numbering numbers; /* of blocks */
};

/* Makes @grid one of no rows and @columns columns, with the zero block. */
void grid_builder_init(struct grid_builder *b, struct image_grid *grid, uint32_t columns);
void grid_builder_release(struct grid_builder *b);
#define _grid_builder_ _cleanup_(grid_builder_release)

/* So many blocks are likely to come, which needn't make room one after the other. */
void grid_builder_expect(struct grid_builder *b, size_t blocks);

/* The number of the block with this content. */
uint32_t grid_builder_block(struct grid_builder *b, const struct bh_block *block);

/* Before there are rows: blocks of a row with one number, below @parts, are alike in all of them.
 */
void grid_builder_part(struct grid_builder *b, const uint32_t *part_of, uint32_t parts);

/* Appends @rows rows of zeros; returns the directory of the first, valid until the next call. */
uint32_t *grid_builder_rows(struct grid_builder *b, uint32_t rows);

/* Directory lines that a grid takes. */
size_t grid_lines(const struct image_grid *g);

/*
 * Makes @to a grid that begins as @from.  The blocks of both are one array, as far as they are
 * alike, and stay where they are as long as one of them is there: nobody may change any.
 */
void grid_copy(struct image_grid *to, const struct image_grid *from);

/* Gives these blocks of a row, a set, places in its directory that no others have. */
void grid_separate(struct image_grid *g, const uint64_t *blocks);

/* Appends a block, whether or not there is one like it; returns its number. */
uint32_t grid_add_block(struct image_grid *g, const struct bh_block *block);

void grid_release(struct image_grid *g);

#endif
