/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/graph_wiring.h"

#include "policy/graph_text.h"
#include "util/map.h"
#include "util/mem.h"

#define UNITS_OUT 1 /* of the grid, for a port that a flow leaves by */
#define UNITS_IN  2 /* for one with a label above it */

static bool is_inside(const struct graph *g, const struct graph_flow *flow)
{
	const struct graph_node *from = &g->nodes.items[flow->from];
	const struct graph_node *to = &g->nodes.items[flow->to];

	return from->box == to->box && from->box != POLICY_NONE && from->kind != GRAPH_WHOLE &&
	       to->kind != GRAPH_WHOLE;
}

/* Which streets a flow leaves and arrives by, and on which flanks. */
static void choose_way(const struct wiring *w, const struct graph_flow *flow,
		       struct wire_start *start, struct wire_end *end)
{
	const struct graph_layout *l = w->layout;
	size_t from = l->nodes[flow->from].column, to = l->nodes[flow->to].column;

	if (from < to) {
		*start = (struct wire_start){.flank = FLANK_RIGHT, .street = 2 * (from + 1)};
		*end = (struct wire_end){.flank = FLANK_LEFT, .street = 2 * to, .way = WAY_RIGHT};
	} else if (from > to) {
		*start = (struct wire_start){.flank = FLANK_LEFT, .street = 2 * from};
		*end = (struct wire_end){
			.flank = FLANK_RIGHT, .street = 2 * (to + 1), .way = WAY_LEFT};
	} else {
		size_t street = is_inside(l->graph, flow) ? 2 * to + 1 : 2 * (to + 1);

		*start = (struct wire_start){.flank = FLANK_RIGHT, .street = street};
		*end = (struct wire_end){.flank = FLANK_RIGHT, .street = street, .way = WAY_BACK};
	}
	end->lane = POLICY_NONE;
}

/* The wire of a flow, a new one if none leads there with this label in this street. */
static size_t find_wire(struct wiring *w, struct map *known, const struct graph_flow *flow,
			const struct wire_end *end)
{
	struct graph_layout *l = w->layout;
	_text_ struct text label = TEXT_INIT, key = TEXT_INIT;
	bool is_new;
	uint64_t *place;

	graph_label(flow, GRAPH_LABEL_MAX, &label);
	text_addf(&key, "%zu %zu %d ", flow->to, end->street, flow->is_never);
	text_add(&key, label.buf);
	graph_services_all(&flow->services, &key);
	place = map_put(known, key.buf, key.len, l->wires.count, &is_new);
	if (!is_new)
		return *place;
	vec_push(&l->wires, (struct graph_wire){.to = flow->to,
						.is_never = flow->is_never,
						.is_rightward = end->flank == FLANK_LEFT,
						.label = text_take(&label)});
	w->ends = xrealloc(w->ends, l->wires.count, sizeof(*w->ends));
	w->ends[l->wires.count - 1] = *end;
	w->units[end->flank][flow->to] += UNITS_IN;
	return *place;
}

static struct street *street_of(struct wiring *w, size_t number)
{
	return &w->streets.items[number];
}

/* Room for the labels of a street. */
static void widen(struct wiring *w)
{
	for (size_t i = 0; i < w->layout->wires.count; i++) {
		const struct graph_wire *wire = &w->layout->wires.items[i];
		struct street *s = street_of(w, w->ends[i].street);
		int *room = wire->is_rightward ? &s->right : &s->left;
		int width = graph_label_width(wire->label) + (wire->is_never ? 34 : 22);

		if (*room < width)
			*room = width;
	}
}

void graph_find_wires(struct wiring *w)
{
	struct graph_layout *l = w->layout;
	const struct graph *g = l->graph;
	struct map known = {};

	for (size_t i = 0; i < 2 * l->columns + 1; i++)
		vec_push(&w->streets, (struct street){});
	for (size_t i = 0; i < g->flows.count; i++) {
		const struct graph_flow *flow = &g->flows.items[i];
		struct wire_end end;

		choose_way(w, flow, &w->starts[i], &end);
		l->routes[i].wire = find_wire(w, &known, flow, &end);
		w->units[w->starts[i].flank][flow->from] += UNITS_OUT;
		w->is_wired[flow->from] = w->is_wired[flow->to] = true;
	}
	widen(w);
	map_release(&known);
}
