/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/grid.h"

#include <string.h>

#include "util/map.h"
#include "util/mem.h"

#define TABLE_FIRST 256

static void grow(struct content_table *t)
{
	struct content_place *old = t->places;
	size_t old_size = t->size;

	t->size = old_size ? old_size * 2 : TABLE_FIRST;
	t->places = xcalloc(t->size, sizeof(*t->places));
	for (size_t i = 0; i < old_size; i++) {
		size_t at = old[i].hash & (t->size - 1);

		if (!old[i].number)
			continue;
		while (t->places[at].number)
			at = (at + 1) & (t->size - 1);
		t->places[at] = old[i];
	}
	free(old);
}

struct content_place *content_find(struct content_table *t, const void *content, const void *things,
				   size_t size)
{
	uint32_t hash = (uint32_t)hash_bytes(content, size, 0);
	struct content_place *place;

	if (t->count * 2 >= t->size)
		grow(t);
	for (size_t i = hash & (t->size - 1);; i = (i + 1) & (t->size - 1)) {
		place = &t->places[i];
		if (!place->number)
			break;
		if (place->hash == hash &&
		    !memcmp((const char *)things + (place->number - 1) * size, content, size))
			return place;
	}
	place->hash = hash;
	t->count++;
	return place;
}

void content_release(struct content_table *t)
{
	free(t->places);
	*t = (struct content_table){};
}

uint32_t grid_builder_block(struct grid_builder *b, const struct bh_block *block)
{
	struct image_grid *g = b->grid;
	struct content_place *place = content_find(&b->table, block, g->blocks.items,
						   sizeof(*block));

	if (!place->number) {
		vec_push(&g->blocks, *block);
		place->number = (uint32_t)g->blocks.count;
	}
	return place->number - 1;
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
	content_release(&b->table);
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
