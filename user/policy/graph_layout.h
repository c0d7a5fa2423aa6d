/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where everything of a graph goes in a picture, in pixels.  Boxes stand in columns by their role;
 * arrows run in the streets between columns and in lanes above and below, never across a node.
 */
#ifndef POLICY_GRAPH_LAYOUT_H
#define POLICY_GRAPH_LAYOUT_H

#include "policy/graph.h"

#define GRAPH_POINTS_MAX 6

struct graph_place {
	int x, y, w, h;
	size_t column;
	bool is_drawn;
};

struct graph_point {
	int x, y;
};

/* From the border of one node to that of another, horizontal and vertical in turn. */
struct graph_route {
	struct graph_point points[GRAPH_POINTS_MAX];
	size_t count;
	size_t wire;
};

/* What flows to one node with one label share: the end of their way, and the label there. */
struct graph_wire {
	size_t to; /* node */
	bool is_never;
	bool is_rightward;         /* where the arrow points */
	char *label;               /* may be empty */
	struct graph_point anchor; /* of the label: its end if rightward, else its start */
};

struct graph_layout {
	const struct graph *graph;
	struct graph_place *nodes;  /* parallel to graph.nodes; of a whole: where its arrows end */
	struct graph_place *boxes;  /* parallel to graph.boxes */
	struct graph_route *routes; /* parallel to graph.flows */
	VEC(struct graph_wire) wires;
	size_t columns;
	int width, height;
};

void graph_layout(const struct graph *g, struct graph_layout *ret);
void graph_layout_release(struct graph_layout *l);
#define _graph_layout_ _cleanup_(graph_layout_release)

/* Characters of a name or label in a picture, and what they take in pixels. */
size_t graph_characters(const char *s);
int graph_name_width(const char *s);
int graph_label_width(const char *s);

#endif
