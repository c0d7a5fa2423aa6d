/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/graph_wiring.h"

#include <stdlib.h>

#include "util/bitset.h"
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

/* Whether a flow says of two boxes of one role which of them comes first. */
static bool does_order(const struct graph *g, const struct graph_flow *flow, size_t *from,
		       size_t *to)
{
	*from = g->nodes.items[flow->from].box;
	*to = g->nodes.items[flow->to].box;
	return !flow->is_never && *from != POLICY_NONE && *to != POLICY_NONE && *from != *to &&
	       g->boxes.items[*from].role == g->boxes.items[*to].role;
}

/* Which boxes each one leads to, without the flows that would close a circle: boxes^2 bits. */
static uint64_t **find_reach(const struct graph *g)
{
	size_t n = g->boxes.count, from, to;
	uint64_t **reach = xcalloc(n + 1, sizeof(*reach));

	for (size_t i = 0; i < n; i++)
		reach[i] = bitset_new(n);
	vec_foreach (flow, &g->flows) {
		if (!does_order(g, flow, &from, &to) || bitset_has(reach[to], from) ||
		    bitset_has(reach[from], to))
			continue;
		for (size_t i = 0; i < n; i++) {
			if (i != from && !bitset_has(reach[i], from))
				continue;
			for (size_t k = 0; k < bitset_words(n); k++)
				reach[i][k] |= reach[to][k];
			bitset_add(reach[i], to);
		}
	}
	return reach;
}

/* Within a role, who is called stands right of who calls. */
static void find_steps(const struct graph *g, size_t *steps)
{
	uint64_t **reach = find_reach(g);
	size_t from, to;

	for (size_t pass = 0; pass < STEPS_MAX; pass++) {
		vec_foreach (flow, &g->flows) {
			if (!does_order(g, flow, &from, &to) || bitset_has(reach[to], from) ||
			    steps[to] > steps[from] || steps[from] == STEPS_MAX)
				continue;
			steps[to] = steps[from] + 1;
		}
	}
	for (size_t i = 0; i < g->boxes.count; i++)
		free(reach[i]);
	free(reach);
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

		l->nodes[i].is_drawn = graph_shows(node);
		l->nodes[i].column = node->box != POLICY_NONE ? l->boxes[node->box].column
							      : column_of_loose(node);
	}
	close_gaps(l);
}
