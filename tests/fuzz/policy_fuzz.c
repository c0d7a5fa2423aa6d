/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Whatever the bytes are, loading, compiling and linting them must end, without a crash or a leak.
 */
#include <stddef.h>
#include <stdint.h>

#include "policy/compile.h"
#include "policy/lint.h"
#include "policy/load.h"
#include "policy/print.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was printed loads without an error. */
static void check_print(const struct policy *p)
{
	_text_ struct text text = TEXT_INIT;
	_diags_ struct diags d = {};
	_policy_ struct policy *again = NULL;
	struct source source;

	policy_print(p, &text);
	source = source_of("printed", text.buf, text.len);
	if (policy_load_sources(&source, 1, &d, &again))
		abort();
}

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
