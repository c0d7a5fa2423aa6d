/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/kubernetes/kube_thin.h"

#include "tests/test.h"

static const struct keep keep_inner[] = {{"b", NULL}, {}};
static const struct keep keep_outer[] = {{"a", keep_inner}, {"all", NULL}, {}};
static const struct keep always[] = {{"name", NULL}, {}};

struct thin_case {
	const char *name;
	const char *json;
	const char *kept; /* NULL: it is for a parser to say what is wrong */
};

/* clang-format off */
static const struct thin_case cases[] = {
	{ "nothing",                    "{}",                                  "{}" },
	{ "what isn't listed goes",     "{\"x\":1,\"all\":[1,{\"y\":2}]}",     "{\"all\":[1,{\"y\":2}]}" },
	{ "within, too",                "{\"a\":{\"b\":\"}\",\"c\":{}}}",      "{\"a\":{\"b\":\"}\"}}" },
	{ "in each item of a list",     "{\"a\":[{\"b\":1,\"c\":2},{\"c\":3}]}", "{\"a\":[{\"b\":1},{}]}" },
	{ "some keys always stay",      "{\"a\":{\"name\":null},\"name\":true}", "{\"a\":{\"name\":null},\"name\":true}" },
	{ "not the beginnings of keys", "{\"al\":1,\"alll\":2,\"\":3}",        "{}" },
	{ "quotes within strings",      "{\"x\":\"\\\"},\\\\\",\"all\":\"\\\\\\\"\"}", "{\"all\":\"\\\\\\\"\"}" },
	{ "a key written in another way stays", "{\"\\u0061\":{\"c\":1}}",     "{\"\\u0061\":{\"c\":1}}" },
	{ "spaces",                     " { \"x\" : [ 1 ] , \"all\" : 2 } ",   "{\"all\":2}" },
	{ "twice",                      "{\"all\":1,\"all\":2}",               "{\"all\":1,\"all\":2}" },
	{ "an empty list",              "{\"a\":[],\"x\":[]}",                 "{\"a\":[]}" },
	{ "no object",                  "[]",                                  NULL },
	{ "half of one",                "{\"all\":1",                          NULL },
	{ "a string without an end",    "{\"x\":\"",                           NULL },
	{ "an escape at the end",       "{\"x\":\"\\",                         NULL },
	{ "no value",                   "{\"all\":}",                          NULL },
	{ "no value that is needed",    "{\"x\":,\"all\":1}",                  NULL },
	{ "no key",                     "{1:2}",                               NULL },
	{ "another one behind it",      "{} {}",                               NULL },
	{ "a comma too many",           "{\"all\":1,}",                        NULL },
};
/* clang-format on */

static void keeps_what_is_listed(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		_text_ struct text out = TEXT_INIT;
		bool is_good = kube_thin(cases[i].json, keep_outer, always, &out);

		assert_row(cases[i].name, is_good == (cases[i].kept != NULL));
		if (cases[i].kept)
			assert_row_string(cases[i].name, out.buf, cases[i].kept);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_what_is_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
