/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A grid in which equal rows, and equal columns of blocks, are there once: who only opens
 * connections is no different from others as one to whom they are opened.
 */
#ifndef POLICY_GRID_FOLD_H
#define POLICY_GRID_FOLD_H

#include "policy/image.h"
#include "util/cleanup.h"

struct grid_fold {
	struct image_grid grid; /* its blocks are those of the one that was folded */
	uint32_t *row_of;       /* of each row that was folded */
	uint32_t *part_of;      /* of each block of a row */
	uint32_t rows, columns; /* that were folded */
};

/* A number that no row and no column has. */
#define GRID_NOWHERE UINT16_MAX

/* @g outlives it, and is as large as its counts say. */
void grid_fold(const struct image_grid *g, struct grid_fold *ret);
void grid_fold_release(struct grid_fold *f);
#define _grid_fold_ _cleanup_(grid_fold_release)

/* Where a row, a column went; GRID_NOWHERE for one that was not there. */
uint16_t grid_fold_row(const struct grid_fold *f, uint32_t row);
uint16_t grid_fold_column(const struct grid_fold *f, uint32_t column);

#endif
