/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/pods.h"

#include <stdlib.h>
#include <string.h>

#include "util/text.h"

/* In @buf, for the map: a key has no NUL inside. */
static void label_key(struct text *buf, const char *key, const char *value)
{
	text_reset(buf);
	text_addn(buf, key, strlen(key) + 1);
	text_add(buf, value);
}

static void index_labels(struct pods *x, const labels *own, uint32_t workload, list_pairs *pairs)
{
	_text_ struct text key = TEXT_INIT;

	vec_foreach (label, own) {
		uint64_t list;

		label_key(&key, label->key, label->value);
		list = *map_put(&x->labels, key.buf, key.len, x->labels.count, NULL);
		vec_push(pairs, (struct list_pair){(uint32_t)list, workload});
	}
}

void pods_init(struct pods *x, const struct policy *p, struct diags *d)
{
	list_pairs by_label = {}, by_space = {};

	*x = (struct pods){.policy = p, .diags = d};
	for (uint32_t i = 0; i < p->workloads.count; i++) {
		const struct workload *w = &p->workloads.items[i];

		if (w->kind != WORKLOAD_POD || !w->prefixes.count)
			continue;
		vec_push(&x->all, i);
		vec_push(&by_space, (struct list_pair){(uint32_t)w->space, i});
		index_labels(x, &w->labels, i, &by_label);
	}
	lists_build(&x->by_label, (uint32_t)x->labels.count, &by_label);
	lists_build(&x->by_space, (uint32_t)p->namespaces.count, &by_space);
	vec_release(&by_label);
	vec_release(&by_space);
}

void pods_release(struct pods *x)
{
	vec_release(&x->all);
	map_release(&x->labels);
	lists_release(&x->by_label);
	lists_release(&x->by_space);
}

static struct list labelled(const struct pods *x, const char *key, const char *value)
{
	_text_ struct text buf = TEXT_INIT;
	const uint64_t *list;

	label_key(&buf, key, value);
	list = map_get(&x->labels, buf.buf, buf.len);
	return list ? lists_get(&x->by_label, (uint32_t)*list) : (struct list){};
}

static size_t count_labelled(const struct pods *x, const struct requirement *requirement)
{
	size_t count = 0;

	vec_foreach (value, &requirement->values)
		count += labelled(x, requirement->key, *value).count;
	return count;
}

/* The requirement that the fewest pods meet, of those that a list answers, or NULL. */
static const struct requirement *narrowest(const struct pods *x, const struct selector *s,
					   size_t *ret_count)
{
	const struct requirement *best = NULL;

	vec_foreach (requirement, &s->requirements) {
		size_t count;

		if (requirement->kind != REQUIRE_IN)
			continue;
		count = count_labelled(x, requirement);
		if (best && count >= *ret_count)
			continue;
		best = requirement;
		*ret_count = count;
	}
	return best;
}

/* Whether there is still work to be done; the first time there isn't, that is told. */
static bool take_looks(struct pods *x, struct span at, size_t count)
{
	if (x->looks > PODS_MAX_LOOKS)
		return false;
	x->looks += count;
	if (x->looks <= PODS_MAX_LOOKS)
		return true;
	diag_error(x->diags, at, "the selectors up to here look at pods more than %d times",
		   PODS_MAX_LOOKS);
	return false;
}

static void take_from(struct pods *x, const struct selector *s, struct list list, pod_list *out)
{
	size_t cost = 1 + s->requirements.count + s->space_requirements.count;

	for (size_t i = 0; i < list.count; i++) {
		const struct workload *w = &x->policy->workloads.items[list.items[i]];

		if (!take_looks(x, s->at, cost + (s->requirements.count ? w->labels.count : 0)))
			return;
		if (selector_takes(x->policy, s, w))
			vec_push(out, list.items[i]);
	}
}

static void take_from_spaces(struct pods *x, const struct selector *s, pod_list *out)
{
	const struct policy *p = x->policy;

	for (uint32_t i = 0; i < p->namespaces.count; i++) {
		if (!take_looks(x, s->at, s->space_requirements.count))
			return;
		if (requirements_match(&s->space_requirements, &p->namespaces.items[i].labels))
			take_from(x, s, lists_get(&x->by_space, i), out);
	}
}

void pods_select(struct pods *x, const struct selector *s, pod_list *out)
{
	struct list space = {x->all.items, x->all.count};
	const struct requirement *label;
	size_t count = 0;

	if (s->space != POLICY_NONE && s->space >= x->by_space.keys)
		return; /* younger than the index: it has no pods */
	if (s->space != POLICY_NONE)
		space = lists_get(&x->by_space, (uint32_t)s->space);
	label = narrowest(x, s, &count);
	if (label && count < space.count) {
		vec_foreach (value, &label->values)
			take_from(x, s, labelled(x, label->key, *value), out);
	} else if (s->space == POLICY_NONE && s->space_requirements.count) {
		take_from_spaces(x, s, out);
	} else {
		take_from(x, s, space, out);
	}
}

static bool has_hole(const struct selector *s, const struct bh_addr *a)
{
	vec_foreach (hole, &s->except) {
		if (prefix_has(&hole->prefix, a))
			return true;
	}
	return false;
}

static bool cidr_has(const struct selector *s, const struct workload *w)
{
	vec_foreach (placed, &w->prefixes) {
		const struct bh_addr *a = &placed->prefix.addr;

		if (prefix_contains(&s->prefix, &placed->prefix) && !has_hole(s, a))
			return true;
	}
	return false;
}

static void select_cidr(struct pods *x, const struct selector *s, pod_list *out)
{
	vec_foreach (pod, &x->all) {
		if (!take_looks(x, s->at, 1 + s->except.count))
			return;
		if (cidr_has(s, &x->policy->workloads.items[*pod]))
			vec_push(out, *pod);
	}
}

static void select_peers(struct pods *x, const struct selector *s, pod_list *out)
{
	switch (s->kind) {
	case SELECT_PODS:
		pods_select(x, s, out);
		break;
	case SELECT_CIDR:
		select_cidr(x, s, out);
		break;
	case SELECT_ONE_OF:
		vec_foreach (child, &s->children)
			select_peers(x, *child, out);
		break;
	case SELECT_ANY:
		vec_foreach (pod, &x->all)
			vec_push(out, *pod);
		break;
	case SELECT_NODES:
	case SELECT_OUTSIDE:
	case SELECT_HOST:
	case SELECT_ZONE:
	case SELECT_WORKLOAD:
	case SELECT_LABELS:
	case SELECT_EXCEPT:
	case SELECT_ALL_OF:
		break; /* no pods, or no peer of a Kubernetes policy */
	}
}

static int number_cmp(const void *a, const void *b)
{
	return *(const uint16_t *)a - *(const uint16_t *)b;
}

static void sort_numbers(port_numbers *numbers)
{
	size_t kept = 0;

	if (numbers->count)
		qsort(numbers->items, numbers->count, sizeof(*numbers->items), number_cmp);
	vec_foreach (number, numbers) {
		if (!kept || numbers->items[kept - 1] != *number)
			numbers->items[kept++] = *number;
	}
	numbers->count = kept;
}

void pods_numbers(struct pods *x, const struct selector *s, const char *name,
		  enum bh_service_table table, port_numbers *out)
{
	pod_list list = {};

	select_peers(x, s, &list);
	vec_foreach (pod, &list) {
		const struct workload *w = &x->policy->workloads.items[*pod];

		if (!take_looks(x, s->at, 1 + w->ports.count))
			break;
		vec_foreach (port, &w->ports) {
			if (port->number.table == table && !strcmp(port->name, name))
				vec_push(out, port->number.lo);
		}
	}
	vec_release(&list);
	sort_numbers(out);
}

/* A zone or a workload that pods are looked for. */
struct home {
	const char *what;
	const char *name;
	const struct selector *pods;
	size_t index;
	bool is_zone;
};

static const char *home_name(const struct policy *p, const struct home *h, size_t index)
{
	return h->is_zone ? p->zones.items[index].name : p->workloads.items[index].name;
}

/* A pod that has a home already stays there. */
static void settle(struct pods *x, struct policy *p, const struct home *h)
{
	bool is_told = false;
	pod_list list = {};

	pods_select(x, h->pods, &list);
	vec_foreach (pod, &list) {
		struct workload *w = &p->workloads.items[*pod];
		size_t *place = h->is_zone ? &w->zone : &w->group;

		if (*place == POLICY_NONE)
			*place = h->index;
		if (*place == h->index || is_told)
			continue;
		diag_warning(x->diags, h->pods->at,
			     "the %s '%s' selects the pod '%s', which stays in '%s', the first in "
			     "file order",
			     h->what, h->name, w->name, home_name(p, h, *place));
		is_told = true;
	}
	vec_release(&list);
}

void pods_resolve(struct pods *x, struct policy *p)
{
	for (size_t i = 0; i < p->workloads.count; i++) {
		const struct workload *w = &p->workloads.items[i];

		if (w->pods)
			settle(x, p, &(struct home){"workload", w->name, w->pods, i, false});
	}
	for (size_t i = 0; i < p->zones.count; i++) {
		const struct zone *z = &p->zones.items[i];

		if (z->pods)
			settle(x, p, &(struct home){"zone", z->name, z->pods, i, true});
	}
}
