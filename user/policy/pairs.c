/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/pairs.h"

#include "policy/compiled_index.h"
#include "util/bitset.h"

struct walk {
	const struct compiled *c;
	pair_side src, dst;
	pair_side alone; /* NULL: every class meets itself */
	pair_visitor visit;
	void *context;
	uint8_t *seen; /* of each row: the families in which it was visited */
	/* Of each block of a pair row: what an earlier source class had there.  The same block in
	 * the same families has nothing new. */
	struct column {
		uint32_t block;
		uint8_t families;
	} * columns;
};

uint8_t *pairs_side(const struct compiled *c, const uint64_t *classes)
{
	size_t n = c->classes.count;
	uint8_t *families = xcalloc(n, sizeof(*families));

	for (size_t i = bitset_next(classes, n, 0); i < n; i = bitset_next(classes, n, i + 1))
		families[i] = compiled_class_families(c, (uint32_t)i);
	return families;
}

/* False stops the walk. */
static bool visit_block(struct walk *w, struct pair pair, uint32_t column, uint32_t block)
{
	const struct image_grid *g = &w->c->image.pairs;
	uint32_t first = column * BH_BLOCK_ENTRIES;
	uint8_t families = pair.families;

	for (uint32_t i = 0; i < BH_BLOCK_ENTRIES && first + i < g->columns; i++) {
		pair.dst_class = first + i;
		pair.row = g->blocks.items[block].value[i];
		pair.families = families & w->dst[first + i] & (uint8_t)~w->seen[pair.row];
		if (w->alone && pair.dst_class == pair.src_class)
			pair.families &= (uint8_t)~w->alone[pair.src_class];
		w->seen[pair.row] |= pair.families;
		if (pair.families && !w->visit(w->context, &pair))
			return false;
	}
	return true;
}

static bool visit_source(struct walk *w, uint32_t class)
{
	const struct image_grid *g = &w->c->image.pairs;
	struct pair pair = {.src_class = class, .families = w->src[class]};

	for (uint32_t i = 0; i < g->stride; i++) {
		uint32_t block = g->directory.items[(size_t) class * g->stride + i];
		struct column *column = &w->columns[i];

		if (column->block == block && !(pair.families & ~column->families))
			continue;
		if (column->block != block)
			*column = (struct column){.block = block};
		/* Another class can meet who this one could not: itself. */
		if (!w->alone || i != class / BH_BLOCK_ENTRIES)
			column->families |= pair.families;
		if (!visit_block(w, pair, i, block))
			return false;
	}
	return true;
}

static void walk_all(struct walk *w)
{
	const struct compiled *c = w->c;
	_free_ uint8_t *seen = xcalloc(c->image.cells.rows, sizeof(*seen));
	_free_ struct column *columns = xcalloc(c->image.pairs.stride, sizeof(*columns));

	w->seen = seen;
	w->columns = columns;
	for (uint32_t i = 0; i < c->classes.count; i++) {
		if (w->src[i] && !visit_source(w, i))
			return;
	}
}

uint32_t *pairs_services(const struct compiled *c, unsigned int families)
{
	uint32_t *words = xcalloc(c->image.cells.stride, sizeof(*words));

	for (uint32_t i = 0; i < c->image.service_classes; i++) {
		if (compiled_service_families(c, i) & families)
			words[i / 32] |= 1u << i % 32;
	}
	return words;
}

void pairs_visit(const struct compiled *c, pair_side src, pair_side dst, pair_visitor visit,
		 void *context)
{
	struct walk w = {.c = c, .src = src, .dst = dst, .visit = visit, .context = context};

	walk_all(&w);
}

void pairs_visit_apart(const struct compiled *c, const pair_side sides[2], pair_side alone,
		       pair_visitor visit, void *context)
{
	struct walk w = {
		.c = c,
		.src = sides[0],
		.dst = sides[1],
		.alone = alone,
		.visit = visit,
		.context = context,
	};

	walk_all(&w);
}
