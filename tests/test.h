/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cmocka, with the headers that it needs before itself. */
#ifndef TESTS_TEST_H
#define TESTS_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "util/cleanup.h"

/* In tables: a failure names the row. */
#define assert_row(name, holds)                                                                    \
	do {                                                                                       \
		if (!(holds))                                                                      \
			fail_msg("%s: not so: %s", (name), #holds);                                \
	} while (0)

#define assert_row_string(name, seen, wanted)                                                      \
	do {                                                                                       \
		const char *seen_ = (seen), *wanted_ = (wanted);                                   \
		if (strcmp(seen_, wanted_) != 0)                                                   \
			fail_msg("%s: seen '%s', wanted '%s'", (name), seen_, wanted_);            \
	} while (0)

#endif
