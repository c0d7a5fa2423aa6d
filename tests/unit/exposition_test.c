/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/exposition.h"

#include "tests/test.h"

struct value_case {
	const char *name;
	const char *value;
	const char *written;
};

/* clang-format off */
static const struct value_case values[] = {
	{ "plain",                   "web-to-db",     "m{l=\"web-to-db\"} 1\n"       },
	{ "empty",                   "",              "m{l=\"\"} 1\n"                },
	{ "absent",                  NULL,            "m{l=\"\"} 1\n"                },
	{ "a quote",                 "a\"b",          "m{l=\"a\\\"b\"} 1\n"          },
	{ "a backslash",             "a\\b",          "m{l=\"a\\\\b\"} 1\n"          },
	{ "a backslash and an n",    "a\\nb",         "m{l=\"a\\\\nb\"} 1\n"         },
	{ "a line's end",            "a\nb",          "m{l=\"a\\nb\"} 1\n"           },
	{ "all three",               "\\\"\n",        "m{l=\"\\\\\\\"\\n\"} 1\n"     },
	{ "what ends a set",         "a\"} 5\nx 1",   "m{l=\"a\\\"} 5\\nx 1\"} 1\n"  },
	{ "UTF-8",                   "zürich",        "m{l=\"zürich\"} 1\n"          },
	{ "a byte that is no UTF-8", "a\xff",         "m{l=\"a\\\\xff\"} 1\n"        },
	{ "half a character",        "\xc3",          "m{l=\"\\\\xc3\"} 1\n"         },
};
/* clang-format on */

static void any_label_is_written_so_that_it_is_read_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(values); i++) {
		_text_ struct text out = TEXT_INIT;

		exposition_number(&out, "m", LABELS({"l", values[i].value}), 1);
		assert_row_string(values[i].name, out.buf, values[i].written);
	}
}

static void a_family_says_what_it_is_before_its_samples(void **state)
{
	_text_ struct text out = TEXT_INIT;

	(void)state;
	exposition_family(&out, "bulkhead_x_total", METRIC_COUNTER, "A \\ and\na \"quote\".");
	exposition_number(&out, "bulkhead_x_total", NO_LABELS, UINT64_MAX);
	exposition_family(&out, "bulkhead_y", METRIC_GAUGE, "Y.");
	exposition_number(&out, "bulkhead_y", LABELS({"a", "1"}, {"b", "2"}), 5);
	exposition_family(&out, "bulkhead_z_seconds", METRIC_SUMMARY, "Z.");
	exposition_seconds(&out, "bulkhead_z_seconds_sum", NO_LABELS, 1795254000000000007);
	assert_string_equal(out.buf, "# HELP bulkhead_x_total A \\\\ and\\na \"quote\".\n"
				     "# TYPE bulkhead_x_total counter\n"
				     "bulkhead_x_total 18446744073709551615\n"
				     "# HELP bulkhead_y Y.\n"
				     "# TYPE bulkhead_y gauge\n"
				     "bulkhead_y{a=\"1\",b=\"2\"} 5\n"
				     "# HELP bulkhead_z_seconds Z.\n"
				     "# TYPE bulkhead_z_seconds summary\n"
				     "bulkhead_z_seconds_sum 1795254000.000000007\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_label_is_written_so_that_it_is_read_back),
		cmocka_unit_test(a_family_says_what_it_is_before_its_samples),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
