/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/read_kubernetes.h"

#include <string.h>

static uint64_t *put_owner(struct map *owners, const struct placed_prefix *placed, size_t workload)
{
	return map_put(owners, &placed->prefix.addr, sizeof(placed->prefix.addr), workload, NULL);
}

static void own_single_addresses(const struct policy *p, struct map *owners)
{
	for (size_t i = 0; i < p->workloads.count; i++) {
		const struct workload *w = &p->workloads.items[i];

		if (w->kind == WORKLOAD_NODE)
			continue;
		vec_foreach (placed, &w->prefixes) {
			if (placed->prefix.len == 128)
				put_owner(owners, placed, i);
		}
	}
}

/* Nodes behind one translator of addresses have one external address: it is the first one's. */
static void own_node_addresses(struct reader *r, size_t index, struct map *owners)
{
	const struct workload *all = r->policy->workloads.items;
	struct workload *node = &r->policy->workloads.items[index];
	char buf[ADDRESS_STRLEN];
	size_t kept = 0;

	vec_foreach (placed, &node->prefixes) {
		size_t owner = *put_owner(owners, placed, index);

		if (owner == index || all[owner].kind != WORKLOAD_NODE)
			node->prefixes.items[kept++] = *placed;
		else
			diag_warning(r->diags, placed->at,
				     "'%s' is an address of the node '%s', too, and counts as its",
				     prefix_format(&placed->prefix, buf), all[owner].name);
	}
	node->prefixes.count = kept;
}

/* What pods tell of a node that no document declares. */
static void own_claims(struct reader *r, struct map *owners)
{
	struct kubernetes *k = r->kubernetes;

	vec_foreach (claim, &k->claims) {
		const struct kube_node *node = &k->nodes.items[claim->node];
		placed_prefixes *prefixes = &r->policy->workloads.items[node->workload].prefixes;
		size_t before = owners->count;

		if (node->is_declared)
			continue;
		put_owner(owners, &claim->placed, node->workload);
		if (owners->count > before)
			vec_push(prefixes, claim->placed);
	}
}

/* A node is called by its name, unless that means a zone or a workload already. */
static void name_node(struct reader *r, size_t index)
{
	const struct workload *node = &r->policy->workloads.items[index];
	const struct name *taken = names_find(&r->names, SCOPE_MEMBERS, node->name);
	struct name name = {node->name, NAME_NODE, index, node->at};

	if (!taken) {
		names_define(&r->names, &name);
		return;
	}
	diag_warning(r->diags, node->at, "the node '%s' is called like %s, which the name means",
		     node->name, name_kind_word(taken->kind));
}

void kubernetes_resolve(struct reader *r)
{
	struct kubernetes *k = r->kubernetes;
	struct map owners = {};

	if (k->nodes.count)
		own_single_addresses(r->policy, &owners);
	vec_foreach (node, &k->nodes) {
		own_node_addresses(r, node->workload, &owners);
		name_node(r, node->workload);
	}
	own_claims(r, &owners);
	map_release(&owners);
	pods_init(&k->pods, r->policy, r->diags);
	pods_resolve(&k->pods, r->policy);
}
