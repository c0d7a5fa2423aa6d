/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/cli.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

/* As they are needed: a policy by itself, in force, what came of it, and taking it off. */
const struct command *const commands[] = {
	/* clang-format off */
	&check_command, &explain_command, &diff_command, &graph_command, &lab_command,
	&selftest_command, &run_command, &apply_command, &confirm_command, &rollback_command,
	&allow_command, &observe_command, &top_command, &status_command, &list_command,
	&replay_command, &learn_command, &detach_command, &version_command,
	/* clang-format on */
};
const size_t command_count = COUNT(commands);

enum exit_code cli_error(const char *format, ...)
{
	_text_ struct text message = TEXT_INIT;
	va_list args;

	va_start(args, format);
	text_vaddf(&message, format, args);
	va_end(args);
	fputs("bulkhead: ", stderr);
	put_plain(message.buf, message.len, stderr);
	fputc('\n', stderr);
	return EXIT_USAGE;
}

static void print_help(void)
{
	puts("usage: bulkhead COMMAND [ARGUMENT...]\n");
	for (size_t i = 0; i < command_count; i++)
		printf("  %-10s %s\n", commands[i]->name, commands[i]->summary);
	puts("\n'bulkhead COMMAND --help' tells more, 'bulkhead --version' which one this is.");
}

static void add_indented(struct text *out, const char *lines)
{
	while (*lines) {
		size_t len = strcspn(lines, "\n");

		text_addf(out, "  %.*s\n", (int)len, lines);
		lines += len + (lines[len] == '\n');
	}
}

void command_help(const struct command *command, struct text *out)
{
	text_addf(out, "usage: bulkhead %s", command->name);
	if (*command->arguments)
		text_addf(out, " %s", command->arguments);
	text_addf(out, "\n\n%s.\n", command->summary);
	if (command->details)
		text_addf(out, "\n%s\n", command->details);
	text_add(out, "\noptions:\n");
	options_help(&command->options, out);
	text_add(out, "\nexamples:\n");
	add_indented(out, command->examples);
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < command_count; i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

static enum exit_code unknown_command(const char *name)
{
	const char *names[COUNT(commands)];
	const char *nearest;

	for (size_t i = 0; i < command_count; i++)
		names[i] = commands[i]->name;
	nearest = text_nearest(name, names, command_count);
	if (nearest)
		return cli_error("unknown command '%s'; did you mean '%s'?", name, nearest);
	return cli_error("unknown command '%s'; 'bulkhead --help' lists them", name);
}

static enum exit_code print_command_help(const struct command *command)
{
	_text_ struct text text = TEXT_INIT;

	command_help(command, &text);
	fwrite(text.buf, 1, text.len, stdout);
	return EXIT_FINE;
}

static enum exit_code run_command_line(const struct command *command, char **argv)
{
	_arguments_ struct arguments args = {};
	_text_ struct text text = TEXT_INIT;

	if (options_parse(&command->options, command->values_size, argv, &args, &text))
		return cli_error("%s: %s; see 'bulkhead %s --help'", command->name, text.buf,
				 command->name);
	return args.is_help ? print_command_help(command) : command->run(&args);
}

/* 'help COMMAND' is 'COMMAND --help'. */
static enum exit_code help(const char *name)
{
	const struct command *command;

	if (!name) {
		print_help();
		return EXIT_FINE;
	}
	command = find_command(name);
	return command ? print_command_help(command) : unknown_command(name);
}

static enum exit_code dispatch(char **argv)
{
	const char *name = argv[0] ? argv[1] : NULL;
	const struct command *command;

	if (!name)
		return cli_error("a command is due; 'bulkhead --help' lists them");
	if (!strcmp(name, "help"))
		return help(argv[2]);
	if (!strcmp(name, "--help") || !strcmp(name, "-h"))
		return help(NULL);
	if (!strcmp(name, "--version"))
		name = version_command.name;
	command = find_command(name);
	return command ? run_command_line(command, argv + 2) : unknown_command(name);
}

/* A reader that had enough, such as head(1), is no error. */
static bool is_reader_gone(void)
{
	struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};

	return poll(&out, 1, 0) == 1 && (out.revents & POLLERR);
}

int cli_main(char **argv)
{
	enum exit_code code;
	int err = 0;

	signal(SIGPIPE, SIG_IGN);
	code = dispatch(argv);
	/* What an earlier write failed with is lost. */
	if (fflush(stdout))
		err = errno;
	else if (ferror(stdout))
		err = EIO;
	if (err && !is_reader_gone())
		return cli_error("standard output cannot be written: %s", strerror(err));
	return code;
}
