/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/check_report.h"

const char *check_result(const struct check *check)
{
	return check->code == EXIT_FINE ? "ok" : "failed";
}

size_t check_findings(const struct check *check)
{
	return check->diags.errors + check->diags.warnings;
}

const char *check_group_word(enum check_group group)
{
	static const char *const words[CHECK_GROUPS] = {
		[CHECK_POLICY] = "policy", [CHECK_LINT] = "lint",     [CHECK_NEVER] = "never",
		[CHECK_EXPECT] = "expect", [CHECK_KERNEL] = "kernel",
	};

	return words[group];
}

size_t check_notes_end(const struct check *check, size_t i)
{
	const struct diags *diags = &check->diags;

	do
		i++;
	while (i < diags->list.count && diags->list.items[i].level == DIAG_NOTE);
	return i;
}
