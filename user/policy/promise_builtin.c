/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/promise_builtin.h"

#include <bulkhead/builtin.h>

#include "policy/compiled_index.h"
#include "util/bitset.h"
#include "util/mem.h"

#define NOBODY (POLICY_NONE - 1) /* so far; POLICY_NONE: several, or who is no pod */

static void add_source(struct class_owners *o, size_t workload)
{
	for (size_t i = 0; i < COUNT(o->src); i++) {
		if (o->src[i] == NOBODY)
			o->src[i] = workload;
		if (o->src[i] == workload)
			return;
	}
	o->has_more = true;
}

static void agree(size_t *known, size_t workload)
{
	*known = *known == NOBODY || *known == workload ? workload : POLICY_NONE;
}

static void add_destination(const struct policy *p, struct class_owners *o, size_t workload)
{
	bool is_pod = workload != POLICY_NONE && p->workloads.items[workload].kind == WORKLOAD_POD;

	agree(&o->dst_pod, is_pod ? workload : POLICY_NONE);
	agree(&o->dst_node, is_pod ? p->workloads.items[workload].node : POLICY_NONE);
}

static struct class_owners *new_owners(size_t count)
{
	struct class_owners *owners = xcalloc(count, sizeof(*owners));

	for (size_t i = 0; i < count; i++)
		owners[i] = (struct class_owners){{NOBODY, NOBODY}, false, NOBODY, NOBODY};
	return owners;
}

void expect_builtin_find(const struct compiled *c, const struct selector *from,
			 const struct selector *to, struct expect_builtin *ret)
{
	_free_ uint64_t *sources = bitset_new(c->identities.count);
	_free_ uint64_t *destinations = bitset_new(c->identities.count);
	struct expect_builtin b = {};

	for (size_t i = 0; i < COUNT(b.owners); i++)
		b.owners[i] = new_owners(c->classes.count);
	selector_add(&c->index->selectors, from, sources);
	selector_add(&c->index->selectors, to, destinations);
	vec_foreach (at, &c->index->tree.nodes) {
		uint32_t class = c->identities.items[at->identity].class;
		struct class_owners *o = &b.owners[!prefix_is_v4(&at->prefix)][class];
		size_t workload = at->workload == ADDRESS_NONE ? POLICY_NONE : at->workload;

		if (!at->has_free)
			continue;
		if (bitset_has(sources, at->identity))
			add_source(o, workload);
		if (bitset_has(destinations, at->identity))
			add_destination(c->policy, o, workload);
	}
	*ret = b;
}

void expect_builtin_release(struct expect_builtin *b)
{
	for (size_t i = 0; i < COUNT(b->owners); i++)
		free(b->owners[i]);
	*b = (struct expect_builtin){};
}

/* 0 if any of the sources is asked about. */
static uint32_t rule_of(const struct class_owners *src, const struct class_owners *dst)
{
	uint32_t rule = 0;

	if (src->has_more)
		return 0;
	for (size_t i = 0; i < COUNT(src->src) && src->src[i] != NOBODY; i++) {
		if (src->src[i] == POLICY_NONE)
			return 0;
		if (src->src[i] == dst->dst_pod)
			rule = BH_BUILTIN_SELF;
		else if (src->src[i] == dst->dst_node)
			rule = BH_BUILTIN_HOST;
		else
			return 0;
	}
	return rule;
}

uint8_t expect_builtin_mask(void *expect_builtin, uint32_t src_class, uint32_t dst_class)
{
	static const uint8_t families[] = {FAMILY_V4, FAMILY_V6};
	struct expect_builtin *b = expect_builtin;
	uint8_t mask = 0;

	for (size_t i = 0; i < COUNT(families); i++) {
		uint32_t rule = rule_of(&b->owners[i][src_class], &b->owners[i][dst_class]);

		if (!rule)
			continue;
		b->rule = rule;
		mask |= families[i];
	}
	return mask;
}
