/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/address_change.h"

#include <assert.h>
#include <errno.h>

#include "policy/compiled_index.h"

void address_changes_release(struct address_changes *changes)
{
	places_release(&changes->places);
	vec_release(&changes->nodes);
}

/* --- where a change is --- */

static const struct bh_addr *addr_at(const struct address_changes *changes, uint64_t word)
{
	return &changes->nodes.items[word - 1].prefix.addr;
}

static uint64_t hash_of(const void *user, uint64_t word)
{
	return addr_hash(addr_at(user, word));
}

static bool is_of(const void *user, uint64_t word, const void *address)
{
	return !addr_cmp(addr_at(user, word), address);
}

static uint64_t *find_place(const struct address_changes *changes, const struct bh_addr *a)
{
	const struct places_kind by_address = {hash_of, is_of, changes};

	return places_find(&changes->places, &by_address, addr_hash(a), a);
}

static void put(struct address_changes *changes, const struct address_node *node)
{
	const struct places_kind by_address = {hash_of, is_of, changes};
	const uint64_t *place = find_place(changes, &node->prefix.addr);

	if (place) {
		changes->nodes.items[*place - 1] = *node;
		return;
	}
	vec_push(&changes->nodes, *node);
	places_add(&changes->places, &by_address, changes->nodes.count);
}

static void drop(struct address_changes *changes, const struct bh_addr *a)
{
	uint64_t *place = find_place(changes, a);
	const struct address_node *last;

	if (!place)
		return;
	last = &changes->nodes.items[changes->nodes.count - 1];
	*find_place(changes, &last->prefix.addr) = *place;
	changes->nodes.items[*place - 1] = *last;
	changes->nodes.count--;
	places_drop(&changes->places, place);
}

/* --- whose an address is --- */

/* The node around it when the policy was compiled. */
static const struct address_node *compiled_node(const struct compiled *c, const struct bh_addr *a)
{
	const struct address_tree *t = &c->index->tree;

	return &t->nodes.items[address_tree_lookup(t, a)];
}

const struct address_node *address_owner(const struct compiled *c, const struct bh_addr *a)
{
	const struct address_changes *changes = &c->index->changes;
	const uint64_t *place = find_place(changes, a);

	return place ? &changes->nodes.items[*place - 1] : compiled_node(c, a);
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

/* Nobody need remember it: the tree says the same. */
static bool is_as_compiled(const struct compiled *c, const struct address_node *node)
{
	const struct address_node *was = compiled_node(c, &node->prefix.addr);
	bool was_claimed = is_alone(was, &node->prefix.addr) && was->is_claimed;

	return node->identity == was->identity && node->workload == was->workload &&
	       node->zone == was->zone && node->is_host == was->is_host &&
	       node->is_claimed == was_claimed;
}

static bool is_full(const struct compiled *c)
{
	return c->image.prefixes.count + c->image.changed.count >= IMAGE_PREFIXES_MAX;
}

static int settle(struct compiled *c, struct address_node *node, struct address_entry *ret)
{
	const struct bh_addr a = node->prefix.addr;
	int err = find_identity(c, node, &node->identity);

	if (!err && is_full(c))
		err = -ENOENT;
	if (err)
		return err;
	if (is_as_compiled(c, node))
		drop(&c->index->changes, &a);
	else
		put(&c->index->changes, node);
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
