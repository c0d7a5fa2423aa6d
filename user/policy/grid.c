/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/grid.h"

#include <string.h>

#include "util/bitset.h"
#include "util/map.h"
#include "util/mem.h"

#define BLOCKS_FIRST 8 /* room for a few that copies add, also to the smallest grid */

/* Grids whose blocks are in one array: each has the first ones, as many as it counts. */
struct grid_share {
	size_t grids;
	size_t used; /* blocks, of who has most */
};

struct content {
	const void *content, *things;
	size_t size;
};

static bool is_content(const void *what, uint32_t number)
{
	const struct content *c = what;

	return !memcmp((const char *)c->things + number * c->size, c->content, c->size);
}

struct numbering_place *content_find(struct numbering *n, const void *content, const void *things,
				     size_t size)
{
	const struct content what = {content, things, size};

	return numbering_find(n, hash_key(content, size), is_content, &what);
}

static struct grid_share *share_new(void)
{
	struct grid_share *share = xcalloc(1, sizeof(*share));

	share->grids = 1;
	return share;
}

uint32_t grid_builder_block(struct grid_builder *b, const struct bh_block *block)
{
	struct image_grid *g = b->grid;
	struct numbering_place *place = content_find(&b->numbers, block, g->blocks.items,
						     sizeof(*block));

	if (!place->number)
		place->number = grid_add_block(g, block) + 1;
	return place->number - 1;
}

void grid_builder_init(struct grid_builder *b, struct image_grid *grid, uint32_t columns)
{
	memset(b, 0, sizeof(*b));
	memset(grid, 0, sizeof(*grid));
	b->grid = grid;
	grid->share = share_new();
	grid->columns = columns;
	grid->stride = image_grid_width(grid);
	vec_reserve(&grid->blocks, BLOCKS_FIRST);
	grid_builder_block(b, &(struct bh_block){});
}

void grid_builder_expect(struct grid_builder *b, size_t blocks)
{
	size_t room = BLOCKS_FIRST;

	/* As it would have grown: more that are to come don't take more memory for it. */
	while (room <= blocks)
		room *= 2;
	numbering_reserve(&b->numbers, blocks);
	vec_reserve(&b->grid->blocks, room - b->grid->blocks.count);
}

void grid_builder_release(struct grid_builder *b)
{
	numbering_release(&b->numbers);
	memset(b, 0, sizeof(*b));
}

void grid_builder_part(struct grid_builder *b, const uint32_t *part_of, uint32_t parts)
{
	struct image_grid *g = b->grid;
	size_t size = image_grid_width(g) * sizeof(*part_of);

	g->part_of = memcpy(xmalloc(size), part_of, size);
	g->stride = parts;
}

uint32_t *grid_builder_rows(struct grid_builder *b, uint32_t rows)
{
	struct image_grid *g = b->grid;
	size_t old = g->directory.count, more = (size_t)rows * g->stride;

	vec_reserve(&g->directory, more);
	mem_use_large_pages(g->directory.items, (old + more) * sizeof(*g->directory.items));
	memset(g->directory.items + old, 0, more * sizeof(*g->directory.items));
	g->directory.count += more;
	g->rows += rows;
	return g->directory.items + old;
}

size_t grid_lines(const struct image_grid *g)
{
	return ((size_t)g->rows * g->stride + BH_LINE_ENTRIES - 1) / BH_LINE_ENTRIES;
}

void grid_copy(struct image_grid *to, const struct image_grid *from)
{
	size_t parts_size = image_grid_width(from) * sizeof(*from->part_of);

	*to = (struct image_grid){
		.rows = from->rows,
		.columns = from->columns,
		.stride = from->stride,
		.share = from->share,
	};
	vec_reserve(&to->directory, from->directory.count);
	mem_use_large_pages(to->directory.items,
			    from->directory.count * sizeof(*from->directory.items));
	vec_append(&to->directory, from->directory.items, from->directory.count);
	if (from->part_of)
		to->part_of = memcpy(xmalloc(parts_size), from->part_of, parts_size);
	if (!to->share) {
		vec_append(&to->blocks, from->blocks.items, from->blocks.count);
		return;
	}
	to->share->grids++;
	to->blocks.items = from->blocks.items;
	to->blocks.count = from->blocks.count;
	to->blocks.size = from->blocks.size;
}

/* An array of its own, with the blocks that it has. */
static void leave_share(struct image_grid *g)
{
	const struct bh_block *blocks = g->blocks.items;
	size_t count = g->blocks.count;

	g->share->grids--;
	g->share = share_new();
	g->share->used = count;
	g->blocks.items = NULL;
	g->blocks.count = g->blocks.size = 0;
	vec_append(&g->blocks, blocks, count);
}

uint32_t grid_add_block(struct image_grid *g, const struct bh_block *block)
{
	struct grid_share *share = g->share;

	/* What follows is another grid's, or there is no room but elsewhere. */
	if (share && share->grids > 1 &&
	    (share->used > g->blocks.count || g->blocks.count == g->blocks.size))
		leave_share(g);
	vec_push(&g->blocks, *block);
	if (g->share)
		g->share->used = g->blocks.count;
	return (uint32_t)g->blocks.count - 1;
}

/* Each row gets more places at its end, which begin as those of @from. */
static void add_places(struct image_grid *g, const uint32_t *from, uint32_t count)
{
	uint32_t stride = g->stride + count;
	typeof(g->directory) wide = {};

	vec_reserve(&wide, (size_t)g->rows * stride);
	for (size_t row = 0; row < g->rows; row++) {
		const uint32_t *old = g->directory.items + row * g->stride;

		vec_append(&wide, old, g->stride);
		for (uint32_t i = 0; i < count; i++)
			vec_push(&wide, old[from[i]]);
	}
	vec_release(&g->directory);
	g->directory.items = wide.items;
	g->directory.count = wide.count;
	g->directory.size = wide.size;
	g->stride = stride;
}

void grid_separate(struct image_grid *g, const uint64_t *blocks)
{
	uint32_t width = image_grid_width(g), count = 0;
	_free_ uint32_t *users = xcalloc((size_t)g->stride + 1, sizeof(*users));
	_free_ uint32_t *from = xcalloc((size_t)width + 1, sizeof(*from));

	if (!g->part_of)
		return;
	for (uint32_t i = 0; i < width; i++)
		users[g->part_of[i]]++;
	for (uint32_t i = 0; i < width; i++) {
		if (!bitset_has(blocks, i) || users[g->part_of[i]] == 1)
			continue;
		users[g->part_of[i]]--;
		from[count] = g->part_of[i];
		g->part_of[i] = g->stride + count++;
	}
	if (count)
		add_places(g, from, count);
}

void grid_release(struct image_grid *g)
{
	vec_release(&g->directory);
	free(g->part_of);
	if (g->share && --g->share->grids) {
		memset(g, 0, sizeof(*g));
		return;
	}
	vec_release(&g->blocks);
	free(g->share);
	memset(g, 0, sizeof(*g));
}
