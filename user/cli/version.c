/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/version.h"

#include "cli/cli.h"

static enum exit_code run_version(const struct arguments *args)
{
	if (args->operands.count)
		return cli_error("version: takes no '%s'", args->operands.items[0]);
	puts("bulkhead " BULKHEAD_VERSION);
	return EXIT_FINE;
}

const struct command version_command = {
	.name = "version",
	.arguments = "",
	.summary = "Print which Bulkhead this is",
	.examples = "bulkhead version",
	.run = run_version,
};
