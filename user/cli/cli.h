/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The table of commands, and what they share. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdio.h>

#include "cli/options.h"

/* Exit codes are part of the interface; scripts branch on them. */
enum exit_code {
	EXIT_FINE = 0,
	EXIT_FINDING = 1, /* a failed check, a difference, a denied explain */
	EXIT_USAGE = 2,   /* wrong use, input that can't be read, no agent */
};

struct command {
	const char *name;
	const char *arguments; /* after the name in the usage line */
	const char *summary;   /* one line, no full stop */
	const char *details;   /* more lines for --help, or NULL */
	const char *examples;  /* lines, each a whole command line or a '#' comment */
	struct option_table options;
	size_t values_size; /* of the struct that the options' offsets point into */
	/* Gets the parsed command line; cli_main owns it, and flushes and checks stdout afterwards.
	 */
	enum exit_code (*run)(const struct arguments *args);
};

extern const struct command check_command, explain_command, diff_command, graph_command,
	replay_command, learn_command, lab_command, run_command, apply_command, observe_command,
	status_command, list_command, detach_command, confirm_command, rollback_command,
	allow_command, version_command, top_command, selftest_command;

/* In the order of --help; help, dispatch and tests read this table. */
extern const struct command *const commands[];
extern const size_t command_count;

/* SIGPIPE is ignored from here on: a command that executes another program restores it there. */
int cli_main(char **argv);

/* What `bulkhead NAME --help` prints. */
void command_help(const struct command *command, struct text *out);

/* "bulkhead: …" on stderr; returns EXIT_USAGE. */
enum exit_code cli_error(const char *format, ...) PRINTF_LIKE(1, 2);

#endif
