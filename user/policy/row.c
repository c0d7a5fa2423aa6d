/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/row.h"

#include <string.h>

#include "util/bitset.h"

#define NO_BASE     UINT32_MAX /* in the key of a row without rules */
#define FEW_CLASSES 64         /* of a service list: then they are looked up once */

static size_t directory_size(const struct row_builder *b)
{
	return b->cells.grid->stride * sizeof(*b->directory);
}

/* The number of the row that b->directory describes. */
static uint32_t store(struct row_builder *b)
{
	size_t size = directory_size(b);
	bool is_new;
	uint64_t row;

	row = *map_put(&b->rows, b->directory, size, b->cells.grid->rows, &is_new);
	if (is_new)
		memcpy(grid_builder_rows(&b->cells, 1), b->directory, size);
	return (uint32_t)row;
}

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

void row_builder_init(struct row_builder *b, const struct policy *p, const struct atoms *a,
		      const struct service_partition *s, struct image_grid *cells)
{
	memset(b, 0, sizeof(*b));
	b->policy = p;
	b->atoms = a;
	b->services = s;
	grid_builder_init(&b->cells, cells, s->classes);
	b->mentioned = bitset_new(s->classes);
	b->worked = bitset_new(cells->stride);
	b->work = xcalloc(cells->stride, sizeof(*b->work));
	b->directory = xcalloc(cells->stride, sizeof(*b->directory));
	look_up_few(b);
	store(b);
}

void row_builder_release(struct row_builder *b)
{
	grid_builder_release(&b->cells);
	map_release(&b->made);
	map_release(&b->rows);
	lists_release(&b->few);
	free(b->is_few);
	free(b->mentioned);
	free(b->worked);
	free(b->work);
	free(b->directory);
	vec_release(&b->key);
}

static void start_from(struct row_builder *b, uint32_t row)
{
	const struct image_grid *g = b->cells.grid;

	memcpy(b->directory, g->directory.items + (size_t)row * g->stride, directory_size(b));
}

/* The cell of a service class in the row that is being made. */
static uint32_t *cell_at(struct row_builder *b, size_t class)
{
	size_t block = class / BH_BLOCK_ENTRIES;

	if (!bitset_has(b->worked, block)) {
		bitset_add(b->worked, block);
		b->work[block] = b->cells.grid->blocks.items[b->directory[block]];
	}
	return &b->work[block].value[class % BH_BLOCK_ENTRIES];
}

static uint32_t finish(struct row_builder *b)
{
	size_t stride = b->cells.grid->stride;
	size_t i = bitset_next(b->worked, stride, 0);

	for (; i < stride; i = bitset_next(b->worked, stride, i + 1))
		b->directory[i] = grid_builder_block(&b->cells, &b->work[i]);
	memset(b->worked, 0, bitset_words(stride) * sizeof(*b->worked));
	return store(b);
}

/* The place of a made row, with @fresh false if it is known already. */
static uint64_t *place_of(struct row_builder *b, enum bh_verdict effect, uint32_t base,
			  const uint32_t *rules, size_t count, bool *ret_is_new)
{
	b->key.count = 0;
	vec_push(&b->key, (uint32_t)effect);
	vec_push(&b->key, base);
	for (size_t i = 0; i < count; i++)
		vec_push(&b->key, rules[i]);
	return map_put(&b->made, b->key.items, b->key.count * sizeof(*b->key.items), 0, ret_is_new);
}

uint32_t row_default(struct row_builder *b, enum bh_verdict effect)
{
	bool is_new;
	uint64_t *row = place_of(b, effect, NO_BASE, NULL, 0, &is_new);

	if (!is_new)
		return (uint32_t)*row;
	start_from(b, 0);
	for (uint32_t i = 0; i < b->services->classes; i++)
		*cell_at(b, i) = BH_CELL(BH_BUILTIN_DEFAULT, effect, 0);
	*row = finish(b);
	return (uint32_t)*row;
}

/* Deny before allow before the default; among equals, the first in file order. */
static bool comes_first(const struct policy *p, uint32_t rule, uint32_t cell)
{
	uint32_t other = BH_CELL_RULE(cell);
	enum action action = p->rules.items[rule].action;

	if (other < BH_RULE_FIRST)
		return true;
	other -= BH_RULE_FIRST;
	if (p->rules.items[other].action != action)
		return action == ACTION_DENY;
	return rule < other;
}

static uint32_t cell_of(const struct policy *p, uint32_t number, enum bh_verdict effect)
{
	const struct rule *rule = &p->rules.items[number];
	enum bh_verdict verdict = rule->action == ACTION_DENY ? effect : BH_VERDICT_ALLOW;
	bool is_logged = rule->log && verdict == BH_VERDICT_ALLOW;

	return BH_CELL(BH_RULE_FIRST + number, verdict, is_logged ? BH_CELL_LOG : 0);
}

static void put_cell(struct row_builder *b, size_t class, uint32_t rule, uint32_t cell)
{
	uint32_t *at = cell_at(b, class);

	if (comes_first(b->policy, rule, *at))
		*at = cell;
}

static void put_rule(struct row_builder *b, enum bh_verdict effect, uint32_t rule)
{
	uint32_t list = b->atoms->rules.items[rule].services;
	uint32_t cell = cell_of(b->policy, rule, effect);
	size_t n = b->services->classes;

	if (bitset_has(b->is_few, list)) {
		struct list few = lists_get(&b->few, list);

		for (size_t i = 0; i < few.count; i++)
			put_cell(b, few.items[i], rule, cell);
		return;
	}
	mention(b, list);
	for (size_t i = bitset_next(b->mentioned, n, 0); i < n;
	     i = bitset_next(b->mentioned, n, i + 1))
		put_cell(b, i, rule, cell);
}

uint32_t row_with(struct row_builder *b, enum bh_verdict effect, uint32_t base,
		  const uint32_t *rules, size_t count)
{
	bool is_new;
	uint64_t *row = place_of(b, effect, base, rules, count, &is_new);

	if (!is_new)
		return (uint32_t)*row;
	start_from(b, base);
	for (size_t i = 0; i < count; i++)
		put_rule(b, effect, rules[i]);
	*row = finish(b);
	return (uint32_t)*row;
}
