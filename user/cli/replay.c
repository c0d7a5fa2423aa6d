/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <string.h>

#include "cli/cli.h"
#include "cli/event_reader.h"
#include "cli/output.h"
#include "cli/policy_files.h"
#include "util/clock.h"
#include "policy/replay.h"

struct replay_values {
	const char *format;
};

/* clang-format off */
static const struct option replay_options[] = {
	OUTPUT_OPTION(struct replay_values, format, "text|json", "text"),
};
/* clang-format on */

static enum exit_code replay(const struct compiled *compiled, const struct event_reader *reader,
			     const char *format)
{
	_replay_ struct replay result = {};
	_text_ struct text out = TEXT_INIT;

	replay_run(compiled, &reader->recording, &result);
	if (output_is_json(format))
		replay_json(compiled, &reader->recording, &result, &out);
	else
		replay_text(compiled, &reader->recording, &result, &out);
	fwrite(out.buf, 1, out.len, stdout);
	if (event_reader_is_incomplete(reader))
		return EXIT_USAGE;
	return result.allowed || result.denied ? EXIT_FINDING : EXIT_FINE;
}

static enum exit_code run_replay(const struct arguments *args)
{
	const struct replay_values *values = args->values;
	const char *const *operands = args->operands.items;
	_policy_files_ struct policy_files files = {};
	_event_reader_ struct event_reader reader = {};
	int err;

	if (args->operands.count < 2)
		return cli_error("replay: recorded events and a policy are due: "
				 "bulkhead replay EVENTS.jsonl NEW...");
	if (policy_files_load(&files, operands + 1, args->operands.count - 1, clock_wall_s()))
		return EXIT_USAGE;
	err = event_reader_read(&reader, operands[0]);
	if (err)
		return cli_error("replay: '%s' cannot be read: %s", operands[0], strerror(-err));
	return replay(files.compiled, &reader, values->format);
}

const struct command replay_command = {
	.name = "replay",
	.arguments = "EVENTS.jsonl NEW...",
	.summary = "Say which recorded connections a new policy would newly allow or deny",
	.details =
		"EVENTS.jsonl is what 'observe -o json' printed, '-' is stdin; NEW is a policy.\n"
		"The events of one source, destination and service are one connection; what it\n"
		"got last is what it is compared with. What audit lets through gets through.\n"
		"One line for each pair of names and service whose connections change:\n\n"
		"  + FROM -> TO SERVICE: N events, N connections, allow RULE at PLACE, was deny "
		"RULE\n\n"
		"'+' is newly allowed, '-' newly denied; names are those of the new policy. An\n"
		"address that is no workload of it is the one that the event names, if the policy\n"
		"has that. The last line is\n\n"
		"  N events, N connections, N newly allowed, N newly denied\n\n"
		"Exit code 1: something changes; 2: a line is no event (FILE:LINE is told, the\n"
		"rest is used), or the policy does not compile.",
	.examples = "bulkhead replay events.jsonl policies/five-zone.yaml\n"
		    "bulkhead replay -o json events.jsonl zones.yaml new-rules.yaml",
	.options = OPTION_TABLE(replay_options),
	.values_size = sizeof(struct replay_values),
	.run = run_replay,
};
