/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/promise_builtin.h"

#include <bulkhead/builtin.h>

#include "policy/compiled_index.h"
#include "util/bitset.h"
#include "util/mem.h"

#define FAMILIES_ALL (FAMILY_V4 | FAMILY_V6)
#define NOBODY       (POLICY_NONE - 1) /* so far; POLICY_NONE: several, or who is no pod */

struct work {
	const struct compiled *c;
	uint64_t *from, *to;         /* sets of identities */
	size_t *from_pods, *to_pods; /* of each class: the one pod that is meant, NOBODY, NONE */
};

static void add_pod(size_t *place, size_t pod)
{
	*place = *place == NOBODY || *place == pod ? pod : POLICY_NONE;
}

static size_t *new_pods(size_t count)
{
	size_t *pods = xcalloc(count, sizeof(*pods));

	for (size_t i = 0; i < count; i++)
		pods[i] = NOBODY;
	return pods;
}

static void find_alone(struct work *w, struct expect_builtin *out)
{
	const struct compiled *c = w->c;

	for (uint32_t i = 0; i < c->identities.count; i++) {
		uint32_t class = c->identities.items[i].class;
		size_t pod = compiled_only_pod(c, i);

		if (bitset_has(w->from, i))
			add_pod(&w->from_pods[class], pod);
		if (bitset_has(w->to, i))
			add_pod(&w->to_pods[class], pod);
	}
	for (size_t i = 0; i < c->classes.count; i++) {
		if (w->from_pods[i] >= NOBODY || w->from_pods[i] != w->to_pods[i])
			continue;
		out->alone[i] = FAMILIES_ALL;
		out->rule = BH_BUILTIN_SELF;
	}
}

static size_t only_owner(const struct work *w)
{
	size_t owner = NOBODY;

	vec_foreach (at, &w->c->index->tree.nodes) {
		if (at->has_free && bitset_has(w->from, at->identity))
			add_pod(&owner, at->workload == ADDRESS_NONE ? POLICY_NONE : at->workload);
	}
	return owner;
}

static void find_local(struct work *w, struct expect_builtin *out)
{
	const struct compiled *c = w->c;
	_free_ bool *has_others = xcalloc(c->classes.count, sizeof(*has_others));
	size_t owner = only_owner(w);

	if (owner >= NOBODY)
		return;
	vec_foreach (at, &c->index->tree.nodes) {
		uint32_t class = c->identities.items[at->identity].class, rule;

		if (!at->has_free || !bitset_has(w->to, at->identity))
			continue;
		rule = at->workload == ADDRESS_NONE ? 0 : compiled_builtin(c, owner, at->workload);
		out->rule = rule ? rule : out->rule;
		out->is_local[class] = out->is_local[class] || rule;
		has_others[class] = has_others[class] || !rule;
	}
	for (size_t i = 0; i < c->classes.count; i++) {
		out->is_local[i] = out->is_local[i] && !has_others[i];
	}
}

void expect_builtin_find(const struct compiled *c, const struct selector *from,
			 const struct selector *to, struct expect_builtin *ret)
{
	_free_ uint64_t *sources = bitset_new(c->identities.count);
	_free_ uint64_t *destinations = bitset_new(c->identities.count);
	_free_ size_t *from_pods = new_pods(c->classes.count);
	_free_ size_t *to_pods = new_pods(c->classes.count);
	struct work w = {c, sources, destinations, from_pods, to_pods};

	*ret = (struct expect_builtin){
		.alone = xcalloc(c->classes.count, sizeof(*ret->alone)),
		.is_local = xcalloc(c->classes.count, sizeof(*ret->is_local)),
	};
	selector_add(&c->index->selectors, from, sources);
	selector_add(&c->index->selectors, to, destinations);
	find_alone(&w, ret);
	find_local(&w, ret);
}

void expect_builtin_release(struct expect_builtin *b)
{
	free(b->alone);
	free(b->is_local);
	*b = (struct expect_builtin){};
}
