/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/explain_builtin.h"

#include <string.h>

#include <bulkhead/builtin.h>

#include "policy/compiled_index.h"
#include "util/bitset.h"
#include "util/mem.h"

#define FAMILIES_ALL (FAMILY_V4 | FAMILY_V6)

static void find_self(const struct compiled *c, const struct end *src, const struct end *dst,
		      struct builtin_pairs *b)
{
	for (size_t i = 0; i < c->classes.count; i++) {
		if (!(src->families[i] & dst->families[i]) || src->pods[i] == POLICY_NONE ||
		    src->pods[i] != dst->pods[i])
			continue;
		b->alone[i] = FAMILIES_ALL;
		b->has_self = true;
	}
}

static bool runs_on(const struct compiled *c, size_t workload, size_t node)
{
	return compiled_builtin(c, node, workload) == BH_BUILTIN_HOST;
}

/* All or nothing: the destination is one workload. */
static void find_host_of_one(const struct compiled *c, const struct end *src, const struct end *dst,
			     struct builtin_pairs *b)
{
	b->has_host = src->is_host_name || runs_on(c, dst->workload, src->workload);
	if (!b->has_host)
		return;
	memset(b->asked, 0, c->classes.count * sizeof(*b->asked));
	memcpy(b->local, dst->families, c->classes.count * sizeof(*b->local));
}

static bool is_one(const struct compiled *c, const struct end *e)
{
	return e->is_address ||
	       (e->is_workload && c->policy->workloads.items[e->workload].kind != WORKLOAD_GROUP);
}

/* Of many pods some may run there: the tables decide for the others. */
static void find_host_of_many(const struct compiled *c, const struct end *src,
			      const struct end *dst, struct builtin_pairs *b)
{
	memset(b->asked, 0, c->classes.count * sizeof(*b->asked));
	vec_foreach (node, &c->index->tree.nodes) {
		uint8_t family = prefix_is_v4(&node->prefix) ? FAMILY_V4 : FAMILY_V6;
		uint32_t class = c->identities.items[node->identity].class;

		if (!node->has_free || !bitset_has(dst->meant, node->identity))
			continue;
		family &= src->all_families & dst->families[class];
		if (node->workload != ADDRESS_NONE && runs_on(c, node->workload, src->workload))
			b->local[class] |= family;
		else
			b->asked[class] |= family;
		b->has_host |= b->local[class];
	}
}

void builtin_pairs_find(const struct compiled *c, const struct end *src, const struct end *dst,
			struct builtin_pairs *ret)
{
	size_t classes = c->classes.count;
	struct builtin_pairs b = {
		.asked = xcalloc(classes, sizeof(*b.asked)),
		.alone = xcalloc(classes, sizeof(*b.alone)),
		.local = xcalloc(classes, sizeof(*b.local)),
	};

	memcpy(b.asked, dst->families, classes * sizeof(*b.asked));
	find_self(c, src, dst, &b);
	if (src->is_host_name && dst->is_workload && !end_is_node(c, dst))
		find_host_of_one(c, src, dst, &b);
	else if (end_is_node(c, src) && is_one(c, dst))
		find_host_of_one(c, src, dst, &b);
	else if (end_is_node(c, src))
		find_host_of_many(c, src, dst, &b);
	*ret = b;
}

void builtin_pairs_release(struct builtin_pairs *b)
{
	free(b->asked);
	free(b->alone);
	free(b->local);
	*b = (struct builtin_pairs){};
}
