/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the agent answers to whoever changes the policy, for people. */
#ifndef CLI_CHANGE_ANSWER_H
#define CLI_CHANGE_ANSWER_H

#include "cli/cli.h"
#include "cli/client.h"

struct change_values {
	const char *socket;
	const char *format;
	bool is_dry_run;
};

/* Asks, and prints the answer: a refusal is a finding. */
enum exit_code change_ask(const char *command, const char *request,
			  const struct change_values *values);

#endif
