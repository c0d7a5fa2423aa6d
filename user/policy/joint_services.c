/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <string.h>

#include "policy/compiled_index.h"
#include "policy/joint.h"
#include "policy/services.h"
#include "util/map.h"

struct builder {
	struct joint_services *j;
	struct map known; /* classes and families -> joint service */
};

/* A range of one table, where families are the same throughout. */
static void add(struct builder *b, const uint32_t class[JOINT_SIDES],
		const struct service_range *range)
{
	uint8_t families = service_families(range->table, range->lo);
	uint32_t key[JOINT_SIDES + 1] = {class[JOINT_OLD], class[JOINT_NEW], families};
	struct joint_service fresh = {
		.class = {class[JOINT_OLD], class[JOINT_NEW]},
		.families = families,
	};
	uint64_t *number;
	bool is_new;

	if (!families)
		return;
	number = map_put(&b->known, key, sizeof(key), b->j->items.count, &is_new);
	if (is_new)
		vec_push(&b->j->items, fresh);
	vec_push(&b->j->items.items[*number].numbers, *range);
}

static void add_places(struct builder *b, const uint32_t class[JOINT_SIDES], uint32_t lo,
		       uint32_t hi)
{
	struct service_number first = service_at(lo), last = service_at(hi);

	if (first.table != BH_SERVICE_PROTO) {
		add(b, class, &(struct service_range){first.table, first.number, last.number});
		return;
	}
	for (uint16_t n = first.number; n <= last.number; n++)
		add(b, class, &(struct service_range){first.table, n, n});
}

void joint_services_build(struct joint_services *j, const struct compiled *old,
			  const struct compiled *new)
{
	const struct service_partition *x = &old->index->services, *y = &new->index->services;
	struct builder b = {.j = j};
	size_t i = 0, k = 0;
	uint32_t lo = 0;

	memset(j, 0, sizeof(*j));
	/* Both cover every place, so they end together. */
	while (i < x->intervals.count && k < y->intervals.count) {
		const struct service_interval *a = &x->intervals.items[i];
		const struct service_interval *c = &y->intervals.items[k];
		uint32_t hi = a->hi < c->hi ? a->hi : c->hi;

		add_places(&b, (const uint32_t[]){a->class, c->class}, lo, hi);
		i += a->hi == hi;
		k += c->hi == hi;
		lo = hi + 1;
	}
	vec_foreach (service, &j->items)
		services_normalise(&service->numbers);
	map_release(&b.known);
}

void joint_services_release(struct joint_services *j)
{
	vec_foreach (service, &j->items)
		vec_release(&service->numbers);
	vec_release(&j->items);
}
