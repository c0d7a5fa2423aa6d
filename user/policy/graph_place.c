/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/graph_wiring.h"

#include <stdlib.h>

#include "util/mem.h"

#define HEADER    32 /* of a box, with its name */
#define NODE      32 /* height of a node, at least */
#define IDLE_NODE 24 /* of one without arrows of its own */
#define NODE_GAP  8
#define BOX_GAP   32
#define SWEEPS    8
#define FAR       1000000

/* A box or a loose node, or a node in a box: what is put in order. */
struct item {
	bool is_box;
	size_t index;
	double key;
};
typedef VEC(struct item) items;

struct columns {
	struct wiring *w;
	items *columns; /* of each column: boxes and loose nodes */
	items *boxes;   /* of each box: its nodes */
};

static int at_least(int a, int b)
{
	return a > b ? a : b;
}

static int node_height(const struct wiring *w, size_t node)
{
	int units = at_least(w->units[FLANK_LEFT][node], w->units[FLANK_RIGHT][node]);

	if (!w->is_wired[node])
		return IDLE_NODE;
	return at_least(NODE, GRAPH_GRID * (units + 1));
}

static int place_node(struct wiring *w, size_t node, int y)
{
	struct graph_place *place = &w->layout->nodes[node];

	place->y = y;
	place->h = node_height(w, node);
	return y + place->h;
}

static int place_box(struct columns *c, size_t box, int y)
{
	struct wiring *w = c->w;
	struct graph_place *place = &w->layout->boxes[box], *whole = &w->layout->nodes[box];
	int next;

	place->y = whole->y = y;
	whole->h = at_least(HEADER, node_height(w, box) + GRAPH_GRID);
	next = y + whole->h;
	vec_foreach (item, &c->boxes[box])
		next = place_node(w, item->index, next) + NODE_GAP;
	place->h = next - y + GRAPH_GRID;
	return y + place->h;
}

static int place_column(struct columns *c, size_t column, int y)
{
	vec_foreach (item, &c->columns[column]) {
		y = item->is_box ? place_box(c, item->index, y) : place_node(c->w, item->index, y);
		y += BOX_GAP;
	}
	return y;
}

/* Columns stand centred beside the highest. */
static void place_all(struct columns *c)
{
	struct graph_layout *l = c->w->layout;
	int height = 0;

	for (size_t i = 0; i < l->columns; i++)
		height = at_least(height, place_column(c, i, 0));
	for (size_t i = 0; i < l->columns; i++) {
		int slack = height - place_column(c, i, 0);

		place_column(c, i, slack / 2 / GRAPH_GRID * GRAPH_GRID);
	}
	l->height = height - BOX_GAP;
}

static double centre(const struct graph_place *p)
{
	return p->y + p->h / 2.0;
}

/* The middle of what each node is connected with; its own, if with nothing. */
static void find_means(const struct columns *c, double *means)
{
	const struct graph_layout *l = c->w->layout;
	const struct graph *g = l->graph;
	_free_ double *sums = xcalloc(g->nodes.count + 1, sizeof(*sums));
	_free_ int *counts = xcalloc(g->nodes.count + 1, sizeof(*counts));

	vec_foreach (flow, &g->flows) {
		if (flow->is_never)
			continue;
		sums[flow->from] += centre(&l->nodes[flow->to]);
		sums[flow->to] += centre(&l->nodes[flow->from]);
		counts[flow->from]++;
		counts[flow->to]++;
	}
	for (size_t i = 0; i < g->nodes.count; i++)
		means[i] = counts[i] ? sums[i] / counts[i] : centre(&l->nodes[i]);
}

static int compare_items(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	if (x->is_box != y->is_box)
		return x->is_box ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

static void sort_items(items *list)
{
	if (list->count > 1)
		qsort(list->items, list->count, sizeof(*list->items), compare_items);
}

/* Nodes by where their neighbours are, those without any last; boxes by their nodes. */
static void sort_by_neighbours(struct columns *c)
{
	const struct graph_layout *l = c->w->layout;
	_free_ double *means = xcalloc(l->graph->nodes.count + 1, sizeof(*means));

	find_means(c, means);
	for (size_t i = 0; i < l->graph->boxes.count; i++) {
		vec_foreach (item, &c->boxes[i])
			item->key = c->w->is_wired[item->index] ? means[item->index] : FAR;
		sort_items(&c->boxes[i]);
	}
	for (size_t i = 0; i < l->columns; i++) {
		vec_foreach (item, &c->columns[i]) {
			double sum = means[item->index];
			int count = 1;

			if (item->is_box) {
				vec_foreach (node, &c->boxes[item->index]) {
					sum += means[node->index];
					count++;
				}
			}
			item->key = sum / count;
		}
		sort_items(&c->columns[i]);
	}
}

static void collect(struct columns *c)
{
	const struct graph_layout *l = c->w->layout;
	const struct graph *g = l->graph;

	for (size_t i = 0; i < g->boxes.count; i++)
		vec_push(&c->columns[l->boxes[i].column],
			 (struct item){.is_box = true, .index = i});
	for (size_t i = g->boxes.count; i < g->nodes.count; i++) {
		size_t box = g->nodes.items[i].box;

		if (l->nodes[i].is_drawn)
			vec_push(box != POLICY_NONE ? &c->boxes[box]
						    : &c->columns[l->nodes[i].column],
				 (struct item){.index = i});
	}
}

void graph_place_rows(struct wiring *w)
{
	struct graph_layout *l = w->layout;
	_free_ items *columns = xcalloc(l->columns + 1, sizeof(*columns));
	_free_ items *boxes = xcalloc(l->graph->boxes.count + 1, sizeof(*boxes));
	struct columns c = {.w = w, .columns = columns, .boxes = boxes};

	collect(&c);
	place_all(&c);
	for (int i = 0; i < SWEEPS; i++) {
		sort_by_neighbours(&c);
		place_all(&c);
	}
	for (size_t i = 0; i < l->columns; i++)
		vec_release(&columns[i]);
	for (size_t i = 0; i < l->graph->boxes.count; i++)
		vec_release(&boxes[i]);
}

typedef VEC(struct port) ports;

static int compare_ports(const void *a, const void *b)
{
	const struct port *x = a, *y = b;

	if (x->other != y->other)
		return x->other < y->other ? -1 : 1;
	if (x->flow != y->flow)
		return x->flow < y->flow ? -1 : 1;
	return x->wire < y->wire ? -1 : x->wire > y->wire;
}

/* Ports on one flank of a node, from the top, in the middle of it. */
static void place_flank(struct wiring *w, size_t node, enum flank flank, ports *list)
{
	const struct graph_place *place = &w->layout->nodes[node];
	int slack = place->h - GRAPH_GRID * (w->units[flank][node] + 1);
	int y = place->y + at_least(slack, 0) / 2 / GRAPH_GRID * GRAPH_GRID;

	if (flank == FLANK_LEFT)
		y += GRAPH_GRID / 2;
	if (list->count > 1)
		qsort(list->items, list->count, sizeof(*list->items), compare_ports);
	vec_foreach (port, list) {
		y += port->flow == POLICY_NONE ? 2 * GRAPH_GRID : GRAPH_GRID;
		if (port->flow == POLICY_NONE)
			w->ends[port->wire].y = y;
		else
			w->starts[port->flow].y = y;
	}
}

/* Where a flow's other end draws its port to; what is far goes by a lane. */
static int height_of_other(const struct wiring *w, size_t flow, size_t other)
{
	const struct wire_end *end = &w->ends[w->layout->routes[flow].wire];

	if (w->starts[flow].street != end->street)
		return end->way == WAY_LEFT ? FAR : -FAR;
	return (int)centre(&w->layout->nodes[other]);
}

void graph_place_ports(struct wiring *w)
{
	const struct graph *g = w->layout->graph;
	_free_ ports *lists = xcalloc(FLANKS * g->nodes.count + 1, sizeof(*lists));
	_free_ bool *is_listed = xcalloc(w->layout->wires.count + 1, sizeof(*is_listed));

	for (size_t i = 0; i < g->flows.count; i++) {
		const struct graph_flow *flow = &g->flows.items[i];
		size_t wire = w->layout->routes[i].wire;

		vec_push(&lists[flow->from * FLANKS + w->starts[i].flank],
			 (struct port){height_of_other(w, i, flow->to), i, wire});
		if (is_listed[wire])
			continue;
		is_listed[wire] = true;
		vec_push(&lists[flow->to * FLANKS + w->ends[wire].flank],
			 (struct port){height_of_other(w, i, flow->from), POLICY_NONE, wire});
	}
	for (size_t i = 0; i < g->nodes.count * FLANKS; i++) {
		place_flank(w, i / FLANKS, (enum flank)(i % FLANKS), &lists[i]);
		vec_release(&lists[i]);
	}
}
