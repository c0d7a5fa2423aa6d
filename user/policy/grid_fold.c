/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/image.h"

#include <string.h>

#include "policy/grid.h"
#include "util/mem.h"

#define MIX UINT64_C(0x9e3779b97f4a7c15)

#define RUN 16 /* places that are compared at once */

/* A place that holds another block than the one above it; above the first row are zeros. */
struct change {
	uint32_t row, column;
};

typedef VEC(struct change) change_list;

static const uint32_t *row_at(const struct image_grid *g, size_t row)
{
	return g->directory.items + row * g->stride;
}

/* Most rows are much like the one before. */
static void add_changes(const struct image_grid *g, uint32_t row, const uint32_t *before,
			change_list *out)
{
	const uint32_t *now = row_at(g, row);

	for (uint32_t at = 0; at < g->stride; at += RUN) {
		uint32_t end = g->stride - at < RUN ? g->stride : at + RUN;

		if (!memcmp(now + at, before + at, (end - at) * sizeof(*now)))
			continue;
		for (uint32_t i = at; i < end; i++) {
			if (now[i] != before[i])
				vec_push(out, (struct change){row, i});
		}
	}
}

static void find_changes(const struct image_grid *g, change_list *out)
{
	_free_ uint32_t *zeros = xcalloc((size_t)g->stride + 1, sizeof(*zeros));

	for (uint32_t row = 0; row < g->rows; row++)
		add_changes(g, row, row ? row_at(g, row - 1) : zeros, out);
}

/* Of each column of blocks a sum that equal ones share. */
static uint64_t *column_sums(const struct image_grid *g, const change_list *changes)
{
	uint64_t *sums = xcalloc((size_t)g->stride + 1, sizeof(*sums));

	vec_foreach (c, changes) {
		uint64_t what = (uint64_t)c->row << 32 | row_at(g, c->row)[c->column];

		sums[c->column] = (sums[c->column] ^ what) * MIX;
		sums[c->column] ^= sums[c->column] >> 29;
	}
	return sums;
}

/* Columns by their sums. */
struct parts {
	uint32_t *first; /* column of each part */
	uint32_t *of;    /* part of each column */
	uint32_t *size;
	uint32_t *seen; /* scratch of is_true() */
	uint32_t count;
};

static void number_parts(const uint64_t *sums, uint32_t stride, struct parts *ret)
{
	for (uint32_t i = 0; i < stride; i++) {
		uint32_t part = 0;

		while (part < ret->count && sums[ret->first[part]] != sums[i])
			part++;
		if (part == ret->count)
			ret->first[ret->count++] = i;
		ret->of[i] = part;
		ret->size[part]++;
	}
}

/*
 * Equal sums are no proof.  But columns of a part that change in the same rows, and to the same
 * block each time, are equal.
 */
static bool is_true(const struct image_grid *g, const change_list *changes, struct parts *parts)
{
	size_t begin = 0;

	for (size_t i = 0; i < changes->count; i++) {
		const struct change *c = &changes->items[i];
		uint32_t part = parts->of[c->column];
		const uint32_t *row = row_at(g, c->row);

		if (row[c->column] != row[parts->first[part]])
			return false;
		parts->seen[part]++;
		if (i + 1 < changes->count && changes->items[i + 1].row == c->row)
			continue;
		for (; begin <= i; begin++) {
			part = parts->of[changes->items[begin].column];
			if (parts->seen[part] && parts->seen[part] != parts->size[part])
				return false;
			parts->seen[part] = 0;
		}
	}
	return true;
}

/* How many columns of blocks there will be. */
static uint32_t fold_columns(const struct image_grid *g, uint32_t *ret_of, uint32_t *ret_first)
{
	_free_ uint32_t *size = xcalloc((size_t)g->stride + 1, sizeof(*size));
	_free_ uint32_t *seen = xcalloc((size_t)g->stride + 1, sizeof(*seen));
	struct parts parts = {.first = ret_first, .of = ret_of, .size = size, .seen = seen};
	_free_ uint64_t *sums = NULL;
	change_list changes = {};
	bool is_folded;

	find_changes(g, &changes);
	sums = column_sums(g, &changes);
	number_parts(sums, g->stride, &parts);
	is_folded = is_true(g, &changes, &parts);
	vec_release(&changes);
	if (is_folded)
		return parts.count;
	for (uint32_t i = 0; i < g->stride; i++)
		ret_first[i] = ret_of[i] = i;
	return g->stride;
}

static void fold_rows(struct grid_fold *f, const struct image_grid *g, const uint32_t *first)
{
	struct image_grid *to = &f->grid;
	_free_ uint32_t *row = xcalloc((size_t)to->stride + 1, sizeof(*row));
	struct numbering rows = {};

	numbering_reserve(&rows, g->rows);
	for (size_t i = 0; i < g->rows; i++) {
		const uint32_t *directory = row_at(g, i);
		struct numbering_place *place;

		for (uint32_t j = 0; j < to->stride; j++)
			row[j] = directory[first[j]];
		place = content_find(&rows, row, to->directory.items, to->stride * sizeof(*row));
		if (!place->number) {
			vec_append(&to->directory, row, to->stride);
			place->number = ++to->rows;
		}
		f->row_of[i] = place->number - 1;
	}
	numbering_release(&rows);
}

void grid_fold(const struct image_grid *g, struct grid_fold *ret)
{
	_free_ uint32_t *first = xcalloc((size_t)g->stride + 1, sizeof(*first));
	_free_ uint32_t *of = xcalloc((size_t)g->stride + 1, sizeof(*of));
	uint32_t width = image_grid_width(g);

	*ret = (struct grid_fold){.rows = g->rows, .columns = g->columns};
	ret->row_of = xcalloc((size_t)g->rows + 1, sizeof(*ret->row_of));
	ret->part_of = xcalloc((size_t)width + 1, sizeof(*ret->part_of));
	ret->grid.stride = fold_columns(g, of, first);
	for (uint32_t i = 0; i < width; i++)
		ret->part_of[i] = of[image_grid_place(g, i)];
	ret->grid.columns = ret->grid.stride * BH_BLOCK_ENTRIES;
	fold_rows(ret, g, first);
	ret->grid.blocks.items = g->blocks.items;
	ret->grid.blocks.count = g->blocks.count;
}

void grid_fold_release(struct grid_fold *f)
{
	vec_release(&f->grid.directory);
	free(f->row_of);
	free(f->part_of);
	memset(f, 0, sizeof(*f));
}

uint16_t grid_fold_row(const struct grid_fold *f, uint32_t row)
{
	uint32_t to = row < f->rows ? f->row_of[row] : GRID_NOWHERE;

	return to < GRID_NOWHERE ? (uint16_t)to : GRID_NOWHERE;
}

uint16_t grid_fold_column(const struct grid_fold *f, uint32_t column)
{
	uint32_t to = GRID_NOWHERE;

	if (column < f->columns)
		to = f->part_of[column / BH_BLOCK_ENTRIES] * BH_BLOCK_ENTRIES +
		     column % BH_BLOCK_ENTRIES;
	return to < GRID_NOWHERE ? (uint16_t)to : GRID_NOWHERE;
}
