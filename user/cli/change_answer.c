/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/change_answer.h"

#include <string.h>

#include "cli/output.h"
#include "cli/values.h"

static void print_diff(const cJSON *answer, bool has_colour, struct text *out)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, value_of(answer, "diff"))
	{
		const char *line = value_string(item);

		text_add_colour(out, has_colour ? colour_of_sign(*line) : COLOUR_NONE, line);
		text_addc(out, '\n');
	}
}

static const char *plural(double count)
{
	return count == 1 ? "" : "s";
}

static void add_plain(struct text *out, const char *s)
{
	text_add_plain(out, s, strlen(s));
}

/* "cuts 3 connections of 'web': client 10.0.0.1:5 -> server 10.0.1.1:443 tcp, ..." */
static void add_cuts(const cJSON *rule, struct text *out)
{
	double count = value_number(rule, "connections");
	const cJSON *examples = value_of(rule, "examples");
	const cJSON *item;

	text_addf(out, "cuts %.0f connection%s of '", count, plural(count));
	add_plain(out, value_string(value_of(rule, "rule")));
	text_add(out, "':");
	cJSON_ArrayForEach(item, examples)
	{
		text_add(out, item->prev->next ? ", " : " ");
		add_plain(out, value_string(item));
	}
	if (count > cJSON_GetArraySize(examples))
		text_add(out, ", ...");
	text_addc(out, '\n');
}

/* "drops what was audited: 3 connections of 'default' since TIME, such as ..." */
static void add_audited(const cJSON *audited, const cJSON *rule, struct text *out)
{
	double count = value_number(rule, "connections");

	text_addf(out, "drops what was audited: %.0f connection%s of '", count, plural(count));
	add_plain(out, value_string(value_of(rule, "rule")));
	text_addf(out, "' since %s, such as ", value_string(value_of(audited, "since")));
	add_plain(out, value_string(value_of(rule, "example")));
	text_addc(out, '\n');
}

static void print_effects(const cJSON *answer)
{
	const cJSON *audited = value_of(answer, "audited");
	_text_ struct text out = TEXT_INIT;
	const cJSON *item;

	print_diff(answer, output_has_colour(stdout), &out);
	cJSON_ArrayForEach(item, value_of(value_of(answer, "cuts"), "rules")) add_cuts(item, &out);
	if (cJSON_IsTrue(value_of(value_of(answer, "cuts"), "own_session")))
		text_add(&out, "cuts your own session\n");
	cJSON_ArrayForEach(item, value_of(audited, "rules")) add_audited(audited, item, &out);
	if (cJSON_IsTrue(value_of(answer, "promotion")) && !value_number(audited, "connections"))
		text_addf(&out, "denies what was audited; nothing of it was seen since %s\n",
			  value_string(value_of(audited, "since")));
	fwrite(out.buf, 1, out.len, stdout);
}

static void print_success(const cJSON *answer, bool is_dry_run)
{
	const char *until = value_text(answer, "confirm_until");

	if (is_dry_run)
		fputs("would be applied: ", stdout);
	else
		printf("applied as generation %.0f: ", value_number(answer, "generation"));
	printf("%.0f rules, %.0f workloads, %.0f ms\n", value_number(answer, "rules"),
	       value_number(answer, "workloads"), value_number(answer, "took_ms"));
	if (until)
		printf("until %s, unless 'bulkhead confirm' comes first\n", until);
}

static enum exit_code print_answer(const char *command, const cJSON *answer,
				   const struct change_values *values)
{
	bool is_ok = cJSON_IsTrue(value_of(answer, "ok"));
	const char *diagnostics = value_text(answer, "diagnostics");
	const char *error = value_text(answer, "error");
	_free_ char *json = NULL;

	if (output_is_json(values->format)) {
		json = cJSON_PrintUnformatted(answer);
		puts(json);
		return is_ok ? EXIT_FINE : EXIT_FINDING;
	}
	print_effects(answer);
	if (diagnostics)
		fputs(diagnostics, stderr);
	if (is_ok)
		print_success(answer, values->is_dry_run);
	else
		cli_error("%s: refused: %s", command, error ? error : "the agent did not say why");
	return is_ok ? EXIT_FINE : EXIT_FINDING;
}

enum exit_code change_ask(const char *command, const char *request,
			  const struct change_values *values)
{
	_client_ struct client client = CLIENT_INIT;
	_text_ struct text error = TEXT_INIT;
	_cjson_ cJSON *answer = NULL;

	if (client_ask(&client, values->socket, request, &error) ||
	    client_answer(&client, NULL, NULL, &error, &answer))
		return cli_error("%s: %s", command, error.buf);
	return print_answer(command, answer, values);
}
