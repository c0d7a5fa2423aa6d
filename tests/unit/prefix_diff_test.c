/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "datapath/prefix_diff.h"
#include "util/text.h"

#define ITEMS_MAX 8

/* A table is written as "1a 2b": prefix 1 has identity a, prefix 2 has identity b. */
static struct prefix_table parse(const char *s, struct image_prefix items[static ITEMS_MAX])
{
	size_t count = 0;

	for (; *s; s += s[2] ? 3 : 2) {
		items[count] = (struct image_prefix){.identity = (uint8_t)s[1]};
		items[count].prefix.len = 128;
		items[count++].prefix.addr.word[0] = (uint8_t)s[0];
	}
	return (struct prefix_table){items, count};
}

static int log_put(void *user, const struct image_prefix *entry)
{
	text_addf(user, "+%c%c", (char)entry->prefix.addr.word[0], (char)entry->identity);
	return 0;
}

static int log_drop(void *user, const struct prefix *prefix)
{
	text_addf(user, "-%c", (char)prefix->addr.word[0]);
	return 0;
}

static const struct {
	const char *name, *now, *want, *writes;
} cases[] = {
	/* clang-format off */
	{"nothing",           "",         "",         ""},
	{"the first fill",    "",         "1a 2b",    "+1a+2b"},
	{"all gone",          "1a 2b",    "",         "-1-2"},
	{"all the same",      "1a 2b",    "1a 2b",    ""},
	{"another identity",  "1a 2b",    "1a 2c",    "+2c"},
	{"one before",        "2b",       "1a 2b",    "+1a"},
	{"one behind",        "1a",       "1a 2b",    "+2b"},
	{"one between",       "1a 3c",    "1a 2b 3c", "+2b"},
	{"the first goes",    "1a 2b",    "2b",       "-1"},
	{"the last goes",     "1a 2b",    "1a",       "-2"},
	{"some of each",      "1a 3c",    "2b 3c 4d", "-1+2b+4d"},
	/* clang-format on */
};

static void writes_only_what_changed(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct image_prefix now_items[ITEMS_MAX], want_items[ITEMS_MAX];
		struct prefix_table now = parse(cases[i].now, now_items);
		struct prefix_table want = parse(cases[i].want, want_items);
		_text_ struct text log = TEXT_INIT;
		const struct prefix_sink sink = {log_put, log_drop, &log};

		assert_int_equal(prefix_diff(&now, &want, &sink), 0);
		if (strcmp(log.buf, cases[i].writes))
			fail_msg("%s: wrote '%s', not '%s'", cases[i].name, log.buf,
				 cases[i].writes);
	}
}

static void lengths_are_different_prefixes(void **state)
{
	const struct image_prefix now[] = {{.prefix = {.len = 8}, .identity = 'a'}};
	const struct image_prefix want[] = {{.prefix = {.len = 9}, .identity = 'a'}};
	const struct prefix_table now_table = {now, 1}, want_table = {want, 1};
	_text_ struct text log = TEXT_INIT;
	const struct prefix_sink sink = {log_put, log_drop, &log};

	(void)state;
	assert_int_equal(prefix_diff(&now_table, &want_table, &sink), 0);
	assert_int_equal(log.len, strlen("-x+xa"));
}

static int refuse_put(void *user, const struct image_prefix *entry)
{
	log_put(user, entry);
	return -ENOSPC;
}

static void stops_at_the_first_error(void **state)
{
	struct image_prefix items[ITEMS_MAX];
	struct prefix_table now = {}, want = parse("1a 2b", items);
	_text_ struct text log = TEXT_INIT;
	const struct prefix_sink sink = {refuse_put, log_drop, &log};

	(void)state;
	assert_int_equal(prefix_diff(&now, &want, &sink), -ENOSPC);
	assert_string_equal(log.buf, "+1a");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_only_what_changed),
		cmocka_unit_test(lengths_are_different_prefixes),
		cmocka_unit_test(stops_at_the_first_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
