/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The finished tables of one policy, as arrays of the contract's structs.  All places count from 0:
 * the data path adds the bases of the slot that it fills.
 */
#ifndef POLICY_IMAGE_H
#define POLICY_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bulkhead/tables.h>

#include "policy/prefix_table.h"
#include "util/address.h"
#include "util/cleanup.h"
#include "util/vec.h"

#define IMAGE_PREFIXES_MAX (BH_PREFIX_ENTRIES / BH_SLOTS) /* waypoints included */

#define IMAGE_LATER_MAX (BH_LATER_ENTRIES / BH_SLOTS)

struct image_prefix {
	struct prefix prefix;
	uint32_t identity;
};

typedef VEC(struct image_prefix) image_prefixes;

struct image_identity {
	uint32_t class; /* address class */
	uint32_t flags; /* BH_IDENTITY_* */
};

struct grid_share; /* policy/grid.h */

struct image_grid {
	uint32_t rows, columns;
	uint32_t stride;         /* directory entries for a row */
	VEC(uint32_t) directory; /* rows * stride block numbers */
	/* Of each block of a row, its place in the row's directory: blocks that are alike in every
	 * row may have one.  NULL: each has its own. */
	uint32_t *part_of;
	VEC(struct bh_block) blocks; /* block 0 is all zero; no two are equal, but for what
				      * policy_recompile() adds */
	struct grid_share *share;    /* of the blocks' array; NULL: it is this grid's alone */
};

/* Blocks of a row. */
static inline uint32_t image_grid_width(const struct image_grid *g)
{
	return (g->columns + BH_BLOCK_ENTRIES - 1) / BH_BLOCK_ENTRIES;
}

/* Where a row's directory has a block. */
static inline uint32_t image_grid_place(const struct image_grid *g, uint32_t block)
{
	return g->part_of ? g->part_of[block] : block;
}

typedef VEC(struct bh_later) later_list;

struct image {
	image_prefixes prefixes; /* sorted by prefix_cmp, no two equal */
	image_prefixes changed;  /* the same, of few addresses: what each is instead, see below */
	VEC(struct image_identity) identities;
	struct bh_service_line *services; /* BH_SERVICE_LINES of them */
	uint32_t service_classes;
	struct image_grid pairs; /* classes x classes -> row */
	struct image_grid cells; /* rows x service classes -> cell */
	later_list later;        /* changes of decisions; each refers to earlier ones only */
	/* What cells.blocks becomes in the kernel, if later.count: that one has present decisions
	 * in place of cells that change, for who asks about the present. */
	VEC(struct bh_block) timed;
	uint16_t flags; /* BH_POLICY_* */
	uint32_t rules; /* rule numbers in use: BH_RULE_FIRST + the policy's rules */
};

/* Takes cells that change out of image.cells; see image.timed. */
void image_split_timed(struct image *image);

void image_init(struct image *image);
void image_release(struct image *image);

/*
 * All prefixes, as they are with what has changed: the image's own list, or one made for it.  As
 * long as the image stays as it is.
 */
struct image_listing {
	const struct image_prefix *items;
	size_t count;
	struct image_prefix *own;
};

struct image_listing image_list(const struct image *image);
void image_listing_release(struct image_listing *listing);
#define _image_listing_ _cleanup_(image_listing_release)

/*
 * Gives one address an identity, whatever it had.  True if it has an entry of its own now, false if
 * what the prefixes around it say is right.
 */
bool image_set_identity(struct image *image, const struct bh_addr *a, uint32_t identity);

/* The same lookups as the programs make. */
uint32_t image_identity(const struct image *image, const struct bh_addr *a);
uint32_t image_service_class(const struct image *image, enum bh_service_table t, uint16_t number);
uint32_t image_grid_get(const struct image_grid *g, uint32_t row, uint32_t column);
uint32_t image_decide(const struct image *image, const struct bh_addr *src,
		      const struct bh_addr *dst, enum bh_service_table t, uint16_t number);

/* The row of two addresses; what its cell for a service class says at a time on the wall. */
uint32_t image_row(const struct image *image, const struct bh_addr *src, const struct bh_addr *dst);
uint32_t image_cell_at(const struct image *image, uint32_t row, uint32_t service_class,
		       int64_t now);

/* --- grid_fold.c --- */

/*
 * A grid in which equal rows, and equal columns of blocks, are there once: who only opens
 * connections is no different from others as one to whom they are opened.
 */
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
