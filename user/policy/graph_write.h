/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A graph as a document.  The same graph gives the same bytes, whatever the machine. */
#ifndef POLICY_GRAPH_WRITE_H
#define POLICY_GRAPH_WRITE_H

#include "policy/graph.h"
#include "util/text.h"

/* For dot(1) of Graphviz. */
void graph_write_dot(const struct graph *g, struct text *out);

/* A Mermaid flowchart, as it is pasted into Markdown. */
void graph_write_mermaid(const struct graph *g, struct text *out);

/* A picture with a layout of its own. */
void graph_write_svg(const struct graph *g, struct text *out);

/* One page that loads nothing: the picture, to be searched and hovered over, and a table. */
void graph_write_html(const struct graph *g, struct text *out);

#endif
