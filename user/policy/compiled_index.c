/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/compiled_index.h"

#include <string.h>

struct compiled compiled_ahead(const struct compiled *c)
{
	struct compiled ahead = *c;

	ahead.image.pairs = c->index->ahead_pairs;
	ahead.image.cells = c->index->ahead_cells;
	return ahead;
}

bool compiled_example(const struct compiled *c, uint32_t class, uint8_t family, struct bh_addr *ret)
{
	const struct compiled_index *x = c->index;
	uint32_t node = (family & FAMILY_V4 ? x->example_v4 : x->example_v6)[class];

	return node != ADDRESS_NONE && address_tree_example(&x->tree, node, ret);
}

static void name_everything(const struct compiled *c)
{
	const struct policy *p = c->policy;
	struct map *names = &c->index->names;

	map_reserve(names, p->zones.count + p->workloads.count + p->aliases.count);
	for (size_t i = 0; i < p->zones.count; i++) {
		const char *name = p->zones.items[i].name;

		map_put(names, name, strlen(name), i << 1, NULL);
	}
	for (size_t i = 0; i < p->workloads.count; i++) {
		const char *name = p->workloads.items[i].name;

		map_put(names, name, strlen(name), i << 1 | 1, NULL);
	}
	vec_foreach (alias, &p->aliases)
		map_put(names, alias->name, strlen(alias->name), alias->workload << 1 | 1, NULL);
}

bool compiled_name(const struct compiled *c, const char *name, struct selector *ret)
{
	const uint64_t *found;

	if (!c->index->names.count)
		name_everything(c);
	found = map_get(&c->index->names, name, strlen(name));
	if (!found)
		return false;
	memset(ret, 0, sizeof(*ret));
	ret->kind = *found & 1 ? SELECT_WORKLOAD : SELECT_ZONE;
	ret->zone = *found & 1 ? POLICY_NONE : *found >> 1;
	ret->workload = *found & 1 ? *found >> 1 : POLICY_NONE;
	return true;
}

size_t compiled_only_pod(const struct compiled *c, uint32_t identity)
{
	struct list sharers = lists_get(&c->index->selectors.sharers, identity);

	for (size_t i = 1; i < sharers.count; i++) {
		if (sharers.items[i] != sharers.items[0])
			return POLICY_NONE;
	}
	if (!sharers.count || c->policy->workloads.items[sharers.items[0]].kind != WORKLOAD_POD)
		return POLICY_NONE;
	return sharers.items[0];
}

uint8_t compiled_class_families(const struct compiled *c, uint32_t class)
{
	const struct address_class *k = &c->classes.items[class];

	return (uint8_t)((k->has_v4 ? FAMILY_V4 : 0) | (k->has_v6 ? FAMILY_V6 : 0));
}

uint8_t compiled_service_families(const struct compiled *c, uint32_t service_class)
{
	return c->index->services.families[service_class];
}
