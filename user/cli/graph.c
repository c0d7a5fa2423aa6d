/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <string.h>

#include "cli/cli.h"
#include "cli/output.h"
#include "cli/policy_files.h"
#include "policy/graph_write.h"
#include "util/clock.h"

struct graph_values {
	const char *format;
};

/* clang-format off */
static const struct option graph_options[] = {
	OUTPUT_OPTION(struct graph_values, format, "dot|mermaid|svg|html", "dot"),
};

static const struct {
	const char *format;
	void (*write)(const struct graph *g, struct text *out);
} writers[] = {
	{ "dot",     graph_write_dot },
	{ "mermaid", graph_write_mermaid },
	{ "svg",     graph_write_svg },
	{ "html",    graph_write_html },
};
/* clang-format on */

static void print_graph(const struct compiled *compiled, const char *format)
{
	_graph_ struct graph graph = {};
	_text_ struct text out = TEXT_INIT;

	graph_build(compiled, &graph);
	for (size_t i = 0; i < COUNT(writers); i++) {
		if (!strcmp(writers[i].format, format))
			writers[i].write(&graph, &out);
	}
	fwrite(out.buf, 1, out.len, stdout);
}

static enum exit_code run_graph(const struct arguments *args)
{
	const struct graph_values *values = args->values;
	_policy_files_ struct policy_files files = {};

	if (!args->operands.count)
		return cli_error("graph: a file of the policy is due");
	if (policy_files_load(&files, args->operands.items, args->operands.count, clock_wall_s()))
		return EXIT_USAGE;
	print_graph(files.compiled, values->format);
	return EXIT_FINE;
}

const struct command graph_command = {
	.name = "graph",
	.arguments = "FILE... [-o dot|mermaid|svg|html]",
	.summary = "Draw the policy: zones, workloads and the flows that are allowed",
	.details =
		"A zone is a box with its workloads; an arrow is a flow that some rule allows and "
		"no\n"
		"other one denies, with its services; a red dashed one is a promise of 'never'.\n"
		"Services that are denied everywhere are left out of an arrow, and rules that let\n"
		"nothing through are noted instead of drawn.\n\n"
		"dot is for Graphviz, mermaid for Markdown, svg a picture, html a page that loads\n"
		"nothing else: search it, point at a workload to see its flows alone. Beyond 150\n"
		"workloads those of a zone are drawn as one. Needs no root.",
	.examples = "bulkhead graph policies/five-zone.yaml -o svg\n"
		    "bulkhead graph policies/five-zone.yaml -o html\n"
		    "bulkhead graph zones.yaml services/ -o mermaid",
	.options = OPTION_TABLE(graph_options),
	.values_size = sizeof(struct graph_values),
	.run = run_graph,
};
