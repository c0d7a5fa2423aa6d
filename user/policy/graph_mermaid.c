/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <string.h>

#include "policy/graph_text.h"
#include "policy/graph_write.h"

#define LABEL_MAX 48

/* The brackets that are the shape of a node. */
static const char *const *shape_of(enum graph_node_kind kind)
{
	static const char *const box[] = {"[", "]"}, *const pill[] = {"([", "])"},
				 *const stack[] = {"[[", "]]"}, *const hexagon[] = {"{{", "}}"};

	switch (kind) {
	case GRAPH_WORKLOAD:
		return box;
	case GRAPH_FOLDED:
		return stack;
	case GRAPH_WHOLE:
	case GRAPH_SET:
	case GRAPH_ADDRESSES:
		return pill;
	case GRAPH_HOST:
		return hexagon;
	}
	return box;
}

static void add_comment(struct text *out, const char *line)
{
	text_add(out, "  %% ");
	text_add_mermaid(out, line);
	text_addc(out, '\n');
}

static void add_node(const struct graph *g, size_t i, const char *indent, struct text *out)
{
	const struct graph_node *node = &g->nodes.items[i];
	const char *const *shape = shape_of(node->kind);
	_text_ struct text title = TEXT_INIT;

	graph_node_title(node, &title);
	text_addf(out, "%sn%zu%s", indent, i, shape[0]);
	text_add_mermaid(out, title.buf);
	text_addf(out, "%s%s\n", shape[1],
		  node->kind == GRAPH_SET || node->kind == GRAPH_WHOLE ? ":::several" : "");
}

static void add_box(const struct graph *g, size_t box, struct text *out)
{
	_text_ struct text title = TEXT_INIT;

	graph_box_title(&g->boxes.items[box], &title);
	text_addf(out, "  subgraph b%zu[", box);
	text_add_mermaid(out, title.buf);
	text_add(out, "]\n");
	for (size_t i = 0; i < g->nodes.count; i++) {
		if (g->nodes.items[i].box == box && graph_shows(&g->nodes.items[i]))
			add_node(g, i, "    ", out);
	}
	text_addf(out, "  end\n  class b%zu %s\n", box, role_word(g->boxes.items[box].role));
}

static void add_flow(const struct graph_flow *flow, struct text *out)
{
	_text_ struct text label = TEXT_INIT, names = TEXT_INIT;

	text_add(&names, flow->is_never ? "never: " : "rules: ");
	graph_names(flow, &names);
	add_comment(out, names.buf);
	graph_label(flow, LABEL_MAX, &label);
	text_addf(out, "  n%zu %s|", flow->from, flow->is_never ? "-.-x" : "-->");
	text_add_mermaid(out, label.buf);
	text_addf(out, "| n%zu\n", flow->to);
}

void graph_write_mermaid(const struct graph *g, struct text *out)
{
	bool has_never = false;

	text_add(out, "flowchart LR\n");
	graph_notes(g, add_comment, out);
	for (size_t i = 0; i < g->boxes.count; i++)
		add_box(g, i, out);
	for (size_t i = 0; i < g->nodes.count; i++) {
		if (g->nodes.items[i].box == POLICY_NONE && graph_shows(&g->nodes.items[i]))
			add_node(g, i, "  ", out);
	}
	vec_foreach (flow, &g->flows)
		add_flow(flow, out);
	for (size_t i = 0; i < g->flows.count; i++) {
		if (!g->flows.items[i].is_never)
			continue;
		text_addf(out, "%s%zu", has_never ? "," : "  linkStyle ", i);
		has_never = true;
	}
	if (has_never)
		text_add(out, " stroke:#c62828,color:#c62828,stroke-dasharray:5 4\n");
	text_add(out, "  classDef several stroke-dasharray:4 3\n"
		      "  classDef internet fill:#eceff1,stroke:#607d8b\n"
		      "  classDef front fill:#e0f2ee,stroke:#00796b\n"
		      "  classDef internal fill:#e3ecfa,stroke:#1565c0\n"
		      "  classDef data fill:#efe6f8,stroke:#6a1b9a\n"
		      "  classDef management fill:#fbeed5,stroke:#b26a00\n");
}
