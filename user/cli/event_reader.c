/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/event_reader.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <string.h>

#include <bulkhead/reason.h>

#include "cli/cli.h"
#include "cli/values.h"
#include "util/mem.h"
#include "util/when.h"

#define BAD_LINES_SHOWN 20
#define COUNT_MAX       1e15 /* a number that JSON's doubles still hold exactly */
#define EPHEMERAL_FIRST 32768

#define ICMP4_ECHO_REPLY 0
#define ICMP6_ECHO_REPLY 129

/* clang-format off */
static const char *const reason_words[] = {
#define X(id, word, help) [BH_REASON_##id] = word,
	BH_REASONS(X)
#undef X
};

static const struct {
	const char *word;
	enum bh_service_table table;
	uint8_t number; /* of IP */
} protocols[] = {
	{ "tcp",   BH_SERVICE_TCP,   IPPROTO_TCP },
	{ "udp",   BH_SERVICE_UDP,   IPPROTO_UDP },
	{ "sctp",  BH_SERVICE_SCTP,  IPPROTO_SCTP },
	{ "icmp",  BH_SERVICE_ICMP,  IPPROTO_ICMP },
	{ "icmp6", BH_SERVICE_ICMP6, IPPROTO_ICMPV6 },
};
/* clang-format on */

/* What a line turned out to be. */
enum outcome {
	OUTCOME_EVENT,
	OUTCOME_UNDECIDED, /* of no use, and no fault */
	OUTCOME_BAD,       /* with a sentence */
};

static enum outcome bad(struct text *reterr, const char *what)
{
	text_add(reterr, what);
	return OUTCOME_BAD;
}

/* A whole number of 0..@max; false if it is there and none. */
static bool read_number(const cJSON *object, const char *key, double max, uint64_t *ret)
{
	const cJSON *value = value_of(object, key);
	double number;

	if (!value)
		return true;
	number = value_to_number(value);
	if (!cJSON_IsNumber(value) || !(number >= 0 && number <= max))
		return false;
	*ret = (uint64_t)number;
	return (double)*ret == number;
}

static bool read_verdict(const cJSON *json, enum bh_verdict *ret)
{
	const char *word = value_text(json, "verdict");

	for (size_t i = 0; word && i < BH_VERDICT_COUNT; i++) {
		if (strcmp(word, verdict_word(i)) != 0)
			continue;
		*ret = (enum bh_verdict)i;
		return true;
	}
	return false;
}

/* Whether a policy was asked: none knows a reason that is newer than this program. */
static bool is_decided(const cJSON *json)
{
	static const enum bh_reason decided[] = {BH_REASON_NONE, BH_REASON_POLICY,
						 BH_REASON_REVOKED};
	const char *word = value_text(json, "reason");

	for (size_t i = 0; word && i < COUNT(decided); i++) {
		if (!strcmp(word, reason_words[decided[i]]))
			return true;
	}
	return !word;
}

static enum outcome read_end(const cJSON *json, struct recorded_end *ret, struct text *reterr)
{
	const char *ip = value_text(json, "ip"), *wrong;

	if (!ip)
		return OUTCOME_UNDECIDED;
	wrong = addr_parse(ip, &ret->addr);
	if (wrong) {
		text_addf(reterr, "'%.80s': %s", ip, wrong);
		return OUTCOME_BAD;
	}
	ret->workload = value_text(json, "workload");
	return OUTCOME_EVENT;
}

static enum outcome read_ends(const cJSON *json, struct recorded_event *event, struct text *reterr)
{
	const cJSON *src = value_of(json, "src"), *dst = value_of(json, "dst");
	enum outcome outcome;

	if (!cJSON_IsObject(src) || !cJSON_IsObject(dst))
		return bad(reterr, "an event has the objects 'src' and 'dst'");
	outcome = read_end(src, &event->src, reterr);
	if (outcome == OUTCOME_EVENT)
		outcome = read_end(dst, &event->dst, reterr);
	if (outcome == OUTCOME_EVENT &&
	    addr_is_v4(&event->src.addr) != addr_is_v4(&event->dst.addr))
		return bad(reterr, "one end has IPv4 and the other IPv6");
	return outcome;
}

static enum outcome read_icmp(const cJSON *json, struct recorded_event *event, struct text *reterr)
{
	uint64_t type = UINT64_MAX, code = 0;
	bool is_v4 = event->table == BH_SERVICE_ICMP;

	if (!read_number(json, "icmp_type", UINT8_MAX, &type) ||
	    !read_number(json, "icmp_code", UINT8_MAX, &code))
		return bad(reterr, "'icmp_type' and 'icmp_code' are numbers from 0 to 255");
	if (is_v4 != addr_is_v4(&event->src.addr))
		return bad(reterr, "icmp is of IPv4 and icmp6 of IPv6");
	if (type == UINT64_MAX || type == (is_v4 ? ICMP4_ECHO_REPLY : ICMP6_ECHO_REPLY))
		return OUTCOME_UNDECIDED;
	event->number = (uint16_t)(type << 8 | code);
	return OUTCOME_EVENT;
}

static bool is_ephemeral(uint64_t port)
{
	return port >= EPHEMERAL_FIRST;
}

static bool has_flag(const char *flags, const char *flag)
{
	return strstr(flags, flag);
}

/* Whether nothing says that the packet came from who opened the connection. */
static bool is_midstream(const cJSON *json, const struct recorded_event *event)
{
	const char *flags = value_text(json, "tcp_flags");
	const char *reason = value_text(json, "reason");

	if (event->table == BH_SERVICE_TCP && flags) {
		if (has_flag(flags, "SYN") && !has_flag(flags, "ACK"))
			return false;
		/* A rule's allow was of this direction; an audit may be of either. */
		return event->verdict != BH_VERDICT_ALLOW;
	}
	return reason && !strcmp(reason, reason_words[BH_REASON_REVOKED]);
}

static enum outcome read_ports(const cJSON *json, struct recorded_event *event, struct text *reterr)
{
	uint64_t sport = UINT64_MAX, dport = UINT64_MAX;
	struct recorded_end end = event->src;

	if (!read_number(value_of(json, "src"), "port", UINT16_MAX, &sport) ||
	    !read_number(value_of(json, "dst"), "port", UINT16_MAX, &dport))
		return bad(reterr, "a port is a number from 0 to 65535");
	if (dport == UINT64_MAX)
		return OUTCOME_UNDECIDED;
	event->number = (uint16_t)dport;
	if (!is_midstream(json, event))
		return OUTCOME_EVENT;
	if (sport == UINT64_MAX || is_ephemeral(sport) == is_ephemeral(dport))
		return OUTCOME_UNDECIDED;
	if (is_ephemeral(sport))
		return OUTCOME_EVENT;
	event->src = event->dst;
	event->dst = end;
	event->number = (uint16_t)sport;
	return OUTCOME_EVENT;
}

static enum outcome read_service(const cJSON *json, struct recorded_event *event,
				 struct text *reterr)
{
	const char *proto = value_text(json, "proto");
	uint64_t number = UINT64_MAX;
	bool is_number = proto && text_to_u64(proto, 0, UINT8_MAX, &number);

	if (!proto)
		return bad(reterr, "an event has a text 'proto'");
	for (size_t i = 0; i < COUNT(protocols); i++) {
		if (strcmp(proto, protocols[i].word) != 0 && number != protocols[i].number)
			continue;
		event->table = protocols[i].table;
		if (event->table == BH_SERVICE_ICMP || event->table == BH_SERVICE_ICMP6)
			return read_icmp(json, event, reterr);
		return read_ports(json, event, reterr);
	}
	if (!is_number)
		return OUTCOME_UNDECIDED;
	event->table = BH_SERVICE_PROTO;
	event->number = (uint16_t)number;
	return OUTCOME_EVENT;
}

static enum outcome read_event(const cJSON *json, struct recorded_event *event, struct text *reterr)
{
	const char *time = value_text(json, "time");
	enum outcome outcome;

	if (!read_verdict(json, &event->verdict))
		return bad(reterr, "unknown 'verdict'; it is allow, deny, reject or audit");
	if (value_of(json, "time") && (!time || !time_parse(time, &event->time_ns)))
		return bad(reterr, "'time' is no time, such as 2026-11-21T09:00:00.123456Z");
	event->count = 1;
	if (!read_number(json, "count", COUNT_MAX, &event->count))
		return bad(reterr, "'count' is no whole number");
	event->rule = value_text(json, "rule");
	if (!is_decided(json))
		return OUTCOME_UNDECIDED;
	outcome = read_ends(json, event, reterr);
	return outcome == OUTCOME_EVENT ? read_service(json, event, reterr) : outcome;
}

static int take_json(struct event_reader *r, const cJSON *json, struct text *reterr)
{
	struct recorded_event event = {};

	if (!cJSON_IsObject(json)) {
		text_add(reterr, "a line is a JSON object");
		return -EINVAL;
	}
	if (!value_of(json, "verdict")) {
		r->other_lines++;
		return 0;
	}
	switch (read_event(json, &event, reterr)) {
	case OUTCOME_EVENT:
		recording_add(&r->recording, &event);
		return 0;
	case OUTCOME_UNDECIDED:
		r->undecided += event.count;
		return 0;
	case OUTCOME_BAD:
		return -EINVAL;
	}
	return 0;
}

int event_reader_line(struct event_reader *r, const char *line, size_t len, struct text *reterr)
{
	cJSON *json;
	int err;

	if (line[strspn(line, " \t\r")] == '\0' && strlen(line) == len)
		return 0;
	/* With the NUL: nothing may stand behind the object. */
	json = cJSON_ParseWithLengthOpts(line, len + 1, NULL, true);
	if (!json || strlen(line) != len) {
		cJSON_Delete(json);
		text_add(reterr, "not JSON; a line is an event as 'observe -o json' writes it");
		return -EINVAL;
	}
	err = take_json(r, json, reterr);
	cJSON_Delete(json);
	return err;
}

static void report_bad(struct event_reader *r, const char *what)
{
	if (r->bad_lines++ < BAD_LINES_SHOWN)
		cli_error("%s:%" PRIu64 ": %s", r->name, r->line, what);
}

/* Skips what is left of a line; false at the end of the input. */
static bool skip_line(FILE *in)
{
	int c;

	do
		c = getc_unlocked(in);
	while (c != EOF && c != '\n');
	return c != EOF;
}

ssize_t event_reader_next(FILE *in, char *buf)
{
	size_t len = 0;
	int c;

	while ((c = getc_unlocked(in)) != EOF && c != '\n') {
		if (len == EVENT_LINE_MAX) {
			skip_line(in);
			return -EFBIG;
		}
		buf[len++] = (char)c;
	}
	buf[len] = '\0';
	return c == EOF && !len ? -1 : (ssize_t)len;
}

static void read_lines(struct event_reader *r, FILE *in)
{
	_free_ char *buf = xmalloc(EVENT_LINE_MAX + 2);
	_text_ struct text wrong = TEXT_INIT;
	ssize_t len;

	while ((len = event_reader_next(in, buf)) != -1) {
		r->line++;
		text_reset(&wrong);
		if (len < 0)
			text_addf(&wrong, "a line of more than %d bytes", EVENT_LINE_MAX);
		else
			event_reader_line(r, buf, (size_t)len, &wrong);
		if (wrong.len)
			report_bad(r, wrong.buf);
	}
}

int event_reader_read(struct event_reader *r, const char *path)
{
	bool is_stdin = !strcmp(path, "-");
	_fclose_ FILE *opened = is_stdin ? NULL : fopen(path, "re");
	FILE *in = is_stdin ? stdin : opened;

	if (!in)
		return -errno;
	r->name = path;
	r->line = 0;
	errno = 0;
	read_lines(r, in);
	if (ferror(in))
		return errno ? -errno : -EIO;
	return 0;
}

bool event_reader_is_incomplete(const struct event_reader *r)
{
	if (r->undecided)
		fprintf(stderr,
			"bulkhead: %" PRIu64 " events left out: no policy decided them, "
			"or they don't tell who opened the connection\n",
			r->undecided);
	if (r->bad_lines > BAD_LINES_SHOWN)
		cli_error("%s: %" PRIu64 " more bad lines", r->name,
			  r->bad_lines - BAD_LINES_SHOWN);
	if (r->recording.left_out)
		cli_error("%s: more than %d connections: %" PRIu64 " events are left out; "
			  "record less at once, or filter with 'observe'",
			  r->name, RECORDING_CONNECTIONS_MAX, r->recording.left_out);
	return r->bad_lines || r->recording.left_out;
}

void event_reader_release(struct event_reader *r)
{
	recording_release(&r->recording);
}
