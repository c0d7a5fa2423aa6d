/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/json.h"

#include "tests/test.h"

static void commas_and_keys_are_where_they_belong(void **state)
{
	_text_ struct text t = TEXT_INIT;
	struct json j = {.out = &t};

	(void)state;
	json_object(&j, NULL);
	json_string(&j, "name", "api");
	json_string(&j, "rule", NULL);
	json_array(&j, "ports");
	json_number(&j, NULL, 0);
	json_number(&j, NULL, UINT64_MAX);
	json_end(&j, ']');
	json_object(&j, "empty");
	json_end(&j, '}');
	json_array(&j, "pairs");
	for (int i = 0; i < 2; i++) {
		json_object(&j, NULL);
		json_bool(&j, "is_new", i == 0);
		json_end(&j, '}');
	}
	json_end(&j, ']');
	json_end(&j, '}');
	assert_string_equal(t.buf, "{\"name\":\"api\",\"rule\":null,"
				   "\"ports\":[0,18446744073709551615],\"empty\":{},"
				   "\"pairs\":[{\"is_new\":true},{\"is_new\":false}]}");
	assert_int_equal(j.depth, 0);
}

static void documents_of_a_stream_are_separated_by_the_caller(void **state)
{
	_text_ struct text t = TEXT_INIT;
	struct json j = {.out = &t};

	(void)state;
	for (int i = 0; i < 2; i++) {
		json_object(&j, NULL);
		json_end(&j, '}');
		text_addc(&t, '\n');
	}
	assert_string_equal(t.buf, "{}\n{}\n");
}

struct string_case {
	const char *name, *value, *written;
};

/* clang-format off */
static const struct string_case strings[] = {
	{ "empty",          "",                     "\"\"" },
	{ "quote",          "a\"b",                 "\"a\\\"b\"" },
	{ "backslash",      "a\\b",                 "\"a\\\\b\"" },
	{ "slash",          "a/b",                  "\"a/b\"" },
	{ "line and tab",   "a\n\tb",               "\"a\\n\\tb\"" },
	{ "control",        "\001\033",             "\"\\u0001\\u001b\"" },
	{ "delete",         "\177",                 "\"\\u007f\"" },
	{ "accents",        "\xc3\xa9",             "\"\xc3\xa9\"" },
	{ "four bytes",     "\xf0\x9f\x94\x92",     "\"\xf0\x9f\x94\x92\"" },
	{ "bad UTF-8",      "a\xff",                "\"a\xef\xbf\xbd\"" },
	{ "line separator", "\xe2\x80\xa8",         "\"\\u2028\"" },
};
/* clang-format on */

static void strings_are_escaped(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(strings); i++) {
		const struct string_case *c = &strings[i];
		_text_ struct text t = TEXT_INIT;
		struct json j = {.out = &t};

		json_string(&j, NULL, c->value);
		assert_row_string(c->name, t.buf, c->written);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commas_and_keys_are_where_they_belong),
		cmocka_unit_test(documents_of_a_stream_are_separated_by_the_caller),
		cmocka_unit_test(strings_are_escaped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
