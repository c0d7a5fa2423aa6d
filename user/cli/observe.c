/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>

#include <bulkhead/verdict.h>

#include "cli/cli.h"
#include "cli/client.h"
#include "cli/event_reader.h"
#include "cli/observation.h"
#include "cli/output.h"
#include "cli/values.h"
#include "policy/model.h"
#include "util/clock.h"
#include "util/mem.h"
#include "util/when.h"

#define LAST_DEFAULT 20
#define LAST_ALL     UINT32_MAX

#define BAD_LINES_SHOWN 20
#define RETRY_MS        500 /* between two tries to find an agent */

struct observe_values {
	bool is_follow;
	uint32_t last;
	uint64_t since_ns;
	uint64_t until_ns;
	const char *socket;
	const char *format;
	const char *pcap;
	const char *input_file;
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
	{ "verdict", 0, OPTION_TERM, .value = "WORD", .help = "deny, reject, allow or audit" },
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
	{ "namespace", 'n', OPTION_TERM, .value = "NAME", .help = "either end's pod is in it" },
	{ "pcap", 0, OPTION_TEXT, AT(pcap), "FILE",
	  "write the packets as pcapng, with rule and reason; '-': to stdout" },
	{ "input-file", 0, OPTION_TEXT, AT(input_file), "FILE",
	  "events that '-o json' wrote, in place of the agent's; '-': stdin" },
	SOCKET_OPTION(struct observe_values, socket),
	OUTPUT_OPTION(struct observe_values, format, "compact|json|table|flowlog", "compact"),
};
#undef AT

/* clang-format on */

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

	observation_sum(o, &line);
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

/* The agent tells what is on its way, and then that this was all; a second signal ends at once. */
static int ask_for_end(struct client *c)
{
	struct signalfd_siginfo signal;
	sigset_t signals;
	int err = 0;

	if (read(c->stop_fd, &signal, sizeof(signal)) < 0)
		err = -errno;
	c->stop_fd = -1;
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_UNBLOCK, &signals, NULL);
	return err ? err : client_say(c, "{\"op\":\"stop\"}");
}

static void say_cut(int err, struct text *out)
{
	if (err == -ENODATA)
		text_add(out, "the agent closed the connection before its answer was complete");
	else if (err == -EBADMSG)
		text_add(out, "the agent's answer is not JSON");
	else if (err != -EPIPE)
		text_addf(out, "the agent's answer cannot be read: %s", strerror(-err));
}

/* Up to the last line of the answer. */
static int take_answer(struct observation *o, struct client *c, struct text *reterr)
{
	_cjson_ cJSON *last = NULL;
	const char *line;
	int err = 0;

	while (!err) {
		err = client_read(c, &line);
		if (err == -EINTR)
			err = ask_for_end(c);
		else if (!err)
			err = observation_take(o, line, &last);
	}
	if (err < 0) {
		say_cut(err, reterr);
		return err;
	}
	if (cJSON_IsTrue(value_of(last, "ok")))
		return 0;
	text_add(reterr, value_string(value_of(last, "error")));
	return -EREMOTEIO;
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

static int ask(struct client *c, const struct observation *o, const struct arguments *args,
	       uint32_t last, struct text *reterr)
{
	const struct observe_values *values = args->values;
	_text_ struct text request = TEXT_INIT;

	text_addf(&request,
		  "{\"op\":\"observe\",\"last\":%" PRIu32
		  ",\"follow\":%s,\"packets\":%s,\"alerts\":%s}",
		  last, values->is_follow ? "true" : "false", o->pcap.out ? "true" : "false",
		  event_filter_wants_only(&o->filter, "type", "alert") ? "true" : "false");
	return client_ask(c, values->socket, request.buf, reterr);
}

/* -EINTR: the user wants to end meanwhile; -EPIPE: so does the reader. */
static int pause_for(int stop_fd, int ms)
{
	struct pollfd fds[] = {
		{.fd = stop_fd, .events = POLLIN},
		{.fd = STDOUT_FILENO}, /* for POLLERR, which is always reported */
	};

	fflush(NULL);
	if (poll(fds, COUNT(fds), ms) <= 0)
		return 0;
	return fds[0].revents ? -EINTR : -EPIPE;
}

/* All that an agent has that started after @ns, and nothing of one that we have heard before. */
static int ask_again(struct client *c, const struct observation *o, const struct arguments *args,
		     uint64_t ns)
{
	const struct observe_values *values = args->values;
	_text_ struct text error = TEXT_INIT;
	_cjson_ cJSON *status = NULL;
	uint64_t started_ns;
	const char *started;

	if (client_call(values->socket, "{\"op\":\"status\"}", NULL, NULL, &error, &status))
		return -ENODATA;
	started = value_text(status, "started");
	if (!started || !time_parse(started, &started_ns))
		return -ENODATA;
	return ask(c, o, args, started_ns > ns ? LAST_ALL : 0, &error);
}

/* Enforcement goes on without the agent, and events wait for the next one: so does a follow. */
static int follow_the_next(struct observation *o, struct client *c, const struct arguments *args,
			   struct text *reterr)
{
	uint64_t heard_ns = clock_wall_ns();
	int err = 0, stop_fd = c->stop_fd;

	fputs("bulkhead: the agent is gone; waiting for it\n", stderr);
	do {
		struct client next = CLIENT_INIT;

		client_release(c);
		*c = next;
		c->stop_fd = stop_fd;
		c->output = stdout;
		err = pause_for(stop_fd, RETRY_MS);
		if (err)
			return err == -EINTR ? 0 : err;
	} while (ask_again(c, o, args, heard_ns));
	fputs("bulkhead: the agent is back\n", stderr);
	return take_answer(o, c, reterr);
}

/* -EPIPE when the reader ended it. */
static int observe_agent(struct observation *o, const struct arguments *args, struct text *reterr)
{
	const struct observe_values *values = args->values;
	_close_ int stop_fd = values->is_follow ? open_stop() : -1;
	_client_ struct client client = CLIENT_INIT;
	uint32_t last = wanted(args);
	int err;

	/* The agent does not filter: the last N that match are among all that it has. */
	if (!values->is_follow && !event_filter_is_empty(&o->filter) && last != LAST_ALL) {
		o->keep = last;
		last = LAST_ALL;
	}
	client.stop_fd = stop_fd;
	client.output = values->is_follow ? stdout : NULL;
	err = ask(&client, o, args, last, reterr);
	if (err)
		return err;
	observation_begin(o);
	err = take_answer(o, &client, reterr);
	while (err == -ENODATA && client.stop_fd >= 0) {
		text_reset(reterr);
		err = follow_the_next(o, &client, args, reterr);
	}
	return err;
}

/* What isn't an event is told, and the rest is read. */
static int observe_lines(struct observation *o, FILE *in, const char *name)
{
	_free_ char *buf = xmalloc(EVENT_LINE_MAX + 2);
	uint64_t line = 0, bad = 0;
	ssize_t len;
	int err = 0;

	observation_begin(o);
	while (err != -EPIPE && (len = event_reader_next(in, buf)) != -1) {
		line++;
		err = len < 0 ? -EBADMSG : len ? observation_take(o, buf, NULL) : 0;
		if (err == -EBADMSG && bad++ < BAD_LINES_SHOWN)
			cli_error("%s:%" PRIu64 ": no event as 'observe -o json' writes it", name,
				  line);
	}
	if (bad > BAD_LINES_SHOWN)
		cli_error("%s: %" PRIu64 " more bad lines", name, bad - BAD_LINES_SHOWN);
	if (err == -EPIPE)
		return err;
	return ferror(in) ? -EIO : bad ? -EBADMSG : 0;
}

static int observe_file(struct observation *o, const struct arguments *args, struct text *reterr)
{
	const struct observe_values *values = args->values;
	bool is_stdin = !strcmp(values->input_file, "-");
	_fclose_ FILE *opened = is_stdin ? NULL : fopen(values->input_file, "re");
	FILE *in = is_stdin ? stdin : opened;
	int err;

	if (arguments_have(args, "last"))
		o->keep = values->last;
	if (!in)
		err = -errno;
	else
		err = observe_lines(o, in, values->input_file);
	if (err && err != -EPIPE)
		text_addf(reterr, "'%s' cannot be read%s: %s", values->input_file,
			  err == -EBADMSG ? " whole" : "", strerror(-err));
	return err;
}

static int open_pcap(struct observation *o, const char *path, struct text *reterr)
{
	int err = path ? event_pcap_open(&o->pcap, path) : 0;

	if (err)
		text_addf(reterr, "'%s' cannot be written: %s", path, strerror(-err));
	o->is_quiet = path && !strcmp(path, "-");
	return err;
}

/* The agent has alerts beside the events, and gives one or the other. */
static bool is_of_two_streams(const struct event_filter *f)
{
	return event_filter_names(f, "type", "alert") &&
	       !event_filter_wants_only(f, "type", "alert");
}

static void close_pcap(struct observation *o, const char *path, struct text *reterr)
{
	if (o->pcap.without)
		fprintf(stderr,
			"bulkhead: %" PRIu64 " events without their packets: those are copied only "
			"while somebody follows with --pcap\n",
			o->pcap.without);
	if (event_pcap_close(&o->pcap))
		text_addf(reterr, "'%s' is not written whole", path);
}

static enum exit_code observe(const struct arguments *args, struct observation *o)
{
	const struct observe_values *values = args->values;
	bool has_any = wanted(args) || values->is_follow || values->input_file;
	_text_ struct text error = TEXT_INIT;
	int err = 0;

	if (event_filter_read(&o->filter, args, &error) || open_pcap(o, values->pcap, &error))
		return cli_error("observe: %s", error.buf);
	if (is_of_two_streams(&o->filter))
		return cli_error("observe: alerts are a stream of their own; '--type alert' stands "
				 "without another type");
	if (values->input_file)
		err = observe_file(o, args, &error);
	else if (has_any)
		err = observe_agent(o, args, &error);
	observation_end(o);
	close_pcap(o, values->pcap, &error);
	if (values->is_follow && (!err || o->shown > 0 || err == -ENODATA))
		summarise(o, values->socket);
	if (error.len)
		return cli_error("observe: %s", error.buf);
	return EXIT_FINE;
}

static enum exit_code run_observe(const struct arguments *args)
{
	const struct observe_values *values = args->values;
	_observation_ struct observation o = {
		.filter = {.since_ns = values->since_ns, .until_ns = values->until_ns},
		.format = event_format_of(values->format),
		.has_colour = output_has_colour(stdout),
	};

	if (args->operands.count)
		return cli_error("observe: takes no '%s'", args->operands.items[0]);
	if (values->is_follow && values->input_file)
		return cli_error("observe: '--input-file' has an end, and can't be followed");
	return observe(args, &o);
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
		"[near=N] [count=C]\n\n"
		"where an end is 'workload(zone) IP:PORT', 'zone IP:PORT' or 'outside IP:PORT',\n"
		"IPv6 as [IP]:PORT, no port where there is none; PROTOCOL is 'tcp SYN', 'udp' or\n"
		"'icmp echo-request'; near says which rule came nearest to allowing it. Of\n"
		"events that are alike but for their time the first is told at once, those of\n"
		"the next second as one line, with count and the time of the last. flowlog is a\n"
		"line of the VPC flow log, version 2, without what has no addresses.\n\n"
		"--pcap writes the first 128 bytes of each packet, as long as events are followed\n"
		"(-f); the comment on each says verdict, rule, reason and names. With --pcap,\n"
		"json lines have the packet, too, and --input-file can make a capture of them.\n\n"
		"--type alert shows alerts in place of events: 'TIME alert ID SENTENCE'; --from\n"
		"and --to find their ends.\n\n"
		"A follow goes on when the agent starts again, with all that waited meanwhile.\n"
		"When it ends, a line on stderr says how many events were shown, filtered\n"
		"out and missed by a slow reader, and the agent's books: produced = delivered +\n"
		"suppressed (rate limit) + lost (no room).",
	.examples = "bulkhead observe --last 50 --verdict deny\n"
		    "bulkhead observe -f --to postgres --not --from 10.0.16.0/20\n"
		    "bulkhead observe --since 5m --reason revoked --reason no-connection -o json\n"
		    "bulkhead observe -f --verdict deny --pcap drops.pcapng\n"
		    "bulkhead observe --input-file events.jsonl --namespace shop -o flowlog",
	.options = OPTION_TABLE(observe_options),
	.values_size = sizeof(struct observe_values),
	.run = run_observe,
};
