/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/event_filter.h"

#include <errno.h>
#include <string.h>

#include "cli/cli.h"
#include "tests/test.h"
#include "util/mem.h"

/* clang-format off */
static const char *const events[] = {
	/* a */ "{'time':'2026-11-21T09:00:00Z',"
	        "'verdict':'deny','reason':'policy','rule':'default',"
	        "'src':{'ip':'10.0.0.10','port':51514,'workload':'edge-lb','zone':'dmz'},"
	        "'dst':{'ip':'10.0.32.10','port':5432,'workload':'postgres','zone':'data'},"
	        "'proto':'tcp','interface':'veth-pg'}",
	/* b */ "{'time':'2026-11-21T09:00:01Z',"
	        "'verdict':'allow','reason':'none','rule':'api-to-db',"
	        "'src':{'ip':'10.0.16.10','port':40000,'workload':'api','zone':'internal'},"
	        "'dst':{'ip':'10.0.32.10','port':5432,'workload':'postgres','zone':'data'},"
	        "'proto':'tcp','interface':'veth-pg'}",
	/* c */ "{'time':'2026-11-21T09:00:02Z',"
	        "'verdict':'deny','reason':'revoked','rule':'default',"
	        "'src':{'ip':'2001:db8::9','port':53},"
	        "'dst':{'ip':'fd00::7','port':5353,'zone':'dmz'},"
	        "'proto':'udp','interface':'eth0'}",
	/* d */ "{'time':'2026-11-21T09:00:03Z',"
	        "'verdict':'audit','reason':'policy','rule':'no-ping',"
	        "'src':{'ip':'10.0.0.99','zone':'dmz'},'dst':{'ip':'198.51.100.1'},"
	        "'proto':'icmp','icmp_type':8,'interface':'eth0'}",
	/* e */ "{'time':'2026-11-21T09:00:04Z',"
	        "'verdict':'deny','reason':'unsupported',"
	        "'src':{},'dst':{},'proto':'0x88cc','interface':'eth0'}",
	/* f */ "{'time':'2026-11-21T09:00:05Z',"
	        "'verdict':'reject','reason':'policy','rule':'closed',"
	        "'src':{'ip':'10.1.0.1','port':1,'workload':'shop/web-0','zone':'pods'},"
	        "'dst':{'ip':'10.1.0.2','port':1,'workload':'shopping/db','zone':'pods'},"
	        "'proto':'sctp','interface':'veth-f'}",
	/* g */ "{'type':'alert','id':'BD001','time':'2026-11-21T09:00:05Z',"
	        "'source':{'ip':'10.0.16.10','workload':'api','zone':'internal'},"
	        "'target':{'ip':'10.0.32.10','workload':'postgres','zone':'data'},'interface':'eth0'}",
};

struct filter_case {
	const char *line;  /* options of `observe` */
	const char *shown; /* the letters of the events that pass */
};

static const struct filter_case cases[] = {
	{ "",                                             "abcdefg" },
	{ "--type alert",                                 "g" },
	{ "--type drop",                                  "acef" },
	{ "--type alert --type audit",                    "dg" },
	{ "--not --type alert",                           "abcdef" },
	{ "--type alert --from api",                      "g" },
	{ "--type alert --to api",                        "" },
	{ "--verdict deny",                               "ace" },
	{ "--verdict deny --verdict audit",               "acde" },
	{ "--verdict deny --reason policy",               "a" },
	{ "--not --verdict deny",                         "bdfg" },
	{ "--not --verdict deny --not --verdict audit",   "bfg" },
	{ "--verdict deny --not --reason policy",         "ce" },
	{ "--not --reason policy --verdict deny",         "ce" },
	{ "--from edge-lb",                               "a" },
	{ "--from dmz",                                   "ad" },
	{ "--from dmz --from api",                        "abdg" },
	{ "--from outside",                               "c" },
	{ "--to outside",                                 "d" },
	{ "--to postgres --not --from 10.0.16.0/20",      "a" },
	{ "--from 10.0.0.0/20",                           "ad" },
	{ "--from 10.0.0.10",                             "a" },
	{ "--from ::/0",                                  "c" },
	{ "--from 0.0.0.0/0",                             "abdfg" },
	{ "--to data",                                    "abg" },
	{ "--from data",                                  "" },
	{ "--ip 10.0.32.10",                              "abg" },
	{ "--ip fd00::/16",                               "c" },
	{ "--ip 198.51.100.0/24 --ip 2001:db8::/32",      "cd" },
	{ "--port 5432",                                  "ab" },
	{ "--port 53",                                    "c" },
	{ "--port 0",                                     "" },
	{ "--protocol tcp",                               "ab" },
	{ "--protocol udp --protocol icmp",               "cd" },
	{ "--rule default",                               "ac" },
	{ "--not --rule default",                         "bdefg" },
	{ "--interface eth0 --verdict deny",              "ce" },
	{ "--interface eth0 -o json --last 3",            "cdeg" },
	{ "--verdict reject",                             "f" },
	{ "-n shop",                                      "f" },
	{ "--namespace shopping",                         "f" },
	{ "-n sho",                                       "" },
	{ "-n shop/web-0",                                "" },
	{ "--not -n shop --verdict reject",               "" },
	{ "-n shop -n other --from shop/web-0",           "f" },
};

struct refusal {
	const char *line;
	const char *error;
};

static const struct refusal refusals[] = {
	{ "--type alrt",          "'--type': there is no 'alrt'; did you mean 'alert'?" },
	{ "--verdict dney",       "'--verdict': there is no 'dney'; did you mean 'deny'?" },
	{ "--verdict drop",       "'--verdict': there is no 'drop'; there are deny, allow, reject, audit" },
	{ "--reason polcy",       "'--reason': there is no 'polcy'; did you mean 'policy'?" },
	{ "--port http",          "'--port': 'http' is not a port from 0 to 65535" },
	{ "--port 65536",         "'--port': '65536' is not a port from 0 to 65535" },
	{ "--ip api",
	  "'--ip': 'api': not an address; write one such as 10.0.0.10 or fd00::10" },
	{ "--not",
	  "'--not' needs a filter right behind it, such as --not --verdict allow" },
	{ "--not -f --port 1",
	  "'--not' needs a filter right behind it, such as --not --verdict allow" },
	{ "--not --not --port 1",
	  "'--not' needs a filter right behind it, such as --not --verdict allow" },
};
/* clang-format on */

#define WORDS_MAX 16

/* A command line of `observe`, and the filter that it makes. */
struct fixture {
	char *line;
	struct arguments args;
	struct event_filter filter;
	struct text error;
	int err;
};

static struct fixture read_line(const char *line)
{
	struct fixture f = {.line = xstrdup(line), .error = TEXT_INIT};
	char *rest = *line ? f.line : NULL;
	char *argv[WORDS_MAX + 1] = {};

	for (size_t n = 0; rest && n < WORDS_MAX; n++)
		argv[n] = strsep(&rest, " ");
	f.err = options_parse(&observe_command.options, observe_command.values_size, argv, &f.args,
			      &f.error);
	if (!f.err)
		f.err = event_filter_read(&f.filter, &f.args, &f.error);
	return f;
}

static void release(struct fixture *f)
{
	free(f->line);
	arguments_release(&f->args);
	event_filter_release(&f->filter);
	text_release(&f->error);
}

/* JSON with single quotes. */
static cJSON *parse(const char *s)
{
	_text_ struct text json = TEXT_INIT;

	for (; *s; s++)
		text_addc(&json, *s == '\'' ? '"' : *s);
	return cJSON_Parse(json.buf);
}

static void add_shown(const struct event_filter *filter, struct text *out)
{
	for (size_t i = 0; i < COUNT(events); i++) {
		cJSON *event = parse(events[i]);

		assert_non_null(event);
		if (event_filter_matches(filter, event))
			text_addc(out, (char)('a' + i));
		cJSON_Delete(event);
	}
}

static void one_field_is_an_or_several_are_an_and(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fixture f = read_line(cases[i].line);
		_text_ struct text seen = TEXT_INIT;

		assert_row_string(cases[i].line, f.error.buf, "");
		assert_row(cases[i].line, !f.err);
		add_shown(&f.filter, &seen);
		assert_row_string(cases[i].line, seen.buf, cases[i].shown);
		release(&f);
	}
}

static void a_value_that_no_event_has_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(refusals); i++) {
		struct fixture f = read_line(refusals[i].line);

		assert_row(refusals[i].line, f.err == -EINVAL);
		assert_row_string(refusals[i].line, f.error.buf, refusals[i].error);
		release(&f);
	}
}

static void time_is_bounded_on_both_sides_inclusively(void **state)
{
	struct event_filter filter = {
		.since_ns = 1795251601000000000ull, /* b's */
		.until_ns = 1795251603000000000ull, /* d's */
	};
	_text_ struct text seen = TEXT_INIT;

	(void)state;
	assert_false(event_filter_is_empty(&filter));
	add_shown(&filter, &seen);
	assert_string_equal(seen.buf, "bcd");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_field_is_an_or_several_are_an_and),
		cmocka_unit_test(a_value_that_no_event_has_is_refused),
		cmocka_unit_test(time_is_bounded_on_both_sides_inclusively),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
