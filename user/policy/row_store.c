/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/row_store.h"

#include <string.h>

#include "util/bitset.h"

static size_t directory_size(const struct row_store *s)
{
	return s->grid.grid->stride * sizeof(*s->directory);
}

/* The number of the row that s->directory describes. */
static uint32_t store(struct row_store *s)
{
	struct image_grid *g = s->grid.grid;
	size_t size = directory_size(s);
	struct numbering_place *place = content_find(&s->rows, s->directory, g->directory.items,
						     size);

	if (!place->number) {
		memcpy(grid_builder_rows(&s->grid, 1), s->directory, size);
		place->number = g->rows;
	}
	return place->number - 1;
}

void row_store_init(struct row_store *s, struct image_grid *grid, uint32_t columns)
{
	memset(s, 0, sizeof(*s));
	grid_builder_init(&s->grid, grid, columns);
	s->worked = bitset_new(grid->stride);
	s->work = xcalloc(grid->stride, sizeof(*s->work));
	s->directory = xcalloc(grid->stride, sizeof(*s->directory));
	store(s);
}

void row_store_expect(struct row_store *s, size_t rows)
{
	grid_builder_expect(&s->grid, rows);
	numbering_reserve(&s->rows, rows);
}

void row_store_release(struct row_store *s)
{
	grid_builder_release(&s->grid);
	numbering_release(&s->rows);
	free(s->worked);
	free(s->work);
	free(s->directory);
}

void row_store_begin(struct row_store *s, uint32_t row)
{
	const struct image_grid *g = s->grid.grid;

	memcpy(s->directory, g->directory.items + (size_t)row * g->stride, directory_size(s));
}

uint32_t *row_store_at(struct row_store *s, size_t column)
{
	size_t block = column / BH_BLOCK_ENTRIES;

	if (!bitset_has(s->worked, block)) {
		bitset_add(s->worked, block);
		s->work[block] = s->grid.grid->blocks.items[s->directory[block]];
	}
	return &s->work[block].value[column % BH_BLOCK_ENTRIES];
}

uint32_t row_store_end(struct row_store *s)
{
	size_t stride = s->grid.grid->stride;
	size_t i = bitset_next(s->worked, stride, 0);

	for (; i < stride; i = bitset_next(s->worked, stride, i + 1))
		s->directory[i] = grid_builder_block(&s->grid, &s->work[i]);
	memset(s->worked, 0, bitset_words(stride) * sizeof(*s->worked));
	return store(s);
}
