/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>

#include <bulkhead/verdict.h>

#include "cli/cli.h"
#include "cli/client.h"
#include "cli/event_filter.h"
#include "cli/event_line.h"
#include "cli/output.h"
#include "cli/values.h"
#include "policy/model.h"

#define LAST_DEFAULT 20
#define LAST_ALL     UINT32_MAX

struct observe_values {
	bool is_follow;
	uint32_t last;
	uint64_t since_ns;
	uint64_t until_ns;
	const char *socket;
	const char *format;
};

/* clang-format off */
#define AT(member) .offset = offsetof(struct observe_values, member)
static const struct option observe_options[] = {
	{ "follow", 'f', OPTION_FLAG, AT(is_follow), NULL, "go on with events as they come" },
	{ "last", 0, OPTION_NUMBER, AT(last), "N",
	  "this many events back (default: 20; with -f 0)" },
	{ "since", 0, OPTION_TIME, AT(since_ns), "TIME",
	  "not before: RFC 3339, or 5m for five minutes ago" },
	{ "until", 0, OPTION_TIME, AT(until_ns), "TIME", "not after" },
	{ "not", 0, OPTION_TERM, .help = "negates the filter right behind it" },
	{ "type", 0, OPTION_TERM, .value = "WORD",
	  .help = "drop, audit or allow; or alert, a stream of its own" },
	{ "verdict", 0, OPTION_TERM, .value = "WORD", .help = "deny, allow or audit" },
	{ "from", 0, OPTION_TERM, .value = "X",
	  .help = "source: a workload, zone, 'outside', address or prefix" },
	{ "to", 0, OPTION_TERM, .value = "X", .help = "destination: the same" },
	{ "ip", 0, OPTION_TERM, .value = "A", .help = "either end: an address or prefix" },
	{ "port", 0, OPTION_TERM, .value = "N", .help = "either end's port" },
	{ "protocol", 0, OPTION_TERM, .value = "WORD",
	  .help = "tcp, udp, icmp, icmp6, sctp, arp or a number" },
	{ "reason", 0, OPTION_TERM, .value = "WORD",
	  .help = "why it was dropped: policy, revoked, ..." },
	{ "rule", 0, OPTION_TERM, .value = "NAME",
	  .help = "the rule that decided; 'default' where none did" },
	{ "interface", 0, OPTION_TERM, .value = "NAME", .help = "where it was seen" },
	SOCKET_OPTION(struct observe_values, socket),
	OUTPUT_OPTION(struct observe_values, format, "compact|json|table", "compact"),
};
#undef AT

/* clang-format on */

enum event_format {
	EVENT_COMPACT,
	EVENT_JSON,
	EVENT_TABLE,
};

/* Events while they come in. */
struct observation {
	struct event_filter filter;
	enum event_format format;
	bool has_colour;
	bool is_follow;
	size_t keep; /* only this many, the last ones, are printed, at the end; 0: all, at once */
	size_t next; /* where the next one goes in `kept` when that is full */
	VEC(char *) kept;
	size_t shown;
	double missed;
};

static int show(struct observation *o, const char *line)
{
	puts(line);
	o->shown++;
	if (o->is_follow)
		fflush(stdout);
	return ferror(stdout) ? -EPIPE : 0;
}

static int keep_or_show(struct observation *o, struct text *line)
{
	if (!o->keep)
		return show(o, line->buf);
	if (o->kept.count < o->keep) {
		vec_push(&o->kept, text_take(line));
		return 0;
	}
	free(o->kept.items[o->next]);
	o->kept.items[o->next] = text_take(line);
	o->next = (o->next + 1) % o->keep;
	return 0;
}

static void show_kept(struct observation *o)
{
	for (size_t i = 0; i < o->kept.count; i++)
		if (show(o, o->kept.items[(o->next + i) % o->kept.count]))
			return;
}

static void format_event(const struct observation *o, const char *json, const cJSON *event,
			 struct text *out)
{
	switch (o->format) {
	case EVENT_COMPACT:
		event_line(event, o->has_colour, out);
		break;
	case EVENT_JSON:
		text_add(out, json);
		break;
	case EVENT_TABLE:
		event_row(event, o->has_colour, out);
		break;
	}
}

static int take_event(void *context, const char *json, const cJSON *event)
{
	struct observation *o = context;
	_text_ struct text line = TEXT_INIT;
	double missed = value_number(event, "missed");

	if (missed > 0) {
		o->missed += missed;
		fprintf(stderr, "bulkhead: %.0f events missed: the reader is too slow\n", missed);
		return 0;
	}
	if (!event_filter_matches(&o->filter, event))
		return 0;
	format_event(o, json, event, &line);
	return keep_or_show(o, &line);
}

static void add_books(const cJSON *status, const char *verdict, struct text *out)
{
	const cJSON *books = value_of(value_of(status, "books"), verdict);

	text_addf(out, "; %s: %.0f produced = %.0f delivered + %.0f suppressed + %.0f lost",
		  verdict, value_number(books, "produced"), value_number(books, "delivered"),
		  value_number(books, "suppressed"), value_number(books, "lost"));
}

/* What was seen here, and the agent's books since its maps were made. */
static void summarise(const struct observation *o, const char *socket)
{
	_text_ struct text line = TEXT_INIT;
	_text_ struct text error = TEXT_INIT;
	_cjson_ cJSON *status = NULL;

	text_addf(&line, "%zu shown, %.0f missed", o->shown, o->missed);
	if (client_call(socket, "{\"op\":\"status\"}", NULL, NULL, &error, &status))
		text_add(&line, "; the agent is gone, its books are not known");
	for (size_t i = 0; status && i < BH_VERDICT_COUNT; i++)
		add_books(status, verdict_word(i), &line);
	fprintf(stderr, "bulkhead: %s\n", line.buf);
}

/* SIGINT and SIGTERM become readable, so that a follow can end with its summary. */
static int open_stop(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	return signalfd(-1, &signals, SFD_CLOEXEC);
}

/* How many of the agent's events to ask for. */
static uint32_t wanted(const struct arguments *args)
{
	const struct observe_values *values = args->values;

	if (arguments_have(args, "last"))
		return values->last;
	if (values->since_ns)
		return LAST_ALL;
	return values->is_follow ? 0 : LAST_DEFAULT;
}

static void print_heading(const struct observation *o)
{
	_text_ struct text heading = TEXT_INIT;

	if (o->format != EVENT_TABLE)
		return;
	event_row_heading(o->has_colour, &heading);
	puts(heading.buf);
}

/* -EINTR when the user ended it, -EPIPE when the reader did. */
static int observe(struct observation *o, uint32_t last, const char *socket, struct text *reterr)
{
	_close_ int stop_fd = o->is_follow ? open_stop() : -1;
	_client_ struct client client = CLIENT_INIT;
	_text_ struct text request = TEXT_INIT;
	_cjson_ cJSON *answer = NULL;
	int err;

	/* The agent does not filter: the last N that match are among all that it has. */
	if (!o->is_follow && !event_filter_is_empty(&o->filter) && last != LAST_ALL) {
		o->keep = last;
		last = LAST_ALL;
	}
	client.stop_fd = stop_fd;
	client.output_fd = o->is_follow ? STDOUT_FILENO : -1;
	text_addf(&request, "{\"op\":\"observe\",\"last\":%" PRIu32 ",\"follow\":%s,\"alerts\":%s}",
		  last, o->is_follow ? "true" : "false",
		  event_filter_wants_only(&o->filter, "type", "alert") ? "true" : "false");
	err = client_ask(&client, socket, request.buf, reterr);
	if (err)
		return err;
	print_heading(o);
	err = client_answer(&client, take_event, o, reterr, &answer);
	show_kept(o);
	if (!err && !cJSON_IsTrue(value_of(answer, "ok"))) {
		text_add(reterr, value_string(value_of(answer, "error")));
		return -EREMOTEIO;
	}
	return err;
}

static enum event_format format_of(const char *word)
{
	if (output_is_json(word))
		return EVENT_JSON;
	return strcmp(word, "table") ? EVENT_COMPACT : EVENT_TABLE;
}

/* The agent has alerts beside the events, and gives one or the other. */
static bool is_of_two_streams(const struct event_filter *f)
{
	return event_filter_names(f, "type", "alert") &&
	       !event_filter_wants_only(f, "type", "alert");
}

static enum exit_code observe_filtered(const struct arguments *args, struct observation *o)
{
	const struct observe_values *values = args->values;
	_text_ struct text error = TEXT_INIT;
	int err;

	if (event_filter_read(&o->filter, args, &error))
		return cli_error("observe: %s", error.buf);
	if (is_of_two_streams(&o->filter))
		return cli_error("observe: alerts are a stream of their own; '--type alert' stands "
				 "without another type");
	err = wanted(args) || o->is_follow ? observe(o, wanted(args), values->socket, &error) : 0;
	if (o->is_follow && (!err || o->shown || err == -EINTR || err == -ENODATA))
		summarise(o, values->socket);
	if (err && err != -EINTR && err != -EPIPE)
		return cli_error("observe: %s", error.buf);
	return EXIT_FINE;
}

static enum exit_code run_observe(const struct arguments *args)
{
	const struct observe_values *values = args->values;
	struct observation o = {
		.filter = {.since_ns = values->since_ns, .until_ns = values->until_ns},
		.format = format_of(values->format),
		.has_colour = output_has_colour(stdout),
		.is_follow = values->is_follow,
	};
	enum exit_code code;

	if (args->operands.count)
		return cli_error("observe: takes no '%s'", args->operands.items[0]);
	code = observe_filtered(args, &o);
	vec_foreach (line, &o.kept)
		free(*line);
	vec_release(&o.kept);
	event_filter_release(&o.filter);
	return code;
}

const struct command observe_command = {
	.name = "observe",
	.arguments = "[-f] [--last N] [[--not] FILTER]... [OPTION...]",
	.summary = "Show what was dropped, and why: the last events, or live",
	.details =
		"The same filter twice is an 'or', different filters are an 'and', --not negates\n"
		"the filter right behind it. --last counts events that pass the filters; with -f\n"
		"it counts those that the agent sends before the live ones. With --since all "
		"since\n"
		"then are shown.\n\n"
		"A compact line is\n\n"
		"  TIME VERDICT DIRECTION SRC -> DST PROTOCOL rule=R reason=W if=I gen=G "
		"[near=N]\n\n"
		"where an end is 'workload(zone) IP:PORT', 'zone IP:PORT' or 'outside IP:PORT',\n"
		"IPv6 as [IP]:PORT, no port where there is none; PROTOCOL is 'tcp SYN', 'udp' or\n"
		"'icmp echo-request'; near says which rule came nearest to allowing it.\n"
		"--type alert shows alerts in place of events: 'TIME alert ID SENTENCE'; --from "
		"and\n"
		"--to find their ends.\n\n"
		"When a follow ends, a line on stderr says how many events were shown, and the\n"
		"agent's books: produced = delivered + suppressed (rate limit) + lost (ring full).",
	.examples = "bulkhead observe --last 50 --verdict deny\n"
		    "bulkhead observe -f --to postgres --not --from 10.0.16.0/20\n"
		    "bulkhead observe --since 5m --reason revoked --reason no-connection -o json",
	.options = OPTION_TABLE(observe_options),
	.values_size = sizeof(struct observe_values),
	.run = run_observe,
};
