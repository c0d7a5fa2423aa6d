/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What holds for every policy that loads, whatever documents it came from. */
#ifndef FUZZ_ROUND_TRIP_H
#define FUZZ_ROUND_TRIP_H

#include <stdlib.h>

#include "policy/load.h"
#include "policy/print.h"

/* What was printed loads without an error. */
static inline void check_print(const struct policy *p)
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

#endif
