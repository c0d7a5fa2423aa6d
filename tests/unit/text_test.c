/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/text.h"

#include "tests/test.h"
#include "util/vec.h"

static void grows_without_losing_a_byte(void **state)
{
	_text_ struct text t = TEXT_INIT;

	(void)state;
	assert_string_equal(t.buf, "");
	for (unsigned int i = 0; i < 1000; i++)
		text_addf(&t, "%u,", i % 10);
	assert_int_equal(t.len, 2000);
	assert_int_equal(strlen(t.buf), 2000);
	assert_memory_equal(t.buf + 1980, "0,1,2,3,4,5,6,7,8,9,", 20);
}

static void a_reset_text_is_empty_and_usable(void **state)
{
	_text_ struct text t = TEXT_INIT;

	(void)state;
	text_reset(&t);
	assert_string_equal(t.buf, "");
	text_add(&t, "before");
	text_reset(&t);
	assert_int_equal(t.len, 0);
	assert_string_equal(t.buf, "");
	text_addn(&t, "after that", 5);
	text_addc(&t, '!');
	assert_string_equal(t.buf, "after!");
}

static void a_taken_text_is_the_callers(void **state)
{
	_text_ struct text t = TEXT_INIT;
	_free_ char *empty = text_take(&t);
	_free_ char *full = NULL;

	(void)state;
	text_add(&t, "kept");
	full = text_take(&t);
	assert_string_equal(empty, "");
	assert_string_equal(full, "kept");
	assert_string_equal(t.buf, "");
}

struct number_case {
	const char *name, *s;
	uint64_t min, max;
	bool is_good;
	uint64_t value;
};

/* clang-format off */
static const struct number_case numbers[] = {
	{ "zero",               "0",                    0, 9,          true,  0 },
	{ "least",              "3",                    3, 9,          true,  3 },
	{ "most",               "65535",                0, 65535,      true,  65535 },
	{ "most of all",        "18446744073709551615", 0, UINT64_MAX, true,  UINT64_MAX },
	{ "too small",          "2",                    3, 9,          false, 0 },
	{ "too large",          "65536",                0, 65535,      false, 0 },
	{ "one over 64 bits",   "18446744073709551616", 0, UINT64_MAX, false, 0 },
	{ "ten times too long", "99999999999999999999", 0, UINT64_MAX, false, 0 },
	{ "empty",              "",                     0, 9,          false, 0 },
	{ "leading zero",       "07",                   0, 9,          false, 0 },
	{ "two zeros",          "00",                   0, 9,          false, 0 },
	{ "plus",               "+1",                   0, 9,          false, 0 },
	{ "minus",              "-1",                   0, UINT64_MAX, false, 0 },
	{ "space before",       " 1",                   0, 9,          false, 0 },
	{ "space behind",       "1 ",                   0, 9,          false, 0 },
	{ "hexadecimal",        "0x1",                  0, 9,          false, 0 },
};
/* clang-format on */

static void only_plain_decimal_is_a_number(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(numbers); i++) {
		const struct number_case *c = &numbers[i];
		uint64_t value = 77;

		assert_row(c->name, text_to_u64(c->s, c->min, c->max, &value) == c->is_good);
		assert_row(c->name, value == (c->is_good ? c->value : 77));
	}
}

struct plain_case {
	const char *name, *raw, *plain;
};

/* clang-format off */
static const struct plain_case plains[] = {
	{ "text",                  "a b\tc",              "a b\tc" },
	{ "accents",               "\xc3\xa9t\xc3\xa9",   "\xc3\xa9t\xc3\xa9" },
	{ "four bytes",            "\xf0\x9f\x94\x92",    "\xf0\x9f\x94\x92" },
	{ "escape sequence",       "\033[31mred",         "?[31mred" },
	{ "line feed",             "a\nb\r",              "a?b?" },
	{ "delete",                "a\177",               "a?" },
	{ "C1 control",            "\xc2\x9b" "31m",      "?31m" },
	{ "bare C1 byte",          "\x9b" "31m",          "?31m" },
	{ "right-to-left override", "a\xe2\x80\xae" "b",  "a?b" },
	{ "right-to-left isolate", "a\xe2\x81\xa7" "b",   "a?b" },
	{ "overlong escape",       "\xc0\x9b",            "??" },
	{ "surrogate",             "\xed\xa0\x80",        "???" },
	{ "above Unicode",         "\xf4\x90\x80\x80",    "????" },
	{ "cut short",             "a\xe2\x82",           "a??" },
	{ "cut by text",           "\xe2\x82z",           "??z" },
};
/* clang-format on */

static void no_control_reaches_the_terminal(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(plains); i++) {
		const struct plain_case *c = &plains[i];
		_text_ struct text t = TEXT_INIT;

		text_add_plain(&t, c->raw, strlen(c->raw));
		assert_row_string(c->name, t.buf, c->plain);
	}
}

static void a_nul_byte_is_a_control(void **state)
{
	char printed[8] = "";
	FILE *out = fmemopen(printed, sizeof(printed), "w");

	(void)state;
	assert_non_null(out);
	put_plain("a\0b", 3, out);
	fclose(out);
	assert_string_equal(printed, "a?b");
}

struct nearest_case {
	const char *word, *nearest;
};

static const char *const keys[] = {"from", "to", "services", "log", "name", "mode"};

/* clang-format off */
static const struct nearest_case nearests[] = {
	{ "form",       "from" },
	{ "frm",        "from" },
	{ "servcies",   "services" },
	{ "service",    "services" },
	{ "srvics",     "services" },
	{ "nmae",       "name" },
	{ "node",       "mode" },
	{ "ot",         "to" },
	{ "TO",         "to" },
	{ "SERVICES",   "services" },
	{ "x",          "" },
	{ "xyz",        "" },
	{ "",           "" },
	{ "direction",  "" },
	{ "serv",       "" },
};
/* clang-format on */

static void the_nearest_word_is_meant(void **state)
{
	char longest[300];

	(void)state;
	for (size_t i = 0; i < COUNT(nearests); i++) {
		const struct nearest_case *c = &nearests[i];
		const char *seen = text_nearest(c->word, keys, COUNT(keys));

		assert_row_string(c->word, seen ? seen : "", c->nearest);
	}
	memset(longest, 'a', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_null(text_nearest(longest, keys, COUNT(keys)));
	assert_null(text_nearest("from", (const char *[]){longest}, 1));
	assert_null(text_nearest("from", NULL, 0));
}

static void a_vector_keeps_its_order_while_it_grows(void **state)
{
	VEC(unsigned int) v = {};
	unsigned int expected = 0;

	(void)state;
	vec_foreach (n, &v)
		fail();
	for (unsigned int i = 0; i < 1000; i++)
		vec_push(&v, i);
	assert_int_equal(v.count, 1000);
	vec_foreach (n, &v)
		assert_int_equal(*n, expected++);
	assert_int_equal(expected, 1000);
	vec_release(&v);
	assert_null(v.items);
	assert_int_equal(v.size, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_without_losing_a_byte),
		cmocka_unit_test(a_reset_text_is_empty_and_usable),
		cmocka_unit_test(a_taken_text_is_the_callers),
		cmocka_unit_test(only_plain_decimal_is_a_number),
		cmocka_unit_test(no_control_reaches_the_terminal),
		cmocka_unit_test(a_nul_byte_is_a_control),
		cmocka_unit_test(the_nearest_word_is_meant),
		cmocka_unit_test(a_vector_keeps_its_order_while_it_grows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
