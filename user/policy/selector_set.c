/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/selector_set.h"

#include <string.h>

#include "util/bitset.h"
#include "util/text.h"

static void label_key(struct text *key, const char *name, const char *value)
{
	text_reset(key);
	text_addn(key, name, strlen(name) + 1);
	if (value)
		text_addn(key, value, strlen(value) + 1);
}

static uint32_t number_label(struct selector_index *x, const struct text *key)
{
	return (uint32_t)*map_put(&x->label_numbers, key->buf, key->len, x->label_numbers.count,
				  NULL);
}

static void index_labels(struct selector_index *x, const struct policy *p)
{
	_text_ struct text key = TEXT_INIT;
	list_pairs pairs = {};

	for (uint32_t i = 0; i < p->workloads.count; i++) {
		vec_foreach (label, &p->workloads.items[i].labels) {
			label_key(&key, label->key, NULL);
			vec_push(&pairs, (struct list_pair){number_label(x, &key), i});
			label_key(&key, label->key, label->value);
			vec_push(&pairs, (struct list_pair){number_label(x, &key), i});
		}
	}
	lists_build(&x->by_label, (uint32_t)x->label_numbers.count, &pairs);
	vec_release(&pairs);
}

static void index_workload(const struct compiled *c, list_pairs *workloads, uint32_t identity)
{
	size_t workload = c->identities.items[identity].workload;
	size_t group = c->policy->workloads.items[workload].group;

	vec_push(workloads, (struct list_pair){(uint32_t)workload, identity});
	if (group != POLICY_NONE)
		vec_push(workloads, (struct list_pair){(uint32_t)group, identity});
}

static void index_owners(struct selector_index *x, const struct compiled *c)
{
	list_pairs zones = {}, workloads = {};

	for (uint32_t i = 0; i < x->identities; i++) {
		const struct identity *id = &c->identities.items[i];

		if (id->zone != POLICY_NONE)
			vec_push(&zones, (struct list_pair){(uint32_t)id->zone, i});
		if (id->workload != POLICY_NONE)
			index_workload(c, &workloads, i);
		if (id->zone == POLICY_NONE && id->workload == POLICY_NONE)
			bitset_add(x->outside, i);
		if (c->image.identities.items[i].flags & BH_IDENTITY_HOST)
			bitset_add(x->host, i);
	}
	lists_build(&x->by_zone, (uint32_t)c->policy->zones.count, &zones);
	lists_build(&x->by_workload, x->workloads, &workloads);
	vec_release(&zones);
	vec_release(&workloads);
}

void selector_index_build(struct selector_index *x, const struct compiled *c,
			  const struct address_tree *t)
{
	memset(x, 0, sizeof(*x));
	x->policy = c->policy;
	x->tree = t;
	x->identities = (uint32_t)c->identities.count;
	x->workloads = (uint32_t)c->policy->workloads.count;
	x->outside = bitset_new(x->identities);
	x->host = bitset_new(x->identities);
	index_owners(x, c);
	index_labels(x, c->policy);
}

void selector_index_release(struct selector_index *x)
{
	lists_release(&x->by_zone);
	lists_release(&x->by_workload);
	lists_release(&x->by_label);
	map_release(&x->label_numbers);
	free(x->outside);
	free(x->host);
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

/* Adds the workloads that have the key, with @value if that isn't NULL. */
static void add_labelled(const struct selector_index *x, const char *name, const char *value,
			 uint64_t *workloads)
{
	_text_ struct text key = TEXT_INIT;
	const uint64_t *number;

	label_key(&key, name, value);
	number = map_get(&x->label_numbers, key.buf, key.len);
	if (number)
		add_list(workloads, lists_get(&x->by_label, (uint32_t)*number));
}

/* Takes out of @workloads those that don't satisfy @r. */
static void require(const struct selector_index *x, const struct requirement *r,
		    uint64_t *workloads)
{
	bool is_negated = r->kind == REQUIRE_NOT_IN || r->kind == REQUIRE_NOT_EXISTS;
	bool has_values = r->kind == REQUIRE_IN || r->kind == REQUIRE_NOT_IN;
	_free_ uint64_t *named = bitset_new(x->workloads);

	if (!has_values)
		add_labelled(x, r->key, NULL, named);
	vec_foreach (value, &r->values) {
		if (has_values)
			add_labelled(x, r->key, *value, named);
	}
	for (size_t i = 0; i < bitset_words(x->workloads); i++)
		workloads[i] &= is_negated ? ~named[i] : named[i];
}

static void add_labels(const struct selector_index *x, const struct selector *s, uint64_t *set)
{
	_free_ uint64_t *workloads = bitset_new(x->workloads);
	size_t n = x->workloads;

	add_others(workloads, workloads, n);
	vec_foreach (r, &s->requirements)
		require(x, r, workloads);
	for (size_t i = bitset_next(workloads, n, 0); i < n; i = bitset_next(workloads, n, i + 1))
		add_list(set, lists_get(&x->by_workload, (uint32_t)i));
}

static void add_taken(const struct selector_index *x, const struct selector *s, uint64_t *set)
{
	vec_foreach (w, &x->policy->workloads) {
		if (selector_takes(x->policy, s, w))
			add_list(set, lists_get(&x->by_workload,
						(uint32_t)(w - x->policy->workloads.items)));
	}
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
	case SELECT_NODES:
		add_taken(x, s, set);
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
