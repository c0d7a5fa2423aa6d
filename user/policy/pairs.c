/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/pairs.h"

#include "policy/compiled_index.h"
#include "util/bitset.h"

struct walk {
	const struct compiled *c;
	struct pairs_apart pairs;
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

/* Without the families in which the pair is passed over; these are added to *passed. */
static uint8_t not_masked(const struct walk *w, const struct pair *pair, uint8_t *passed)
{
	uint8_t mask;

	if (!w->pairs.mask || !pair->families)
		return pair->families;
	mask = w->pairs.mask(w->pairs.mask_of, pair->src_class, pair->dst_class);
	*passed |= pair->families & mask;
	return pair->families & (uint8_t)~mask;
}

/* False stops the walk. */
static bool visit_block(struct walk *w, struct pair pair, uint32_t column, uint32_t block)
{
	const struct image_grid *g = &w->c->image.pairs;
	uint32_t first = column * BH_BLOCK_ENTRIES;
	uint8_t families = pair.families, passed = 0;

	for (uint32_t i = 0; i < BH_BLOCK_ENTRIES && first + i < g->columns; i++) {
		pair.dst_class = first + i;
		pair.row = g->blocks.items[block].value[i];
		pair.families = families & w->pairs.dst[first + i] & (uint8_t)~w->seen[pair.row];
		pair.families = not_masked(w, &pair, &passed);
		w->seen[pair.row] |= pair.families;
		if (pair.families && !w->visit(w->context, &pair))
			return false;
	}
	/* Another class can meet who this one passed over. */
	w->columns[column].families |= families & (uint8_t)~passed;
	return true;
}

static bool visit_source(struct walk *w, uint32_t class)
{
	const struct image_grid *g = &w->c->image.pairs;
	const uint32_t *directory = g->directory.items + (size_t) class * g->stride;
	struct pair pair = {.src_class = class, .families = w->pairs.src[class]};
	uint32_t width = image_grid_width(g);

	for (uint32_t i = 0; i < width; i++) {
		uint32_t block = directory[image_grid_place(g, i)];
		struct column *column = &w->columns[i];

		if (column->block == block && !(pair.families & ~column->families))
			continue;
		if (column->block != block)
			*column = (struct column){.block = block};
		if (!visit_block(w, pair, i, block))
			return false;
	}
	return true;
}

static void walk_all(struct walk *w)
{
	const struct compiled *c = w->c;
	_free_ uint8_t *seen = xcalloc(c->image.cells.rows, sizeof(*seen));
	_free_ struct column *columns = xcalloc(image_grid_width(&c->image.pairs),
						sizeof(*columns));

	w->seen = seen;
	w->columns = columns;
	for (uint32_t i = 0; i < c->classes.count; i++) {
		if (w->pairs.src[i] && !visit_source(w, i))
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

void pairs_visit_apart(const struct compiled *c, const struct pairs_apart *pairs,
		       pair_visitor visit, void *context)
{
	struct walk w = {.c = c, .pairs = *pairs, .visit = visit, .context = context};

	walk_all(&w);
}

void pairs_visit(const struct compiled *c, pair_side src, pair_side dst, pair_visitor visit,
		 void *context)
{
	const struct pairs_apart all = {.src = src, .dst = dst};

	pairs_visit_apart(c, &all, visit, context);
}

uint8_t pairs_mask_alone(void *alone, uint32_t src_class, uint32_t dst_class)
{
	const uint8_t *families = alone;

	return src_class == dst_class ? families[src_class] : 0;
}
