/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/clock.h"

#include "tests/test.h"

#define NS_PER_S 1000000000ull

struct clock_case {
	const char *name;
	uint64_t ns;
	const char *text;
};

/* clang-format off */
static const struct clock_case cases[] = {
	{ "the start",      0,                        "1970-01-01T00:00:00.000000Z" },
	{ "rounded down",   1999,                     "1970-01-01T00:00:00.000001Z" },
	{ "leap day",       1709164800ull * NS_PER_S, "2024-02-29T00:00:00.000000Z" },
	{ "an event",       1795251600123456789ull,   "2026-11-21T09:00:00.123456Z" },
	{ "the last",       UINT64_MAX,               "2554-07-21T23:34:33.709551Z" },
};
/* clang-format on */

static void times_are_written_in_utc(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char seen[CLOCK_STRLEN];

		assert_row_string(cases[i].name, clock_format(cases[i].ns, seen), cases[i].text);
	}
}

static void now_is_now_on_both_clocks(void **state)
{
	uint64_t before = clock_wall_ns();
	uint64_t now = clock_wall_of(clock_monotonic_ns());
	uint64_t earlier = clock_wall_of(clock_monotonic_ns() - 10 * NS_PER_S);

	(void)state;
	assert_true(now + NS_PER_S > before && now < before + 5 * NS_PER_S);
	assert_true(earlier + 9 * NS_PER_S < now && earlier + 11 * NS_PER_S > now);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_written_in_utc),
		cmocka_unit_test(now_is_now_on_both_clocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
