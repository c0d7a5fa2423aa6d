/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/graph.h"

#include <assert.h>
#include <string.h>

#include "policy/compiled_index.h"
#include "policy/graph_nodes.h"
#include "policy/pairs.h"
#include "policy/services.h"
#include "util/bitset.h"

#define ENDS_MAX 24     /* of one side of a rule; then they are one node */
#define ENDS_FEW 2      /* the same, when much was drawn already */
#define EFFORT   200000 /* pairs of ends that are looked at before that */

struct builder {
	const struct compiled *c;
	struct graph *graph;
	struct graph_nodes nodes;
	struct map flows; /* ends and is_never -> flow */
	size_t effort;
};

static void add_services(services *to, const services *from)
{
	vec_foreach (range, from)
		vec_push(to, *range);
	services_normalise(to);
}

static void add_name(struct graph_flow *flow, const char *name)
{
	vec_foreach (known, &flow->names) {
		if (!strcmp(*known, name))
			return;
	}
	vec_push(&flow->names, name);
}

/* The flow between two nodes: there is one, and one of promises. */
static struct graph_flow *flow_between(struct builder *b, size_t from, size_t to, bool is_never)
{
	const size_t key[] = {from, to, is_never};
	bool is_new;
	uint64_t *place = map_put(&b->flows, key, sizeof(key), b->graph->flows.count, &is_new);

	if (is_new)
		vec_push(&b->graph->flows,
			 (struct graph_flow){.from = from, .to = to, .is_never = is_never});
	return &b->graph->flows.items[*place];
}

/* What of a rule's services gets through between two ends. */
struct probe {
	const struct compiled *c;
	uint64_t *left;    /* service classes in question */
	uint64_t *allowed; /* in some pair */
	uint64_t *denied;  /* in some pair, so far allowed in none */
};

static bool is_allowed(const struct compiled *c, uint32_t cell)
{
	struct decision d = decision_of_cell(cell);

	return d.rule >= BH_RULE_FIRST &&
	       c->policy->rules.items[d.rule - BH_RULE_FIRST].action == ACTION_ALLOW;
}

static bool probe_pair(void *context, const struct pair *pair)
{
	struct probe *p = context;
	size_t n = p->c->image.service_classes;

	for (size_t i = bitset_next(p->left, n, 0); i < n; i = bitset_next(p->left, n, i + 1)) {
		uint32_t class = (uint32_t)i;

		if (!(compiled_service_families(p->c, class) & pair->families))
			continue;
		if (is_allowed(p->c, image_grid_get(&p->c->image.cells, pair->row, class))) {
			bitset_add(p->allowed, i);
			p->left[i / 64] &= ~(UINT64_C(1) << i % 64);
		} else {
			bitset_add(p->denied, i);
		}
	}
	return bitset_next(p->left, n, 0) < n;
}

/*
 * Those of the rule's services that get through somewhere between the ends; none of them: nothing
 * does.  A service that occurs in no pair, such as the other family's ICMP, counts with the others.
 */
static void probe(const struct builder *b, const struct rule *rule, const struct graph_end *from,
		  const struct graph_end *to, services *out)
{
	size_t n = b->c->image.service_classes;
	_free_ uint64_t *mentioned = compiled_select_services(b->c, &rule->services);
	_free_ uint64_t *left = bitset_new(n);
	_free_ uint64_t *allowed = bitset_new(n);
	_free_ uint64_t *denied = bitset_new(n);
	struct probe p = {.c = b->c, .left = left, .allowed = allowed, .denied = denied};

	memcpy(left, mentioned, bitset_words(n) * sizeof(*left));
	pairs_visit(b->c, from->families, to->families, probe_pair, &p);
	if (!bitset_count(allowed, n))
		return;
	for (size_t i = bitset_next(mentioned, n, 0); i < n; i = bitset_next(mentioned, n, i + 1)) {
		if (bitset_has(denied, i) && !bitset_has(allowed, i))
			continue;
		vec_foreach (range, &b->c->service_classes.items[i])
			vec_push(out, *range);
	}
	services_normalise(out);
}

/* Whether anything was drawn. */
static bool add_allowed(struct builder *b, const struct rule *rule, const struct graph_end *from,
			const struct graph_end *to)
{
	services through = {};
	bool is_through;

	probe(b, rule, from, to, &through);
	is_through = through.count;
	if (is_through) {
		struct graph_flow *flow = flow_between(b, from->node, to->node, false);

		add_services(&flow->services, &through);
		add_name(flow, rule->name);
		flow->is_logged |= rule->log;
	}
	vec_release(&through);
	return is_through;
}

static size_t ends_allowed(const struct builder *b)
{
	return b->effort < EFFORT ? ENDS_MAX : ENDS_FEW;
}

static void add_rule(struct builder *b, const struct rule *rule)
{
	graph_ends from = {}, to = {};
	bool is_idle = true;

	if (rule->action != ACTION_ALLOW)
		return;
	graph_nodes_resolve(&b->nodes, rule->from, ends_allowed(b), &from);
	graph_nodes_resolve(&b->nodes, rule->to, ends_allowed(b), &to);
	b->effort += from.count * to.count;
	vec_foreach (source, &from) {
		vec_foreach (destination, &to)
			is_idle &= !add_allowed(b, rule, source, destination);
	}
	if (is_idle)
		vec_push(&b->graph->idle, rule->name);
	graph_ends_release(&from);
	graph_ends_release(&to);
}

static void add_never(struct builder *b, const struct never *never)
{
	graph_ends from = {}, to = {};

	graph_nodes_resolve(&b->nodes, never->from, ends_allowed(b), &from);
	graph_nodes_resolve(&b->nodes, never->to, ends_allowed(b), &to);
	b->effort += from.count * to.count;
	vec_foreach (source, &from) {
		vec_foreach (destination, &to) {
			struct graph_flow *flow = flow_between(b, source->node, destination->node,
							       true);

			add_services(&flow->services, &never->services);
			add_name(flow, never->name);
		}
	}
	graph_ends_release(&from);
	graph_ends_release(&to);
}

/* Two flows are alike but for the workload at one end: the other end, the box, the services. */
static void add_likeness(const struct graph *g, const struct graph_flow *flow, bool by_source,
			 struct text *out)
{
	size_t own = by_source ? flow->from : flow->to, other = by_source ? flow->to : flow->from;
	const size_t key[] = {other, g->nodes.items[own].box, flow->is_never, flow->is_logged};

	text_addn(out, (const char *)key, sizeof(key));
	vec_foreach (range, &flow->services)
		text_addf(out, "%d %u %u ", range->table, range->lo, range->hi);
}

/* What is left of @flow has no name. */
static void absorb(struct graph_flow *into, struct graph_flow *flow)
{
	add_services(&into->services, &flow->services);
	vec_foreach (name, &flow->names)
		add_name(into, *name);
	into->is_logged |= flow->is_logged;
	vec_release(&flow->names);
	vec_release(&flow->services);
}

struct alike {
	VEC(size_t) flows;
};

static void replace_alike(struct builder *b, const struct alike *alike, bool by_source)
{
	struct graph *g = b->graph;
	struct graph_flow *first = &g->flows.items[alike->flows.items[0]];
	size_t count = alike->flows.count;
	_free_ size_t *members = xcalloc(count, sizeof(*members));
	size_t kept = 0, node;

	for (size_t i = 0; i < count; i++) {
		const struct graph_flow *flow = &g->flows.items[alike->flows.items[i]];
		size_t own = by_source ? flow->from : flow->to;

		for (node = kept; node && members[node - 1] > own; node--)
			members[node] = members[node - 1];
		members[node] = own;
		kept++;
	}
	node = graph_nodes_set(&b->nodes, members, count, NULL);
	*(by_source ? &first->from : &first->to) = node;
	for (size_t i = 1; i < count; i++) {
		struct graph_flow *flow = &g->flows.items[alike->flows.items[i]];

		absorb(first, flow);
	}
}

static void drop_absorbed(struct graph *g)
{
	size_t kept = 0;

	for (size_t i = 0; i < g->flows.count; i++) {
		if (g->flows.items[i].names.count)
			g->flows.items[kept++] = g->flows.items[i];
	}
	g->flows.count = kept;
}

/* Flows of many workloads of a box that have all else in common are one. */
static void bundle(struct builder *b, bool by_source)
{
	struct graph *g = b->graph;
	struct map groups = {};
	VEC(struct alike) list = {};

	for (size_t i = 0; i < g->flows.count; i++) {
		const struct graph_flow *flow = &g->flows.items[i];
		const struct graph_node *own = &g->nodes.items[by_source ? flow->from : flow->to];
		_text_ struct text key = TEXT_INIT;
		bool is_new;
		uint64_t *group;

		if (own->kind != GRAPH_WORKLOAD || own->box == POLICY_NONE)
			continue;
		add_likeness(g, flow, by_source, &key);
		group = map_put(&groups, key.buf, key.len, list.count, &is_new);
		if (is_new)
			vec_push(&list, (struct alike){});
		assert(*group < list.count && list.items);
		vec_push(&list.items[*group].flows, i);
	}
	vec_foreach (alike, &list) {
		if (alike->flows.count >= GRAPH_SET_MIN)
			replace_alike(b, alike, by_source);
		vec_release(&alike->flows);
	}
	vec_release(&list);
	map_release(&groups);
	drop_absorbed(g);
}

/* Flows that have the same ends since they were bundled. */
static void merge_equal(struct graph *g)
{
	struct map known = {};

	for (size_t i = 0; i < g->flows.count; i++) {
		struct graph_flow *flow = &g->flows.items[i];
		const size_t key[] = {flow->from, flow->to, flow->is_never};
		bool is_new;
		uint64_t *first = map_put(&known, key, sizeof(key), i, &is_new);

		if (!is_new)
			absorb(&g->flows.items[*first], flow);
	}
	map_release(&known);
	drop_absorbed(g);
}

void graph_build(const struct compiled *c, struct graph *ret)
{
	struct graph g = {};
	struct builder b = {.c = c, .graph = &g};

	graph_nodes_init(&b.nodes, c, &g);
	vec_foreach (rule, &c->policy->rules)
		add_rule(&b, rule);
	vec_foreach (never, &c->policy->nevers)
		add_never(&b, never);
	bundle(&b, true);
	bundle(&b, false);
	merge_equal(&g);
	vec_foreach (flow, &g.flows)
		g.nodes.items[flow->from].is_end = g.nodes.items[flow->to].is_end = true;
	graph_nodes_release(&b.nodes);
	map_release(&b.flows);
	*ret = g;
}

bool graph_shows(const struct graph_node *node)
{
	switch (node->kind) {
	case GRAPH_WORKLOAD:
	case GRAPH_FOLDED:
		return true;
	case GRAPH_WHOLE:
	case GRAPH_SET:
	case GRAPH_HOST:
	case GRAPH_ADDRESSES:
		return node->is_end;
	}
	return false;
}

void graph_release(struct graph *g)
{
	vec_foreach (node, &g->nodes) {
		free(node->name);
		vec_release(&node->members);
	}
	vec_foreach (flow, &g->flows) {
		vec_release(&flow->services);
		vec_release(&flow->names);
	}
	vec_release(&g->boxes);
	vec_release(&g->nodes);
	vec_release(&g->flows);
	vec_release(&g->idle);
}
