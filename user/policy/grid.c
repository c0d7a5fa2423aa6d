/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/grid.h"

#include <string.h>

#include "util/map.h"
#include "util/mem.h"

#define TABLE_FIRST 256

static uint32_t *find(const struct grid_builder *b, const struct bh_block *block)
{
	size_t i = hash_bytes(block, sizeof(*block), 0) & (b->size - 1);

	while (b->table[i] &&
	       memcmp(&b->grid->blocks.items[b->table[i] - 1], block, sizeof(*block)) != 0)
		i = (i + 1) & (b->size - 1);
	return &b->table[i];
}

static void grow(struct grid_builder *b)
{
	b->size = b->size ? b->size * 2 : TABLE_FIRST;
	free(b->table);
	b->table = xcalloc(b->size, sizeof(*b->table));
	for (uint32_t i = 0; i < b->grid->blocks.count; i++)
		*find(b, &b->grid->blocks.items[i]) = i + 1;
}

uint32_t grid_builder_block(struct grid_builder *b, const struct bh_block *block)
{
	uint32_t *place;

	if (b->grid->blocks.count * 2 >= b->size)
		grow(b);
	place = find(b, block);
	if (!*place) {
		vec_push(&b->grid->blocks, *block);
		*place = (uint32_t)b->grid->blocks.count;
	}
	return *place - 1;
}

void grid_builder_init(struct grid_builder *b, struct image_grid *grid, uint32_t columns)
{
	memset(b, 0, sizeof(*b));
	memset(grid, 0, sizeof(*grid));
	b->grid = grid;
	grid->columns = columns;
	grid->stride = (columns + BH_BLOCK_ENTRIES - 1) / BH_BLOCK_ENTRIES;
	grid_builder_block(b, &(struct bh_block){});
}

void grid_builder_release(struct grid_builder *b)
{
	free(b->table);
	memset(b, 0, sizeof(*b));
}

uint32_t *grid_builder_rows(struct grid_builder *b, uint32_t rows)
{
	struct image_grid *g = b->grid;
	size_t old = g->directory.count, more = (size_t)rows * g->stride;

	g->directory.items = vec_grow(g->directory.items, old + more, &g->directory.size,
				      sizeof(*g->directory.items));
	memset(g->directory.items + old, 0, more * sizeof(*g->directory.items));
	g->directory.count += more;
	g->rows += rows;
	return g->directory.items + old;
}

size_t grid_lines(const struct image_grid *g)
{
	return (g->directory.count + BH_LINE_ENTRIES - 1) / BH_LINE_ENTRIES;
}

void grid_release(struct image_grid *g)
{
	vec_release(&g->directory);
	vec_release(&g->blocks);
	memset(g, 0, sizeof(*g));
}
