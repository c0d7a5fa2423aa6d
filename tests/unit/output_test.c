/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/output.h"

#include "tests/test.h"

/* clang-format off */
static const struct column columns[] = { LEFT("RULE"), RIGHT("PACKETS"), LEFT("AT") };
/* clang-format on */

static void columns_are_as_wide_as_their_widest_cell(void **state)
{
	_table_ struct table table = {.columns = columns, .count = COUNT(columns)};
	_text_ struct text seen = TEXT_INIT;

	(void)state;
	table_add(&table, "internet-to-edge");
	table_addf(&table, "%u", 12);
	table_add(&table, "a.yaml:3");
	table_add(&table, "zürich");
	table_addf(&table, "%u", 123456789);
	table_add(&table, NULL);
	table_add(&table, "");
	table_add(&table, "0");
	table_add(&table, "b.yaml:4");
	table_format(&table, false, &seen);
	assert_string_equal(seen.buf, "RULE                PACKETS  AT\n"
				      "internet-to-edge         12  a.yaml:3\n"
				      "zürich            123456789  -\n"
				      "-                         0  b.yaml:4\n");
}

static void a_table_without_rows_is_its_headings(void **state)
{
	_table_ struct table table = {.columns = columns, .count = COUNT(columns)};
	_text_ struct text seen = TEXT_INIT;

	(void)state;
	table_format(&table, false, &seen);
	assert_string_equal(seen.buf, "RULE  PACKETS  AT\n");
}

static void colours_take_no_room(void **state)
{
	static const struct column two[] = {LEFT("VERDICT"), LEFT("N")};
	_table_ struct table table = {.columns = two, .count = COUNT(two)};
	_text_ struct text seen = TEXT_INIT;

	(void)state;
	table_add_colour(&table, colour_of_verdict("deny"), "deny");
	table_add(&table, "1");
	table_format(&table, true, &seen);
	assert_string_equal(seen.buf, "\033[1mVERDICT\033[0m  \033[1mN\033[0m\n"
				      "\033[31mdeny\033[0m     1\n");
}

static void control_sequences_never_reach_the_terminal(void **state)
{
	static const struct column one[] = {LEFT("NAME")};
	_table_ struct table table = {.columns = one, .count = COUNT(one)};
	_text_ struct text seen = TEXT_INIT;

	(void)state;
	table_add(&table, "a\033[2Jb\n");
	table_format(&table, false, &seen);
	assert_string_equal(seen.buf, "NAME\na?[2Jb?\n");
}

static void text_is_cut_so_that_numbers_fit(void **state)
{
	static const struct column two[] = {LEFT("NAME"), RIGHT("N")};
	_table_ struct table table = {.columns = two, .count = COUNT(two), .width = 14};
	_text_ struct text seen = TEXT_INIT;

	(void)state;
	table_add(&table, "zürich-to-bern");
	table_add(&table, "12");
	table_add(&table, "b");
	table_add(&table, "3");
	table_format(&table, false, &seen);
	assert_string_equal(seen.buf, "NAME         N\n"
				      "zürich-to…  12\n"
				      "b            3\n");
}

static void a_file_has_no_colour(void **state)
{
	_fclose_ FILE *out = tmpfile();

	(void)state;
	setenv("TERM", "xterm", 1);
	unsetenv("NO_COLOR");
	assert_non_null(out);
	assert_false(output_has_colour(out));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_as_wide_as_their_widest_cell),
		cmocka_unit_test(a_table_without_rows_is_its_headings),
		cmocka_unit_test(colours_take_no_room),
		cmocka_unit_test(control_sequences_never_reach_the_terminal),
		cmocka_unit_test(text_is_cut_so_that_numbers_fit),
		cmocka_unit_test(a_file_has_no_colour),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
