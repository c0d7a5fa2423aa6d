/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Whatever the bytes are, loading, compiling and linting them must end, without a crash or a leak.
 */
#include <stddef.h>
#include <stdint.h>

#include "policy/compile.h"
#include "policy/lint.h"
#include "policy/load.h"
#include "tests/fuzz/round_trip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct source source = source_of("fuzz", (const char *)data, size);
	const struct environment offline = {};
	_diags_ struct diags d = {};
	_policy_ struct policy *p = NULL;
	_compiled_ struct compiled *c = NULL;

	if (policy_load_sources(&source, 1, &d, &p))
		return 0;
	check_print(p);
	if (!policy_compile(p, &offline, &d, &c))
		lint(c, 0, &d);
	return 0;
}
