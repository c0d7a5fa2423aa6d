/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/selector_set.h"

#include <string.h>

#include "util/bitset.h"
#include "util/mem.h"

/* NULL if it is nobody's. */
static const struct workload *workload_of(const struct selector_index *x, uint32_t identity)
{
	size_t workload = x->owner[identity];

	return workload == POLICY_NONE ? NULL : &x->policy->workloads.items[workload];
}

static void index_labels(struct selector_index *x)
{
	size_t spaces = x->policy->namespaces.count;
	_free_ const labels **own = xcalloc(x->identities + spaces + 1, sizeof(*own));

	for (uint32_t i = 0; i < x->identities; i++) {
		const struct workload *w = workload_of(x, i);

		own[i] = w ? &w->labels : NULL;
	}
	label_index_build(&x->labels, own, x->identities);
	for (size_t i = 0; i < spaces; i++)
		own[i] = &x->policy->namespaces.items[i].labels;
	label_index_build(&x->spaces, own, spaces);
}

static uint64_t *kind_set(const struct selector_index *x, enum workload_kind kind)
{
	switch (kind) {
	case WORKLOAD_GROUP:
		return x->groups;
	case WORKLOAD_POD:
		return x->pods;
	case WORKLOAD_NODE:
		return x->nodes;
	}
	return NULL;
}

/* Pods that share an identity have each their own address: the tree knows which. */
static void index_workloads(struct selector_index *x)
{
	size_t workloads = x->policy->workloads.count;
	_free_ uint32_t *last = xcalloc(workloads + 1, sizeof(*last));
	list_pairs pairs = {}, sharers = {}, spaces = {};

	vec_foreach (node, &x->tree->nodes) {
		if (!node->has_free || node->workload == ADDRESS_NONE ||
		    last[node->workload] == node->identity)
			continue;
		last[node->workload] = node->identity;
		vec_push(&pairs, (struct list_pair){node->workload, node->identity});
		vec_push(&sharers, (struct list_pair){node->identity, node->workload});
	}
	for (uint32_t i = 0; i < x->identities; i++) {
		const struct workload *w = workload_of(x, i);

		if (!w)
			continue;
		bitset_add(kind_set(x, w->kind), i);
		x->has_nodes |= w->kind == WORKLOAD_NODE;
		if (w->group != POLICY_NONE)
			vec_push(&pairs, (struct list_pair){(uint32_t)w->group, i});
		if (w->space != POLICY_NONE)
			vec_push(&spaces, (struct list_pair){(uint32_t)w->space, i});
	}
	lists_build(&x->by_workload, (uint32_t)workloads, &pairs);
	lists_build(&x->by_space, (uint32_t)x->policy->namespaces.count, &spaces);
	lists_build(&x->sharers, x->identities, &sharers);
	vec_release(&pairs);
	vec_release(&sharers);
	vec_release(&spaces);
}

static void index_identities(struct selector_index *x, const struct compiled *c)
{
	list_pairs zones = {};

	for (uint32_t i = 0; i < x->identities; i++) {
		const struct identity *id = &c->identities.items[i];

		x->owner[i] = id->workload;
		if (id->zone != POLICY_NONE)
			vec_push(&zones, (struct list_pair){(uint32_t)id->zone, i});
		else if (id->workload == POLICY_NONE)
			bitset_add(x->outside, i);
		if (c->image.identities.items[i].flags & BH_IDENTITY_HOST)
			bitset_add(x->host, i);
	}
	lists_build(&x->by_zone, (uint32_t)c->policy->zones.count, &zones);
	vec_release(&zones);
}

void selector_index_build(struct selector_index *x, const struct compiled *c,
			  const struct address_tree *t)
{
	memset(x, 0, sizeof(*x));
	x->policy = c->policy;
	x->tree = t;
	x->identities = (uint32_t)c->identities.count;
	x->owner = xcalloc(x->identities + 1, sizeof(*x->owner));
	x->outside = bitset_new(x->identities);
	x->host = bitset_new(x->identities);
	x->groups = bitset_new(x->identities);
	x->pods = bitset_new(x->identities);
	x->nodes = bitset_new(x->identities);
	index_identities(x, c);
	index_workloads(x);
	index_labels(x);
}

void selector_index_release(struct selector_index *x)
{
	lists_release(&x->by_zone);
	lists_release(&x->by_workload);
	lists_release(&x->by_space);
	lists_release(&x->sharers);
	label_index_release(&x->labels);
	label_index_release(&x->spaces);
	free(x->listed);
	free(x->owner);
	free(x->outside);
	free(x->host);
	free(x->groups);
	free(x->pods);
	free(x->nodes);
	memset(x, 0, sizeof(*x));
}

static void add_list(uint64_t *set, struct list list)
{
	for (size_t i = 0; i < list.count; i++)
		bitset_add(set, list.items[i]);
}

static void add_set(uint64_t *set, const uint64_t *other, size_t bits)
{
	for (size_t i = 0; i < bitset_words(bits); i++)
		set[i] |= other[i];
}

/* All but those of @other, without bits past the end. */
static void add_others(uint64_t *set, const uint64_t *other, size_t bits)
{
	for (size_t i = 0; i < bitset_words(bits); i++) {
		size_t left = bits - i * 64;
		uint64_t mask = left < 64 ? (UINT64_C(1) << left) - 1 : UINT64_MAX;

		set[i] |= ~other[i] & mask;
	}
}

static void add_labels(const struct selector_index *x, const struct selector *s, uint64_t *set)
{
	_free_ uint64_t *found = NULL;

	if (label_index_add_listed(&x->labels, &s->requirements, x->groups, x->pods, set))
		return;
	found = bitset_new(x->identities);
	add_set(found, x->groups, x->identities);
	add_set(found, x->pods, x->identities);
	label_index_require(&x->labels, &s->requirements, found);
	add_set(set, found, x->identities);
}

static void add_nodes(const struct selector_index *x, const struct selector *s, uint64_t *set)
{
	_free_ uint64_t *found = bitset_new(x->identities);

	add_set(found, x->nodes, x->identities);
	label_index_require(&x->labels, &s->requirements, found);
	add_set(set, found, x->identities);
}

/* The pods of one namespace, or of those that satisfy the requirements. */
static void add_spaces(const struct selector_index *x, const struct selector *s, uint64_t *set)
{
	size_t n = x->policy->namespaces.count;
	_free_ uint64_t *spaces = NULL;

	if (s->space == POLICY_NONE && !s->space_requirements.count) {
		add_set(set, x->pods, x->identities);
		return;
	}
	spaces = bitset_new(n);
	if (s->space == POLICY_NONE)
		add_others(spaces, spaces, n);
	else
		bitset_add(spaces, s->space);
	label_index_require(&x->spaces, &s->space_requirements, spaces);
	for (size_t i = bitset_next(spaces, n, 0); i < n; i = bitset_next(spaces, n, i + 1))
		add_list(set, lists_get(&x->by_space, (uint32_t)i));
}

/* Few pods are left when it comes to what they call their ports. */
static void require_port(const struct selector_index *x, const struct selector *s, uint64_t *set)
{
	size_t n = x->identities;

	for (size_t i = bitset_next(set, n, 0); i < n; i = bitset_next(set, n, i + 1)) {
		const struct workload *w = workload_of(x, (uint32_t)i);

		if (!selector_takes(x->policy, s, w))
			set[i / 64] &= ~(UINT64_C(1) << i % 64);
	}
}

static void add_pods(const struct selector_index *x, const struct selector *s, uint64_t *set)
{
	_free_ uint64_t *found = bitset_new(x->identities);

	add_spaces(x, s, found);
	label_index_require(&x->labels, &s->requirements, found);
	if (s->port_name)
		require_port(x, s, found);
	add_set(set, found, x->identities);
}

static void add_cidr(const struct selector_index *x, const struct selector *s, uint64_t *set)
{
	node_numbers nodes = {};

	address_tree_select(x->tree, s, &nodes);
	vec_foreach (node, &nodes)
		bitset_add(set, x->tree->nodes.items[*node].identity);
	vec_release(&nodes);
}

static void add_except(const struct selector_index *x, const struct selector *s, uint64_t *set)
{
	_free_ uint64_t *child = bitset_new(x->identities);

	selector_add(x, s->children.items[0], child);
	add_others(set, child, x->identities);
}

static void add_all_of(const struct selector_index *x, const struct selector *s, uint64_t *set)
{
	_free_ uint64_t *common = bitset_new(x->identities);

	add_others(common, common, x->identities);
	vec_foreach (child, &s->children) {
		_free_ uint64_t *one = bitset_new(x->identities);

		selector_add(x, *child, one);
		for (size_t i = 0; i < bitset_words(x->identities); i++)
			common[i] &= one[i];
	}
	add_set(set, common, x->identities);
}

void selector_add(const struct selector_index *x, const struct selector *s, uint64_t *set)
{
	switch (s->kind) {
	case SELECT_ANY:
		memset(set, 0, bitset_words(x->identities) * sizeof(*set));
		add_others(set, set, x->identities);
		return;
	case SELECT_OUTSIDE:
		add_set(set, x->outside, x->identities);
		return;
	case SELECT_HOST:
		add_set(set, x->host, x->identities);
		return;
	case SELECT_ZONE:
		add_list(set, lists_get(&x->by_zone, (uint32_t)s->zone));
		return;
	case SELECT_WORKLOAD:
		add_list(set, lists_get(&x->by_workload, (uint32_t)s->workload));
		return;
	case SELECT_LABELS:
		add_labels(x, s, set);
		return;
	case SELECT_PODS:
		add_pods(x, s, set);
		return;
	case SELECT_NODES:
		add_nodes(x, s, set);
		return;
	case SELECT_CIDR:
		add_cidr(x, s, set);
		return;
	case SELECT_EXCEPT:
		add_except(x, s, set);
		return;
	case SELECT_ALL_OF:
		add_all_of(x, s, set);
		return;
	case SELECT_ONE_OF:
		vec_foreach (child, &s->children)
			selector_add(x, *child, set);
		return;
	}
}

/* Whether some list is just what the selector contains. */
static bool find_listed(const struct selector_index *x, const struct selector *s, struct list *ret)
{
	switch (s->kind) {
	case SELECT_ZONE:
		*ret = lists_get(&x->by_zone, (uint32_t)s->zone);
		return true;
	case SELECT_WORKLOAD:
		*ret = lists_get(&x->by_workload, (uint32_t)s->workload);
		return ret->count == 1;
	case SELECT_LABELS:
		return !x->has_nodes && label_index_find(&x->labels, &s->requirements, ret);
	case SELECT_ANY:
	case SELECT_OUTSIDE:
	case SELECT_HOST:
	case SELECT_PODS:
	case SELECT_NODES:
	case SELECT_CIDR:
	case SELECT_EXCEPT:
	case SELECT_ALL_OF:
	case SELECT_ONE_OF:
		return false;
	}
	return false;
}

void selector_index_list(struct selector_index *x, const struct selector *const *selectors,
			 size_t count)
{
	x->selectors = selectors;
	x->listed = xcalloc(count, sizeof(*x->listed));
	for (size_t i = 0; i < count; i++) {
		struct list list;

		if (find_listed(x, selectors[i], &list))
			x->listed[i] = list;
	}
}

struct list selector_members(const struct selector_index *x, uint32_t number, struct selected *room)
{
	size_t n = x->identities;

	if (x->listed[number].items)
		return x->listed[number];
	if (room->set)
		memset(room->set, 0, bitset_words(n) * sizeof(*room->set));
	else
		room->set = bitset_new(n);
	room->numbers.count = 0;
	selector_add(x, x->selectors[number], room->set);
	for (size_t i = bitset_next(room->set, n, 0); i < n; i = bitset_next(room->set, n, i + 1))
		vec_push(&room->numbers, (uint32_t)i);
	return (struct list){room->numbers.items, room->numbers.count};
}

void selected_release(struct selected *room)
{
	free(room->set);
	vec_release(&room->numbers);
}
