/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <inttypes.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/event_reader.h"
#include "cli/output.h"
#include "cli/policy_files.h"
#include "policy/learn.h"
#include "util/clock.h"

struct learn_values {
	const char *format;
};

/* clang-format off */
static const struct option learn_options[] = {
	OUTPUT_OPTION(struct learn_values, format, "yaml|json", "yaml"),
};
/* clang-format on */

static void warn_of_ranges(const struct compiled *compiled, const struct learned *learned)
{
	vec_foreach (widened, &learned->widened) {
		_text_ struct text line = TEXT_INIT;

		party_format(compiled->policy, &widened->to, &line);
		fprintf(stderr,
			"bulkhead: warning: %zu ports above 32767 of '%s' became the range %u-%u; "
			"a fixed port would be better\n",
			widened->ports, line.buf, widened->range.lo, widened->range.hi);
	}
}

static enum exit_code propose(const struct compiled *compiled, const struct event_reader *reader,
			      const char *format)
{
	_learned_ struct learned learned = {};
	_text_ struct text out = TEXT_INIT;
	bool is_incomplete;

	learn(compiled, &reader->recording, &learned);
	if (output_is_json(format))
		learned_json(compiled, &learned, &out);
	else
		learned_yaml(compiled, &learned, &out);
	fwrite(out.buf, 1, out.len, stdout);
	warn_of_ranges(compiled, &learned);
	is_incomplete = event_reader_is_incomplete(reader);
	if (learned.left_out)
		return cli_error("learn: more than %d rules before joining: %" PRIu64
				 " connections are left out; give a policy that names their ends",
				 LEARN_TRIPLES_MAX, learned.left_out);
	if (is_incomplete)
		return EXIT_USAGE;
	return learned.refusals.count ? EXIT_FINDING : EXIT_FINE;
}

static enum exit_code run_learn(const struct arguments *args)
{
	const struct learn_values *values = args->values;
	const char *const *operands = args->operands.items;
	_policy_files_ struct policy_files files = {};
	_event_reader_ struct event_reader reader = {};
	int err;

	if (!args->operands.count)
		return cli_error("learn: recorded events are due: bulkhead learn EVENTS.jsonl "
				 "[FILE...]");
	if (policy_files_load(&files, operands + 1, args->operands.count - 1, clock_wall_s()))
		return EXIT_USAGE;
	err = event_reader_read(&reader, operands[0]);
	if (err)
		return cli_error("learn: '%s' cannot be read: %s", operands[0], strerror(-err));
	return propose(files.compiled, &reader, values->format);
}

const struct command learn_command = {
	.name = "learn",
	.arguments = "EVENTS.jsonl [FILE...]",
	.summary = "Propose the least set of rules that would allow what was recorded",
	.details =
		"EVENTS.jsonl is what 'observe -o json' printed, '-' is stdin; FILE is the policy\n"
		"that is there: what it allows needs no rule. Without it everything recorded "
		"does.\n"
		"Prints a policy document of rules only, to be loaded together with FILE; each "
		"rule\n"
		"says how many events support it. Read them before you take them over.\n\n"
		"An end is named by its workload, else its zone, else its address; by its address\n"
		"too where the wider name would break a promise. Eight or more addresses outside\n"
		"become a common prefix or 'outside'; ten or more ports above 32767 of one\n"
		"destination become a range, with a warning. Rules that differ in one list only\n"
		"are joined; no rule allows more than its names, prefixes and ranges say.\n\n"
		"What a 'never', an 'expect' of another verdict or a deny rule forbids is not\n"
		"proposed, but listed as refused, with the place of what forbids it.\n\n"
		"Exit code 1: something was refused; 2: a line is no event (FILE:LINE is told, "
		"the\n"
		"rest is used), or the policy does not compile.",
	.examples = "bulkhead learn events.jsonl policies/five-zone.yaml\n"
		    "bulkhead learn -o json events.jsonl",
	.options = OPTION_TABLE(learn_options),
	.values_size = sizeof(struct learn_values),
	.run = run_learn,
};
