/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/address_class.h"

#include "policy/compiled_index.h"
#include "util/mem.h"
#include "util/partition.h"

/* Elements that cidrs tell apart: one without an address, then the nodes that have free ones. */
#define NOWHERE    0
#define FIRST_NODE 1

static const struct address_node nowhere = {.zone = ADDRESS_NONE, .workload = ADDRESS_NONE};
static const struct address_node host_alone = {
	.zone = ADDRESS_NONE, .workload = ADDRESS_NONE, .is_host = true};

void identity_index_release(struct identity_index *x)
{
	map_release(&x->by_key);
	vec_release(&x->cidrs);
}

struct identity_key identity_key_of(const struct pod_kinds *kinds, const struct address_node *node,
				    uint32_t cidrs)
{
	return (struct identity_key){
		.zone = node->zone,
		.workload = node->workload == ADDRESS_NONE ? ADDRESS_NONE
							   : kinds->first[node->workload],
		.cidrs = cidrs,
		.is_host = node->is_host,
	};
}

/* Numbers the nodes with free addresses; a node's identity is its element until it has one. */
static void split_by_cidrs(struct partition *p, struct address_tree *t, const struct atoms *a)
{
	uint32_t elements = FIRST_NODE;
	node_numbers nodes = {};

	vec_foreach (node, &t->nodes) {
		if (node->has_free)
			node->identity = elements++;
	}
	partition_init(p, elements, NULL);
	vec_foreach (cidr, &a->cidrs) {
		nodes.count = 0;
		address_tree_select(t, *cidr, &nodes);
		vec_foreach (node, &nodes)
			*node = t->nodes.items[*node].identity;
		partition_split(p, nodes.items, nodes.count);
	}
	vec_release(&nodes);
}

static size_t name_of(uint32_t number)
{
	return number == ADDRESS_NONE ? POLICY_NONE : number;
}

/* Where modes say that nothing is dropped, the agent's death doesn't change that. */
static uint32_t closed_flag(const struct policy *p, const struct zone *zone)
{
	return zone->mode == MODE_ENFORCE && !p->is_audit ? BH_IDENTITY_DOWN_CLOSED : 0;
}

static uint32_t identity_flags(const struct policy *p, const struct address_node *node)
{
	uint32_t flags = node->is_host ? BH_IDENTITY_HOST : 0;

	if (node->zone == ADDRESS_NONE)
		return flags;
	switch (p->zones.items[node->zone].agent_down) {
	case STANCE_OPEN:
		return flags | BH_IDENTITY_DOWN_OPEN;
	case STANCE_CLOSED:
		return flags | closed_flag(p, &p->zones.items[node->zone]);
	case STANCE_UNSET:
	case STANCE_KEEP:
		break;
	}
	return flags;
}

static void add_identity(struct compiled *c, const struct address_node *node)
{
	vec_push(&c->identities, (struct identity){
					 .zone = name_of(node->zone),
					 .workload = name_of(node->workload),
					 .example = node->prefix,
				 });
	vec_push(&c->image.identities,
		 (struct image_identity){.flags = identity_flags(c->policy, node)});
}

/* The identity of the addresses of @node that are in these cidrs. */
static uint32_t identity_of(struct compiled *c, const struct address_node *node, uint32_t cidrs)
{
	struct identity_index *x = &c->index->identities;
	struct identity_key key = identity_key_of(&c->index->kinds, node, cidrs);
	uint64_t identity;
	bool is_new;

	identity = *map_put(&x->by_key, &key, sizeof(key), c->identities.count, &is_new);
	if (is_new) {
		add_identity(c, node);
		vec_push(&x->cidrs, cidrs);
	}
	return (uint32_t)identity;
}

static void make_identities(struct compiled *c, const struct partition *p, bool is_host_known)
{
	identity_of(c, &nowhere, p->part[NOWHERE]);
	if (!is_host_known)
		identity_of(c, &host_alone, p->part[NOWHERE]);
	vec_foreach (node, &c->index->tree.nodes) {
		struct identity *id;

		if (!node->has_free)
			continue;
		node->identity = identity_of(c, node, p->part[node->identity]);
		id = &c->identities.items[node->identity];
		id->has_v4 |= prefix_is_v4(&node->prefix);
		id->has_v6 |= !prefix_is_v4(&node->prefix);
	}
}

/* A prefix is listed only where it changes what the one around it says. */
static void list_prefixes(struct compiled *c, const struct address_tree *t)
{
	_free_ uint32_t *said = xcalloc(t->nodes.count, sizeof(*said));

	for (uint32_t i = 0; i < t->nodes.count; i++) {
		const struct address_node *node = &t->nodes.items[i];
		uint32_t around = node->parent == ADDRESS_NONE ? 0 : said[node->parent];

		said[i] = node->has_free ? node->identity : around;
		if (said[i] == around)
			continue;
		vec_push(&c->image.prefixes, (struct image_prefix){node->prefix, said[i]});
	}
}

void address_identities(struct compiled *c, const struct atoms *a, const struct environment *env)
{
	_partition_ struct partition p = {};

	split_by_cidrs(&p, &c->index->tree, a);
	make_identities(c, &p, env->host_count > 0);
	list_prefixes(c, &c->index->tree);
}

/* The first that is set, or enforce. */
static enum mode first_mode(const enum mode *modes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (modes[i] != MODE_UNSET)
			return modes[i];
	}
	return MODE_ENFORCE;
}

static enum mode workload_mode(const struct policy *p, const struct workload *w, enum mode of_zone)
{
	const struct workload *group = w->group == POLICY_NONE ? NULL
							       : &p->workloads.items[w->group];
	const enum mode modes[] = {
		w->mode,
		group ? group->mode : MODE_UNSET,
		of_zone,
		w->space == POLICY_NONE ? MODE_UNSET : p->namespaces.items[w->space].mode,
		w->document_mode,
		group ? group->document_mode : MODE_UNSET,
	};

	return first_mode(modes, COUNT(modes));
}

/* What a denial does at an end: nothing outside, and at nodes as long as they are in no zone. */
static enum mode identity_mode(const struct policy *p, const struct identity *id)
{
	enum mode of_zone = MODE_UNSET, mode;
	const struct workload *w = NULL;

	if (id->zone != POLICY_NONE)
		of_zone = first_mode(&p->zones.items[id->zone].mode, 1);
	if (id->workload != POLICY_NONE)
		w = &p->workloads.items[id->workload];
	mode = w && w->kind != WORKLOAD_NODE ? workload_mode(p, w, of_zone) : of_zone;
	return mode == MODE_ENFORCE && p->is_audit ? MODE_AUDIT : mode;
}

static uint8_t identity_isolated(const struct policy *p, const struct identity *id)
{
	const struct workload *w = NULL;

	if (id->workload != POLICY_NONE)
		w = &p->workloads.items[id->workload];
	if (id->zone != POLICY_NONE || (w && w->kind == WORKLOAD_GROUP))
		return SIDE_BOTH;
	if (!w || w->kind == WORKLOAD_NODE)
		return 0;
	return w->group == POLICY_NONE ? w->isolated : SIDE_BOTH;
}

static void split_by_selectors(struct partition *p, const struct selector_index *x,
			       const struct atoms *a)
{
	_selected_ struct selected room = {};

	for (uint32_t i = 0; i < a->selectors.count; i++) {
		struct list members = selector_members(x, i, &room);

		partition_split(p, members.items, members.count);
	}
}

static void make_classes(struct compiled *c, const struct partition *p)
{
	for (uint32_t i = 0; i < p->elements; i++) {
		struct identity *id = &c->identities.items[i];
		struct address_class *class;

		if (p->part[i] == c->classes.count)
			vec_push(&c->classes, (struct address_class){
						      .mode = identity_mode(c->policy, id),
						      .isolated = identity_isolated(c->policy, id),
						      .identity = i,
					      });
		class = &c->classes.items[p->part[i]];
		if (!class->is_listed && (id->has_v4 || id->has_v6)) {
			class->is_listed = true;
			class->identity = i;
		}
		class->has_v4 |= id->has_v4;
		class->has_v6 |= id->has_v6;
		id->class = p->part[i];
		c->image.identities.items[i].class = p->part[i];
	}
}

void address_classes(struct compiled *c, const struct selector_index *x, const struct atoms *a)
{
	_partition_ struct partition p = {};
	_free_ uint64_t *keys = xcalloc(x->identities, sizeof(*keys));

	for (uint32_t i = 0; i < x->identities; i++) {
		const struct identity *id = &c->identities.items[i];

		keys[i] = (uint64_t)identity_mode(c->policy, id) << 8 |
			  identity_isolated(c->policy, id);
	}
	partition_init(&p, x->identities, keys);
	split_by_selectors(&p, x, a);
	partition_number(&p);
	make_classes(c, &p);
}
