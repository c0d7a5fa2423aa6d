/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/cli.h"
#include "cli/output.h"
#include "policy/compile.h"
#include "policy/lint.h"
#include "policy/load.h"
#include "policy/promise.h"
#include "util/clock.h"
#include "util/json.h"

#define NS_PER_S 1000000000ull

struct check_values {
	bool is_strict;
	const char *format;
};

/* clang-format off */
static const struct option check_options[] = {
	{ "strict", 0, OPTION_FLAG, .offset = offsetof(struct check_values, is_strict),
	  .help = "warnings count as errors" },
	OUTPUT_OPTION(struct check_values, format, "text|json", "text"),
};
/* clang-format on */

/* What a check found, as its last line says it. */
struct check {
	struct diags diags;
	size_t documents;
	size_t rules;
	size_t classes; /* of addresses */
	enum exit_code code;
};

static const char *const level_words[] = {
	[DIAG_ERROR] = "error",
	[DIAG_WARNING] = "warning",
	[DIAG_NOTE] = "note",
};

static enum exit_code check_policy(const struct policy *policy, struct check *check)
{
	_compiled_ struct compiled *compiled = NULL;
	size_t broken;

	if (policy_compile(policy, &(struct environment){.now = clock_wall_s()}, &check->diags,
			   &compiled))
		return EXIT_USAGE;
	check->classes = compiled->classes.count;
	broken = promise_check_never(compiled, &check->diags) +
		 promise_check_expect(compiled, &check->diags);
	lint(compiled, (int64_t)(clock_wall_ns() / NS_PER_S), &check->diags);
	return broken ? EXIT_FINDING : EXIT_FINE;
}

static const char *result_word(const struct check *check)
{
	return check->code == EXIT_FINE ? "ok" : "failed";
}

static size_t count_findings(const struct check *check)
{
	return check->diags.errors + check->diags.warnings;
}

static void print_text(const struct check *check)
{
	const char *result = result_word(check);
	_text_ struct text out = TEXT_INIT;

	diags_print(&check->diags, stderr);
	text_addf(&out, "%zu documents, %zu rules, %zu classes, %zu findings: ", check->documents,
		  check->rules, check->classes, count_findings(check));
	text_add_colour(&out, output_has_colour(stdout) ? colour_of_verdict(result) : COLOUR_NONE,
			result);
	puts(out.buf);
}

static void add_finding(struct json *json, const struct diag *diag)
{
	json_object(json, NULL);
	json_string(json, "file", diag->at.source ? diag->at.source->name : NULL);
	json_number(json, "line", diag->at.line);
	json_number(json, "column", diag->at.column);
	json_string(json, "level", level_words[diag->level]);
	json_string(json, "id", diag->id);
	json_string(json, "message", diag->message);
}

/* Notes are within the finding that they belong to. */
static void add_findings(struct json *json, const struct diags *diags)
{
	const struct diag *end = diags->list.items + diags->list.count;

	json_array(json, "findings");
	for (const struct diag *diag = diags->list.items; diag < end;) {
		add_finding(json, diag++);
		json_array(json, "notes");
		for (; diag < end && diag->level == DIAG_NOTE; diag++) {
			add_finding(json, diag);
			json_end(json, '}');
		}
		json_end(json, ']');
		json_end(json, '}');
	}
	json_end(json, ']');
}

static void print_json(const struct check *check)
{
	_text_ struct text out = TEXT_INIT;
	struct json json = {.out = &out};

	json_object(&json, NULL);
	json_string(&json, "result", result_word(check));
	json_number(&json, "documents", check->documents);
	json_number(&json, "rules", check->rules);
	json_number(&json, "classes", check->classes);
	json_number(&json, "errors", check->diags.errors);
	json_number(&json, "warnings", check->diags.warnings);
	add_findings(&json, &check->diags);
	json_end(&json, '}');
	puts(out.buf);
}

static enum exit_code run_check(const struct arguments *args)
{
	const struct check_values *values = args->values;
	_policy_ struct policy *policy = NULL;
	struct check check = {.code = EXIT_USAGE};

	if (!args->operands.count)
		return cli_error("check: a file is due: bulkhead check %s",
				 check_command.arguments);
	if (!policy_load(args->operands.items, args->operands.count, &check.diags, &policy))
		check.code = check_policy(policy, &check);
	if (check.code == EXIT_FINE && values->is_strict && check.diags.warnings)
		check.code = EXIT_FINDING;
	check.documents = policy->documents;
	check.rules = policy->rules.count;
	if (output_is_json(values->format))
		print_json(&check);
	else
		print_text(&check);
	diags_release(&check.diags);
	return check.code;
}

const struct command check_command = {
	.name = "check",
	.arguments = "FILE... [--strict] [-o text|json]",
	.summary = "Read and compile a policy, and test what it promises of itself",
	.details =
		"FILE is a file, a directory (its *.yaml and *.yml) or '-'; all of them are one\n"
		"policy. Runs every 'never' over all addresses there are, and every 'expect', and\n"
		"warns of what is likely not meant (lint, BH001 to BH012).\n"
		"What it finds goes to stderr, each with its place; the last line of stdout is\n\n"
		"  N documents, N rules, N classes, N findings: ok|failed\n\n"
		"where classes are those of addresses that no rule tells apart. Exit code 1: a\n"
		"'never' or 'expect' is broken, or a warning under --strict; 2: the policy cannot\n"
		"be read or compiled. Needs no root and touches no kernel.",
	.examples = "bulkhead check policies/five-zone.yaml\n"
		    "bulkhead check --strict zones.yaml services/\n"
		    "bulkhead check -o json policies/five-zone.yaml",
	.options = OPTION_TABLE(check_options),
	.values_size = sizeof(struct check_values),
	.run = run_check,
};
