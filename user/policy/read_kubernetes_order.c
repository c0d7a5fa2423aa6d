/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "policy/read_kubernetes.h"

/* A rule with what decides when it is asked. */
struct ranked {
	const struct cluster_policy *policy;
	size_t rule; /* ingress before egress, each as written */
};

static int policy_cmp(const struct cluster_policy *a, const struct cluster_policy *b)
{
	if (a->tier != b->tier)
		return a->tier < b->tier ? -1 : 1;
	if (a->priority != b->priority)
		return a->priority < b->priority ? -1 : 1;
	return strcmp(a->name, b->name);
}

static int ranked_cmp(const void *left, const void *right)
{
	const struct ranked *a = left, *b = right;
	int order = policy_cmp(a->policy, b->policy);

	if (order)
		return order;
	return a->rule < b->rule ? -1 : 1;
}

static void warn_of_tie(struct reader *r, const struct cluster_policy *first,
			const struct cluster_policy *second)
{
	if (first == second || first->tier != second->tier || first->priority != second->priority)
		return;
	diag_warning(r->diags, second->at,
		     "'%s' and '%s' have the same tier and priority; by name, '%s' is asked first",
		     second->name, first->name, first->name);
	diag_note(r->diags, first->at, "the other priority is here");
}

void kubernetes_order(struct reader *r)
{
	const struct kubernetes *k = r->kubernetes;
	VEC(struct ranked) order = {};

	vec_foreach (rule, &k->cluster_rules)
		vec_push(&order,
			 (struct ranked){&k->cluster_policies.items[rule->policy], rule->rule});
	if (order.count)
		qsort(order.items, order.count, sizeof(*order.items), ranked_cmp);
	for (size_t i = 0; i < order.count; i++) {
		r->policy->rules.items[order.items[i].rule].order = (uint32_t)i;
		if (i)
			warn_of_tie(r, order.items[i - 1].policy, order.items[i].policy);
	}
	vec_release(&order);
}
