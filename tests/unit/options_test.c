/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/options.h"

#include <string.h>

#include "tests/test.h"
#include "util/mem.h"

struct values {
	bool is_loud;
	const char *name;
	const char *format;
	strings paths;
	uint32_t count;
	uint32_t wait_s;
	uint64_t since_ns;
};

/* clang-format off */
#define AT(member) .offset = offsetof(struct values, member)
static const struct option options[] = {
	{ "loud",   'l', OPTION_FLAG,     AT(is_loud),  NULL,        "say more" },
	{ "name",   'n', OPTION_TEXT,     AT(name),     "NAME",      "whose" },
	{ "output", 'o', OPTION_CHOICE,   AT(format),   "text|json", "how to print", "text", 0 },
	{ "path",   0,   OPTION_LIST,     AT(paths),    "PATH",      "where to look" },
	{ "count",  'c', OPTION_NUMBER,   AT(count),    "N",         "how many", "7", .max = 100 },
	{ "wait",   0,   OPTION_DURATION, AT(wait_s),   "TIME",      "how long" },
	{ "since",  0,   OPTION_TIME,     AT(since_ns), "TIME-OF-THE-VERY-FIRST", "from when" },
	{ "not",    0,   OPTION_TERM,     .help = "negates" },
	{ "from",   0,   OPTION_TERM,     .value = "X", .help = "whence" },
};
#undef AT
/* clang-format on */

static const struct option_table table = OPTION_TABLE(options);

struct line_case {
	const char *line; /* words between single blanks */
	const char *expected;
};

/* As `describe` writes it: values, then terms in order, then operands, then those behind the
 * dashes. */
/* clang-format off */
static const struct line_case good[] = {
	{ "",                          "quiet - text 7 0 []" },
	{ "--loud",                    "loud - text 7 0 []" },
	{ "-l",                        "loud - text 7 0 []" },
	{ "--name api",                "quiet api text 7 0 []" },
	{ "--name=api",                "quiet api text 7 0 []" },
	{ "--name=a=b",                "quiet a=b text 7 0 []" },
	{ "--name=",                   "quiet  text 7 0 []" },
	{ "--name=--loud",             "quiet --loud text 7 0 []" },
	{ "-n api",                    "quiet api text 7 0 []" },
	{ "-napi",                     "quiet api text 7 0 []" },
	{ "-n -",                      "quiet - text 7 0 []" },
	{ "--name a --name b",         "quiet b text 7 0 []" },
	{ "-o json -c 100 --wait 5m",  "quiet - json 100 300 []" },
	{ "--path a --path b",         "quiet - text 7 0 [a b]" },
	{ "x --loud y",                "loud - text 7 0 [] x y" },
	{ "- x",                       "quiet - text 7 0 [] - x" },
	{ "x -- --loud y",             "quiet - text 7 0 [] x | --loud y" },
	{ "--",                        "quiet - text 7 0 []" },
	{ "-- -- x",                   "quiet - text 7 0 [] | -- x" },
	{ "--from a --not --from b",   "quiet - text 7 0 [] from=a not from=b" },
	{ "--help --nonsense",         "help" },
	{ "x -h",                      "help" },
};

static const struct line_case bad[] = {
	{ "--lod",               "unknown option '--lod'; did you mean '--loud'?" },
	{ "--hepl",              "unknown option '--hepl'; did you mean '--help'?" },
	{ "--xyzzy=3",           "unknown option '--xyzzy'" },
	{ "--Name x",            "unknown option '--Name'; did you mean '--name'?" },
	{ "--nam x",             "unknown option '--nam'; did you mean '--name'?" },
	{ "-x",                  "unknown option '-x'" },
	{ "-lx",                 "unknown option '-lx'" },
	{ "--loud=yes",          "'--loud' takes no value" },
	{ "--name",              "'--name' needs a value: --name NAME" },
	{ "--name --loud",       "'--name' needs a value: --name NAME" },
	{ "-n",                  "'--name' needs a value: --name NAME" },
	{ "-o xml",              "'--output': 'xml' is none of text|json" },
	{ "-o tex",              "'--output': 'tex' is none of text|json" },
	{ "--output=",           "'--output': '' is none of text|json" },
	{ "-o text|json",        "'--output': 'text|json' is none of text|json" },
	{ "--count 101",         "'--count': '101' is not a number from 0 to 100" },
	{ "--count -1",          "'--count': '-1' is not a number from 0 to 100" },
	{ "--count 1x",          "'--count': '1x' is not a number from 0 to 100" },
	{ "--wait soon",         "'--wait': 'soon' is not a duration such as 30s, 5m or 1h" },
	{ "--since soon",        "'--since': 'soon' is neither a time such as 2026-11-21T09:00:00Z "
	                         "nor a duration such as 5m" },
};
/* clang-format on */

#define WORDS_MAX 16

struct words {
	char *line;
	char *argv[WORDS_MAX + 1];
};

static struct words split(const char *line)
{
	struct words words = {.line = xstrdup(line)};
	char *rest = *line ? words.line : NULL;
	size_t n = 0;

	while (rest && n < WORDS_MAX)
		words.argv[n++] = strsep(&rest, " ");
	return words;
}

static void describe(const struct arguments *args, struct text *out)
{
	const struct values *v = args->values;
	size_t before = args->operands.count - args->behind_dashes;

	if (args->is_help) {
		text_add(out, "help");
		return;
	}
	text_addf(out, "%s %s %s %u %u [", v->is_loud ? "loud" : "quiet", v->name ? v->name : "-",
		  v->format, v->count, v->wait_s);
	for (size_t i = 0; i < v->paths.count; i++)
		text_addf(out, "%s%s", i ? " " : "", v->paths.items[i]);
	text_add(out, "]");
	vec_foreach (given, &args->given) {
		if (given->option->type != OPTION_TERM)
			continue;
		text_addf(out, " %s", given->option->name);
		if (given->value)
			text_addf(out, "=%s", given->value);
	}
	for (size_t i = 0; i < args->operands.count; i++)
		text_addf(out, "%s %s", i == before ? " |" : "", args->operands.items[i]);
}

static void check(const struct line_case *cases, size_t count, bool is_good)
{
	for (size_t i = 0; i < count; i++) {
		struct words words = split(cases[i].line);
		_arguments_ struct arguments args = {};
		_text_ struct text seen = TEXT_INIT;
		int err = options_parse(&table, sizeof(struct values), words.argv, &args, &seen);

		assert_row(cases[i].line, (err == 0) == is_good);
		if (!err)
			describe(&args, &seen);
		assert_row_string(cases[i].line, seen.buf, cases[i].expected);
		free(words.line);
	}
}

static void options_and_operands_stand_in_any_order(void **state)
{
	(void)state;
	check(good, COUNT(good), true);
}

static void wrong_use_says_what_would_be_right(void **state)
{
	(void)state;
	check(bad, COUNT(bad), false);
}

static void a_time_is_taken_and_known_to_be_given(void **state)
{
	char *argv[] = {"--since", "2026-11-21T09:00:00Z", NULL};
	_arguments_ struct arguments args = {};
	_text_ struct text error = TEXT_INIT;

	(void)state;
	assert_int_equal(options_parse(&table, sizeof(struct values), argv, &args, &error), 0);
	assert_true(((const struct values *)args.values)->since_ns == 1795251600000000000ull);
	assert_true(arguments_have(&args, "since"));
	assert_false(arguments_have(&args, "output"));
}

static void help_has_two_columns_and_the_defaults(void **state)
{
	_text_ struct text seen = TEXT_INIT;

	(void)state;
	options_help(&table, &seen);
	assert_string_equal(seen.buf, "  -l, --loud                say more\n"
				      "  -n, --name NAME           whose\n"
				      "  -o, --output text|json    how to print (default: text)\n"
				      "      --path PATH           where to look\n"
				      "  -c, --count N             how many (default: 7)\n"
				      "      --wait TIME           how long\n"
				      "      --since TIME-OF-THE-VERY-FIRST\n"
				      "                            from when\n"
				      "      --not                 negates\n"
				      "      --from X              whence\n"
				      "  -h, --help                print this\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_and_operands_stand_in_any_order),
		cmocka_unit_test(wrong_use_says_what_would_be_right),
		cmocka_unit_test(a_time_is_taken_and_known_to_be_given),
		cmocka_unit_test(help_has_two_columns_and_the_defaults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
