/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/graph_nodes.h"

#include <assert.h>
#include <string.h>

#include "policy/compiled_index.h"
#include "policy/ends.h"
#include "policy/pairs.h"
#include "util/bitset.h"

#define LABELS     "labels " /* how a selector by labels is described */
#define FOLD_LIMIT 12        /* workloads of a box that stay as they are when others are folded */

/* A zone that doesn't say its role is what its name says. */
static enum zone_role role_of(const struct zone *zone)
{
	/* clang-format off */
	static const struct {
		const char *word;
		enum zone_role role;
	} words[] = {
		{ "internet", ROLE_INTERNET }, { "world",      ROLE_INTERNET },
		{ "dmz",      ROLE_FRONT },    { "front",      ROLE_FRONT },
		{ "edge",     ROLE_FRONT },    { "public",     ROLE_FRONT },
		{ "data",     ROLE_DATA },     { "db",         ROLE_DATA },
		{ "database", ROLE_DATA },     { "management", ROLE_MANAGEMENT },
		{ "mgmt",     ROLE_MANAGEMENT }, { "admin",    ROLE_MANAGEMENT },
	};
	/* clang-format on */

	if (zone->role != ROLE_UNSET)
		return zone->role;
	for (size_t i = 0; i < COUNT(words); i++) {
		if (!strcmp(zone->name, words[i].word))
			return words[i].role;
	}
	return ROLE_INTERNAL;
}

static size_t add_node(struct graph *g, struct graph_node node)
{
	vec_push(&g->nodes, node);
	return g->nodes.count - 1;
}

static size_t add_box(struct graph *g, struct graph_box box)
{
	vec_push(&g->boxes, box);
	return g->boxes.count - 1;
}

/* The zone of each workload's addresses, where they all have the same one. */
static size_t *find_homes(const struct compiled *c)
{
	const struct policy *p = c->policy;
	size_t *homes = xcalloc(p->workloads.count + 1, sizeof(*homes));
	_free_ bool *is_known = xcalloc(p->workloads.count + 1, sizeof(*is_known));

	for (size_t i = 0; i < p->workloads.count; i++)
		homes[i] = p->workloads.items[i].zone;
	for (uint32_t i = 0; i < c->identities.count; i++) {
		struct list sharers = lists_get(&c->index->selectors.sharers, i);
		size_t zone = c->identities.items[i].zone;

		for (size_t j = 0; j < sharers.count; j++) {
			uint32_t w = sharers.items[j];

			if (p->workloads.items[w].zone != POLICY_NONE)
				continue;
			homes[w] = !is_known[w] || homes[w] == zone ? zone : POLICY_NONE;
			is_known[w] = true;
		}
	}
	for (size_t i = 0; i < p->workloads.count; i++) {
		size_t group = p->workloads.items[i].group;

		if (homes[i] == POLICY_NONE && group != POLICY_NONE)
			homes[i] = homes[group];
	}
	return homes;
}

/* Zones are boxes in their order, then namespaces, then the one of all others, on demand. */
static void find_boxes(struct graph_nodes *n)
{
	const struct policy *p = n->c->policy;
	size_t loose = POLICY_NONE;
	_free_ size_t *spaces = xcalloc(p->namespaces.count + 1, sizeof(*spaces));

	for (size_t i = 0; i < p->namespaces.count; i++)
		spaces[i] = POLICY_NONE;
	n->box_of = find_homes(n->c);
	vec_foreach (zone, &p->zones)
		add_box(n->graph, (struct graph_box){.kind = GRAPH_ZONE,
						     .name = zone->name,
						     .role = role_of(zone),
						     .mode = zone->mode});
	for (size_t i = 0; i < p->workloads.count; i++) {
		size_t space = p->workloads.items[i].space;
		size_t *box = space == POLICY_NONE ? &loose : &spaces[space];

		if (n->box_of[i] != POLICY_NONE || p->workloads.items[i].kind == WORKLOAD_NODE)
			continue;
		if (space == POLICY_NONE && loose == POLICY_NONE)
			loose = add_box(n->graph, (struct graph_box){.kind = GRAPH_LOOSE,
								     .name = "in no zone",
								     .role = ROLE_INTERNAL,
								     .mode = MODE_ENFORCE});
		else if (*box == POLICY_NONE)
			*box = add_box(
				n->graph,
				(struct graph_box){.kind = GRAPH_NAMESPACE,
						   .name = p->namespaces.items[space].name,
						   .role = ROLE_INTERNAL,
						   .mode = p->namespaces.items[space].mode
								   ? p->namespaces.items[space].mode
								   : MODE_ENFORCE});
		n->box_of[i] = *box;
	}
}

/* Pods of a workload, and Kubernetes nodes, are shown when a rule speaks of them. */
static bool is_shown_anyway(const struct workload *w)
{
	return w->kind == WORKLOAD_GROUP || (w->kind == WORKLOAD_POD && w->group == POLICY_NONE);
}

/* Folds boxes of more than @limit workloads; returns the nodes that this would leave. */
static size_t fold_boxes(struct graph_nodes *n, const size_t *counts, size_t limit)
{
	size_t nodes = 0;

	for (size_t i = 0; i < n->graph->boxes.count; i++) {
		n->is_folded[i] = counts[i] > limit && counts[i] > 1;
		nodes += n->is_folded[i] ? 1 : counts[i];
	}
	return nodes;
}

static void choose_folded(struct graph_nodes *n)
{
	const struct policy *p = n->c->policy;
	size_t boxes = n->graph->boxes.count, limit = FOLD_LIMIT;
	_free_ size_t *counts = xcalloc(boxes + 1, sizeof(*counts));
	size_t total = 0;

	n->is_folded = xcalloc(boxes + 1, sizeof(*n->is_folded));
	for (size_t i = 0; i < p->workloads.count; i++) {
		if (n->box_of[i] == POLICY_NONE)
			continue;
		counts[n->box_of[i]]++;
		total++;
	}
	if (total <= GRAPH_WORKLOADS_SHOWN)
		return;
	while (fold_boxes(n, counts, limit) > GRAPH_WORKLOADS_SHOWN && limit)
		limit--;
	for (size_t i = 0; i < boxes; i++) {
		_text_ struct text name = TEXT_INIT;
		size_t node;

		if (!n->is_folded[i])
			continue;
		text_addf(&name, "%zu workloads", counts[i]);
		node = add_node(n->graph, (struct graph_node){.kind = GRAPH_FOLDED,
							      .name = text_take(&name),
							      .box = i,
							      .count = counts[i]});
		for (size_t w = 0; w < p->workloads.count; w++)
			if (n->box_of[w] == i)
				n->node_of[w] = node;
		n->graph->folded += counts[i];
	}
}

/* The mode of a workload, where it isn't that of its box. */
static enum mode mode_beside(const struct graph_nodes *n, size_t workload)
{
	const struct workload *w = &n->c->policy->workloads.items[workload];
	size_t box = n->box_of[workload];
	bool is_loose = box == POLICY_NONE || n->graph->boxes.items[box].kind == GRAPH_LOOSE;
	enum mode mode = w->mode == MODE_UNSET && is_loose ? w->document_mode : w->mode;

	if (mode == (box != POLICY_NONE ? n->graph->boxes.items[box].mode : MODE_ENFORCE))
		return MODE_UNSET;
	return mode;
}

static size_t node_of_workload(struct graph_nodes *n, size_t workload)
{
	const struct workload *w = &n->c->policy->workloads.items[workload];

	if (n->node_of[workload] == POLICY_NONE)
		n->node_of[workload] =
			add_node(n->graph, (struct graph_node){.kind = GRAPH_WORKLOAD,
							       .name = xstrdup(w->name),
							       .box = n->box_of[workload],
							       .mode = mode_beside(n, workload)});
	return n->node_of[workload];
}

void graph_nodes_init(struct graph_nodes *n, const struct compiled *c, struct graph *g)
{
	const struct policy *p = c->policy;

	*n = (struct graph_nodes){.c = c, .graph = g};
	n->node_of = xcalloc(p->workloads.count + 1, sizeof(*n->node_of));
	for (size_t i = 0; i < p->workloads.count; i++)
		n->node_of[i] = POLICY_NONE;
	find_boxes(n);
	for (size_t i = 0; i < g->boxes.count; i++)
		add_node(g, (struct graph_node){.kind = GRAPH_WHOLE,
						.name = xstrdup(g->boxes.items[i].name),
						.box = i});
	choose_folded(n);
	for (size_t i = 0; i < p->workloads.count; i++) {
		size_t group = p->workloads.items[i].group;

		if (is_shown_anyway(&p->workloads.items[i]))
			node_of_workload(n, i);
		else if (group != POLICY_NONE && !n->is_folded[n->box_of[group]])
			g->nodes.items[node_of_workload(n, group)].count++;
	}
}

void graph_nodes_release(struct graph_nodes *n)
{
	free(n->node_of);
	free(n->box_of);
	free(n->is_folded);
	map_release(&n->keys);
}

/* The machine has no addresses offline, but is one. */
static uint8_t *families_of(const struct graph_nodes *n, const struct selector *s)
{
	_free_ uint64_t *classes = compiled_select(n->c, s);
	uint8_t *families = pairs_side(n->c, classes);

	if (s->kind != SELECT_HOST || n->c->index->is_host_known)
		return families;
	for (size_t i = 0; i < n->c->classes.count; i++)
		if (bitset_has(classes, i))
			families[i] = FAMILY_V4 | FAMILY_V6;
	return families;
}

/* Two parts of one node, such as two folded workloads, are one end. */
static void add_end(struct graph_nodes *n, size_t node, uint8_t *families, graph_ends *out)
{
	vec_foreach (end, out) {
		if (end->node != node)
			continue;
		for (size_t i = 0; i < n->c->classes.count; i++)
			end->families[i] |= families[i];
		free(families);
		return;
	}
	vec_push(out, (struct graph_end){node, families});
}

static void describe(const struct policy *p, const struct selector *s, struct text *out)
{
	char buf[ADDRESS_STRLEN];

	selector_describe(p, s, out);
	if (s->kind != SELECT_CIDR)
		return;
	vec_foreach (except, &s->except)
		text_addf(out, "%s%s", except == s->except.items ? " but " : ", ",
			  prefix_format(&except->prefix, buf));
}

/* Selectors that read alike and mean the same are one node. */
static void add_addresses(struct graph_nodes *n, const struct selector *s, graph_ends *out)
{
	uint8_t *families = families_of(n, s);
	_text_ struct text key = TEXT_INIT;
	_free_ char *name = NULL;
	bool is_new;
	uint64_t *node;

	describe(n->c->policy, s, &key);
	name = xstrdup(key.buf);
	text_addc(&key, '\0');
	text_addn(&key, (const char *)families, n->c->classes.count);
	node = map_put(&n->keys, key.buf, key.len, n->graph->nodes.count, &is_new);
	if (is_new)
		add_node(n->graph,
			 (struct graph_node){.kind = s->kind == SELECT_HOST ? GRAPH_HOST
									    : GRAPH_ADDRESSES,
					     .name = TAKE_PTR(name),
					     .box = POLICY_NONE});
	add_end(n, *node, families, out);
}

static size_t count_workloads(const struct graph *g, size_t box)
{
	size_t count = 0;

	vec_foreach (node, &g->nodes)
		count += node->box == box && node->kind == GRAPH_WORKLOAD;
	return count;
}

size_t graph_nodes_set(struct graph_nodes *n, const size_t *members, size_t count, const char *name)
{
	size_t box = n->graph->nodes.items[members[0]].box, node = n->graph->nodes.count;
	struct graph_node set = {.kind = GRAPH_SET, .box = box};
	_text_ struct text text = TEXT_INIT;
	bool is_new;
	uint64_t *known = map_put(&n->keys, members, count * sizeof(*members), node, &is_new);

	if (!is_new)
		return *known;
	set.is_all = count == count_workloads(n->graph, box);
	if (name)
		text_addf(&text, "%s (%s%zu)", name, set.is_all ? "all " : "", count);
	else
		text_addf(&text, "%s%zu workloads", set.is_all ? "all " : "", count);
	set.name = text_take(&text);
	for (size_t i = 0; i < count; i++)
		vec_push(&set.members, members[i]);
	return add_node(n->graph, set);
}

/* Whether a selector is about workloads, and not about whatever addresses a zone has. */
static bool is_of_workloads(const struct selector *s)
{
	switch (s->kind) {
	case SELECT_LABELS:
	case SELECT_PODS:
	case SELECT_NODES:
	case SELECT_WORKLOAD:
		return true;
	case SELECT_ALL_OF:
		vec_foreach (child, &s->children) {
			if (is_of_workloads(*child))
				return true;
		}
		return false;
	case SELECT_ONE_OF:
	case SELECT_ANY:
	case SELECT_OUTSIDE:
	case SELECT_HOST:
	case SELECT_ZONE:
	case SELECT_CIDR:
	case SELECT_EXCEPT:
		return false;
	}
	return false;
}

struct member {
	size_t box;
	size_t node;
};
typedef VEC(struct member) members;

static int compare_members(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	if (x->box != y->box)
		return x->box < y->box ? -1 : 1;
	return x->node < y->node ? -1 : x->node > y->node;
}

/* The nodes of the workloads that these identities are of, each once, by box. */
static void list_members(struct graph_nodes *n, const uint64_t *identities, members *out)
{
	size_t count = n->c->identities.count, kept = 0;

	for (size_t i = bitset_next(identities, count, 0); i < count;
	     i = bitset_next(identities, count, i + 1)) {
		struct list sharers = lists_get(&n->c->index->selectors.sharers, (uint32_t)i);

		for (size_t j = 0; j < sharers.count; j++) {
			size_t workload = sharers.items[j];

			vec_push(out, (struct member){n->box_of[workload],
						      node_of_workload(n, workload)});
		}
	}
	if (!out->count)
		return;
	qsort(out->items, out->count, sizeof(*out->items), compare_members);
	for (size_t i = 1; i < out->count; i++) {
		if (out->items[i].node != out->items[kept].node)
			out->items[++kept] = out->items[i];
	}
	out->count = kept + 1;
}

/* Members of one box: an end each, or one for all of them. */
static void add_members(struct graph_nodes *n, const char *name, const struct member *first,
			size_t count, graph_ends *out)
{
	_free_ size_t *nodes = xcalloc(count, sizeof(*nodes));
	bool is_set = count >= GRAPH_SET_MIN && first->box != POLICY_NONE;

	for (size_t i = 0; i < count; i++)
		nodes[i] = first[i].node;
	if (is_set)
		nodes[0] = graph_nodes_set(n, nodes, count, name);
	for (size_t i = 0; i < (is_set ? 1 : count); i++)
		vec_push(out, (struct graph_end){
				      .node = nodes[i],
				      .families = xcalloc(n->c->classes.count, sizeof(uint8_t))});
}

static void add_identity_families(struct graph_nodes *n, size_t identity, struct graph_end *end)
{
	const struct identity *id = &n->c->identities.items[identity];

	end->families[id->class] |= (uint8_t)((id->has_v4 ? FAMILY_V4 : 0) |
					      (id->has_v6 ? FAMILY_V6 : 0));
}

/* What of each end is meant: the classes of its workloads' identities. */
static void add_families(struct graph_nodes *n, const uint64_t *identities, graph_ends *ends)
{
	size_t count = n->c->identities.count;
	_free_ size_t *end_of = xcalloc(n->graph->nodes.count, sizeof(*end_of));

	vec_foreach (end, ends) {
		const struct graph_node *node = &n->graph->nodes.items[end->node];

		end_of[end->node] = (size_t)(end - ends->items);
		vec_foreach (member, &node->members)
			end_of[*member] = (size_t)(end - ends->items);
	}
	for (size_t i = bitset_next(identities, count, 0); i < count;
	     i = bitset_next(identities, count, i + 1)) {
		struct list sharers = lists_get(&n->c->index->selectors.sharers, (uint32_t)i);

		for (size_t j = 0; j < sharers.count; j++) {
			size_t end = end_of[n->node_of[sharers.items[j]]];

			assert(end < ends->count && ends->items);
			add_identity_families(n, i, &ends->items[end]);
		}
	}
}

static void add_workloads(struct graph_nodes *n, const struct selector *s, size_t most,
			  graph_ends *out)
{
	_free_ uint64_t *identities = bitset_new(n->c->identities.count);
	_text_ struct text name = TEXT_INIT;
	const char *words = NULL;
	graph_ends ends = {};
	members list = {};

	selector_add(&n->c->index->selectors, s, identities);
	list_members(n, identities, &list);
	if (s->kind == SELECT_LABELS)
		selector_describe(n->c->policy, s, &name);
	if (!strncmp(name.buf, LABELS, strlen(LABELS)))
		words = name.buf + strlen(LABELS);
	for (size_t i = 0, next; i < list.count; i = next) {
		for (next = i + 1; next < list.count && list.items[next].box == list.items[i].box;)
			next++;
		add_members(n, words, &list.items[i], next - i, &ends);
	}
	vec_release(&list);
	if (ends.count > most) {
		add_addresses(n, s, out);
	} else {
		add_families(n, identities, &ends);
		vec_foreach (end, &ends)
			add_end(n, end->node, TAKE_PTR(end->families), out);
	}
	graph_ends_release(&ends);
}

/* A long list of workloads. */
static bool is_roll(const struct policy *p, const struct selector *s)
{
	if (s->kind != SELECT_ONE_OF || s->children.count < GRAPH_SET_MIN)
		return false;
	vec_foreach (child, &s->children) {
		if ((*child)->kind != SELECT_WORKLOAD ||
		    p->workloads.items[(*child)->workload].pods)
			return false;
	}
	return true;
}

static void resolve(struct graph_nodes *n, const struct selector *s, size_t most, graph_ends *out)
{
	if (s->kind == SELECT_ZONE) {
		add_end(n, s->zone, families_of(n, s), out);
	} else if (s->kind == SELECT_WORKLOAD) {
		add_end(n, node_of_workload(n, s->workload), families_of(n, s), out);
	} else if (is_roll(n->c->policy, s)) {
		add_workloads(n, s, most, out);
	} else if (s->kind == SELECT_ONE_OF) {
		vec_foreach (child, &s->children)
			resolve(n, *child, most, out);
	} else if (is_of_workloads(s)) {
		add_workloads(n, s, most, out);
	} else {
		add_addresses(n, s, out);
	}
}

void graph_nodes_resolve(struct graph_nodes *n, const struct selector *s, size_t most,
			 graph_ends *out)
{
	resolve(n, s, most, out);
	if (out->count <= most)
		return;
	graph_ends_release(out);
	add_addresses(n, s, out);
}

void graph_ends_release(graph_ends *ends)
{
	vec_foreach (end, ends)
		free(end->families);
	vec_release(ends);
}
