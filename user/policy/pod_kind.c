/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/pod_kind.h"

#include <string.h>

#include "util/bitset.h"
#include "util/text.h"

typedef VEC(const struct label *) label_list;
typedef VEC(const struct named_port *) port_list;

/* Buffers for the keys of many pods. */
struct keys {
	struct text key;
	label_list labels;
	port_list ports;
};

static int label_cmp(const void *a, const void *b)
{
	const struct label *const *x = a, *const *y = b;

	return strcmp((*x)->key, (*y)->key);
}

static int port_cmp(const void *a, const void *b)
{
	const struct named_port *const *x = a, *const *y = b;
	int order = strcmp((*x)->name, (*y)->name);

	if (order)
		return order;
	if ((*x)->number.table != (*y)->number.table)
		return (*x)->number.table < (*y)->number.table ? -1 : 1;
	return (*x)->number.lo < (*y)->number.lo ? -1 : (*x)->number.lo > (*y)->number.lo;
}

static void add_number(struct text *key, uint64_t number)
{
	text_addn(key, (const char *)&number, sizeof(number));
}

static void add_string(struct text *key, const char *s)
{
	text_addn(key, s, strlen(s) + 1);
}

static void add_labels(struct keys *k, const struct workload *pod)
{
	k->labels.count = 0;
	vec_foreach (label, &pod->labels)
		vec_push(&k->labels, label);
	if (k->labels.count > 1)
		qsort(k->labels.items, k->labels.count, sizeof(*k->labels.items), label_cmp);
	add_number(&k->key, k->labels.count);
	vec_foreach (label, &k->labels) {
		add_string(&k->key, (*label)->key);
		add_string(&k->key, (*label)->value);
	}
}

static void add_ports(struct keys *k, const struct workload *pod)
{
	k->ports.count = 0;
	vec_foreach (port, &pod->ports)
		vec_push(&k->ports, port);
	if (k->ports.count > 1)
		qsort(k->ports.items, k->ports.count, sizeof(*k->ports.items), port_cmp);
	vec_foreach (port, &k->ports) {
		add_string(&k->key, (*port)->name);
		add_number(&k->key, (uint64_t)(*port)->number.table << 16 | (*port)->number.lo);
	}
}

/* Zones are left out: an identity is of one zone anyway. */
static void describe(struct keys *k, const struct workload *pod)
{
	text_reset(&k->key);
	add_number(&k->key, pod->space);
	add_number(&k->key, pod->group);
	text_addc(&k->key, (char)pod->mode);
	text_addc(&k->key, (char)pod->document_mode);
	text_addc(&k->key, (char)pod->isolated);
	add_labels(k, pod);
	add_ports(k, pod);
}

static void keys_release(struct keys *k)
{
	text_release(&k->key);
	vec_release(&k->labels);
	vec_release(&k->ports);
}

void pod_kinds_build(struct pod_kinds *k, const struct policy *p, const struct atoms *a)
{
	_cleanup_(keys_release)
	struct keys keys = {.key = TEXT_INIT};
	_free_ uint64_t *named = bitset_new(p->workloads.count);

	*k = (struct pod_kinds){};
	k->first = xcalloc(p->workloads.count + 1, sizeof(*k->first));
	vec_foreach (workload, &a->workloads)
		bitset_add(named, *workload);
	for (uint32_t i = 0; i < p->workloads.count; i++) {
		const struct workload *w = &p->workloads.items[i];

		k->first[i] = i;
		if (w->kind != WORKLOAD_POD || bitset_has(named, i))
			continue;
		describe(&keys, w);
		k->first[i] = (uint32_t)*map_put(&k->firsts, keys.key.buf, keys.key.len, i, NULL);
	}
}

void pod_kinds_release(struct pod_kinds *k)
{
	map_release(&k->firsts);
	free(k->first);
	*k = (struct pod_kinds){};
}

size_t pod_kinds_find(const struct pod_kinds *k, const struct workload *pod)
{
	_cleanup_(keys_release)
	struct keys keys = {.key = TEXT_INIT};
	const uint64_t *first;

	describe(&keys, pod);
	first = map_get(&k->firsts, keys.key.buf, keys.key.len);
	return first ? *first : POLICY_NONE;
}
