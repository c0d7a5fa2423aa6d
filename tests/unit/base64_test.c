/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/base64.h"

#include <errno.h>
#include <string.h>

#include "tests/test.h"

struct base64_case {
	const char *bytes;
	const char *text;
};

/* clang-format off */
static const struct base64_case cases[] = { /* RFC 4648, 10 */
	{ "",       ""         },
	{ "f",      "Zg=="     },
	{ "fo",     "Zm8="     },
	{ "foo",    "Zm9v"     },
	{ "foob",   "Zm9vYg==" },
	{ "fooba",  "Zm9vYmE=" },
	{ "foobar", "Zm9vYmFy" },
	{ "\xff\xfe\xfd", "//79" },
};

static const char *const bad[] = {
	"Z", "Zg", "Zg=", "Zg===", "=g==", "Z===", "====", "Zg==Zg==", "Zm9v\nZm9", "Zm9-", "Zm9vZm9vZm9v",
};
/* clang-format on */

static void reads_what_it_writes(void **state)
{
	(void)state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t len = strlen(cases[i].bytes);
		_text_ struct text out = TEXT_INIT;
		char bytes[8] = {};

		base64_add(cases[i].bytes, len, &out);
		assert_row_string(cases[i].text, out.buf, cases[i].text);
		assert_row(cases[i].text,
			   base64_read(out.buf, bytes, sizeof(bytes)) == (ssize_t)len);
		assert_row_string(cases[i].text, bytes, cases[i].bytes);
	}
}

static void refuses_what_is_none_or_too_long(void **state)
{
	char bytes[8];

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_row(bad[i], base64_read(bad[i], bytes, sizeof(bytes)) == -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_it_writes),
		cmocka_unit_test(refuses_what_is_none_or_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
