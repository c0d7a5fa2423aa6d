/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/diff_layers.h"

static void add_layer(struct layers *l, struct list_pool *sets, uint8_t change, const numbers *list)
{
	vec_push(&l->items, (struct layer){change, list_pool_add(sets, list->items, list->count)});
}

/* One for each change among changes -> services. */
static void add_changes(struct layers *l, struct list_pool *sets, uint32_t signature,
			const list_pairs *changes)
{
	numbers alike = {};

	for (size_t i = 0; i < changes->count; i++) {
		uint32_t change = changes->items[i].key;

		vec_push(&alike, changes->items[i].item);
		if (i + 1 < changes->count && changes->items[i + 1].key == change)
			continue;
		vec_push(&l->of_signature, (struct list_pair){signature, (uint32_t)l->items.count});
		add_layer(l, sets, (uint8_t)change, &alike);
		alike.count = 0;
	}
	vec_release(&alike);
}

void layers_by_signature(struct layers *l, const struct relation *r, struct list_pool *sets)
{
	list_pairs changes = {};

	for (uint32_t i = 0; i < r->signatures.lists.count; i++) {
		struct list effects = list_pool_get(&r->signatures, i);

		changes.count = 0;
		for (size_t k = 0; k < effects.count; k++)
			vec_push(&changes, (struct list_pair){EFFECT_CHANGE(effects.items[k]),
							      EFFECT_SERVICE(effects.items[k])});
		list_pairs_sort(&changes);
		add_changes(l, sets, i, &changes);
	}
	vec_release(&changes);
}

/* A set of signatures that some service changes in: a layer for it, once. */
static uint32_t add_column(struct list_pool *columns, const numbers *column, struct layers *l)
{
	uint32_t number = list_pool_add(columns, column->items, column->count);

	if (number < l->columns)
		return number;
	l->columns = number + 1;
	/* The last one is the change. */
	for (size_t i = 0; i + 1 < column->count; i++)
		vec_push(&l->of_signature, (struct list_pair){column->items[i], number});
	return number;
}

/* Layers for services, sorted by their column; columns and layers have the same numbers. */
static void add_columns(struct layers *l, struct list_pool *sets, const list_pairs *changed)
{
	numbers list = {};

	for (size_t i = 0; i < changed->count; i++) {
		uint32_t effect = changed->items[i].item;

		vec_push(&list, EFFECT_SERVICE(effect));
		if (i + 1 < changed->count && changed->items[i + 1].key == changed->items[i].key)
			continue;
		add_layer(l, sets, EFFECT_CHANGE(effect), &list);
		list.count = 0;
	}
	vec_release(&list);
}

void layers_by_service(struct layers *l, const struct relation *r, struct list_pool *sets)
{
	struct list_pool columns = {};
	list_pairs places = {};  /* effect -> signature */
	list_pairs changed = {}; /* column -> effect */
	numbers column = {};

	for (uint32_t i = 0; i < r->signatures.lists.count; i++) {
		struct list list = list_pool_get(&r->signatures, i);

		for (size_t k = 0; k < list.count; k++)
			vec_push(&places, (struct list_pair){list.items[k], i});
	}
	list_pairs_sort(&places);
	for (size_t i = 0; i < places.count; i++) {
		uint32_t effect = places.items[i].key;

		vec_push(&column, places.items[i].item);
		if (i + 1 < places.count && places.items[i + 1].key == effect)
			continue;
		vec_push(&column, EFFECT_CHANGE(effect));
		vec_push(&changed, (struct list_pair){add_column(&columns, &column, l), effect});
		column.count = 0;
	}
	list_pairs_sort(&changed);
	add_columns(l, sets, &changed);
	vec_release(&places);
	vec_release(&changed);
	vec_release(&column);
	list_pool_release(&columns);
}

void layers_release(struct layers *l)
{
	vec_release(&l->items);
	vec_release(&l->of_signature);
}
