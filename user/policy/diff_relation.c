/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/diff_relation.h"

#include <errno.h>
#include <string.h>

#include "util/mem.h"
#include "util/partition.h"

/* Bounds on the work: some seconds of it, and some hundred MiB. */
#define VISITS_MAX  UINT64_C(1000000000) /* sources x tiles */
#define ENTRIES_MAX 50000000             /* distinct sources x destinations */
#define CELLS_MAX   4000000

/*
 * Destinations whose classes lie in one column of blocks in either grid: two blocks tell all that
 * there is to know of a source and these.
 */
struct tile {
	uint32_t column[JOINT_SIDES];
	/* The blocks that were asked for last, and the answer: neighbours often share them. */
	uint32_t block[JOINT_SIDES];
	uint32_t result;
};

struct work {
	struct relation *r;
	const struct joint_addresses *a;
	const struct joint_services *s;
	struct map rows; /* pair of rows -> signature */
	VEC(struct tile) tiles;
	struct lists tile_members; /* -> joint classes */
	struct map blocks;         /* tile, pair of blocks -> result */
	struct list_pool results;  /* joint class, signature, ...; number 0 is empty */
	struct list_pool profiles; /* results of one source; number 0 is empty */
};

static enum outcome outcome_of(struct decision d, bool is_log_seen)
{
	static const enum outcome outcomes[BH_VERDICT_COUNT] = {
		[BH_VERDICT_DENY] = OUTCOME_DENY,
		[BH_VERDICT_REJECT] = OUTCOME_REJECT,
		[BH_VERDICT_AUDIT] = OUTCOME_AUDIT,
		[BH_VERDICT_ALLOW] = OUTCOME_ALLOW,
	};
	bool is_logged = d.log && is_log_seen;

	if (d.verdict != BH_VERDICT_ALLOW)
		return outcomes[d.verdict];
	if (d.tls)
		return is_logged ? OUTCOME_ALLOW_TLS_LOGGED : OUTCOME_ALLOW_TLS;
	return is_logged ? OUTCOME_ALLOW_LOGGED : OUTCOME_ALLOW;
}

/* Whether a connection that passes is logged is seen only beside one that passes, too. */
static uint8_t change_of(uint32_t old, uint32_t new)
{
	struct decision x = decision_of_cell(old), y = decision_of_cell(new);
	bool do_pass = BH_VERDICT_PASSES(x.verdict) && BH_VERDICT_PASSES(y.verdict);
	enum outcome was = outcome_of(x, do_pass), now = outcome_of(y, do_pass);

	return was == now ? 0 : CHANGE(was, now);
}

static uint32_t row_signature(struct work *w, const uint32_t rows[JOINT_SIDES])
{
	const struct image *old = &w->a->c[JOINT_OLD]->image, *new = &w->a->c[JOINT_NEW]->image;
	size_t size = JOINT_SIDES * sizeof(*rows);
	uint64_t *known = map_get(&w->rows, rows, size);
	numbers changes = {};
	uint32_t signature;

	if (known)
		return (uint32_t)*known;
	for (uint32_t i = 0; i < w->s->items.count; i++) {
		const struct joint_service *service = &w->s->items.items[i];
		uint8_t change = change_of(
			image_grid_get(&old->cells, rows[JOINT_OLD], service->class[JOINT_OLD]),
			image_grid_get(&new->cells, rows[JOINT_NEW], service->class[JOINT_NEW]));

		if (change)
			vec_push(&changes, EFFECT(i, change));
	}
	signature = list_pool_add(&w->r->signatures, changes.items, changes.count);
	map_put(&w->rows, rows, size, signature, NULL);
	vec_release(&changes);
	return signature;
}

static void make_tiles(struct work *w)
{
	struct map known = {};
	list_pairs members = {};

	for (uint32_t i = 0; i < w->a->classes.count; i++) {
		const struct joint_class *class = &w->a->classes.items[i];
		struct tile tile = {};
		uint64_t *number;
		bool is_new;

		for (int side = 0; side < JOINT_SIDES; side++)
			tile.column[side] = class->class[side] / BH_BLOCK_ENTRIES;
		number = map_put(&known, tile.column, sizeof(tile.column), w->tiles.count, &is_new);
		if (is_new)
			vec_push(&w->tiles, tile);
		vec_push(&members, (struct list_pair){(uint32_t)*number, i});
	}
	lists_build(&w->tile_members, (uint32_t)w->tiles.count, &members);
	vec_release(&members);
	map_release(&known);
}

/* What differs between two blocks of a tile, as a list of destinations and signatures. */
static uint32_t compare_blocks(struct work *w, uint32_t tile, const uint32_t block[JOINT_SIDES])
{
	struct list members = lists_get(&w->tile_members, tile);
	const struct bh_block *blocks[JOINT_SIDES];
	uint32_t result;
	numbers found = {};

	for (int side = 0; side < JOINT_SIDES; side++)
		blocks[side] = &w->a->c[side]->image.pairs.blocks.items[block[side]];
	for (size_t i = 0; i < members.count; i++) {
		const uint32_t *class = w->a->classes.items[members.items[i]].class;
		uint32_t rows[JOINT_SIDES], signature;

		for (int side = 0; side < JOINT_SIDES; side++)
			rows[side] = blocks[side]->value[class[side] % BH_BLOCK_ENTRIES];
		signature = row_signature(w, rows);
		if (!signature)
			continue;
		vec_push(&found, members.items[i]);
		vec_push(&found, signature);
	}
	result = list_pool_add(&w->results, found.items, found.count);
	vec_release(&found);
	return result;
}

static uint32_t tile_result(struct work *w, uint32_t number, const uint32_t block[JOINT_SIDES])
{
	const uint32_t key[] = {number, block[JOINT_OLD], block[JOINT_NEW]};
	struct tile *tile = &w->tiles.items[number];
	uint64_t *known;

	if (!memcmp(tile->block, block, sizeof(tile->block)))
		return tile->result;
	known = map_get(&w->blocks, key, sizeof(key));
	if (!known) {
		uint32_t result = compare_blocks(w, number, block);

		known = map_put(&w->blocks, key, sizeof(key), result, NULL);
	}
	memcpy(tile->block, block, sizeof(tile->block));
	tile->result = (uint32_t)*known;
	return tile->result;
}

static uint32_t block_at(const struct image_grid *g, uint32_t row, uint32_t column)
{
	return g->directory.items[(size_t)row * g->stride + image_grid_place(g, column)];
}

/* Of a source: its results over all tiles.  A tile starts with blocks 0, which deny in both. */
static uint32_t source_profile(struct work *w, uint32_t source)
{
	const uint32_t *class = w->a->classes.items[source].class;
	numbers results = {};
	uint32_t profile;

	for (uint32_t i = 0; i < w->tiles.count; i++) {
		const uint32_t *column = w->tiles.items[i].column;
		uint32_t block[JOINT_SIDES], result;

		for (int side = 0; side < JOINT_SIDES; side++)
			block[side] = block_at(&w->a->c[side]->image.pairs, class[side],
					       column[side]);
		result = tile_result(w, i, block);

		if (result)
			vec_push(&results, result);
	}
	profile = list_pool_add(&w->profiles, results.items, results.count);
	vec_release(&results);
	return profile;
}

static int visit_sources(struct work *w, struct text *reterr)
{
	uint32_t n = (uint32_t)w->a->classes.count;
	list_pairs members = {};

	if ((uint64_t)n * w->tiles.count > VISITS_MAX) {
		text_addf(reterr,
			  "the policies have too little in common: %u classes of addresses, of "
			  "which %zu kinds of destinations would be compared with each",
			  n, w->tiles.count);
		return -E2BIG;
	}
	for (uint32_t i = 0; i < n; i++) {
		uint32_t profile = source_profile(w, i);

		if (profile)
			vec_push(&members, (struct list_pair){profile - 1, i});
	}
	lists_build(&w->r->src_members, (uint32_t)w->profiles.lists.count - 1, &members);
	vec_release(&members);
	return 0;
}

/* The destinations of a profile with their signatures, sorted by these. */
static void list_entries(const struct work *w, uint32_t profile, list_pairs *out)
{
	struct list results = list_pool_get(&w->profiles, profile);

	out->count = 0;
	for (size_t i = 0; i < results.count; i++) {
		struct list result = list_pool_get(&w->results, results.items[i]);

		for (size_t k = 0; k < result.count; k += 2)
			vec_push(out, (struct list_pair){result.items[k + 1], result.items[k]});
	}
	list_pairs_sort(out);
}

static void split_by_entries(struct partition *parts, const list_pairs *entries)
{
	numbers members = {};

	for (size_t i = 0; i < entries->count; i++) {
		vec_push(&members, entries->items[i].item);
		if (i + 1 < entries->count && entries->items[i + 1].key == entries->items[i].key)
			continue;
		partition_split(parts, members.items, members.count);
		members.count = 0;
	}
	vec_release(&members);
}

static uint64_t count_entries(const struct work *w)
{
	uint64_t count = 0;

	vec_foreach (profile, &w->profiles.lists) {
		for (size_t i = 0; i < profile->count; i++)
			count += list_pool_get(&w->results, profile->items[i]).count / 2;
	}
	return count;
}

static void group_destinations(struct work *w, const struct partition *parts)
{
	list_pairs members = {};

	for (uint32_t i = 0; i < parts->elements; i++)
		vec_push(&members, (struct list_pair){parts->part[i], i});
	lists_build(&w->r->dst_members, parts->parts, &members);
	vec_release(&members);
}

/* One cell for each profile and group of destinations. */
static int make_cells(struct work *w, const struct partition *parts)
{
	_free_ uint32_t *seen = xcalloc(parts->parts, sizeof(*seen));
	list_pairs entries = {};

	for (uint32_t i = 1; i < w->profiles.lists.count; i++) {
		list_entries(w, i, &entries);
		vec_foreach (entry, &entries) {
			uint32_t group = parts->part[entry->item];

			if (seen[group] == i)
				continue;
			seen[group] = i;
			vec_push(&w->r->cells, (struct relation_cell){i - 1, group, entry->key});
		}
		if (w->r->cells.count > CELLS_MAX)
			break;
	}
	vec_release(&entries);
	return w->r->cells.count > CELLS_MAX ? -E2BIG : 0;
}

static int group_pairs(struct work *w, struct text *reterr)
{
	_partition_ struct partition parts = {};
	uint64_t count = count_entries(w);
	list_pairs entries = {};
	int err = count > ENTRIES_MAX ? -E2BIG : 0;

	if (!err) {
		partition_init(&parts, (uint32_t)w->a->classes.count, NULL);
		for (uint32_t i = 1; i < w->profiles.lists.count; i++) {
			list_entries(w, i, &entries);
			split_by_entries(&parts, &entries);
		}
		vec_release(&entries);
		partition_number(&parts);
		group_destinations(w, &parts);
		err = make_cells(w, &parts);
	}
	if (err)
		text_addf(reterr,
			  "the policies differ too widely to be listed: at %llu pairs of classes "
			  "of addresses",
			  (unsigned long long)count);
	return err;
}

int relation_build(struct relation *r, const struct joint_addresses *a,
		   const struct joint_services *s, struct text *reterr)
{
	struct work w = {.r = r, .a = a, .s = s};
	int err;

	memset(r, 0, sizeof(*r));
	list_pool_add(&r->signatures, NULL, 0);
	list_pool_add(&w.results, NULL, 0);
	list_pool_add(&w.profiles, NULL, 0);
	make_tiles(&w);
	err = visit_sources(&w, reterr);
	if (!err)
		err = group_pairs(&w, reterr);
	map_release(&w.rows);
	vec_release(&w.tiles);
	lists_release(&w.tile_members);
	map_release(&w.blocks);
	list_pool_release(&w.results);
	list_pool_release(&w.profiles);
	return err;
}

void relation_release(struct relation *r)
{
	list_pool_release(&r->signatures);
	lists_release(&r->src_members);
	lists_release(&r->dst_members);
	vec_release(&r->cells);
}
