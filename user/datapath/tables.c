/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "datapath/tables.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "datapath/event_places.h"
#include "datapath/table_write.h"
#include "util/cleanup.h"
#include "util/mem.h"

/* A run of bytes and its place. */
struct piece {
	enum table_id table;
	uint32_t first; /* entry */
	const void *from;
	size_t size; /* bytes */
};

#define PIECES 10

#define PAIRS_ROOM 4096 /* blocks */

static uint64_t lines_of(const struct image_grid *g)
{
	return (g->directory.count + BH_LINE_ENTRIES - 1) / BH_LINE_ENTRIES;
}

uint64_t tables_lines(const struct image *image)
{
	_grid_fold_ struct grid_fold pairs = {};

	grid_fold(&image->pairs, &pairs);
	return lines_of(&pairs.grid) + lines_of(&image->cells);
}

static uint32_t half(const struct tables *t, enum table_id table)
{
	return t->of[table].entries / 2;
}

const struct bh_policy *tables_header(const struct tables *t, uint32_t slot)
{
	return t->policies + slot;
}

uint32_t tables_prefix_room(uint32_t lines)
{
	const uint32_t all = BH_PREFIX_LINES / BH_SLOTS - BH_START_LINES;

	if (lines <= BH_START_LINES)
		return 0;
	return (uint32_t)((uint64_t)(lines - BH_START_LINES) * IMAGE_PREFIXES_MAX / all);
}

struct want {
	const char *table, *unit;
	uint64_t need, capacity;
};

static int refuse(struct text *reterr, const struct want *want)
{
	text_addf(reterr,
		  "policy does not fit into '%s': it needs %" PRIu64
		  " %s, there is room for %" PRIu64,
		  want->table, want->need, want->unit, want->capacity);
	return -E2BIG;
}

static int check_fits(const struct tables *t, const struct tables_content *content,
		      struct text *reterr)
{
	const struct image *image = content->image;
	uint64_t lines = lines_of(&content->pairs.grid) + lines_of(&image->cells);
	const struct want wants[] = {
		{"bh_identities", "identities", image->identities.count, half(t, TABLE_IDENTITIES)},
		{"bh_directory", "directory lines", lines, half(t, TABLE_DIRECTORY)},
		{"bh_blocks", "blocks", image->pairs.blocks.count + image->cells.blocks.count,
		 half(t, TABLE_BLOCKS)},
		{"bh_rule_counts", "rules", image->rules, t->rule_entries / 2},
		{"bh_later", "changes", image->later.count, IMAGE_LATER_MAX},
	};

	for (size_t i = 0; i < COUNT(wants); i++) {
		if (wants[i].need <= wants[i].capacity)
			continue;
		return refuse(reterr, &wants[i]);
	}
	return 0;
}

/* So many numbers at once: there are millions of them. */
typedef uint32_t lanes __attribute__((vector_size(16 * sizeof(uint32_t))));

#define LANES (sizeof(lanes) / sizeof(uint32_t))

/* Neither has the highest bit unless it is wrong: then the difference has it only if it's less. */
static bool are_below(const uint32_t *numbers, size_t count, uint32_t bound)
{
	const uint32_t last = bound - 1;
	uint32_t odd = last;
	lanes odds = {};
	size_t i = 0;

	for (; i + LANES <= count; i += LANES) {
		lanes some;

		memcpy(&some, numbers + i, sizeof(some));
		odds |= (last - some) | some;
	}
	for (; i < count; i++)
		odd |= (last - numbers[i]) | numbers[i];
	for (i = 0; i < LANES; i++)
		odd |= odds[i];
	return !count || !(odd >> 31);
}

/* Whether each block of a row has a place. */
static bool has_places(const struct image_grid *g)
{
	if (g->part_of)
		return g->stride && are_below(g->part_of, image_grid_width(g), g->stride);
	return (uint64_t)g->stride * BH_BLOCK_ENTRIES >= g->columns;
}

static bool is_grid_whole(const struct image_grid *g)
{
	return (uint64_t)g->rows * g->stride == g->directory.count && has_places(g);
}

/* A wrong number would make programs read what belongs to something else. */
static bool is_grid_sound(const struct image_grid *g)
{
	if (!is_grid_whole(g))
		return false;
	return are_below(g->directory.items, g->directory.count, (uint32_t)g->blocks.count);
}

/* Whether a cell refers to one of the first @count changes, or to none. */
static bool is_cell_sound(uint32_t cell, size_t count)
{
	return !(cell & BH_CELL_LATER) || BH_CELL_LATER_AT(cell) < count;
}

/* Each change refers to earlier ones only: so that there is an end. */
static bool is_later_sound(const struct image *image)
{
	if (image->later.count && image->timed.count != image->cells.blocks.count)
		return false;
	for (size_t i = 0; i < image->later.count; i++) {
		if (!is_cell_sound(image->later.items[i].next, i) ||
		    !is_cell_sound(image->later.items[i].cell, 0))
			return false;
	}
	vec_foreach (block, &image->timed) {
		for (size_t i = 0; i < BH_BLOCK_ENTRIES; i++) {
			if (!is_cell_sound(block->value[i], image->later.count))
				return false;
		}
	}
	return true;
}

static int check_prefixes(const struct image *image, struct text *reterr)
{
	_image_listing_ struct image_listing listing = image_list(image);

	vec_foreach (p, &listing) {
		if (p->identity < image->identities.count)
			continue;
		text_addf(reterr,
			  "policy's tables contradict themselves: identity %" PRIu32
			  " is not among %zu",
			  p->identity, image->identities.count);
		return -EINVAL;
	}
	return 0;
}

static int refuse_grid(struct text *reterr)
{
	text_add(reterr, "policy's tables contradict themselves: a grid leaves its blocks");
	return -EINVAL;
}

int tables_check(const struct tables *t, struct tables_content *content, struct text *reterr)
{
	const struct image *image = content->image;
	int err;

	if (!is_grid_whole(&image->pairs))
		return refuse_grid(reterr);
	grid_fold(&image->pairs, &content->pairs);
	err = check_fits(t, content, reterr);
	if (err)
		return err;
	if (!image->services || !is_grid_sound(&content->pairs.grid) ||
	    !is_grid_sound(&image->cells))
		return refuse_grid(reterr);
	if (!is_later_sound(image)) {
		text_add(reterr, "policy's tables contradict themselves: a change leads nowhere");
		return -EINVAL;
	}
	return check_prefixes(image, reterr);
}

/* Where each identity is in the pair grid. */
static void place_identities(struct tables_content *content)
{
	const struct image *image = content->image;

	content->identities = xcalloc(image->identities.count + 1, sizeof(*content->identities));
	for (size_t i = 0; i < image->identities.count; i++) {
		const struct image_identity *identity = &image->identities.items[i];

		content->identities[i] = (struct bh_identity){
			.row = grid_fold_row(&content->pairs, identity->class),
			.column = grid_fold_column(&content->pairs, identity->class),
			.flags = identity->flags,
		};
	}
}

int tables_build(const struct tables *t, struct tables_content *content, struct text *reterr)
{
	int err = prefix_table_build(content->image, &t->prefix_hash, half(t, TABLE_PREFIXES),
				     &content->prefixes);

	place_identities(content);
	content->event_places = event_places_make(content->image,
						  content->slot * (t->event_entries / BH_SLOTS),
						  t->event_entries / BH_SLOTS);
	if (err == -E2BIG)
		return refuse(reterr,
			      &(struct want){"bh_prefixes", "prefixes", content->prefixes.entries,
					     tables_prefix_room(half(t, TABLE_PREFIXES))});
	if (err)
		text_add(reterr, "policy's prefixes are not found where they were put");
	return err;
}

void tables_content_release(struct tables_content *content)
{
	prefix_table_release(&content->prefixes);
	grid_fold_release(&content->pairs);
	free(content->identities);
	free(content->event_places);
}

/*
 * Where the second grid's blocks begin: with some room for those of the first, so that a few more
 * of them don't move what is there already.
 */
static uint32_t cells_block(const struct tables *t, const struct image *image)
{
	uint32_t pairs = (uint32_t)image->pairs.blocks.count;
	uint32_t spaced = (pairs / PAIRS_ROOM + 1) * PAIRS_ROOM;

	return spaced + image->cells.blocks.count <= half(t, TABLE_BLOCKS) ? spaced : pairs;
}

struct bh_policy tables_place(const struct tables *t, const struct tables_content *content,
			      uint32_t generation)
{
	const struct image *image = content->image;
	uint32_t slot = content->slot;
	struct bh_prefixes prefixes = content->prefixes.head;
	uint32_t line = slot * half(t, TABLE_DIRECTORY);
	uint32_t block = slot * half(t, TABLE_BLOCKS);

	prefixes.line = slot * half(t, TABLE_PREFIXES);
	return (struct bh_policy){
		.generation = generation,
		.slot = (uint16_t)slot,
		.flags = image->flags,
		.identity = slot * half(t, TABLE_IDENTITIES),
		.identities = (uint32_t)image->identities.count,
		.rule = slot * (t->rule_entries / 2),
		.rules = image->rules,
		.pairs =
			{
				.line = line,
				.block = block,
				.stride = content->pairs.grid.stride,
				.rows = content->pairs.grid.rows,
				.columns = content->pairs.grid.columns,
			},
		.cells =
			{
				.line = line + (uint32_t)lines_of(&content->pairs.grid),
				.block = block + cells_block(t, image),
				.stride = image->cells.stride,
				.rows = image->cells.rows,
				.columns = image->cells.columns,
			},
		.prefixes = prefixes,
	};
}

static void list_grid(const struct image_grid *g, const struct bh_grid *at,
		      struct piece ret[static 2])
{
	ret[0] = (struct piece){TABLE_DIRECTORY, at->line, g->directory.items,
				g->directory.count * sizeof(*g->directory.items)};
	ret[1] = (struct piece){TABLE_BLOCKS, at->block, g->blocks.items,
				g->blocks.count * sizeof(*g->blocks.items)};
}

/*
 * The header is last: whoever finds it finds the rest.  No two overlap, so what one of them holds
 * is still there when all are written.
 */
static void list_pieces(const struct tables_content *content, const struct bh_policy *at,
			struct piece ret[static PIECES])
{
	const struct prefix_table *prefixes = &content->prefixes;
	const struct image *image = content->image;

	assert(at->pairs.line + lines_of(&content->pairs.grid) <= at->cells.line);
	assert(at->pairs.block + image->pairs.blocks.count <= at->cells.block);
	ret[0] = (struct piece){TABLE_IDENTITIES, at->identity, content->identities,
				image->identities.count * sizeof(*content->identities)};
	ret[1] = (struct piece){TABLE_SERVICES, at->slot * BH_SERVICE_LINES, image->services,
				BH_SERVICE_LINES * sizeof(*image->services)};
	list_grid(&content->pairs.grid, &at->pairs, ret + 2);
	list_grid(&image->cells, &at->cells, ret + 4);
	if (image->later.count)
		ret[5].from = image->timed.items;
	ret[6] = (struct piece){TABLE_LATER, at->slot * IMAGE_LATER_MAX, image->later.items,
				image->later.count * sizeof(*image->later.items)};
	ret[7] = (struct piece){TABLE_PREFIXES, at->prefixes.line, prefixes->lines,
				prefixes->line_count * sizeof(*prefixes->lines)};
	ret[8] = (struct piece){TABLE_EVENT_PLACES, at->rule / BH_RULE_PAGE, content->event_places,
				event_places_pages(at->rules) * sizeof(*content->event_places)};
	ret[9] = (struct piece){TABLE_POLICIES, at->slot, at, sizeof(*at)};
}

int tables_write(const struct tables *t, enum table_id table, uint32_t first, const void *from,
		 size_t size)
{
	return table_write(&t->of[table], first, from, size);
}

int tables_clear_header(const struct tables *t, uint32_t slot)
{
	static const struct bh_policy nothing;

	return tables_write(t, TABLE_POLICIES, slot, &nothing, sizeof(nothing));
}

/* In place, whatever is there: most of it. */
int tables_forget_known(const struct tables *t, uint32_t slot)
{
	const size_t size = 2 * BH_KNOWN_LINES * sizeof(struct bh_known_line);
	_table_view_ struct table_view view = {};
	int err = table_view_share(&t->of[TABLE_KNOWN], slot * 2 * BH_KNOWN_LINES, size, &view);

	if (!err)
		memset(view.bytes, 0, size);
	return err;
}

typedef int view_fn(const struct table *table, uint32_t first, size_t size, struct table_view *ret);

static int open_prefixes(const struct tables *t, uint32_t slot, view_fn *open,
			 struct table_view *ret)
{
	const struct table *table = &t->of[TABLE_PREFIXES];
	uint32_t lines = half(t, TABLE_PREFIXES);

	return open(table, slot * lines, (size_t)lines * table->size, ret);
}

struct bh_prefix_line *tables_prefixes(struct tables *t, uint32_t slot)
{
	struct table_view *view = &t->prefixes[slot];

	if (!view->bytes && open_prefixes(t, slot, table_view_share, view))
		return NULL;
	return view->bytes;
}

int tables_view_prefixes(const struct tables *t, uint32_t slot, struct table_view *ret)
{
	return open_prefixes(t, slot, table_view_open, ret);
}

void tables_leave_prefixes(struct tables *t, uint32_t slot)
{
	table_view_close(&t->prefixes[slot]);
}

int tables_fill(const struct tables *t, const struct tables_content *content,
		const struct bh_policy *at)
{
	struct piece pieces[PIECES];
	int err = 0;

	list_pieces(content, at, pieces);
	for (size_t i = 0; !err && i < PIECES; i++)
		err = tables_write(t, pieces[i].table, pieces[i].first, pieces[i].from,
				   pieces[i].size);
	return err;
}
