/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <limits.h>
#include <string.h>

#include "cli/check_kernel.h"
#include "cli/check_report.h"
#include "cli/output.h"
#include "policy/lint.h"
#include "policy/load.h"
#include "policy/promise.h"
#include "util/clock.h"

struct check_values {
	bool is_strict;
	bool has_kernel;
	const char *format;
};

/* clang-format off */
static const struct option check_options[] = {
	{ "strict", 0, OPTION_FLAG, .offset = offsetof(struct check_values, is_strict),
	  .help = "warnings count as errors" },
	{ "kernel", 0, OPTION_FLAG, .offset = offsetof(struct check_values, has_kernel),
	  .help = "ask the BPF programs too (needs root; touches no interface)" },
	OUTPUT_OPTION(struct check_values, format, "text|json|sarif|junit", "text"),
};

static const struct {
	const char *word;
	void (*write)(const struct check *check, struct text *out);
} formats[] = {
	{ "json",  check_json  },
	{ "sarif", check_sarif },
	{ "junit", check_junit },
};
/* clang-format on */

/* Puts what was found since the last call into a group; lint has its own wherever it runs. */
static void close_group(struct check *check, enum check_group group, uint64_t began)
{
	bool is_lint = false;

	for (size_t i = check->groups.count; i < check->diags.list.count; i++) {
		const struct diag *diag = &check->diags.list.items[i];

		if (diag->level != DIAG_NOTE)
			is_lint = diag->id != NULL;
		vec_push(&check->groups, is_lint ? CHECK_LINT : group);
	}
	check->took_ns[group] += clock_monotonic_ns() - began;
}

/* The promises of one kind, as they come. */
struct collector {
	const struct diags *diags;
	check_promises *promises;
	uint64_t began;
	size_t finding;
};

static void collect(void *context, bool is_kept)
{
	struct collector *k = context;
	uint64_t now = clock_monotonic_ns();
	const struct check_promise promise = {
		.finding = k->finding,
		.findings = k->diags->list.count - k->finding,
		.is_kept = is_kept,
		.took_ns = now - k->began,
	};

	vec_push(k->promises, promise);
	k->began = now;
	k->finding = k->diags->list.count;
}

static size_t check_promises_of(struct check *check, const struct compiled *c,
				enum check_group group)
{
	uint64_t began = clock_monotonic_ns();
	struct collector k = {
		.diags = &check->diags,
		.promises = group == CHECK_NEVER ? &check->nevers : &check->expects,
		.began = began,
		.finding = check->diags.list.count,
	};
	size_t broken = group == CHECK_NEVER ? promise_each_never(c, &check->diags, collect, &k)
					     : promise_each_expect(c, &check->diags, collect, &k);

	close_group(check, group, began);
	return broken;
}

static enum exit_code check_with_kernel(struct check *check, const struct compiled *c)
{
	uint64_t began = clock_monotonic_ns();
	_text_ struct text why = TEXT_INIT;
	enum exit_code code = EXIT_FINE;

	if (check_kernel(c, &c->image, &check->diags, &why, &check->kernel)) {
		diag_error(&check->diags, (struct span){}, "the kernel cannot be asked: %s",
			   why.buf);
		code = EXIT_USAGE;
	} else if (check->kernel.wrong) {
		code = EXIT_FINDING;
	}
	close_group(check, CHECK_KERNEL, began);
	return code;
}

static enum exit_code check_compiled(struct check *check, const struct compiled *c, bool has_kernel)
{
	enum exit_code code = EXIT_FINE, kernel = EXIT_FINE;
	uint64_t began;

	budget_take(c, &check->budget);
	check->is_compiled = true;
	if (check_promises_of(check, c, CHECK_NEVER) + check_promises_of(check, c, CHECK_EXPECT))
		code = EXIT_FINDING;
	began = clock_monotonic_ns();
	lint(c, clock_wall_s(), &check->diags);
	close_group(check, CHECK_LINT, began);
	if (has_kernel)
		kernel = check_with_kernel(check, c);
	if (kernel > code)
		code = kernel;
	if (code == EXIT_FINE && check->is_strict && check->diags.warnings)
		code = EXIT_FINDING;
	return code;
}

void check_files(const strings *files, bool has_kernel, struct check *check)
{
	uint64_t began = clock_monotonic_ns();
	_compiled_ struct compiled *compiled = NULL;
	int err;

	check->code = EXIT_USAGE;
	err = policy_load(files->items, files->count, &check->diags, &check->policy);
	if (!err)
		err = policy_compile(check->policy, &(struct environment){.now = clock_wall_s()},
				     &check->diags, &compiled);
	close_group(check, CHECK_POLICY, began);
	if (!err)
		check->code = check_compiled(check, compiled, has_kernel);
}

void check_release(struct check *check)
{
	diags_release(&check->diags);
	vec_release(&check->groups);
	vec_release(&check->nevers);
	vec_release(&check->expects);
	policy_free(check->policy);
}

static void print(const struct check *check, const char *format)
{
	_text_ struct text out = TEXT_INIT;

	for (size_t i = 0; i < COUNT(formats); i++) {
		if (!strcmp(formats[i].word, format))
			formats[i].write(check, &out);
	}
	if (!out.len) {
		diags_print(&check->diags, stderr);
		check_text(check, output_has_colour(stdout), &out);
	}
	fwrite(out.buf, 1, out.len, stdout);
}

static enum exit_code run_check(const struct arguments *args)
{
	const struct check_values *values = args->values;
	char base[PATH_MAX];
	_check_ struct check check = {
		.is_strict = values->is_strict,
		.base = getcwd(base, sizeof(base)),
	};

	if (!args->operands.count)
		return cli_error("check: a file is due: bulkhead check %s",
				 check_command.arguments);
	check_files(&args->operands, values->has_kernel, &check);
	print(&check, values->format);
	return check.code;
}

const struct command check_command = {
	.name = "check",
	.arguments = "FILE... [--strict] [--kernel] [-o text|json|sarif|junit]",
	.summary = "Read and compile a policy, and test what it promises of itself",
	.details =
		"FILE is a file, a directory (its *.yaml and *.yml) or '-'; all of them are one\n"
		"policy. Runs every 'never' over all addresses there are, and every 'expect', and\n"
		"warns of what is likely not meant (lint, BH001 to BH012).\n"
		"What it finds goes to stderr, each with its place; the last line of stdout is\n\n"
		"  N documents, N rules, N classes, N findings: ok|failed\n\n"
		"where classes are those of addresses that no rule tells apart. Before it, what\n"
		"the policy takes of the kernel's tables, and the most expensive rule: of those\n"
		"with a part in the most rows and prefixes, that without which the tables have\n"
		"the fewest entries.\n\n"
		"--kernel loads the BPF programs beside any that run, with maps of their own, and\n"
		"sends packets through all of them (XDP and tc): for every 'expect', and for\n"
		"every decision that the policy can come to (20,000 of them, if there are more).\n"
		"Where they decide otherwise than the compiled policy, that is an error with the\n"
		"packet.\n\n"
		"Exit code 1: a 'never' or 'expect' is broken, the kernel disagrees, or a warning\n"
		"under --strict; 2: the policy cannot be read or compiled, or --kernel cannot "
		"run.\n"
		"Without --kernel it needs no root and touches no kernel.",
	.examples = "bulkhead check policies/five-zone.yaml\n"
		    "bulkhead check --strict zones.yaml services/\n"
		    "bulkhead check -o sarif /etc/bulkhead/policy.d > bulkhead.sarif\n"
		    "sudo bulkhead check --kernel policies/five-zone.yaml",
	.options = OPTION_TABLE(check_options),
	.values_size = sizeof(struct check_values),
	.run = run_check,
};
