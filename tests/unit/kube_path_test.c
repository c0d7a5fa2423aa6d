/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/kubernetes/kube_path.h"

#include "tests/test.h"

/* The place is where the text has its @; that character isn't part of it. */
/* clang-format off */
static const struct {
	const char *name, *text, *path;
} cases[] = {
	{ "a value",               "{\"spec\":{\"mode\":@\"no\"}}",               "spec.mode" },
	{ "a key",                 "{\"spec\":{\"a\":1,@\"frum\":[]}}",           "spec.frum" },
	{ "a key after a list",    "{\"spec\":{\"a\":[1,{}],@\"b\":2}}",          "spec.b" },
	{ "a number",              "{\"spec\":{\"rules\":[{},{\"port\":@80}]}}",  "spec.rules[1].port" },
	{ "an item",               "{\"spec\":{\"to\":[\"a\",\"b\",@\"c\"]}}",    "spec.to[2]" },
	{ "an item that is a map", "{\"spec\":{\"to\":[{\"x\":[1,2]},@{}]}}",     "spec.to[1]" },
	{ "a map",                 "{\"spec\":@{\"to\":[]}}",                     "spec" },
	{ "a list in a list",      "{\"a\":[[1],[2,@3]]}",                        "a[1][1]" },
	{ "within a string",       "{\"a\":{\"b\":\"t@cp/80\"}}",                 "a.b" },
	{ "brackets in strings",   "{\"a\":\"[{\\\"\",\"b\":[\"]\",@\"x\"]}",     "b[1]" },
	{ "keys with dots",        "{\"labels\":{\"a.b/c\":@\"x\"}}",             "labels['a.b/c']" },
	{ "after other scripts",   "{\"a\":\"\xc3\xa4\xe2\x82\xac\",\"b\":@\"x\"}", "b" },
	{ "the object",            "@{\"a\":1}",                                  "" },
	{ "behind the end",        "{\"a\":1}@",                                  "" },
	{ "what is cut off",       "{\"a\":[\"b@",                                "a[0]" },
	{ "other lines",           "{\"a\":1\n@,\"b\":2}",                        "a" },
};
/* clang-format on */

static unsigned int columns(const char *text, size_t len)
{
	unsigned int n = 1;

	for (size_t i = 0; i < len; i++)
		n += ((unsigned char)text[i] & 0xc0) != 0x80;
	return n;
}

static void a_place_has_its_path(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *mark = strchr(cases[i].text, '@');
		_text_ struct text line = TEXT_INIT, path = TEXT_INIT;

		text_addn(&line, cases[i].text, (size_t)(mark - cases[i].text));
		text_add(&line, mark + 1);
		kube_path_add(line.buf, columns(line.buf, (size_t)(mark - cases[i].text)), &path);
		if (strcmp(path.buf, cases[i].path) != 0)
			fail_msg("%s: '%s', not '%s'", cases[i].name, path.buf, cases[i].path);
	}
}

static void what_is_very_deep_is_told_by_what_it_is_in(void **state)
{
	_text_ struct text line = TEXT_INIT, path = TEXT_INIT;

	(void)state;
	for (int i = 0; i < 70; i++)
		text_addc(&line, '[');
	kube_path_add(line.buf, 71, &path);
	assert_int_equal(path.len, 64 * strlen("[0]"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_place_has_its_path),
		cmocka_unit_test(what_is_very_deep_is_told_by_what_it_is_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
