/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>

#include "tests/test.h"

#include "cli/event_reader.h"
#include "policy/services.h"

#define ENDS                                                                                       \
	"\"src\":{\"ip\":\"10.0.0.1\",\"port\":40000},\"dst\":{\"ip\":\"10.0.0.2\",\"port\":443}"
#define MIXED                                                                                      \
	"\"src\":{\"ip\":\"10.0.0.1\",\"port\":40000},\"dst\":{\"ip\":\"fd00::2\",\"port\":443}"
#define TO_LOW                                                                                     \
	"\"src\":{\"ip\":\"10.0.0.2\",\"port\":443},\"dst\":{\"ip\":\"10.0.0.1\",\"port\":40000}"
#define BARE  "\"src\":{\"ip\":\"10.0.0.1\"},\"dst\":{\"ip\":\"10.0.0.2\"}"
#define BARE6 "\"src\":{\"ip\":\"fd00::1\"},\"dst\":{\"ip\":\"fd00::2\"}"

struct line_case {
	const char *name;
	const char *line;
	const char *seen; /* "FROM TO SERVICE EVENTS", "" for nothing, "!" for a bad line */
};

/* clang-format off */
static const struct line_case cases[] = {
	{ "an event", "{\"verdict\":\"deny\"," ENDS ",\"proto\":\"tcp\",\"tcp_flags\":\"SYN\"}",
	  "10.0.0.1 10.0.0.2 tcp/443 1" },
	{ "count multiplies", "{\"verdict\":\"audit\"," ENDS ",\"proto\":\"udp\",\"count\":7}",
	  "10.0.0.1 10.0.0.2 udp/443 7" },
	{ "protocols by number", "{\"verdict\":\"deny\"," ENDS ",\"proto\":\"17\"}",
	  "10.0.0.1 10.0.0.2 udp/443 1" },
	{ "protocols without ports", "{\"verdict\":\"deny\"," BARE ",\"proto\":\"47\"}",
	  "10.0.0.1 10.0.0.2 proto/47 1" },
	{ "icmp", "{\"verdict\":\"deny\"," BARE ",\"proto\":\"icmp\",\"icmp_type\":8,\"icmp_code\":0}",
	  "10.0.0.1 10.0.0.2 icmp/echo-request 1" },
	{ "icmp with a code", "{\"verdict\":\"deny\"," BARE ",\"proto\":\"icmp\",\"icmp_type\":3,\"icmp_code\":4}",
	  "10.0.0.1 10.0.0.2 icmp/3/4 1" },
	{ "icmp6", "{\"verdict\":\"deny\"," BARE6 ",\"proto\":\"icmp6\",\"icmp_type\":128}",
	  "fd00::1 fd00::2 icmp6/echo-request 1" },
	{ "keys that are unknown", "{\"verdict\":\"deny\",\"x\":{\"y\":[1]}," ENDS ",\"proto\":\"tcp\"}",
	  "10.0.0.1 10.0.0.2 tcp/443 1" },
	{ "blanks around", "  {\"verdict\":\"deny\"," ENDS ",\"proto\":\"tcp\"} \r",
	  "10.0.0.1 10.0.0.2 tcp/443 1" },
	{ "a reply of TCP, told by its ports",
	  "{\"verdict\":\"audit\"," TO_LOW ",\"proto\":\"tcp\",\"tcp_flags\":\"PSH,ACK\"}",
	  "10.0.0.1 10.0.0.2 tcp/443 1" },
	{ "SYN and ACK don't open",
	  "{\"verdict\":\"audit\"," TO_LOW ",\"proto\":\"tcp\",\"tcp_flags\":\"SYN,ACK\"}",
	  "10.0.0.1 10.0.0.2 tcp/443 1" },
	{ "SYN opens, whatever the ports",
	  "{\"verdict\":\"deny\"," TO_LOW ",\"proto\":\"tcp\",\"tcp_flags\":\"SYN\"}",
	  "10.0.0.2 10.0.0.1 tcp/40000 1" },
	{ "what a rule allowed is of its direction",
	  "{\"verdict\":\"allow\"," TO_LOW ",\"proto\":\"tcp\",\"tcp_flags\":\"ACK\"}",
	  "10.0.0.2 10.0.0.1 tcp/40000 1" },
	{ "a revoked reply",
	  "{\"verdict\":\"deny\",\"reason\":\"revoked\"," TO_LOW ",\"proto\":\"udp\"}",
	  "10.0.0.1 10.0.0.2 udp/443 1" },
	{ "the first packet of UDP",
	  "{\"verdict\":\"deny\",\"reason\":\"policy\"," TO_LOW ",\"proto\":\"udp\"}",
	  "10.0.0.2 10.0.0.1 udp/40000 1" },
	{ "two low ports in the middle don't tell",
	  "{\"verdict\":\"deny\",\"reason\":\"revoked\",\"src\":{\"ip\":\"10.0.0.1\",\"port\":1},"
	  "\"dst\":{\"ip\":\"10.0.0.2\",\"port\":2},\"proto\":\"udp\"}", "" },
	{ "no connection", "{\"verdict\":\"deny\",\"reason\":\"no-connection\"," ENDS ",\"proto\":\"tcp\"}", "" },
	{ "a reason of later", "{\"verdict\":\"deny\",\"reason\":\"tired\"," ENDS ",\"proto\":\"tcp\"}", "" },
	{ "an echo reply", "{\"verdict\":\"deny\"," BARE ",\"proto\":\"icmp\",\"icmp_type\":0}", "" },
	{ "no port", "{\"verdict\":\"deny\"," BARE ",\"proto\":\"tcp\"}", "" },
	{ "no addresses", "{\"verdict\":\"deny\",\"src\":{},\"dst\":{},\"proto\":\"tcp\"}", "" },
	{ "not IP", "{\"verdict\":\"deny\"," BARE ",\"proto\":\"arp\"}", "" },
	{ "a summary", "{\"shown\":12,\"missed\":0}", "" },
	{ "an alert", "{\"type\":\"alert\",\"id\":\"BD001\",\"text\":\"a scan\",\"count\":1}", "" },
	{ "a blank line", " \t", "" },
	{ "an empty line", "", "" },
	{ "no JSON", "2026-11-21T09:00:00Z deny ingress", "!" },
	{ "half an object", "{\"verdict\":\"deny\",", "!" },
	{ "two objects", "{} {}", "!" },
	{ "a list", "[]", "!" },
	{ "an unknown verdict", "{\"verdict\":\"maybe\"," ENDS ",\"proto\":\"tcp\"}", "!" },
	{ "a verdict that is no text", "{\"verdict\":1," ENDS ",\"proto\":\"tcp\"}", "!" },
	{ "two families", "{\"verdict\":\"deny\"," MIXED ",\"proto\":\"tcp\"}", "!" },
	{ "icmp over IPv6", "{\"verdict\":\"deny\"," BARE6 ",\"proto\":\"icmp\",\"icmp_type\":8}", "!" },
	{ "a bad address", "{\"verdict\":\"deny\",\"src\":{\"ip\":\"10.0.0.256\"},\"dst\":{},\"proto\":\"tcp\"}", "!" },
	{ "ends that are texts", "{\"verdict\":\"deny\",\"src\":\"10.0.0.1\",\"dst\":\"10.0.0.2\",\"proto\":\"tcp\"}", "!" },
	{ "a port too high", "{\"verdict\":\"deny\",\"src\":{\"ip\":\"10.0.0.1\"},"
	  "\"dst\":{\"ip\":\"10.0.0.2\",\"port\":65536},\"proto\":\"tcp\"}", "!" },
	{ "half a port", "{\"verdict\":\"deny\",\"src\":{\"ip\":\"10.0.0.1\"},"
	  "\"dst\":{\"ip\":\"10.0.0.2\",\"port\":0.5},\"proto\":\"tcp\"}", "!" },
	{ "a count below zero", "{\"verdict\":\"deny\"," ENDS ",\"proto\":\"tcp\",\"count\":-1}", "!" },
	{ "a count beyond numbers", "{\"verdict\":\"deny\"," ENDS ",\"proto\":\"tcp\",\"count\":1e300}", "!" },
	{ "no time", "{\"verdict\":\"deny\",\"time\":\"noon\"," ENDS ",\"proto\":\"tcp\"}", "!" },
	{ "no protocol", "{\"verdict\":\"deny\"," ENDS "}", "!" },
};
/* clang-format on */

static void describe(const struct recording *r, struct text *out)
{
	vec_foreach (k, &r->connections) {
		char from[ADDRESS_STRLEN], to[ADDRESS_STRLEN];

		text_addf(out, "%s %s ", addr_format(&k->src, from), addr_format(&k->dst, to));
		service_format((enum bh_service_table)k->table, k->number, out);
		text_addf(out, " %u", (unsigned int)k->events);
	}
}

static void a_line_is_an_event_nothing_or_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		_event_reader_ struct event_reader reader = {};
		_text_ struct text wrong = TEXT_INIT;
		_text_ struct text seen = TEXT_INIT;
		const char *line = cases[i].line;
		int err = event_reader_line(&reader, line, strlen(line), &wrong);

		assert_row(cases[i].name, (err != 0) == (wrong.len > 0));
		describe(&reader.recording, &seen);
		assert_row_string(cases[i].name, err ? "!" : seen.buf, cases[i].seen);
	}
}

static void a_nul_within_a_line_is_bad(void **state)
{
	static const char line[] = "{\"shown\":1}\0{}";
	_event_reader_ struct event_reader reader = {};
	_text_ struct text wrong = TEXT_INIT;

	(void)state;
	assert_int_not_equal(event_reader_line(&reader, line, sizeof(line) - 1, &wrong), 0);
}

static void add(struct recording *r, uint64_t time, enum bh_verdict verdict)
{
	struct recorded_event event = {.table = BH_SERVICE_TCP,
				       .number = 1,
				       .verdict = verdict,
				       .count = 1,
				       .time_ns = time};

	assert_null(addr_parse("10.0.0.1", &event.src.addr));
	assert_null(addr_parse("10.0.0.2", &event.dst.addr));
	recording_add(r, &event);
}

static void the_latest_verdict_counts(void **state)
{
	_recording_ struct recording r = {};

	(void)state;
	add(&r, 5, BH_VERDICT_ALLOW);
	add(&r, 9, BH_VERDICT_DENY);
	add(&r, 7, BH_VERDICT_AUDIT);
	assert_int_equal(r.connections.count, 1);
	assert_int_equal(r.connections.items[0].verdict, BH_VERDICT_DENY);
	assert_int_equal(r.connections.items[0].first_ns, 5);
	assert_int_equal(r.connections.items[0].last_ns, 9);
	assert_int_equal(r.connections.items[0].events, 3);
}

static void a_file_is_read_past_its_bad_lines(void **state)
{
	_event_reader_ struct event_reader reader = {};
	char path[] = "/tmp/bulkhead-events-XXXXXX";
	int fd = mkstemp(path);
	FILE *out = fdopen(fd, "w");

	(void)state;
	assert_non_null(out);
	fputs("{\"verdict\":\"deny\"," ENDS ",\"proto\":\"tcp\"}\n", out);
	for (size_t i = 0; i < EVENT_LINE_MAX + 10; i++)
		fputc(' ', out);
	fputs("\nno json\n\n{\"verdict\":\"deny\"," ENDS ",\"proto\":\"tcp\"}", out);
	fclose(out);
	assert_int_equal(event_reader_read(&reader, path), 0);
	unlink(path);
	assert_int_equal(reader.line, 5);
	assert_int_equal(reader.bad_lines, 2);
	assert_int_equal(reader.recording.events, 2);
	assert_true(event_reader_is_incomplete(&reader));
	assert_int_equal(event_reader_read(&reader, path), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_an_event_nothing_or_bad),
		cmocka_unit_test(a_nul_within_a_line_is_bad),
		cmocka_unit_test(the_latest_verdict_counts),
		cmocka_unit_test(a_file_is_read_past_its_bad_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
