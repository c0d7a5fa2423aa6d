/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/address_change.h"

#include <assert.h>
#include <errno.h>

#include "policy/compiled_index.h"

void address_changes_release(struct address_changes *changes)
{
	map_release(&changes->places);
	vec_release(&changes->nodes);
}

/* The node around it when the policy was compiled. */
static const struct address_node *compiled_node(const struct compiled *c, const struct bh_addr *a)
{
	const struct address_tree *t = &c->index->tree;

	return &t->nodes.items[address_tree_lookup(t, a)];
}

const struct address_node *address_owner(const struct compiled *c, const struct bh_addr *a)
{
	const struct address_changes *changes = &c->index->changes;
	const uint64_t *place = map_get(&changes->places, a, sizeof(*a));

	return place ? &changes->nodes.items[*place] : compiled_node(c, a);
}

static bool is_alone(const struct address_node *node, const struct bh_addr *a)
{
	struct prefix p = prefix_of_addr(a);

	return !prefix_cmp(&node->prefix, &p);
}

/* What the address is now, as a node of its own that can be changed. */
static struct address_node take_out(const struct compiled *c, const struct bh_addr *a)
{
	struct address_node node = *address_owner(c, a);

	if (is_alone(&node, a))
		return node;
	node.prefix = prefix_of_addr(a);
	node.is_claimed = false;
	return node;
}

/* -ENOENT also where an identity has no address of the family: classes know which they have. */
static int find_identity(const struct compiled *c, const struct address_node *node, uint32_t *ret)
{
	const struct identity_index *x = &c->index->identities;
	const struct bh_addr *a = &node->prefix.addr;
	uint32_t cidrs = x->cidrs.items[compiled_node(c, a)->identity];
	struct identity_key key = identity_key_of(&c->index->kinds, node, cidrs);
	const uint64_t *found = map_get(&x->by_key, &key, sizeof(key));
	const struct identity *id;

	if (!found)
		return -ENOENT;
	id = &c->identities.items[*found];
	if (addr_is_v4(a) ? !id->has_v4 : !id->has_v6)
		return -ENOENT;
	*ret = (uint32_t)*found;
	return 0;
}

static int settle(struct compiled *c, struct address_node *node, struct address_entry *ret)
{
	struct address_changes *changes = &c->index->changes;
	const struct bh_addr a = node->prefix.addr;
	int err = find_identity(c, node, &node->identity);
	uint64_t *place;
	bool is_new;

	if (!err && (changes->nodes.count == ADDRESS_CHANGES_MAX ||
		     c->image.prefixes.count + c->image.changed.count >= IMAGE_PREFIXES_MAX))
		err = -ENOENT;
	if (err)
		return err;
	place = map_put(&changes->places, &a, sizeof(a), changes->nodes.count, &is_new);
	if (is_new)
		vec_push(&changes->nodes, *node);
	else
		changes->nodes.items[*place] = *node;
	*ret = (struct address_entry){
		.addr = a,
		.identity = node->identity,
		.is_listed = image_set_identity(&c->image, &a, node->identity),
	};
	return 0;
}

int address_add(struct compiled *c, const struct bh_addr *a, size_t workload,
		struct address_entry *ret)
{
	struct address_node node = take_out(c, a);

	assert(workload < c->policy->workloads.count);
	if (node.is_claimed)
		return -EEXIST;
	node.is_claimed = true;
	node.workload = (uint32_t)workload;
	node.zone = address_tree_zone(c->policy, node.workload, node.longest_zone);
	return settle(c, &node, ret);
}

int address_remove(struct compiled *c, const struct bh_addr *a, struct address_entry *ret)
{
	const struct address_tree *t = &c->index->tree;
	const struct address_node *around = compiled_node(c, a);
	struct address_node node = take_out(c, a);

	if (!node.is_claimed || node.workload == ADDRESS_NONE)
		return -EADDRNOTAVAIL;
	if (is_alone(around, a))
		around = &t->nodes.items[around->parent];
	node.is_claimed = false;
	node.workload = around->workload;
	node.zone = around->zone;
	return settle(c, &node, ret);
}

int address_set_host(struct compiled *c, const struct bh_addr *a, bool is_host,
		     struct address_entry *ret)
{
	struct address_node node = take_out(c, a);

	node.is_host = is_host;
	return settle(c, &node, ret);
}
