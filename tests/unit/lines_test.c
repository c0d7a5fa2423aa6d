/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/lines.h"

#include "tests/test.h"

static void lines_are_found_by_number(void **state)
{
	/* clang-format off */
	static const struct {
		const char *name;
		unsigned int number;
		const char *line; /* NULL: there is none */
	} cases[] = {
		{ "the first, behind a BOM",  1, "one"    },
		{ "behind a carriage return", 2, "zwölf"  },
		{ "an empty one",             3, ""       },
		{ "without a break",          4, "last"   },
		{ "behind the last",          5, NULL     },
	};
	/* clang-format on */
	static const char text[] = "\xef\xbb\xbfone\r\nzwölf\n\nlast";
	struct source source = source_of("a", text, sizeof(text) - 1);
	_lines_ struct lines lines = {};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct line line;
		bool is_found = lines_find(&lines, &source, cases[i].number, &line);

		assert_row(cases[i].name, is_found == (cases[i].line != NULL));
		if (!is_found)
			continue;
		assert_row(cases[i].name, line.len == strlen(cases[i].line));
		assert_row(cases[i].name, !memcmp(line.start, cases[i].line, line.len));
	}
	source_release(&source);
}

static void a_part_counts_code_points(void **state)
{
	/* clang-format off */
	static const struct {
		unsigned int from, to;
		const char *part;
	} cases[] = {
		{ 1, 6,  "zwölf" },
		{ 3, 4,  "ö"     },
		{ 4, 99, "lf"    },
		{ 6, 7,  ""      },
		{ 9, 10, ""      },
	};
	/* clang-format on */
	const struct line line = {.start = "zwölf", .len = strlen("zwölf")};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct line part = line_part(&line, cases[i].from, cases[i].to);

		assert_row(cases[i].part, part.len == strlen(cases[i].part));
		assert_row(cases[i].part, !memcmp(part.start, cases[i].part, part.len));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_found_by_number),
		cmocka_unit_test(a_part_counts_code_points),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
