/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/cli.h"
#include "cli/output.h"
#include "cli/policy_files.h"
#include "policy/diff.h"
#include "util/clock.h"
#include "util/json.h"

struct diff_values {
	const char *format;
};

/* clang-format off */
static const struct option diff_options[] = {
	OUTPUT_OPTION(struct diff_values, format, "text|json", "text"),
};
/* clang-format on */

static void print_text(const struct diff *diff)
{
	bool has_colour = output_has_colour(stdout);
	_text_ struct text line = TEXT_INIT;
	_text_ struct text out = TEXT_INIT;

	vec_foreach (region, &diff->regions) {
		text_reset(&line);
		diff_region_format(region, &line);
		text_add_colour(&out, has_colour ? colour_of_sign(region->sign) : COLOUR_NONE,
				line.buf);
		text_addc(&out, '\n');
	}
	fwrite(out.buf, 1, out.len, stdout);
}

static void add_end(struct json *json, const char *key, const struct diff_end *end)
{
	_text_ struct text term = TEXT_INIT;
	char buf[ADDRESS_STRLEN];

	json_object(json, key);
	json_array(json, "names");
	vec_foreach (t, &end->terms) {
		text_reset(&term);
		diff_term_format(t, &term);
		json_string(json, NULL, term.buf);
	}
	json_end(json, ']');
	json_array(json, "cidrs");
	vec_foreach (prefix, &end->prefixes)
		json_string(json, NULL, prefix_format(prefix, buf));
	json_end(json, ']');
	json_end(json, '}');
}

static void print_json(const struct diff *diff)
{
	_text_ struct text out = TEXT_INIT;
	struct json json = {.out = &out};

	json_array(&json, NULL);
	vec_foreach (region, &diff->regions) {
		const char sign[] = {region->sign, '\0'};

		json_object(&json, NULL);
		json_string(&json, "sign", sign);
		add_end(&json, "from", region->from);
		add_end(&json, "to", region->to);
		json_string(&json, "services", region->service_text);
		json_string(&json, "was", region->was);
		json_string(&json, "now", region->now);
		json_end(&json, '}');
	}
	json_end(&json, ']');
	puts(out.buf);
}

static enum exit_code compare(const struct compiled *old, const struct compiled *new,
			      const struct diff_values *values)
{
	_text_ struct text error = TEXT_INIT;
	_diff_ struct diff diff = {};

	if (policy_diff(old, new, &diff, &error))
		return cli_error("diff: %s", error.buf);
	if (output_is_json(values->format))
		print_json(&diff);
	else
		print_text(&diff);
	return diff.regions.count ? EXIT_FINDING : EXIT_FINE;
}

static enum exit_code run_diff(const struct arguments *args)
{
	_policy_files_ struct policy_files old = {}, new = {};
	int64_t now = clock_wall_s();
	bool is_broken;

	if (args->operands.count != 2)
		return cli_error("diff: two policies are due: bulkhead diff %s; several files go "
				 "into a directory",
				 diff_command.arguments);
	/* Both at one time: what expires in between is no difference. */
	is_broken = policy_files_load(&old, &args->operands.items[0], 1, now) != 0;
	is_broken |= policy_files_load(&new, &args->operands.items[1], 1, now) != 0;
	return is_broken ? EXIT_USAGE : compare(old.compiled, new.compiled, args->values);
}

const struct command diff_command = {
	.name = "diff",
	.arguments = "OLD NEW [-o text|json]",
	.summary = "Tell which connections two policies decide differently",
	.details =
		"OLD and NEW are each a file, a directory (its *.yaml and *.yml) or '-'. Prints\n"
		"what changes, one line for sources, destinations and services that change\n"
		"alike, exactly and over all addresses there are; and nothing if and only if\n"
		"nothing changes:\n\n"
		"  + FROM -> TO SERVICES  newly through\n"
		"  - FROM -> TO SERVICES  no longer\n"
		"  ~ FROM -> TO SERVICES  the same, another way: by reject, audit or with a log\n\n"
		"with a note such as '(deny -> audit)' where it isn't plain deny and allow. A "
		"name\n"
		"stands for exactly its addresses; where OLD and NEW mean different ones by it,\n"
		"they are shown instead, or 'NAME as in NEW'. Names of rules, 'never' and "
		"'expect'\n"
		"make no difference. Exit code 1: there is a difference; 2: a policy cannot be\n"
		"read or compiled.",
	.examples = "bulkhead diff /etc/bulkhead/policy.d new.yaml\n"
		    "bulkhead diff -o json old.yaml new.yaml",
	.options = OPTION_TABLE(diff_options),
	.values_size = sizeof(struct diff_values),
	.run = run_diff,
};
