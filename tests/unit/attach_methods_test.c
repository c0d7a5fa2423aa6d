/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/test.h"

#include <errno.h>

#include "datapath/datapath.h"

#define BIT(method) (1u << (method))
#define NOTHING     0xdeadu /* is left as it was */

/* clang-format off */
static const struct {
	const char *name;
	const char *words;
	int err;
	uint32_t bits;
} rows[] = {
	{ "nothing given", NULL,                     0,       0 },
	{ "no word",       "",                       0,       0 },
	{ "one",           "tcx",                    0,       BIT(ATTACH_TCX) },
	{ "all",           "clsact tcx  xdp-generic xdp-native ", 0,
	  BIT(ATTACH_XDP_NATIVE) | BIT(ATTACH_XDP_GENERIC) | BIT(ATTACH_TCX) | BIT(ATTACH_CLSACT) },
	{ "unknown",       "tcx ebtables",           -EINVAL, NOTHING },
	{ "a beginning",   "xdp",                    -EINVAL, NOTHING },
	{ "too long",      "tcxx",                   -EINVAL, NOTHING },
	{ "none",          "none",                   -EINVAL, NOTHING },
	{ "commas",        "tcx,clsact",             -EINVAL, NOTHING },
};
/* clang-format on */

static void words_become_bits(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint32_t bits = NOTHING;

		assert_row(rows[i].name, attach_methods_parse(rows[i].words, &bits) == rows[i].err);
		assert_row(rows[i].name, bits == rows[i].bits);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_become_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
