/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/change_answer.h"
#include "cli/output.h"

/* clang-format off */
static const struct option confirm_options[] = {
	SOCKET_OPTION(struct change_values, socket),
	OUTPUT_OPTION(struct change_values, format, "text|json", "text"),
};
/* clang-format on */

static enum exit_code run_confirm(const struct arguments *args)
{
	if (args->operands.count)
		return cli_error("confirm: it takes no argument");
	return change_ask("confirm", "{\"op\":\"confirm\"}", args->values);
}

const struct command confirm_command = {
	.name = "confirm",
	.arguments = "[OPTION...]",
	.summary = "Keep the policy that 'apply --confirm' put in force",
	.details = "Exit code 1: none waits to be confirmed, or it is too late.",
	.examples = "bulkhead confirm",
	.options = OPTION_TABLE(confirm_options),
	.values_size = sizeof(struct change_values),
	.run = run_confirm,
};
