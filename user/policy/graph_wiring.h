/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The steps of a layout, in the order in which graph_layout() takes them.  For graph_*.c only. */
#ifndef POLICY_GRAPH_WIRING_H
#define POLICY_GRAPH_WIRING_H

#include "policy/graph_layout.h"

#define GRAPH_GRID      8  /* ports lie on it: on a right flank at 0, on a left one at half */
#define GRAPH_PADDING   14 /* of a box, around its nodes */
#define GRAPH_NAME_MAX  30 /* characters; the tooltip has all of a name */
#define GRAPH_LABEL_MAX 26

enum flank {
	FLANK_LEFT,
	FLANK_RIGHT,
	FLANKS
};

/*
 * Streets: number 2 * k is left of column k, 2 * k + 1 is inside its boxes, right of the nodes.
 */
struct street {
	int x;         /* its left edge */
	int left;      /* room for labels of what points left */
	int right;     /* and of what points right */
	int tracks[3]; /* in use, by enum way */
};

/* How a trunk's ends lie: both at the left, or on the way to the right or to the left. */
enum way {
	WAY_BACK, /* leaves to the right, and comes back from there */
	WAY_RIGHT,
	WAY_LEFT,
};

/* Beside graph_wire. */
struct wire_end {
	enum flank flank; /* of the node that it points to */
	size_t street;
	enum way way;
	int y;
	size_t trunk;
	size_t lane; /* POLICY_NONE: no source is far */
};

/* Where a flow leaves, parallel to graph.flows. */
struct wire_start {
	enum flank flank;
	size_t street;
	int y;
	size_t trunk; /* that of the wire's end, or one of its own street */
};

/* A vertical line of a wire in a street. */
struct trunk {
	size_t wire;
	size_t street;
	enum way way;
	int top, bottom;
	int down; /* > 0: leads downwards, to what it points to */
	int track;
	int x;
};

/* A horizontal line of a wire, above or below all boxes. */
struct lane {
	size_t wire;
	bool is_above;
	int left, right;
	int row;
	int y;
};

struct port {
	int other;   /* where the other end is, for the order */
	size_t flow; /* that leaves here; POLICY_NONE: */
	size_t wire; /* that ends here */
};

struct wiring {
	struct graph_layout *layout;
	struct wire_end *ends;     /* parallel to layout.wires */
	struct wire_start *starts; /* parallel to graph.flows */
	VEC(struct trunk) trunks;
	VEC(struct lane) lanes;
	VEC(struct street) streets;
	int rows_above, rows_below;
	int *units[FLANKS]; /* of each node: GRAPH_GRIDs that its ports take */
	bool *is_wired;     /* of each node: some flow ends or begins there */
};

/* graph_columns.c: which box and node is in which column. */
void graph_find_columns(struct graph_layout *l);

/* graph_wires.c: which flows share a wire, which streets they take, which room nodes need. */
void graph_find_wires(struct wiring *w);

/* graph_place.c: the order in columns, then y and height of everything, then the ports' y. */
void graph_place_rows(struct wiring *w);
void graph_place_ports(struct wiring *w);

/* graph_route.c: tracks, lanes and the x of everything; then the routes. */
void graph_place_lines(struct wiring *w);

#endif
