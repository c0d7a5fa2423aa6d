/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/graph_write.h"

#include "policy/graph_page.h"
#include "policy/graph_picture.h"
#include "policy/graph_text.h"
#include "util/xml.h"

static void add_cell(const char *s, struct text *out)
{
	text_add(out, "<td>");
	text_add_xml(out, s);
	text_add(out, "</td>");
}

static void add_row(const struct graph *g, size_t i, struct text *out)
{
	const struct graph_flow *flow = &g->flows.items[i];
	_text_ struct text from = TEXT_INIT, to = TEXT_INIT, spoken = TEXT_INIT;

	graph_node_title(&g->nodes.items[flow->from], &from);
	graph_node_title(&g->nodes.items[flow->to], &to);
	graph_services_all(&flow->services, &spoken);
	text_addf(out, "<tr%s data-flow=\"%zu\">", flow->is_never ? " class=\"never\"" : "", i);
	add_cell(from.buf, out);
	add_cell(to.buf, out);
	add_cell(spoken.buf, out);
	add_cell(flow->is_never ? "never" : flow->is_logged ? "allow, log" : "allow", out);
	text_add(out, "<td>");
	vec_foreach (name, &flow->names) {
		text_add(out, name == flow->names.items ? "" : ", ");
		text_add_xml(out, *name);
	}
	text_add(out, "</td></tr>\n");
}

static void add_sets(const struct graph *g, struct text *out)
{
	bool has_some = false;

	for (size_t i = g->boxes.count; i < g->nodes.count; i++) {
		const struct graph_node *node = &g->nodes.items[i];

		if (node->kind != GRAPH_SET || !node->is_end)
			continue;
		text_add(out, has_some ? "" : "<h2>Sets</h2>\n<dl>\n");
		has_some = true;
		text_add(out, "<dt>");
		text_add_xml(out, node->name);
		text_add(out, "</dt><dd>");
		vec_foreach (member, &node->members) {
			text_add(out, member == node->members.items ? "" : ", ");
			text_add_xml(out, g->nodes.items[*member].name);
		}
		text_add(out, "</dd>\n");
	}
	text_add(out, has_some ? "</dl>\n" : "");
}

static void add_note(struct text *out, const char *line)
{
	text_add(out, "<li>");
	text_add_xml(out, line);
	text_add(out, "</li>\n");
}

static void add_notes(const struct graph *g, struct text *out)
{
	_text_ struct text notes = TEXT_INIT;

	graph_notes(g, add_note, &notes);
	if (notes.len)
		text_addf(out, "<ul class=\"notes\">\n%s</ul>\n", notes.buf);
}

static void add_head(const struct graph *g, struct text *out)
{
	size_t nevers = 0, workloads = 0;

	vec_foreach (flow, &g->flows)
		nevers += flow->is_never;
	vec_foreach (node, &g->nodes)
		workloads += node->kind == GRAPH_WORKLOAD;
	text_addf(out,
		  "<h1>Policy</h1>\n<p>%zu zones, %zu workloads, %zu flows, %zu promises</p>\n",
		  g->boxes.count, workloads + g->folded, g->flows.count - nevers, nevers);
}

void graph_write_html(const struct graph *g, struct text *out)
{
	_graph_layout_ struct graph_layout l = {};

	graph_layout(g, &l);
	text_addf(out, "%s<style>\n%s%s</style>\n</head>\n<body>\n<header>\n", graph_page_head,
		  graph_style, graph_page_style);
	add_head(g, out);
	text_addf(out, "%s</header>\n", graph_page_controls);
	add_notes(g, out);
	text_add(out, "<div class=\"picture fit\">\n");
	graph_picture(&l, false, out);
	text_addf(out, "</div>\n%s", graph_page_legend);
	text_add(out, "<h2>Flows</h2>\n<table>\n<thead><tr><th scope=\"col\">from</th>"
		      "<th scope=\"col\">to</th><th scope=\"col\">services</th>"
		      "<th scope=\"col\">what</th><th scope=\"col\">rules</th></tr></thead>\n"
		      "<tbody>\n");
	for (size_t i = 0; i < g->flows.count; i++)
		add_row(g, i, out);
	text_add(out, "</tbody>\n</table>\n");
	add_sets(g, out);
	text_addf(out, "<script>\n%s</script>\n</body>\n</html>\n", graph_page_script);
}
