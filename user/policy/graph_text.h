/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the pictures of a graph have in common: labels, and text that no format mistakes for its
 * own. */
#ifndef POLICY_GRAPH_TEXT_H
#define POLICY_GRAPH_TEXT_H

#include "policy/graph.h"
#include "util/text.h"

/* "tcp/80, 443; tcp+udp/53; ping", at most @most characters (0: any number), then "+2". */
void graph_services(const services *s, size_t most, struct text *out);

/* The same of a flow; "never", or "never tcp/22", of a promise. */
void graph_label(const struct graph_flow *flow, size_t most, struct text *out);

/* The whole list, "any but tcp/23" where that is shorter. */
void graph_services_all(const services *s, struct text *out);

/* "a, b, c": the rules or promises of a flow. */
void graph_names(const struct graph_flow *flow, struct text *out);

/* "zone data, mode audit"; "dmz"; what a box is called, and its mode if it isn't enforce. */
void graph_box_title(const struct graph_box *box, struct text *out);

/* The name, with what there is to note of a node: "api (audit)", "web (3 pods)". */
void graph_node_title(const struct graph_node *node, struct text *out);

/* One line each that everybody should know: what is not drawn. */
void graph_notes(const struct graph *g, void (*add)(struct text *out, const char *line),
		 struct text *out);

/* "..." of the DOT language, and of Mermaid, quotes included. */
void text_add_dot(struct text *t, const char *s);
void text_add_mermaid(struct text *t, const char *s);

#endif
