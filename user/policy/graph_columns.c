/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/graph_wiring.h"

#include <string.h>

#include "util/mem.h"

#define STEPS_MAX 3 /* columns that one role may spread over, less one */

/* Left to right: where things come from, what they pass, and who looks after it. */
static size_t rank_of_role(enum zone_role role)
{
	switch (role) {
	case ROLE_INTERNET:
		return 0;
	case ROLE_FRONT:
		return 1;
	case ROLE_UNSET:
	case ROLE_INTERNAL:
		return 2;
	case ROLE_DATA:
		return 3;
	case ROLE_MANAGEMENT:
		return 4;
	}
	return 2;
}

#define RANKS 5

/* Within a role, who is called stands right of who calls; a circle is cut where it comes. */
static void find_steps(const struct graph *g, size_t *steps)
{
	for (size_t pass = 0; pass < STEPS_MAX; pass++) {
		vec_foreach (flow, &g->flows) {
			size_t from = g->nodes.items[flow->from].box;
			size_t to = g->nodes.items[flow->to].box;

			if (flow->is_never || from == POLICY_NONE || to == POLICY_NONE ||
			    from == to || g->boxes.items[from].role != g->boxes.items[to].role ||
			    steps[to] > steps[from] || steps[from] == STEPS_MAX)
				continue;
			steps[to] = steps[from] + 1;
		}
	}
}

static bool is_drawn(const struct graph_node *node)
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

static size_t column_of_loose(const struct graph_node *node)
{
	return rank_of_role(node->kind == GRAPH_HOST ? ROLE_FRONT : ROLE_INTERNET) *
	       (STEPS_MAX + 1);
}

/* Numbers the columns that hold something. */
static void close_gaps(struct graph_layout *l)
{
	size_t number[RANKS * (STEPS_MAX + 1)] = {};
	const struct graph *g = l->graph;

	for (size_t i = 0; i < g->boxes.count; i++)
		number[l->boxes[i].column] = 1;
	for (size_t i = 0; i < g->nodes.count; i++) {
		if (l->nodes[i].is_drawn)
			number[l->nodes[i].column] = 1;
	}
	for (size_t i = 0; i < RANKS * (STEPS_MAX + 1); i++) {
		if (number[i])
			number[i] = l->columns++;
	}
	for (size_t i = 0; i < g->boxes.count; i++)
		l->boxes[i].column = number[l->boxes[i].column];
	for (size_t i = 0; i < g->nodes.count; i++)
		l->nodes[i].column = number[l->nodes[i].column];
}

void graph_find_columns(struct graph_layout *l)
{
	const struct graph *g = l->graph;
	_free_ size_t *steps = xcalloc(g->boxes.count + 1, sizeof(*steps));

	find_steps(g, steps);
	for (size_t i = 0; i < g->boxes.count; i++) {
		l->boxes[i].column = rank_of_role(g->boxes.items[i].role) * (STEPS_MAX + 1) +
				     steps[i];
		l->boxes[i].is_drawn = true;
	}
	for (size_t i = 0; i < g->nodes.count; i++) {
		const struct graph_node *node = &g->nodes.items[i];

		l->nodes[i].is_drawn = is_drawn(node);
		l->nodes[i].column = node->box != POLICY_NONE ? l->boxes[node->box].column
							      : column_of_loose(node);
	}
	close_gaps(l);
}
