/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The boxes and nodes of a graph, and what a selector is among them.  For graph.c only. */
#ifndef POLICY_GRAPH_NODES_H
#define POLICY_GRAPH_NODES_H

#include "policy/graph.h"
#include "util/map.h"

struct graph_nodes {
	const struct compiled *c;
	struct graph *graph;
	size_t *node_of; /* of each workload: its node, or POLICY_NONE so far */
	size_t *box_of;  /* of each workload */
	bool *is_folded; /* of each box */
	struct map keys; /* of sets and nodes of addresses -> node */
};

/* One end of a rule: a node, and what of it is meant, as a pair_side. */
struct graph_end {
	size_t node;
	uint8_t *families;
};
typedef VEC(struct graph_end) graph_ends;

void graph_nodes_init(struct graph_nodes *n, const struct compiled *c, struct graph *g);
void graph_nodes_release(struct graph_nodes *n);

/* At most @most ends; what would be more is one node of its own. */
void graph_nodes_resolve(struct graph_nodes *n, const struct selector *s, size_t most,
			 graph_ends *out);
void graph_ends_release(graph_ends *ends);

/* The node for these nodes of one box, ascending; NULL @name: named by their number. */
size_t graph_nodes_set(struct graph_nodes *n, const size_t *members, size_t count,
		       const char *name);

#endif
