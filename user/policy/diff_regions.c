/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/diff_regions.h"

#include <errno.h>
#include <string.h>

#include "policy/diff_layers.h"
#include "policy/service_class.h"
#include "util/mem.h"

#define PLACES_MAX  8000000 /* cells of all layers */
#define REGIONS_MAX 10000   /* that anybody would read */

typedef VEC(struct region) region_list;

struct work {
	struct regions *out;
	const struct relation *r;
	const uint8_t *families[REGION_DIMENSIONS]; /* of each number in a set */
};

/* Every key with every item, both lists of regions.sets. */
struct rectangle {
	uint32_t keys, items;
};
typedef VEC(struct rectangle) rectangles;

/* From sorted pairs: keys with the same items go together. */
static void make_rectangles(struct list_pool *sets, const list_pairs *pairs, rectangles *out)
{
	list_pairs rows = {}; /* items -> key */
	numbers list = {};

	for (size_t i = 0; i < pairs->count; i++) {
		uint32_t key = pairs->items[i].key;

		vec_push(&list, pairs->items[i].item);
		if (i + 1 < pairs->count && pairs->items[i + 1].key == key)
			continue;
		vec_push(&rows,
			 (struct list_pair){list_pool_add(sets, list.items, list.count), key});
		list.count = 0;
	}
	list_pairs_sort(&rows);
	for (size_t i = 0; i < rows.count; i++) {
		vec_push(&list, rows.items[i].item);
		if (i + 1 < rows.count && rows.items[i + 1].key == rows.items[i].key)
			continue;
		vec_push(out, (struct rectangle){list_pool_add(sets, list.items, list.count),
						 rows.items[i].key});
		list.count = 0;
	}
	vec_release(&rows);
	vec_release(&list);
}

static void flip_pairs(list_pairs *pairs)
{
	vec_foreach (pair, pairs)
		*pair = (struct list_pair){pair->item, pair->key};
	list_pairs_sort(pairs);
}

/* The cells of a layer, by rows or by columns: whatever is shorter. */
static void divide_layer(struct work *w, const struct layer *layer, struct list cells,
			 region_list *out)
{
	rectangles by_src = {}, by_dst = {};
	list_pairs pairs = {};
	bool is_by_src;

	for (size_t i = 0; i < cells.count; i++) {
		const struct relation_cell *cell = &w->r->cells.items[cells.items[i]];

		vec_push(&pairs, (struct list_pair){cell->src, cell->dst});
	}
	list_pairs_sort(&pairs);
	make_rectangles(&w->out->sets, &pairs, &by_src);
	flip_pairs(&pairs);
	make_rectangles(&w->out->sets, &pairs, &by_dst);
	is_by_src = by_src.count <= by_dst.count;
	vec_foreach (rectangle, is_by_src ? &by_src : &by_dst) {
		uint32_t src = is_by_src ? rectangle->keys : rectangle->items;
		uint32_t dst = is_by_src ? rectangle->items : rectangle->keys;

		vec_push(out, (struct region){{src, dst, layer->services}, layer->change, 0});
	}
	vec_release(&pairs);
	vec_release(&by_src);
	vec_release(&by_dst);
}

static int divide(struct work *w, const struct layers *l, region_list *out)
{
	struct lists of_signature = {}, of_layer = {};
	list_pairs places = {}; /* layer -> cell */
	int err = 0;

	lists_build(&of_signature, (uint32_t)w->r->signatures.lists.count, &l->of_signature);
	for (uint32_t i = 0; i < w->r->cells.count && !err; i++) {
		struct list layers = lists_get(&of_signature, w->r->cells.items[i].signature);

		for (size_t k = 0; k < layers.count; k++)
			vec_push(&places, (struct list_pair){layers.items[k], i});
		err = places.count > PLACES_MAX ? -E2BIG : 0;
	}
	if (!err) {
		lists_build(&of_layer, (uint32_t)l->items.count, &places);
		for (uint32_t i = 0; i < l->items.count; i++)
			divide_layer(w, &l->items.items[i], lists_get(&of_layer, i), out);
	}
	lists_release(&of_signature);
	lists_release(&of_layer);
	vec_release(&places);
	return err;
}

/* A region without one of its dimensions: those that are alike in it may be one. */
struct face {
	uint8_t change;
	uint32_t set[REGION_DIMENSIONS - 1];
	uint32_t region;
};

static int face_cmp(const void *a, const void *b)
{
	const struct face *x = a, *y = b;

	if (x->change != y->change)
		return x->change < y->change ? -1 : 1;
	for (size_t i = 0; i < COUNT(x->set); i++) {
		if (x->set[i] != y->set[i])
			return x->set[i] < y->set[i] ? -1 : 1;
	}
	return 0;
}

static uint32_t unite(struct list_pool *sets, const numbers *lists)
{
	numbers all = {};
	uint32_t number;

	if (lists->count == 1)
		return lists->items[0];
	vec_foreach (list, lists) {
		struct list one = list_pool_get(sets, *list);

		for (size_t i = 0; i < one.count; i++)
			vec_push(&all, one.items[i]);
	}
	numbers_sort(&all);
	number = list_pool_add(sets, all.items, all.count);
	vec_release(&all);
	return number;
}

/* Regions that differ in nothing but @d become one. */
static void merge_along(struct work *w, enum region_dimension d, region_list *regions)
{
	VEC(struct face) faces = {};
	region_list merged = {};
	numbers lists = {};

	for (uint32_t i = 0; i < regions->count; i++) {
		const struct region *region = &regions->items[i];

		vec_push(&faces, (struct face){region->change,
					       {region->set[(d + 1) % REGION_DIMENSIONS],
						region->set[(d + 2) % REGION_DIMENSIONS]},
					       i});
	}
	if (faces.count)
		qsort(faces.items, faces.count, sizeof(*faces.items), face_cmp);
	for (size_t i = 0; i < faces.count; i++) {
		struct region region = regions->items[faces.items[i].region];

		vec_push(&lists, region.set[d]);
		if (i + 1 < faces.count && !face_cmp(&faces.items[i], &faces.items[i + 1]))
			continue;
		region.set[d] = unite(&w->out->sets, &lists);
		vec_push(&merged, region);
		lists.count = 0;
	}
	vec_release(&faces);
	vec_release(&lists);
	vec_release(regions);
	regions->items = merged.items;
	regions->count = merged.count;
	regions->size = merged.size;
}

static void merge(struct work *w, region_list *regions)
{
	size_t before;

	do {
		before = regions->count;
		merge_along(w, REGION_SERVICE, regions);
		merge_along(w, REGION_SRC, regions);
		merge_along(w, REGION_DST, regions);
	} while (regions->count < before);
}

static uint8_t families_of(struct list list, const uint8_t *families)
{
	uint8_t all = 0;

	for (size_t i = 0; i < list.count; i++)
		all |= families[list.items[i]];
	return all;
}

/* Leaves out what only ends of different families would do. */
static void keep_possible(struct work *w, region_list *regions)
{
	size_t kept = 0;

	vec_foreach (region, regions) {
		region->families = FAMILY_V4 | FAMILY_V6;
		for (int d = 0; d < REGION_DIMENSIONS; d++)
			region->families &= families_of(
				list_pool_get(&w->out->sets, region->set[d]), w->families[d]);
		if (region->families)
			regions->items[kept++] = *region;
	}
	regions->count = kept;
}

static int build_by(struct work *w, layers_builder make, region_list *out)
{
	struct layers l = {};
	int err;

	make(&l, w->r, &w->out->sets);
	err = divide(w, &l, out);
	if (!err) {
		merge(w, out);
		keep_possible(w, out);
	}
	layers_release(&l);
	return err;
}

static uint8_t *group_families(const struct joint_addresses *a, const struct lists *groups)
{
	uint8_t *families = xcalloc((size_t)groups->keys + 1, sizeof(*families));

	for (uint32_t i = 0; i < groups->keys; i++) {
		struct list members = lists_get(groups, i);

		for (size_t k = 0; k < members.count; k++)
			families[i] |= a->classes.items[members.items[k]].families;
	}
	return families;
}

static uint8_t *every_service_families(const struct joint_services *s)
{
	uint8_t *families = xcalloc(s->items.count + 1, sizeof(*families));

	for (size_t i = 0; i < s->items.count; i++)
		families[i] = s->items.items[i].families;
	return families;
}

static int build(struct work *w, struct text *reterr)
{
	region_list by_signature = {}, by_service = {};
	region_list *best = &by_signature;
	int err = build_by(w, layers_by_signature, &by_signature);

	if (!err)
		err = build_by(w, layers_by_service, &by_service);
	if (by_service.count <= by_signature.count)
		best = &by_service;
	if (err)
		text_addf(reterr,
			  "the policies differ too widely to be listed: for %zu pairs of "
			  "groups of addresses",
			  w->r->cells.count);
	else if (best->count > REGIONS_MAX) {
		err = -E2BIG;
		text_addf(reterr,
			  "the policies differ too widely to be listed: %zu differences; "
			  "there is room for %d",
			  best->count, REGIONS_MAX);
	}
	vec_foreach (region, best)
		vec_push(&w->out->items, *region);
	vec_release(&by_signature);
	vec_release(&by_service);
	return err;
}

int regions_build(struct regions *regions, const struct relation *r,
		  const struct joint_addresses *a, const struct joint_services *s,
		  struct text *reterr)
{
	_free_ uint8_t *src = group_families(a, &r->src_members);
	_free_ uint8_t *dst = group_families(a, &r->dst_members);
	_free_ uint8_t *each_service = every_service_families(s);
	struct work w = {.out = regions, .r = r, .families = {src, dst, each_service}};

	memset(regions, 0, sizeof(*regions));
	return build(&w, reterr);
}

void regions_release(struct regions *regions)
{
	list_pool_release(&regions->sets);
	vec_release(&regions->items);
}
