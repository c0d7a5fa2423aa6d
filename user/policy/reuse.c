/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a pair of classes gets depends on the rules whose selectors contain both, on what these say,
 * and on the two classes.  So if classes are the same, only pairs that a changed rule concerned
 * before, or does now, can have another row.
 */
#include "policy/reuse.h"

#include <errno.h>
#include <string.h>

#include "policy/compiled_index.h"
#include "policy/evaluate.h"
#include "policy/grid.h"
#include "policy/row.h"
#include "util/bitset.h"

/* A pair that is decided anew, and the rules that match it. */
struct concerned {
	uint32_t src, dst;
	VEC(uint32_t) rules;
};

struct reuse {
	struct compiled *c;
	const struct compiled *old;
	/* Numbers of the same sets of classes: of each old one the new one, plus 1; 0: not seen. */
	uint32_t *selectors, *services;
	struct concerned pairs[REUSE_PAIRS_MAX];
	uint32_t count;
	uint64_t *from, *to; /* of each selector: the pairs whose source or destination it has */
	struct selected before, after; /* for whoever compares */
};

/* --- whether classes are the same --- */

static bool is_same_image(const struct image *a, const struct image *b)
{
	_image_listing_ struct image_listing was = image_list(a), is = image_list(b);

	if (was.count != is.count || a->identities.count != b->identities.count ||
	    a->service_classes != b->service_classes)
		return false;
	for (size_t i = 0; i < was.count; i++) {
		if (prefix_cmp(&was.items[i].prefix, &is.items[i].prefix) ||
		    was.items[i].identity != is.items[i].identity)
			return false;
	}
	return !memcmp(a->identities.items, b->identities.items,
		       a->identities.count * sizeof(*a->identities.items)) &&
	       !memcmp(a->services, b->services, BH_SERVICE_LINES * sizeof(*a->services));
}

static bool is_same_classes(const struct compiled *a, const struct compiled *b)
{
	if (a->classes.count != b->classes.count)
		return false;
	for (size_t i = 0; i < a->classes.count; i++) {
		const struct address_class *x = &a->classes.items[i], *y = &b->classes.items[i];

		if (x->mode != y->mode || x->isolated != y->isolated)
			return false;
	}
	return true;
}

/* --- what has changed --- */

/* If identities are the same, so are their classes. */
static bool is_same_selector(struct reuse *r, uint32_t was, uint32_t now)
{
	struct list before, after;

	if (r->selectors[was] == now + 1)
		return true;
	before = selector_members(&r->old->index->selectors, was, &r->before);
	after = selector_members(&r->c->index->selectors, now, &r->after);
	if (before.count != after.count)
		return false;
	if (before.count &&
	    memcmp(before.items, after.items, before.count * sizeof(*before.items)) != 0)
		return false;
	r->selectors[was] = now + 1;
	return true;
}

static bool is_same_service(struct reuse *r, uint32_t was, uint32_t now)
{
	_free_ uint64_t *before = NULL, *after = NULL;
	bool is_same;

	if (r->services[was] == now + 1)
		return true;
	before = compiled_select_services(r->old, r->old->index->atoms.services.items[was]);
	after = compiled_select_services(r->c, r->c->index->atoms.services.items[now]);
	is_same = !memcmp(before, after,
			  bitset_words(r->c->image.service_classes) * sizeof(*before));
	if (is_same)
		r->services[was] = now + 1;
	return is_same;
}

static bool is_same_rule(struct reuse *r, uint32_t number)
{
	const struct atom_rule *was = &r->old->index->atoms.rules.items[number];
	const struct atom_rule *now = &r->c->index->atoms.rules.items[number];

	if (was->is_expired || now->is_expired)
		return was->is_expired && now->is_expired;
	return was->tier == now->tier && was->sides == now->sides && was->order == now->order &&
	       was->mode == now->mode && was->action == now->action && was->log == now->log &&
	       was->tls == now->tls && is_same_selector(r, was->from, now->from) &&
	       is_same_selector(r, was->to, now->to) &&
	       is_same_service(r, was->services, now->services);
}

static bool add_pair(struct reuse *r, uint32_t src, uint32_t dst)
{
	for (uint32_t i = 0; i < r->count; i++) {
		if (r->pairs[i].src == src && r->pairs[i].dst == dst)
			return true;
	}
	if (r->count == REUSE_PAIRS_MAX)
		return false;
	r->pairs[r->count++] = (struct concerned){.src = src, .dst = dst};
	return true;
}

/* The pairs that a rule concerns in @c, which is the new or the old one. */
static bool add_pairs(struct reuse *r, const struct compiled *c, uint32_t number)
{
	const struct atoms *a = &c->index->atoms;
	const struct atom_rule *rule = &a->rules.items[number];
	size_t n = c->classes.count;
	_free_ uint64_t *from = NULL, *to = NULL;

	if (rule->is_expired)
		return true;
	from = compiled_select(c, a->selectors.items[rule->from]);
	to = compiled_select(c, a->selectors.items[rule->to]);
	for (size_t i = bitset_next(from, n, 0); i < n; i = bitset_next(from, n, i + 1)) {
		for (size_t j = bitset_next(to, n, 0); j < n; j = bitset_next(to, n, j + 1)) {
			if (!add_pair(r, (uint32_t)i, (uint32_t)j))
				return false;
		}
	}
	return true;
}

static bool find_pairs(struct reuse *r)
{
	for (uint32_t i = 0; i < r->c->policy->rules.count; i++) {
		if (is_same_rule(r, i))
			continue;
		if (!add_pairs(r, r->old, i) || !add_pairs(r, r->c, i))
			return false;
	}
	return true;
}

/* --- the rules of these pairs --- */

static void mark_selectors(struct reuse *r)
{
	const struct compiled *c = r->c;
	_free_ uint64_t *sources = xcalloc(c->classes.count + 1, sizeof(*sources));
	_free_ uint64_t *targets = xcalloc(c->classes.count + 1, sizeof(*targets));

	for (uint32_t k = 0; k < r->count; k++) {
		sources[r->pairs[k].src] |= UINT64_C(1) << k;
		targets[r->pairs[k].dst] |= UINT64_C(1) << k;
	}
	for (uint32_t i = 0; i < c->index->atoms.selectors.count; i++) {
		struct list list = selector_members(&c->index->selectors, i, &r->after);

		for (size_t j = 0; j < list.count; j++) {
			uint32_t class = c->identities.items[list.items[j]].class;

			r->from[i] |= sources[class];
			r->to[i] |= targets[class];
		}
	}
}

static void find_rules(struct reuse *r)
{
	const struct atoms *a = &r->c->index->atoms;

	for (uint32_t i = 0; i < a->rules.count; i++) {
		const struct atom_rule *rule = &a->rules.items[i];
		uint64_t pairs = r->from[rule->from] & r->to[rule->to];

		if (!pairs || rule->is_expired)
			continue;
		for (size_t k = bitset_next(&pairs, REUSE_PAIRS_MAX, 0); k < REUSE_PAIRS_MAX;
		     k = bitset_next(&pairs, REUSE_PAIRS_MAX, k + 1))
			vec_push(&r->pairs[k].rules, i);
	}
}

/* --- their rows --- */

/* Appends a row of another grid of as many columns. */
static uint32_t add_row(struct image_grid *g, const struct image_grid *from, uint32_t row)
{
	const uint32_t *blocks = from->directory.items + (size_t)row * from->stride;

	for (uint32_t i = 0; i < g->stride; i++) {
		uint32_t block = blocks[i] ? grid_add_block(g, &from->blocks.items[blocks[i]]) : 0;

		vec_push(&g->directory, block);
	}
	return g->rows++;
}

static void set_pair(struct image_grid *g, const struct concerned *pair, uint32_t row)
{
	uint32_t place = image_grid_place(g, pair->dst / BH_BLOCK_ENTRIES);
	uint32_t *at = &g->directory.items[(size_t)pair->src * g->stride + place];
	struct bh_block block = g->blocks.items[*at];

	block.value[pair->dst % BH_BLOCK_ENTRIES] = row;
	*at = grid_add_block(g, &block);
}

/* What is changed in a block isn't in those that were like it. */
static void separate_blocks(const struct reuse *r, struct image_grid *g)
{
	_free_ uint64_t *blocks = bitset_new(image_grid_width(g));

	for (uint32_t k = 0; k < r->count; k++)
		bitset_add(blocks, r->pairs[k].dst / BH_BLOCK_ENTRIES);
	grid_separate(g, blocks);
}

static void decide_pairs(struct reuse *r)
{
	const struct address_class *classes = r->c->classes.items;
	struct image *image = &r->c->image;
	struct image_grid fresh;
	struct row_builder rows;

	separate_blocks(r, &image->pairs);
	row_builder_init(&rows, r->c, &r->c->index->atoms, &fresh, NULL);
	for (uint32_t k = 0; k < r->count; k++) {
		const struct concerned *pair = &r->pairs[k];
		posture ends = posture_of(&classes[pair->src], &classes[pair->dst]);
		struct row row = row_of(&rows, ends, pair->rules.items, pair->rules.count);

		set_pair(&image->pairs, pair, add_row(&image->cells, &fresh, row.cells));
	}
	row_builder_release(&rows);
	grid_release(&fresh);
}

static void reuse_release(struct reuse *r)
{
	for (uint32_t k = 0; k < r->count; k++)
		vec_release(&r->pairs[k].rules);
	free(r->selectors);
	free(r->services);
	free(r->from);
	free(r->to);
	selected_release(&r->before);
	selected_release(&r->after);
}

int reuse_decisions(struct compiled *c, const struct compiled *old)
{
	const struct atoms *a = &c->index->atoms, *before = &old->index->atoms;
	_cleanup_(reuse_release)
	struct reuse r = {.c = c, .old = old};

	if (c->policy->rules.count != old->policy->rules.count ||
	    !is_same_image(&c->image, &old->image) || !is_same_classes(c, old))
		return -EAGAIN;
	r.selectors = xcalloc(before->selectors.count + 1, sizeof(*r.selectors));
	r.services = xcalloc(before->services.count + 1, sizeof(*r.services));
	if (!find_pairs(&r) || old->index->reused + r.count > REUSE_ROWS_MAX)
		return -EAGAIN;
	r.from = xcalloc(a->selectors.count + 1, sizeof(*r.from));
	r.to = xcalloc(a->selectors.count + 1, sizeof(*r.to));
	mark_selectors(&r);
	find_rules(&r);
	grid_copy(&c->image.pairs, &old->image.pairs);
	grid_copy(&c->image.cells, &old->image.cells);
	decide_pairs(&r);
	c->index->reused = old->index->reused + r.count;
	if (evaluate_has_room(&c->image.pairs, &c->image.cells))
		return 0;
	grid_release(&c->image.pairs);
	grid_release(&c->image.cells);
	return -EAGAIN;
}
