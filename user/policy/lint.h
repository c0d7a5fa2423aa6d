/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is likely not meant in a policy that is otherwise right: warnings with the ids of BH0xx. */
#ifndef POLICY_LINT_H
#define POLICY_LINT_H

#include "policy/compile.h"

/*
 * Adds the findings in file order, each at its rule, zone, workload or service.  @now, in seconds
 * since 1970, tells which rules have expired.
 */
void lint(const struct compiled *c, int64_t now, struct diags *d);

#endif
