/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <string.h>

#include "cli/cli.h"
#include "cli/client.h"
#include "cli/event_line.h"
#include "cli/output.h"
#include "cli/values.h"

struct list_values {
	const char *socket;
	const char *format;
};

/* clang-format off */
static const struct option list_options[] = {
	SOCKET_OPTION(struct list_values, socket),
	OUTPUT_OPTION(struct list_values, format, "text|json", "text"),
};

static const struct column endpoint_columns[] = {
	LEFT("INTERFACE"), LEFT("KIND"), LEFT("WORKLOAD"), LEFT("ADDRESSES"),
	LEFT("INGRESS"), LEFT("EGRESS"),
	RIGHT("PASSED"), RIGHT("DROPPED"),
};

static const struct column identity_columns[] = {
	RIGHT("IDENTITY"), RIGHT("CLASS"), LEFT("ZONE"), LEFT("WORKLOAD"), LEFT("LABELS"),
	LEFT("PREFIXES"),
};

static const struct column rule_columns[] = {
	LEFT("RULE"), LEFT("ACTION"), RIGHT("PACKETS"), RIGHT("BYTES"),
	LEFT("LAST HIT"), LEFT("AT"),
};

static const struct column connection_columns[] = {
	LEFT("PROTO"), LEFT("FROM"), LEFT("TO"), LEFT("STATE"), LEFT("VERDICT"), LEFT("RULE"),
	RIGHT("GEN"), RIGHT("PACKETS"), RIGHT("BYTES"), RIGHT("IDLE"),
	RIGHT("EXPIRES"),
};
/* clang-format on */

static void add_number(struct table *t, const cJSON *item, const char *key)
{
	table_addf(t, "%.0f", value_number(item, key));
}

/* The texts of an array, with commas. */
static void add_list(struct table *t, const cJSON *list)
{
	_text_ struct text cell = TEXT_INIT;
	const cJSON *item;

	cJSON_ArrayForEach(item, list)
		text_addf(&cell, "%s%s", cell.len ? "," : "", value_string(item));
	table_add(t, cell.buf);
}

static void add_labels(struct table *t, const cJSON *labels)
{
	_text_ struct text cell = TEXT_INIT;
	const cJSON *label;

	cJSON_ArrayForEach(label, labels) text_addf(&cell, "%s%s=%s", cell.len ? "," : "",
						    label->string, value_string(label));
	table_add(t, cell.buf);
}

/* A count of both directions, the opener's first. */
static void add_both(struct table *t, const cJSON *pair)
{
	table_addf(t, "%.0f/%.0f", value_to_number(cJSON_GetArrayItem(pair, 0)),
		   value_to_number(cJSON_GetArrayItem(pair, 1)));
}

static void add_end(struct table *t, const cJSON *end)
{
	_text_ struct text cell = TEXT_INIT;

	event_line_add_end(end, &cell);
	table_add(t, cell.buf);
}

static void add_endpoint(struct table *t, const cJSON *item)
{
	table_add(t, value_text(item, "interface"));
	table_add(t, value_text(item, "kind"));
	table_add(t, value_text(item, "workload"));
	add_list(t, value_of(item, "addresses"));
	table_add(t, value_text(item, "ingress"));
	table_add(t, value_text(item, "egress"));
	add_number(t, value_of(item, "passed"), "packets");
	add_number(t, value_of(item, "dropped"), "packets");
}

/* A workload, or all the pods that share an identity. */
static void add_owners(struct table *t, const cJSON *item)
{
	const cJSON *pods = value_of(item, "pods");

	if (cJSON_GetArraySize(pods) > 1)
		add_list(t, pods);
	else
		table_add(t, value_text(item, "workload"));
}

static void add_identity(struct table *t, const cJSON *item)
{
	add_number(t, item, "identity");
	add_number(t, item, "class");
	table_add(t, value_text(item, "zone"));
	add_owners(t, item);
	add_labels(t, value_of(item, "labels"));
	add_list(t, value_of(item, "prefixes"));
}

static void add_rule(struct table *t, const cJSON *item)
{
	bool is_off = cJSON_IsTrue(value_of(item, "off"));

	table_add(t, value_text(item, "rule"));
	table_add(t, is_off ? "off" : value_text(item, "action"));
	add_number(t, item, "packets");
	add_number(t, item, "bytes");
	table_add(t, value_text(item, "last_hit"));
	table_add(t, value_text(item, "from_file"));
}

static void add_connection(struct table *t, const cJSON *item)
{
	const char *verdict = value_text(item, "verdict");

	table_add(t, value_text(item, "protocol"));
	add_end(t, value_of(item, "src"));
	add_end(t, value_of(item, "dst"));
	table_add(t, value_text(item, "state"));
	table_add_colour(t, verdict ? colour_of_verdict(verdict) : COLOUR_NONE, verdict);
	table_add(t, value_text(item, "rule"));
	add_number(t, item, "generation");
	add_both(t, value_of(item, "packets"));
	add_both(t, value_of(item, "bytes"));
	table_addf(t, "%.0fs", value_number(item, "idle_s"));
	table_addf(t, "%.0fs", value_number(item, "expires_s"));
}

/* What can be listed: its name in a request, and how it is shown. */
struct listing {
	const char *what;
	const struct column *columns;
	size_t column_count;
	void (*add)(struct table *t, const cJSON *item);
};

/* clang-format off */
static const struct listing listings[] = {
	{ "endpoints",   endpoint_columns,   COUNT(endpoint_columns),   add_endpoint   },
	{ "identities",  identity_columns,   COUNT(identity_columns),   add_identity   },
	{ "rules",       rule_columns,       COUNT(rule_columns),       add_rule       },
	{ "connections", connection_columns, COUNT(connection_columns), add_connection },
};
/* clang-format on */

/* A list while it comes in. */
struct listed {
	const struct listing *listing;
	bool is_json;
	size_t count;
	struct table table;
};

static int take_item(void *context, const char *line, const cJSON *item)
{
	struct listed *listed = context;

	if (listed->is_json)
		printf("%s\n%s", listed->count ? "," : "[", line);
	else
		listed->listing->add(&listed->table, item);
	listed->count++;
	return 0;
}

static const struct listing *find_listing(const char *what)
{
	for (size_t i = 0; i < COUNT(listings); i++)
		if (!strcmp(listings[i].what, what))
			return &listings[i];
	return NULL;
}

static enum exit_code unknown_listing(const char *what)
{
	const char *names[COUNT(listings)];
	const char *nearest;

	for (size_t i = 0; i < COUNT(listings); i++)
		names[i] = listings[i].what;
	nearest = text_nearest(what, names, COUNT(names));
	if (nearest)
		return cli_error("list: unknown '%s'; did you mean '%s'?", what, nearest);
	return cli_error("list: unknown '%s'; there are endpoints, identities, rules and "
			 "connections",
			 what);
}

static enum exit_code print_listing(struct listed *listed, const char *socket)
{
	_text_ struct text request = TEXT_INIT;
	_text_ struct text error = TEXT_INIT;
	_cjson_ cJSON *last = NULL;

	text_addf(&request, "{\"op\":\"list\",\"what\":\"%s\"}", listed->listing->what);
	if (client_call(socket, request.buf, take_item, listed, &error, &last))
		return cli_error("list: %s", error.buf);
	if (listed->is_json)
		puts(listed->count ? "\n]" : "[]");
	else
		table_print(&listed->table);
	return EXIT_FINE;
}

static enum exit_code run_list(const struct arguments *args)
{
	const struct list_values *values = args->values;
	struct listed listed = {.is_json = output_is_json(values->format)};
	enum exit_code code;

	if (args->operands.count != 1)
		return cli_error("list: one of endpoints, identities, rules and connections is "
				 "due");
	listed.listing = find_listing(args->operands.items[0]);
	if (!listed.listing)
		return unknown_listing(args->operands.items[0]);
	listed.table.columns = listed.listing->columns;
	listed.table.count = listed.listing->column_count;
	code = print_listing(&listed, values->socket);
	table_release(&listed.table);
	return code;
}

const struct command list_command = {
	.name = "list",
	.arguments = "endpoints|identities|rules|connections [OPTION...]",
	.summary = "List what the agent enforces, and how often each rule decided",
	.details = "endpoints    interfaces, what is attached to them, packets passed and dropped\n"
		   "identities   what addresses resolve to: zone, workload, labels\n"
		   "rules        built-in ones first; packets, bytes, the last hit, FILE:LINE\n"
		   "connections  the end that opened it first; packets and bytes of both "
		   "directions\n\n"
		   "JSON is one array of the agent's own objects.",
	.examples = "bulkhead list rules\n"
		    "bulkhead list connections -o json",
	.options = OPTION_TABLE(list_options),
	.values_size = sizeof(struct list_values),
	.run = run_list,
};
