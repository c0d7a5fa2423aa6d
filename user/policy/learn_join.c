/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <string.h>

#include "policy/learn_triples.h"
#include "util/lists.h"
#include "util/mem.h"

/* A part of more triples is joined in the first order only. */
#define PART_MAX 20000

/* What the lists are joined by, in turn. */
static const enum axis orders[][AXES] = {
	{AXIS_SERVICE, AXIS_FROM, AXIS_TO}, {AXIS_FROM, AXIS_SERVICE, AXIS_TO},
	{AXIS_SERVICE, AXIS_TO, AXIS_FROM}, {AXIS_FROM, AXIS_TO, AXIS_SERVICE},
	{AXIS_TO, AXIS_SERVICE, AXIS_FROM}, {AXIS_TO, AXIS_FROM, AXIS_SERVICE},
};

static void box_release(struct box *box)
{
	for (size_t axis = 0; axis < AXES; axis++)
		vec_release(&box->on[axis]);
}

void boxes_release(boxes *b)
{
	vec_foreach (box, b)
		box_release(box);
	vec_release(b);
}

static int number_cmp(const void *left, const void *right)
{
	const uint32_t *a = left, *b = right;

	return *a == *b ? 0 : *a < *b ? -1 : 1;
}

static void box_append(struct box *box, enum axis axis, const struct box *other)
{
	vec_foreach (number, &other->on[axis])
		vec_push(&box->on[axis], *number);
	support_add(&box->support, &other->support);
}

/* What boxes have in common that can be joined along @axis. */
static void others_key(const struct box *box, enum axis axis, struct text *key)
{
	text_reset(key);
	for (size_t i = 0; i < AXES; i++) {
		uint64_t count = box->on[i].count;

		if (i == axis)
			continue;
		text_addn(key, (const char *)&count, sizeof(count));
		text_addn(key, (const char *)box->on[i].items, count * sizeof(uint32_t));
	}
}

/* Whether any were. */
static bool join_along(boxes *b, enum axis axis)
{
	_text_ struct text key = TEXT_INIT;
	struct map places = {};
	size_t kept = 0, before = b->count;

	for (size_t i = 0; i < b->count; i++) {
		struct box box = b->items[i];
		size_t place;
		bool is_new;

		others_key(&box, axis, &key);
		place = map_put(&places, key.buf, key.len, kept, &is_new)[0];
		if (is_new) {
			b->items[kept++] = box;
			continue;
		}
		box_append(&b->items[place], axis, &box);
		box_release(&box);
	}
	b->count = kept;
	vec_foreach (box, b)
		qsort(box->on[axis].items, box->on[axis].count, sizeof(uint32_t), number_cmp);
	map_release(&places);
	return b->count < before;
}

static boxes join_in_order(const struct triples *t, struct list part, const enum axis *order)
{
	boxes b = {};
	bool is_joined = true;

	for (size_t i = 0; i < part.count; i++) {
		const struct triple *triple = &t->items.items[part.items[i]];
		struct box box = {.support = triple->support};

		for (size_t axis = 0; axis < AXES; axis++)
			vec_push(&box.on[axis], triple->on[axis]);
		vec_push(&b, box);
	}
	while (is_joined) {
		is_joined = false;
		for (size_t i = 0; i < AXES; i++)
			is_joined = join_along(&b, order[i]) || is_joined;
	}
	return b;
}

static void join_part(const struct triples *t, struct list part, boxes *ret)
{
	size_t tries = part.count == 1 || part.count > PART_MAX ? 1 : COUNT(orders);
	boxes best = join_in_order(t, part, orders[0]);

	for (size_t i = 1; i < tries; i++) {
		boxes b = join_in_order(t, part, orders[i]);

		if (b.count < best.count) {
			boxes worse = best;

			best = b;
			b = worse;
		}
		boxes_release(&b);
	}
	vec_foreach (box, &best)
		vec_push(ret, *box);
	vec_release(&best);
}

static uint32_t root_of(uint32_t *parent, uint32_t i)
{
	while (parent[i] != i) {
		parent[i] = parent[parent[i]];
		i = parent[i];
	}
	return i;
}

/* Triples that agree on two axes are of one part. */
static void unite_along(const struct triples *t, enum axis axis, uint32_t *parent)
{
	struct map places = {};

	for (uint32_t i = 0; i < t->items.count; i++) {
		uint32_t key[AXES], a, b;

		memcpy(key, t->items.items[i].on, sizeof(key));
		key[axis] = 0;
		a = root_of(parent, i);
		b = root_of(parent, (uint32_t)*map_put(&places, key, sizeof(key), i, NULL));
		parent[a > b ? a : b] = a > b ? b : a;
	}
	map_release(&places);
}

void triples_join(const struct triples *t, boxes *ret)
{
	uint32_t n = (uint32_t)t->items.count;
	_free_ uint32_t *parent = xcalloc(n + 1, sizeof(*parent));
	list_pairs pairs = {};
	struct lists parts = {};

	for (uint32_t i = 0; i < n; i++)
		parent[i] = i;
	for (size_t axis = 0; axis < AXES; axis++)
		unite_along(t, (enum axis)axis, parent);
	for (uint32_t i = 0; i < n; i++)
		vec_push(&pairs, (struct list_pair){root_of(parent, i), i});
	lists_build(&parts, n, &pairs);
	for (uint32_t i = 0; i < n; i++) {
		struct list part = lists_get(&parts, i);

		if (part.count)
			join_part(t, part, ret);
	}
	lists_release(&parts);
	vec_release(&pairs);
}
