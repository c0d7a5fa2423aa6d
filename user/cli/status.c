/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <string.h>

#include <bulkhead/limits.h>
#include <bulkhead/verdict.h>

#include "cli/cli.h"
#include "cli/client.h"
#include "cli/output.h"
#include "cli/values.h"
#include "policy/model.h"

struct status_values {
	const char *socket;
	const char *format;
};

/* clang-format off */
static const struct option status_options[] = {
	SOCKET_OPTION(struct status_values, socket),
	OUTPUT_OPTION(struct status_values, format, "text|json", "text"),
};

static const struct column book_columns[] = {
	LEFT("EVENTS"), RIGHT("PRODUCED"), RIGHT("DELIVERED"), RIGHT("SUPPRESSED"),
	RIGHT("LOST"),
};

static const struct column drop_columns[] = {
	LEFT("DROPS"), RIGHT("PACKETS"), RIGHT("BYTES"),
};

static const struct column table_columns[] = {
	LEFT("TABLE"), RIGHT("USED"), RIGHT("CAPACITY"), RIGHT("FILL"), RIGHT("KIB"),
};

/* clang-format on */

static const char *or_dash(const char *s)
{
	return s ? s : "-";
}

/* "name       value", made plain. */
static void print_field(const char *name, const char *value)
{
	printf("%-11s ", name);
	put_plain(value, strlen(value), stdout);
	putchar('\n');
}

static void print_agent(const cJSON *status)
{
	_text_ struct text line = TEXT_INIT;

	text_addf(&line, "%s, pid %.0f, started %s", or_dash(value_text(status, "version")),
		  value_number(status, "pid"), or_dash(value_text(status, "started")));
	print_field("agent", line.buf);
}

static void print_policy(const cJSON *status)
{
	const cJSON *policy = value_of(status, "policy");
	const char *origin = value_text(policy, "origin");
	_text_ struct text line = TEXT_INIT;
	const cJSON *path;

	cJSON_ArrayForEach(path, value_of(policy, "paths"))
		text_addf(&line, "%s%s", line.len ? " " : "", value_string(path));
	if (origin && strcmp(origin, "given") != 0)
		text_addf(&line, " (%s: the one given was not loaded)", origin);
	if (cJSON_IsFalse(value_of(policy, "kept")))
		text_add(&line, " (not kept for the next start)");
	print_field("policy", line.buf);
	text_reset(&line);
	text_addf(&line, "%.0f rules, %.0f workloads, hash %s, loaded %s",
		  value_number(policy, "rules"), value_number(policy, "workloads"),
		  or_dash(value_text(policy, "hash")), or_dash(value_text(policy, "loaded_at")));
	print_field("", line.buf);
	text_reset(&line);
	text_addf(&line, "%.0f%s", value_number(status, "generation"),
		  cJSON_IsTrue(value_of(status, "adopting"))
			  ? ", adopting connections older than the agent"
			  : "");
	print_field("generation", line.buf);
}

/* "BD001 2, BD004 1", or "none". */
static void add_alerts(const cJSON *alerts, struct text *out)
{
	const cJSON *count;

	cJSON_ArrayForEach(count, alerts)
	{
		if (count->valuedouble > 0)
			text_addf(out, "%s%s %.0f", out->len ? ", " : "", count->string,
				  count->valuedouble);
	}
	if (!out->len)
		text_add(out, "none");
}

static void print_counts(const cJSON *status)
{
	const cJSON *events = value_of(status, "events");
	const double down = value_number(value_of(status, "agent_down"), "packets");
	const cJSON *rejects = value_of(status, "rejects");
	_text_ struct text line = TEXT_INIT;

	text_addf(&line, "%.0f", value_number(status, "endpoints"));
	print_field("endpoints", line.buf);
	if (down > 0) {
		text_reset(&line);
		text_addf(&line, "%.0f packets decided by whenAgentIsDown", down);
		print_field("agent-down", line.buf);
	}
	text_reset(&line);
	text_addf(&line, "%.0f of %.0f kept", value_number(events, "history"),
		  value_number(events, "size"));
	print_field("history", line.buf);
	text_reset(&line);
	add_alerts(value_of(status, "alerts"), &line);
	print_field("alerts", line.buf);
	text_reset(&line);
	text_addf(&line, "%.0f answered, %.0f suppressed, %.0f silent",
		  value_number(rejects, "answered"), value_number(rejects, "suppressed"),
		  value_number(rejects, "silent"));
	print_field("rejects", line.buf);
}

static void print_degraded(const cJSON *item)
{
	const char *since = value_text(item, "since");
	_text_ struct text line = TEXT_INIT;

	text_addf(&line, "%s: %s", or_dash(value_text(item, "interface")),
		  or_dash(value_text(item, "what")));
	if (since)
		text_addf(&line, ", since %s", since);
	print_field("degraded", line.buf);
}

static void print_watchdog(const cJSON *status)
{
	const cJSON *watchdog = value_of(status, "watchdog");
	const cJSON *last = value_of(watchdog, "last");
	_text_ struct text line = TEXT_INIT;
	const cJSON *item;

	cJSON_ArrayForEach(item, value_of(status, "degraded")) print_degraded(item);
	text_addf(&line, "%s", or_dash(value_text(watchdog, "action")));
	cJSON_ArrayForEach(item, value_of(watchdog, "faults"))
		text_addf(&line, ", %.0f %s", value_to_number(item), item->string);
	text_addf(&line, ", %.0f repaired", value_number(watchdog, "repairs"));
	print_field("watchdog", line.buf);
	if (!last)
		return;
	text_reset(&line);
	text_addf(&line, "last %s: %s at %s, repaired %s", or_dash(value_text(last, "interface")),
		  or_dash(value_text(last, "what")), or_dash(value_text(last, "at")),
		  or_dash(value_text(last, "repaired_at")));
	print_field("", line.buf);
}

static void print_kind(const cJSON *kind)
{
	_text_ struct text line = TEXT_INIT;
	const cJSON *name;
	size_t count = 0;

	text_addf(&line, "%s ", or_dash(value_text(kind, "kind")));
	if (value_text(kind, "error"))
		text_add(&line, value_text(kind, "error"));
	else if (value_number(kind, "refused") > 0)
		text_addf(&line, "%.0f refused", value_number(kind, "refused"));
	else
		return;
	cJSON_ArrayForEach(name, value_of(kind, "left_out")) text_addf(
		&line, "%s%s",
		count++ ? ", " : ", left out as wrong from the start: ", value_string(name));
	print_field("", line.buf);
}

/* What is in force is not what the cluster has, for this reason. */
static void print_held(const cJSON *cluster)
{
	const char *held = value_text(cluster, "held");
	const char *why = value_text(cluster, "held_error");
	_text_ struct text line = TEXT_INIT;

	if (!held)
		return;
	text_add(&line, strcmp(held, "all") != 0 ? "held: ZonePolicies stay as they were in force"
						 : "held: no change comes into force");
	if (why)
		text_addf(&line, ": %s", why);
	print_field("", line.buf);
}

/* Whether what pods send to Services can be decided behind them. */
static void print_fronts(const cJSON *fronts)
{
	_text_ struct text line = TEXT_INIT;

	if (!fronts)
		return;
	if (cJSON_IsTrue(value_of(fronts, "by_backends")) && value_number(fronts, "addresses") > 0)
		text_addf(&line, "%.0f addresses, by all backends",
			  value_number(fronts, "addresses"));
	else if (cJSON_IsTrue(value_of(fronts, "attached")))
		text_addf(&line, "%.0f addresses, decided behind them",
			  value_number(fronts, "addresses"));
	else if (value_text(fronts, "error"))
		text_addf(&line, "cannot be decided on this kernel: %s",
			  value_text(fronts, "error"));
	else
		text_add(&line, "none yet");
	print_field("services", line.buf);
	if (!value_text(fronts, "crowded"))
		return;
	text_reset(&line);
	text_addf(&line, "denied, with more than %d backends: %s", BH_BACKENDS_MAX,
		  value_text(fronts, "crowded"));
	print_field("", line.buf);
}

/* Of a node: what is known of its cluster, and what of that may be old. */
static void print_cluster(const cJSON *status)
{
	const cJSON *cluster = value_of(status, "cluster");
	_text_ struct text line = TEXT_INIT;
	const cJSON *kind;
	double objects = 0;

	if (!cluster)
		return;
	cJSON_ArrayForEach(kind, value_of(cluster, "kinds"))
		objects += value_number(kind, "objects");
	text_addf(&line, "node %s, %.0f of its pods, %.0f objects%s%s",
		  or_dash(value_text(cluster, "node")), value_number(cluster, "pods"), objects,
		  cJSON_IsTrue(value_of(cluster, "listed")) ? "" : ", not listed yet",
		  cJSON_IsTrue(value_of(cluster, "missing")) ? ", some behind no known interface"
							     : "");
	print_field("cluster", line.buf);
	cJSON_ArrayForEach(kind, value_of(cluster, "kinds")) print_kind(kind);
	print_held(cluster);
	print_fronts(value_of(cluster, "services"));
}

static void print_kernel(const cJSON *status)
{
	_text_ struct text line = TEXT_INIT;
	const cJSON *feature;

	cJSON_ArrayForEach(feature, value_of(status, "kernel"))
	{
		text_addf(&line, "%s%s ", line.len ? ", " : "", feature->string);
		if (cJSON_IsBool(feature))
			text_add(&line, cJSON_IsTrue(feature) ? "yes" : "no");
		else if (cJSON_IsNumber(feature))
			text_addf(&line, "%.0f", feature->valuedouble);
		else
			text_add(&line, value_string(feature));
	}
	print_field("kernel", line.buf);
}

static void print_table(struct table *table)
{
	putchar('\n');
	table_print(table);
	table_release(table);
}

static void print_books(const cJSON *status)
{
	static const char *const keys[] = {"produced", "delivered", "suppressed", "lost"};
	struct table table = {.columns = book_columns, .count = COUNT(book_columns)};
	const cJSON *books = value_of(status, "books");

	for (size_t i = 0; i < BH_VERDICT_COUNT; i++) {
		table_add_colour(&table, colour_of_verdict(verdict_word(i)), verdict_word(i));
		for (size_t k = 0; k < COUNT(keys); k++)
			table_addf(&table, "%.0f",
				   value_number(value_of(books, verdict_word(i)), keys[k]));
	}
	print_table(&table);
}

static void print_drops(const cJSON *status)
{
	struct table table = {.columns = drop_columns, .count = COUNT(drop_columns)};
	double packets = 0, bytes = 0;
	const cJSON *drop;

	cJSON_ArrayForEach(drop, value_of(status, "drops"))
	{
		table_add(&table, drop->string);
		table_addf(&table, "%.0f", value_number(drop, "packets"));
		table_addf(&table, "%.0f", value_number(drop, "bytes"));
		packets += value_number(drop, "packets");
		bytes += value_number(drop, "bytes");
	}
	table_add(&table, "all");
	table_addf(&table, "%.0f", packets);
	table_addf(&table, "%.0f", bytes);
	print_table(&table);
}

static void add_fill(struct table *table, const cJSON *item)
{
	double used = value_number(item, "used"), capacity = value_number(item, "capacity");

	if (cJSON_IsNumber(value_of(item, "used")))
		table_addf(table, "%.0f", used);
	else
		table_add(table, NULL);
	table_addf(table, "%.0f", capacity);
	if (cJSON_IsNumber(value_of(item, "used")) && capacity > 0)
		table_addf(table, "%.1f%%", 100 * used / capacity);
	else
		table_add(table, NULL);
}

static void print_tables(const cJSON *status)
{
	struct table table = {.columns = table_columns, .count = COUNT(table_columns)};
	const cJSON *item;

	cJSON_ArrayForEach(item, value_of(status, "tables"))
	{
		table_add(&table, value_text(item, "name"));
		add_fill(&table, item);
		table_addf(&table, "%.0f", value_number(item, "bytes") / 1024);
	}
	print_table(&table);
}

static void print_flow_log(const cJSON *status)
{
	const cJSON *log = value_of(status, "flow_log");
	_text_ struct text line = TEXT_INIT;

	if (!cJSON_IsObject(log))
		return;
	text_addf(&line, "%s, %s, %.0f records, %.0f lost", or_dash(value_text(log, "file")),
		  or_dash(value_text(log, "format")), value_number(log, "records"),
		  value_number(log, "lost"));
	text_addf(&line, "; denied: %.0f packets told, %.0f skipped",
		  value_number(value_of(log, "denied"), "packets"),
		  value_number(value_of(log, "denied"), "skipped"));
	if (value_text(log, "error"))
		text_addf(&line, "; not written: %s", value_text(log, "error"));
	print_field("flow log", line.buf);
}

static void print_text(const cJSON *status)
{
	print_agent(status);
	print_policy(status);
	print_counts(status);
	print_watchdog(status);
	print_flow_log(status);
	print_cluster(status);
	print_kernel(status);
	print_books(status);
	print_drops(status);
	print_tables(status);
}

static enum exit_code code_of(const cJSON *status)
{
	return cJSON_GetArraySize(value_of(status, "degraded")) ? EXIT_FINDING : EXIT_FINE;
}

static enum exit_code run_status(const struct arguments *args)
{
	const struct status_values *values = args->values;
	_text_ struct text error = TEXT_INIT;
	_cjson_ cJSON *status = NULL;
	_free_ char *json = NULL;

	if (args->operands.count)
		return cli_error("status: takes no '%s'", args->operands.items[0]);
	if (client_call(values->socket, "{\"op\":\"status\"}", NULL, NULL, &error, &status))
		return cli_error("status: %s", error.buf);
	if (!output_is_json(values->format)) {
		print_text(status);
		return code_of(status);
	}
	json = cJSON_PrintUnformatted(status);
	puts(json);
	return code_of(status);
}

const struct command status_command = {
	.name = "status",
	.arguments = "[OPTION...]",
	.summary = "Show the agent, its policy, its books, and how full its tables are",
	.details =
		"EVENTS are the books of reporting: every drop, audited connection and logged "
		"allow\n"
		"is produced once, and is delivered, suppressed (rate limit) or lost (no room).\n"
		"Packets with the verdict reject are answered, suppressed (1000 answers a second "
		"on\n"
		"the machine), or silent: what must never be answered, like an ICMP error.\n"
		"Exit code 1: an endpoint is degraded, as its programs are not in place.",
	.examples = "bulkhead status\n"
		    "bulkhead status -o json --socket /run/bulkhead-b/control.sock",
	.options = OPTION_TABLE(status_options),
	.values_size = sizeof(struct status_values),
	.run = run_status,
};
