/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/when.h"

#include "tests/test.h"

#define NONE UINT64_MAX

/* 2026-11-21T09:00:00Z */
#define NINE_NS 1795251600000000000ull

struct when_case {
	const char *text;
	uint64_t value; /* NONE: refused */
};

/* clang-format off */
static const struct when_case durations[] = {
	{ "0",           0 },
	{ "30",          30 },
	{ "30s",         30 },
	{ "5m",          300 },
	{ "1h30m",       5400 },
	{ "2d",          172800 },
	{ "1h30",        3630 },
	{ "",            NONE },
	{ "m",           NONE },
	{ "5w",          NONE },
	{ "-5m",         NONE },
	{ "5 m",         NONE },
	{ "1.5h",        NONE },
	{ "999999999d",  NONE },
	{ "9999999999",  NONE },
};

static const struct when_case times[] = {
	{ "2026-11-21T09:00:00Z",             NINE_NS },
	{ "2026-11-21t09:00:00z",             NINE_NS },
	{ "2026-11-21 09:00:00Z",             NINE_NS },
	{ "2026-11-21T10:30:00+01:30",        NINE_NS },
	{ "2026-11-20T23:00:00-10:00",        NINE_NS },
	{ "2026-11-21T09:00:00.123456Z",      NINE_NS + 123456000 },
	{ "2026-11-21T09:00:00.123456789012Z", NINE_NS + 123456789 },
	{ "1970-01-01T00:00:00Z",             0 },
	{ "2024-02-29T00:00:00Z",             1709164800000000000ull },
	{ "2026-02-29T00:00:00Z",             NONE },
	{ "2026-11-31T00:00:00Z",             NONE },
	{ "2026-13-01T00:00:00Z",             NONE },
	{ "2026-11-21T24:00:00Z",             NONE },
	{ "2026-11-21T09:00:00",              NONE },
	{ "2026-11-21T09:00:00.Z",            NONE },
	{ "2026-11-21T09:00:00Zulu",          NONE },
	{ "2026-11-21T09:00Z",                NONE },
	{ "2026-11-21",                       NONE },
	{ "26-11-21T09:00:00Z",               NONE },
	{ "9999-12-31T23:59:59Z",             NONE }, /* over 64 bits of nanoseconds */
	{ "1970-01-01T00:00:00+01:00",        NONE }, /* before 1970 */
};

static const struct when_case whole_seconds[] = {
	{ "2026-11-21T09:00:00Z",             1795251600 },
	{ "2026-11-21T09:00:00.999Z",         1795251600 },
	{ "1970-01-01T00:00:00Z",             0 },
	{ "9999-12-31T23:59:59Z",             253402300799 },
	{ "9999-12-31T23:59:59-00:01",        NONE },
	{ "2026-02-30T00:00:00Z",             NONE },
	{ "2026-12-31T23:59:60Z",             NONE },
	{ "2026-06-15T12:00:60Z",             NONE },
};

/* Now is NINE_NS. */
static const struct when_case whens[] = {
	{ "5m",                    NINE_NS - 300 * 1000000000ull },
	{ "0",                     NINE_NS },
	{ "2026-11-21T09:00:00Z",  NINE_NS },
	{ "30000d",                0 },
	{ "yesterday",             NONE },
};
/* clang-format on */

static uint64_t read_duration(const char *text)
{
	uint32_t seconds;

	return duration_parse(text, &seconds) ? seconds : NONE;
}

static uint64_t read_time(const char *text)
{
	uint64_t ns;

	return time_parse(text, &ns) ? ns : NONE;
}

static uint64_t read_when(const char *text)
{
	uint64_t ns;

	return when_parse(text, NINE_NS, &ns) ? ns : NONE;
}

static void check(const struct when_case *cases, size_t count, uint64_t (*read)(const char *text))
{
	for (size_t i = 0; i < count; i++)
		assert_row(cases[i].text, read(cases[i].text) == cases[i].value);
}

static void a_duration_is_read_in_seconds(void **state)
{
	(void)state;
	check(durations, COUNT(durations), read_duration);
}

static void a_time_has_a_date_and_a_zone(void **state)
{
	(void)state;
	check(times, COUNT(times), read_time);
}

static uint64_t read_seconds(const char *text)
{
	int64_t seconds;

	return time_parse_seconds(text, &seconds) ? (uint64_t)seconds : NONE;
}

static void a_time_in_seconds_reaches_the_year_9999(void **state)
{
	(void)state;
	check(whole_seconds, COUNT(whole_seconds), read_seconds);
}

static void a_duration_is_so_long_before_now(void **state)
{
	(void)state;
	check(whens, COUNT(whens), read_when);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_duration_is_read_in_seconds),
		cmocka_unit_test(a_time_has_a_date_and_a_zone),
		cmocka_unit_test(a_time_in_seconds_reaches_the_year_9999),
		cmocka_unit_test(a_duration_is_so_long_before_now),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
