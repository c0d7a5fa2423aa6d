/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/test.h"

#include <string.h>

#include "policy/services.h"

struct list_case {
	const char *name;
	const char *list; /* separated by spaces */
	const char *canonical;
};

/* clang-format off */
static const struct list_case lists[] = {
	{ "one port",         "tcp/443",                       "tcp/443" },
	{ "port zero",        "udp/0",                         "udp/0" },
	{ "a range of one",   "tcp/80-80",                     "tcp/80" },
	{ "sorted",           "udp/53 tcp/443 tcp/80",         "tcp/80, tcp/443, udp/53" },
	{ "twice",            "tcp/80 tcp/80",                 "tcp/80" },
	{ "touching",         "tcp/81 tcp/80 tcp/82-90",       "tcp/80-90" },
	{ "overlapping",      "tcp/1-10 tcp/5-20 tcp/7",       "tcp/1-20" },
	{ "not across",       "tcp/65535 udp/0",               "tcp/65535, udp/0" },
	{ "all of a table",   "tcp/0-65535",                   "tcp/0-65535" },
	{ "proto of ports",   "proto/6 proto/17 proto/132",
	  "tcp/0-65535, udp/0-65535, sctp/0-65535" },
	{ "proto of icmp",    "proto/1 proto/58",              "proto/1, proto/58" },
	{ "other protocols",  "proto/51 proto/47 proto/50",    "proto/47, proto/50, proto/51" },
	{ "icmp by name",     "icmp/echo-request icmp/3",
	  "icmp/destination-unreachable, icmp/echo-request" },
	{ "icmp by number",   "icmp/8 icmp/200",               "icmp/echo-request, icmp/200" },
	{ "icmp code",        "icmp/3/1 icmp/3/2",             "icmp/3/1, icmp/3/2" },
	{ "icmp code 0",      "icmp/8/0",                      "icmp/8/0" },
	{ "code in type",     "icmp/3/1 icmp/3",               "icmp/destination-unreachable" },
	{ "icmp6 by name",    "icmp6/echo-request",            "icmp6/echo-request" },
	{ "both spellings",   "icmp6/neighbor-solicitation",   "icmp6/neighbour-solicitation" },
	{ "any",              "any",                           "any" },
	{ "any and more",     "tcp/22 any",                    "any" },
};

static const char *const refused[] = {
	"", "tcp", "tcp/", "80", "/80", "TCP/80", "tcp/65536", "tcp/00", "tcp/080", "tcp/+1",
	"tcp/-1", "tcp/ 1", "tcp/1 ", "tcp/0x10", "tcp/1e1", "tcp/90-80", "tcp/1-2-3", "tcp/1-",
	"tcp/1,2", "tcp/99999999999999999999999", "icmp/256", "icmp/1/256", "icmp/1/1/1", "icmp/",
	"icmp/3/", "icmp/echo", "icmp6/info-request", "icmp/echo-request/0", "proto/256", "proto/",
	"proto/tcp", "any/1", "Any", "gre/1", "web",
};
/* clang-format on */

static void a_list_has_one_canonical_form(void **state)
{
	(void)state;

	for (size_t i = 0; i < COUNT(lists); i++) {
		_text_ struct text got = TEXT_INIT, wrong = TEXT_INIT;
		_free_ char *list = strdup(lists[i].list);
		char *rest = list;
		services s = {};

		for (char *word = strsep(&rest, " "); word; word = strsep(&rest, " "))
			if (!services_parse(word, &s, &wrong))
				fail_msg("%s: %s", lists[i].name, wrong.buf);
		services_normalise(&s);
		services_format(&s, &got);
		vec_release(&s);
		if (strcmp(got.buf, lists[i].canonical) != 0)
			fail_msg("%s: got %s", lists[i].name, got.buf);
	}
}

static void what_is_no_service_is_refused_with_a_reason(void **state)
{
	(void)state;

	for (size_t i = 0; i < COUNT(refused); i++) {
		_text_ struct text wrong = TEXT_INIT;
		services s = {};

		if (services_parse(refused[i], &s, &wrong) || s.count || !wrong.len)
			fail_msg("'%s' is taken, or without a word", refused[i]);
	}
}

/* Whether every number of every table is in exactly one range. */
static void any_is_every_service_once(void **state)
{
	size_t counts[BH_SERVICE_TABLES] = {};
	services s = {};

	(void)state;
	services_add_any(&s);
	services_normalise(&s);
	vec_foreach (range, &s)
		counts[range->table] += (size_t)range->hi - range->lo + 1;
	vec_release(&s);
	for (size_t i = 0; i < BH_SERVICE_PROTO; i++)
		assert_int_equal(counts[i], 65536);
	assert_int_equal(counts[BH_SERVICE_PROTO], 256 - 5);
}

struct number_case {
	enum bh_service_table table;
	uint16_t number;
	const char *text;
};

/* clang-format off */
static const struct number_case numbers[] = {
	{ BH_SERVICE_TCP,   443,          "tcp/443" },
	{ BH_SERVICE_SCTP,  0,            "sctp/0" },
	{ BH_SERVICE_ICMP,  8 << 8,       "icmp/echo-request" },
	{ BH_SERVICE_ICMP,  3 << 8,       "icmp/3/0" },
	{ BH_SERVICE_ICMP,  3 << 8 | 1,   "icmp/3/1" },
	{ BH_SERVICE_ICMP,  8 << 8 | 1,   "icmp/8/1" },
	{ BH_SERVICE_ICMP6, 135 << 8,     "icmp6/neighbour-solicitation" },
	{ BH_SERVICE_ICMP6, 200 << 8,     "icmp6/200/0" },
	{ BH_SERVICE_PROTO, 47,           "proto/47" },
};
/* clang-format on */

static void one_number_has_a_name_for_people(void **state)
{
	(void)state;

	for (size_t i = 0; i < COUNT(numbers); i++) {
		_text_ struct text got = TEXT_INIT;

		service_format(numbers[i].table, numbers[i].number, &got);
		assert_string_equal(got.buf, numbers[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_has_one_canonical_form),
		cmocka_unit_test(what_is_no_service_is_refused_with_a_reason),
		cmocka_unit_test(any_is_every_service_once),
		cmocka_unit_test(one_number_has_a_name_for_people),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
