/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A rule is narrow if it concerns few pairs of classes, else wide.  Classes that the wide rules
 * don't tell apart form groups; rows are made for pairs of groups first, and what narrow rules add
 * is then patched into the few blocks of a source class that they touch.  The cost grows with the
 * pairs that narrow rules concern and with groups x classes, never with classes x classes x rules.
 */
#include "policy/evaluate.h"

#include <errno.h>
#include <string.h>

#include "policy/compiled_index.h"
#include "policy/hits.h"
#include "policy/row.h"
#include "util/bitset.h"
#include "util/partition.h"

#define NARROW_PAIRS_MAX 64 /* pairs of classes that a narrow rule concerns */

typedef VEC(uint32_t) class_list;

/* One end's view: classes in groups that wide rules don't tell apart. */
struct half {
	uint8_t *is_wide; /* per selector: a wide rule names it at this end */
	struct partition groups;
	struct lists classes;   /* group -> its classes */
	list_pairs wide_groups; /* wide selector, group in it */
};

struct evaluator {
	const struct compiled *c;
	const struct atoms *atoms;
	const struct selector_index *selectors;
	enum evaluated which;
	struct row_builder rows;
	struct grid_builder pairs;

	/* Scratch of members(). */
	struct selected selected;
	uint32_t *seen;
	uint32_t stamp;

	uint32_t *counts; /* classes in each selector */
	list_pairs few;   /* selector, class in it; of selectors that narrow rules may name */
	rule_numbers narrow, wide;
	struct half src, dst;
	struct reach group_reach, class_reach;
	struct hits group_hits, class_hits;
	rule_numbers rules; /* scratch */

	VEC(struct bh_block) patterns; /* distinct sequences of destination groups in a block */
	uint32_t *pattern_of;          /* of each place of a pair row's directory */
	uint32_t *pattern_block;       /* the source group's block for each pattern */
	uint32_t *group_blocks;        /* the source group's block in each place */
	struct row *group_row;         /* the source group's row towards each destination group */
};

/* The classes in a selector; with @groups, the groups of those classes. */
static void members(struct evaluator *e, uint32_t selector, const struct partition *groups,
		    class_list *ret)
{
	struct list list = selector_members(e->selectors, selector, &e->selected);

	ret->count = 0;
	e->stamp++;
	for (size_t i = 0; i < list.count; i++) {
		uint32_t member = e->c->identities.items[list.items[i]].class;

		if (groups)
			member = groups->part[member];
		if (e->seen[member] == e->stamp)
			continue;
		e->seen[member] = e->stamp;
		vec_push(ret, member);
	}
}

static void count_members(struct evaluator *e)
{
	class_list classes = {};

	for (uint32_t i = 0; i < e->atoms->selectors.count; i++) {
		members(e, i, NULL, &classes);
		e->counts[i] = (uint32_t)classes.count;
		if (classes.count > NARROW_PAIRS_MAX)
			continue;
		vec_foreach (class, &classes)
			vec_push(&e->few, (struct list_pair){i, *class});
	}
	vec_release(&classes);
}

static bool does_count(const struct evaluator *e, uint32_t number)
{
	const struct rule *rule = &e->c->policy->rules.items[number];
	bool is_deny = rule->action == ACTION_DENY || rule->action == ACTION_REJECT;

	if (rule_has_expired(rule, e->c->now))
		return false;
	return e->which == EVALUATE_NOW || !is_deny || !rule->expires;
}

static void sort_rules(struct evaluator *e)
{
	for (uint32_t i = 0; i < e->atoms->rules.count; i++) {
		const struct atom_rule *rule = &e->atoms->rules.items[i];
		uint64_t pairs;

		if (!does_count(e, i))
			continue;
		pairs = (uint64_t)e->counts[rule->from] * e->counts[rule->to];
		if (!pairs)
			continue;
		if (pairs <= NARROW_PAIRS_MAX) {
			vec_push(&e->narrow, i);
			continue;
		}
		vec_push(&e->wide, i);
		e->src.is_wide[rule->from] = 1;
		e->dst.is_wide[rule->to] = 1;
	}
}

static void list_groups(struct half *side)
{
	list_pairs pairs = {};

	for (uint32_t i = 0; i < side->groups.elements; i++)
		vec_push(&pairs, (struct list_pair){side->groups.part[i], i});
	lists_build(&side->classes, side->groups.parts, &pairs);
	vec_release(&pairs);
}

static int group_side(struct evaluator *e, struct half *side, const uint64_t *keys)
{
	class_list found = {};

	partition_init(&side->groups, (uint32_t)e->c->classes.count, keys);
	for (uint32_t i = 0; i < e->atoms->selectors.count; i++) {
		if (!side->is_wide[i])
			continue;
		members(e, i, NULL, &found);
		partition_split(&side->groups, found.items, found.count);
	}
	partition_number(&side->groups);
	list_groups(side);
	for (uint32_t i = 0; i < e->atoms->selectors.count; i++) {
		if (!side->is_wide[i] || side->wide_groups.count > EVALUATE_MEMBERS_MAX)
			continue;
		members(e, i, &side->groups, &found);
		vec_foreach (group, &found)
			vec_push(&side->wide_groups, (struct list_pair){i, *group});
	}
	vec_release(&found);
	return side->wide_groups.count > EVALUATE_MEMBERS_MAX ? -E2BIG : 0;
}

/* Classes with different keys have different rows even without a rule. */
static uint64_t class_key(const struct address_class *class)
{
	return (uint64_t) class->mode << 8 | class->isolated;
}

static int group_sides(struct evaluator *e)
{
	size_t classes = e->c->classes.count;
	_free_ uint64_t *keys = xcalloc(classes, sizeof(*keys));
	int err;

	for (size_t i = 0; i < classes; i++)
		keys[i] = class_key(&e->c->classes.items[i]);
	err = group_side(e, &e->src, keys);
	return err ? err : group_side(e, &e->dst, keys);
}

/* Blocks of a pair row that narrow rules may set apart from others. */
static uint64_t *narrow_blocks(const struct evaluator *e)
{
	uint64_t *blocks = bitset_new(image_grid_width(e->pairs.grid));
	_free_ uint64_t *seen = bitset_new(e->atoms->selectors.count);

	vec_foreach (number, &e->narrow) {
		uint32_t to = e->atoms->rules.items[*number].to;
		struct list classes = lists_get(&e->class_reach.destinations, to);

		if (bitset_has(seen, to))
			continue;
		bitset_add(seen, to);
		for (size_t i = 0; i < classes.count; i++)
			bitset_add(blocks, classes.items[i] / BH_BLOCK_ENTRIES);
	}
	return blocks;
}

static struct bh_block pattern_at(const struct evaluator *e, uint32_t block)
{
	const struct partition *groups = &e->dst.groups;
	struct bh_block pattern = {};

	for (uint32_t i = 0; i < BH_BLOCK_ENTRIES; i++) {
		uint32_t class = block * BH_BLOCK_ENTRIES + i;

		/* Past the end, whatever makes the block like others. */
		pattern.value[i] = class < groups->elements ? groups->part[class]
							    : pattern.value[0];
	}
	return pattern;
}

/*
 * Most blocks of a pair row are alike: they hold classes of one group, or of the same few.  Those
 * that are never anything else have one place in the directory.
 */
static void find_patterns(struct evaluator *e)
{
	uint32_t width = image_grid_width(e->pairs.grid), parts = 0;
	_free_ uint64_t *is_narrow = narrow_blocks(e);
	_free_ uint32_t *part_of = xcalloc((size_t)width + 1, sizeof(*part_of));
	_free_ uint32_t *shared = xcalloc((size_t)width + 1, sizeof(*shared));
	struct map numbers = {};

	e->pattern_of = xcalloc((size_t)width + 1, sizeof(*e->pattern_of));
	for (uint32_t i = 0; i < width; i++) {
		struct bh_block pattern = pattern_at(e, i);
		uint32_t number;
		bool is_new;

		number = (uint32_t)*map_put(&numbers, &pattern, sizeof(pattern), e->patterns.count,
					    &is_new);
		if (is_new)
			vec_push(&e->patterns, pattern);
		if (!bitset_has(is_narrow, i) && shared[number]) {
			part_of[i] = shared[number] - 1;
			continue;
		}
		e->pattern_of[parts] = number;
		part_of[i] = parts++;
		if (!bitset_has(is_narrow, i))
			shared[number] = parts;
	}
	if (parts < width)
		grid_builder_part(&e->pairs, part_of, parts);
	map_release(&numbers);
}

/* The first class of a group; all of them have the same posture. */
static const struct address_class *group_class(const struct evaluator *e, const struct half *side,
					       uint32_t group)
{
	return &e->c->classes.items[lists_get(&side->classes, group).items[0]];
}

/* What the wide rules say from one source group: its rows, and a block for each pattern. */
static void decide_group(struct evaluator *e, uint32_t group)
{
	const struct address_class *src = group_class(e, &e->src, group);

	for (uint32_t i = 0; i < e->dst.groups.parts; i++)
		e->group_row[i] = row_of(&e->rows, posture_of(src, group_class(e, &e->dst, i)),
					 NULL, 0);
	hits_collect(&e->group_hits, &e->group_reach, e->atoms, group);
	vec_foreach (to, &e->group_hits.destinations) {
		posture ends = posture_of(src, group_class(e, &e->dst, *to));

		hits_rules(&e->group_hits, *to, &e->rules);
		e->group_row[*to] = row_of(&e->rows, ends, e->rules.items, e->rules.count);
	}
	for (size_t i = 0; i < e->patterns.count; i++) {
		struct bh_block block;

		for (uint32_t j = 0; j < BH_BLOCK_ENTRIES; j++)
			block.value[j] = e->group_row[e->patterns.items[i].value[j]].cells;
		e->pattern_block[i] = grid_builder_block(&e->pairs, &block);
	}
	for (uint32_t i = 0; i < e->pairs.grid->stride; i++)
		e->group_blocks[i] = e->pattern_block[e->pattern_of[i]];
}

/* What the narrow rules add from one class: patches the blocks of its pair row. */
static void decide_class(struct evaluator *e, uint32_t class)
{
	const struct image_grid *g = e->pairs.grid;
	uint32_t *directory = g->directory.items + (size_t) class * g->stride;
	const struct address_class *classes = e->c->classes.items;
	uint32_t *to, *end;

	memcpy(directory, e->group_blocks, g->stride * sizeof(*directory));
	hits_collect(&e->class_hits, &e->class_reach, e->atoms, class);
	to = e->class_hits.destinations.items;
	end = e->class_hits.destinations.count ? to + e->class_hits.destinations.count : to;
	while (to < end) {
		uint32_t at = *to / BH_BLOCK_ENTRIES;
		uint32_t *place = &directory[image_grid_place(g, at)];
		struct bh_block block = g->blocks.items[*place];

		for (; to < end && *to / BH_BLOCK_ENTRIES == at; to++) {
			posture ends = posture_of(&classes[class], &classes[*to]);

			hits_rules(&e->class_hits, *to, &e->rules);
			block.value[*to % BH_BLOCK_ENTRIES] =
				row_with(&e->rows, ends, e->group_row[e->dst.groups.part[*to]],
					 e->rules.items, e->rules.count);
		}
		*place = grid_builder_block(&e->pairs, &block);
	}
}

bool evaluate_has_room(const struct image_grid *pairs, const struct image_grid *cells)
{
	return pairs->blocks.count + cells->blocks.count <= EVALUATE_BLOCKS_MAX &&
	       grid_lines(pairs) + grid_lines(cells) <= EVALUATE_LINES_MAX;
}

static bool is_over(const struct evaluator *e)
{
	return !evaluate_has_room(e->pairs.grid, e->rows.cells.grid.grid);
}

/* Their number is known beforehand, and they may be many. */
static int make_pair_rows(struct evaluator *e)
{
	struct image_grid *g = e->pairs.grid;
	uint32_t classes = (uint32_t)e->c->classes.count;

	g->rows = classes;
	if (grid_lines(g) > EVALUATE_LINES_MAX)
		return -E2BIG;
	g->rows = 0;
	grid_builder_rows(&e->pairs, classes);
	return 0;
}

/* A narrow rule makes a block of pairs and a row of cells, where its classes have none yet. */
static void expect_blocks(struct evaluator *e)
{
	size_t classes = e->c->classes.count;
	size_t blocks = e->narrow.count < classes ? e->narrow.count : classes;

	grid_builder_expect(&e->pairs, blocks);
	row_builder_expect(&e->rows, blocks);
}

static int decide(struct evaluator *e)
{
	expect_blocks(e);
	find_patterns(e);
	if (make_pair_rows(e))
		return -E2BIG;
	e->pattern_block = xcalloc(e->patterns.count + 1, sizeof(*e->pattern_block));
	e->group_blocks = xcalloc(e->pairs.grid->stride, sizeof(*e->group_blocks));
	e->group_row = xcalloc(e->dst.groups.parts, sizeof(*e->group_row));
	for (uint32_t group = 0; group < e->src.groups.parts; group++) {
		struct list list = lists_get(&e->src.classes, group);

		decide_group(e, group);
		for (size_t i = 0; i < list.count && !is_over(e); i++)
			decide_class(e, list.items[i]);
		if (is_over(e))
			return -E2BIG;
	}
	return 0;
}

static void evaluator_init(struct evaluator *e, const struct evaluated_tables *ret)
{
	uint32_t classes = (uint32_t)e->c->classes.count;
	size_t selectors = e->atoms->selectors.count;

	row_builder_init(&e->rows, e->c, e->atoms, ret->cells, ret->later);
	grid_builder_init(&e->pairs, ret->pairs, classes);
	hits_init(&e->class_hits, classes);
	e->seen = xcalloc(classes, sizeof(*e->seen));
	e->counts = xcalloc(selectors + 1, sizeof(*e->counts));
	e->src.is_wide = xcalloc(selectors + 1, sizeof(*e->src.is_wide));
	e->dst.is_wide = xcalloc(selectors + 1, sizeof(*e->dst.is_wide));
}

static void half_release(struct half *side)
{
	free(side->is_wide);
	partition_release(&side->groups);
	lists_release(&side->classes);
	vec_release(&side->wide_groups);
}

static void evaluator_release(struct evaluator *e)
{
	row_builder_release(&e->rows);
	grid_builder_release(&e->pairs);
	half_release(&e->src);
	half_release(&e->dst);
	reach_release(&e->group_reach);
	reach_release(&e->class_reach);
	hits_release(&e->group_hits);
	hits_release(&e->class_hits);
	selected_release(&e->selected);
	free(e->seen);
	free(e->counts);
	vec_release(&e->few);
	vec_release(&e->narrow);
	vec_release(&e->wide);
	vec_release(&e->rules);
	vec_release(&e->patterns);
	free(e->pattern_of);
	free(e->pattern_block);
	free(e->group_blocks);
	free(e->group_row);
}

int evaluate(const struct compiled *c, const struct atoms *a, enum evaluated which,
	     const struct evaluated_tables *ret)
{
	_cleanup_(evaluator_release)
	struct evaluator e = {
		.c = c, .atoms = a, .selectors = &c->index->selectors, .which = which};
	int err;

	evaluator_init(&e, ret);
	count_members(&e);
	sort_rules(&e);
	err = group_sides(&e);
	if (err)
		return err;
	reach_build(&e.group_reach, a, &e.wide, &e.src.wide_groups, &e.dst.wide_groups,
		    e.src.groups.parts);
	reach_build(&e.class_reach, a, &e.narrow, &e.few, &e.few, (uint32_t)c->classes.count);
	hits_init(&e.group_hits, e.dst.groups.parts);
	return decide(&e);
}
