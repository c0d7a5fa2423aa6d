/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/graph_layout.h"

#include <stdlib.h>

#include "policy/graph_text.h"
#include "policy/graph_wiring.h"
#include "util/mem.h"

size_t graph_characters(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += (*s & 0xc0) != 0x80;
	return n;
}

int graph_name_width(const char *s)
{
	size_t n = graph_characters(s);

	return (int)(n < GRAPH_NAME_MAX ? n : GRAPH_NAME_MAX) * 15 / 2;
}

int graph_label_width(const char *s)
{
	return (int)graph_characters(s) * 67 / 10;
}

static void measure(struct graph_layout *l)
{
	const struct graph *g = l->graph;

	for (size_t i = 0; i < g->nodes.count; i++) {
		_text_ struct text title = TEXT_INIT;

		graph_node_title(&g->nodes.items[i], &title);
		if (g->nodes.items[i].kind != GRAPH_WHOLE)
			l->nodes[i].w = graph_name_width(title.buf) + 24;
	}
	for (size_t i = 0; i < g->boxes.count; i++) {
		_text_ struct text title = TEXT_INIT;

		graph_box_title(&g->boxes.items[i], &title);
		l->nodes[i].w = graph_name_width(title.buf) + 8;
	}
}

static void wiring_release(struct wiring *w)
{
	free(w->ends);
	free(w->starts);
	free(w->is_wired);
	free(w->units[FLANK_LEFT]);
	free(w->units[FLANK_RIGHT]);
	vec_release(&w->trunks);
	vec_release(&w->lanes);
	vec_release(&w->streets);
}

void graph_layout(const struct graph *g, struct graph_layout *ret)
{
	struct wiring w = {.layout = ret};

	*ret = (struct graph_layout){.graph = g};
	ret->nodes = xcalloc(g->nodes.count + 1, sizeof(*ret->nodes));
	ret->boxes = xcalloc(g->boxes.count + 1, sizeof(*ret->boxes));
	ret->routes = xcalloc(g->flows.count + 1, sizeof(*ret->routes));
	w.starts = xcalloc(g->flows.count + 1, sizeof(*w.starts));
	w.is_wired = xcalloc(g->nodes.count + 1, sizeof(*w.is_wired));
	w.units[FLANK_LEFT] = xcalloc(g->nodes.count + 1, sizeof(int));
	w.units[FLANK_RIGHT] = xcalloc(g->nodes.count + 1, sizeof(int));
	measure(ret);
	graph_find_columns(ret);
	graph_find_wires(&w);
	graph_place_rows(&w);
	graph_place_ports(&w);
	graph_place_lines(&w);
	wiring_release(&w);
}

void graph_layout_release(struct graph_layout *l)
{
	free(l->nodes);
	free(l->boxes);
	free(l->routes);
	vec_foreach (wire, &l->wires)
		free(wire->label);
	vec_release(&l->wires);
}
