/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <string.h>

#include "policy/graph_text.h"
#include "policy/graph_write.h"

#define LABEL_MAX 48 /* characters of a label; the tooltip has all of it */

static const char *role_colour(enum zone_role role)
{
	switch (role) {
	case ROLE_INTERNET:
		return "#eceff1";
	case ROLE_FRONT:
		return "#e0f2ee";
	case ROLE_UNSET:
	case ROLE_INTERNAL:
		return "#e3ecfa";
	case ROLE_DATA:
		return "#efe6f8";
	case ROLE_MANAGEMENT:
		return "#fbeed5";
	}
	return NULL;
}

/* For a node's statement, what is not as the defaults say. */
static const char *kind_style(enum graph_node_kind kind)
{
	switch (kind) {
	case GRAPH_WHOLE:
		return ", style=\"rounded,dashed\"";
	case GRAPH_WORKLOAD:
		return "";
	case GRAPH_FOLDED:
		return ", shape=box3d, style=filled";
	case GRAPH_SET:
		return ", style=\"rounded,filled,dashed\"";
	case GRAPH_HOST:
		return ", shape=component, style=filled";
	case GRAPH_ADDRESSES:
		return ", shape=ellipse, style=filled";
	}
	return "";
}

static void add_members(const struct graph *g, const struct graph_node *node, struct text *out)
{
	vec_foreach (member, &node->members)
		text_addf(out, "%s%s", member == node->members.items ? "" : ", ",
			  g->nodes.items[*member].name);
}

static void add_node(const struct graph *g, size_t i, const char *indent, struct text *out)
{
	const struct graph_node *node = &g->nodes.items[i];
	_text_ struct text title = TEXT_INIT, tooltip = TEXT_INIT;

	graph_node_title(node, &title);
	add_members(g, node, &tooltip);
	text_addf(out, "%sn%zu [label=", indent, i);
	text_add_dot(out, title.buf);
	text_add(out, kind_style(node->kind));
	text_add(out, ", tooltip=");
	text_add_dot(out, tooltip.len ? tooltip.buf : title.buf);
	text_add(out, "];\n");
}

static void add_box(const struct graph *g, size_t box, struct text *out)
{
	const struct graph_box *b = &g->boxes.items[box];
	_text_ struct text title = TEXT_INIT;

	graph_box_title(b, &title);
	text_addf(out, "\tsubgraph cluster_%zu {\n\t\tlabel=", box);
	text_add_dot(out, title.buf);
	text_addf(out, ";\n\t\tstyle=\"rounded,filled%s\";\n\t\tfillcolor=\"%s\";\n",
		  b->mode == MODE_ENFORCE ? "" : ",dashed", role_colour(b->role));
	for (size_t i = 0; i < g->nodes.count; i++) {
		if (g->nodes.items[i].box == box && graph_shows(&g->nodes.items[i]))
			add_node(g, i, "\t\t", out);
	}
	text_add(out, "\t}\n");
}

static void add_flow(const struct graph_flow *flow, struct text *out)
{
	_text_ struct text label = TEXT_INIT, tooltip = TEXT_INIT;

	if (flow->is_never)
		text_add(&label, "\xe2\x9c\x95 ");
	graph_label(flow, LABEL_MAX, &label);
	graph_names(flow, &tooltip);
	text_add(&tooltip, ": ");
	graph_services_all(&flow->services, &tooltip);
	text_addf(out, "\tn%zu -> n%zu [label=", flow->from, flow->to);
	text_add_dot(out, label.buf);
	text_add(out, ", tooltip=");
	text_add_dot(out, tooltip.buf);
	text_add(out, ", labeltooltip=");
	text_add_dot(out, tooltip.buf);
	if (flow->is_never)
		text_add(out, ", style=dashed, color=\"#c62828\", fontcolor=\"#c62828\", "
			      "arrowhead=tee, constraint=false");
	text_add(out, "];\n");
}

static void add_comment(struct text *out, const char *line)
{
	text_add(out, "// ");
	text_add_plain(out, line, strlen(line));
	text_addc(out, '\n');
}

void graph_write_dot(const struct graph *g, struct text *out)
{
	text_add(out, "// The flows of a policy.  dot -Tsvg draws it.\n");
	graph_notes(g, add_comment, out);
	text_add(out, "digraph policy {\n"
		      "\trankdir=LR;\n"
		      "\tranksep=1.2;\n"
		      "\tfontname=\"Helvetica,Arial,sans-serif\";\n"
		      "\tnode [fontname=\"Helvetica,Arial,sans-serif\", fontsize=11, shape=box, "
		      "style=\"rounded,filled\", fillcolor=white];\n"
		      "\tedge [fontname=\"Helvetica,Arial,sans-serif\", fontsize=9, "
		      "color=\"#37474f\"];\n");
	for (size_t i = 0; i < g->boxes.count; i++)
		add_box(g, i, out);
	for (size_t i = 0; i < g->nodes.count; i++) {
		if (g->nodes.items[i].box == POLICY_NONE && graph_shows(&g->nodes.items[i]))
			add_node(g, i, "\t", out);
	}
	vec_foreach (flow, &g->flows)
		add_flow(flow, out);
	text_add(out, "}\n");
}
