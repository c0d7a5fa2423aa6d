/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/row.h"

#include <string.h>

#include "policy/compiled_index.h"
#include "util/bitset.h"

#define FEW_CLASSES 64 /* of a service list: then they are looked up once */

/* First number of a key in row_builder.made, for what isn't a posture. */
#define KEY_MATCHES UINT32_MAX

/* Replaces b->mentioned by the classes of a service list. */
static void mention(struct row_builder *b, uint32_t list)
{
	memset(b->mentioned, 0, bitset_words(b->services->classes) * sizeof(*b->mentioned));
	service_partition_add(b->services, b->atoms->services.items[list], b->mentioned);
}

static void look_up_few(struct row_builder *b)
{
	size_t n = b->services->classes;
	uint32_t lists = (uint32_t)b->atoms->services.count;
	list_pairs pairs = {};

	b->is_few = bitset_new(lists);
	for (uint32_t list = 0; list < lists; list++) {
		mention(b, list);
		if (bitset_count(b->mentioned, n) > FEW_CLASSES)
			continue;
		bitset_add(b->is_few, list);
		for (size_t i = bitset_next(b->mentioned, n, 0); i < n;
		     i = bitset_next(b->mentioned, n, i + 1))
			vec_push(&pairs, (struct list_pair){list, (uint32_t)i});
	}
	lists_build(&b->few, lists, &pairs);
	vec_release(&pairs);
}

void row_builder_init(struct row_builder *b, const struct compiled *c, const struct atoms *a,
		      struct image_grid *cells, later_list *later)
{
	const struct service_partition *s = &c->index->services;

	memset(b, 0, sizeof(*b));
	b->atoms = a;
	b->services = s;
	timelines_init(&b->times, c->policy, c->now, later);
	row_store_init(&b->matches, &b->match_grid, s->classes);
	row_store_init(&b->cells, cells, s->classes);
	b->mentioned = bitset_new(s->classes);
	b->is_touched = bitset_new(s->classes);
	b->touched = xcalloc(s->classes, sizeof(*b->touched));
	look_up_few(b);
}

void row_builder_expect(struct row_builder *b, size_t rows)
{
	map_reserve(&b->made, rows);
	row_store_expect(&b->cells, rows);
}

void row_builder_release(struct row_builder *b)
{
	timelines_release(&b->times);
	row_store_release(&b->matches);
	row_store_release(&b->cells);
	grid_release(&b->match_grid);
	map_release(&b->made);
	lists_release(&b->few);
	free(b->is_few);
	free(b->mentioned);
	free(b->touched);
	free(b->is_touched);
	vec_release(&b->key);
}

/* Where the number of a row is kept that was made of this, and whether it wasn't yet. */
static uint64_t *place_of(struct row_builder *b, bool *ret_is_new)
{
	return map_put(&b->made, b->key.items, b->key.count * sizeof(*b->key.items), 0, ret_is_new);
}

static void begin_key(struct row_builder *b, uint32_t kind, uint32_t base, const uint32_t *rules,
		      size_t count)
{
	b->key.count = 0;
	vec_push(&b->key, kind);
	vec_push(&b->key, base);
	for (size_t i = 0; i < count; i++)
		vec_push(&b->key, rules[i]);
}

/* A rule on its way over service classes: most of them have the same matches as the one before. */
struct step {
	struct timelines *times;
	uint32_t rule;
	uint32_t before, after;
};

static void step_over(struct step *s, uint32_t *matches)
{
	if (*matches != s->before) {
		s->before = *matches;
		s->after = timelines_add(s->times, s->before, s->rule);
	}
	*matches = s->after;
}

static uint32_t *touch(struct row_builder *b, uint32_t base, size_t class)
{
	if (!bitset_has(b->is_touched, class)) {
		bitset_add(b->is_touched, class);
		b->touched[class] = base ? image_grid_get(&b->match_grid, base, (uint32_t) class)
					 : 0;
	}
	return &b->touched[class];
}

/* Adds a rule to what matches, in the touched classes over the row @base. */
static void add_rule(struct row_builder *b, uint32_t base, uint32_t rule)
{
	struct step step = {&b->times, rule, 0, rule + 1};
	uint32_t list = b->atoms->rules.items[rule].services;
	size_t n = b->services->classes;

	if (bitset_has(b->is_few, list)) {
		struct list few = lists_get(&b->few, list);

		for (size_t i = 0; i < few.count; i++)
			step_over(&step, touch(b, base, few.items[i]));
		return;
	}
	mention(b, list);
	for (size_t i = bitset_next(b->mentioned, n, 0); i < n;
	     i = bitset_next(b->mentioned, n, i + 1))
		step_over(&step, touch(b, base, i));
}

static void clear_touched(struct row_builder *b)
{
	memset(b->is_touched, 0, bitset_words(b->services->classes) * sizeof(*b->is_touched));
}

/* What matches, of these rules alone. */
static uint32_t matches_of(struct row_builder *b, const uint32_t *rules, size_t count)
{
	size_t n = b->services->classes;
	uint64_t *row;
	bool is_new;

	begin_key(b, KEY_MATCHES, 0, rules, count);
	row = place_of(b, &is_new);
	if (!is_new)
		return (uint32_t)*row;
	for (size_t i = 0; i < count; i++)
		add_rule(b, 0, rules[i]);
	row_store_begin(&b->matches, 0);
	for (size_t i = bitset_next(b->is_touched, n, 0); i < n;
	     i = bitset_next(b->is_touched, n, i + 1))
		*row_store_at(&b->matches, i) = b->touched[i];
	clear_touched(b);
	*row = row_store_end(&b->matches);
	return (uint32_t)*row;
}

/* Puts the cells of one block of a row of matches into the row that is being made. */
static void put_block(struct row_builder *b, posture ends, uint32_t block, uint32_t place)
{
	const struct bh_block *matches = &b->match_grid.blocks.items[block];
	uint32_t first = place * BH_BLOCK_ENTRIES, before = 0;
	uint32_t cell = timelines_cell(&b->times, 0, ends);

	for (uint32_t i = 0; i < BH_BLOCK_ENTRIES && first + i < b->services->classes; i++) {
		if (matches->value[i] != before)
			cell = timelines_cell(&b->times, matches->value[i], ends);
		before = matches->value[i];
		*row_store_at(&b->cells, first + i) = cell;
	}
}

/* The cells of a row of matches, most of which are those of the row @base. */
static uint32_t make_cells(struct row_builder *b, posture ends, uint32_t matches, uint32_t base)
{
	size_t stride = b->match_grid.stride;

	row_store_begin(&b->cells, base);
	for (uint32_t i = 0; i < stride; i++) {
		uint32_t block = b->match_grid.directory.items[matches * stride + i];

		if (block || !matches)
			put_block(b, ends, block, i);
	}
	return row_store_end(&b->cells);
}

static uint32_t cells_of(struct row_builder *b, posture ends, uint32_t matches)
{
	uint32_t *blank = &b->blank[ends];
	uint64_t *row;
	bool is_new;

	if (!*blank)
		*blank = make_cells(b, ends, 0, 0);
	if (!matches)
		return *blank;
	begin_key(b, ends, matches, NULL, 0);
	row = place_of(b, &is_new);
	if (is_new)
		*row = make_cells(b, ends, matches, *blank);
	return (uint32_t)*row;
}

struct row row_of(struct row_builder *b, posture ends, const uint32_t *rules, size_t count)
{
	struct row row = {.matches = count ? matches_of(b, rules, count) : 0};

	row.cells = cells_of(b, ends, row.matches);
	return row;
}

uint32_t row_with(struct row_builder *b, posture ends, struct row base, const uint32_t *rules,
		  size_t count)
{
	size_t n = b->services->classes;
	uint32_t cell = 0, before = 0;
	uint64_t *row;
	bool is_new;

	begin_key(b, ends, base.matches, rules, count);
	row = place_of(b, &is_new);
	if (!is_new)
		return (uint32_t)*row;
	for (size_t i = 0; i < count; i++)
		add_rule(b, base.matches, rules[i]);
	row_store_begin(&b->cells, base.cells);
	for (size_t i = bitset_next(b->is_touched, n, 0); i < n;
	     i = bitset_next(b->is_touched, n, i + 1)) {
		if (b->touched[i] != before)
			cell = timelines_cell(&b->times, b->touched[i], ends);
		before = b->touched[i];
		*row_store_at(&b->cells, i) = cell;
	}
	clear_touched(b);
	*row = row_store_end(&b->cells);
	return (uint32_t)*row;
}
