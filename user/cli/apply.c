/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <string.h>

#include "agent/protocol.h"
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/output.h"
#include "policy/load.h"
#include "util/json.h"

struct apply_values {
	bool is_dry_run;
	const char *socket;
	const char *format;
};

/* clang-format off */
#define AT(member) .offset = offsetof(struct apply_values, member)
static const struct option apply_options[] = {
	{ "dry-run", 0, OPTION_FLAG, AT(is_dry_run), NULL,
	  "compile and check only; nothing changes" },
	SOCKET_OPTION(struct apply_values, socket),
	OUTPUT_OPTION(struct apply_values, format, "text|json", "text"),
};
#undef AT
/* clang-format on */

static void add_request(const struct policy *policy, bool is_dry_run, struct text *out)
{
	struct json json = {.out = out};

	json_object(&json, NULL);
	json_string(&json, "op", "apply");
	json_array(&json, "sources");
	vec_foreach (source, &policy->sources) {
		json_object(&json, NULL);
		json_string(&json, "name", (*source)->name);
		json_string(&json, "text", (*source)->text);
		json_end(&json, '}');
	}
	json_end(&json, ']');
	json_bool(&json, "dry_run", is_dry_run);
	json_end(&json, '}');
}

/* The files are read and judged here first: what is wrong with them needs no agent to be told. */
static enum exit_code load_request(const struct arguments *args, struct text *request)
{
	const struct apply_values *values = args->values;
	_policy_ struct policy *policy = NULL;
	_diags_ struct diags diags = {};
	int err = policy_load(args->operands.items, args->operands.count, &diags, &policy);

	if (err) {
		diags_print(&diags, stderr);
		return EXIT_USAGE;
	}
	add_request(policy, values->is_dry_run, request);
	if (request->len >= PROTOCOL_MAX_REQUEST)
		return cli_error("apply: the policy is too large for one request: %zu bytes, at "
				 "most %lu",
				 request->len, PROTOCOL_MAX_REQUEST);
	return EXIT_FINE;
}

static void print_diff(const cJSON *answer)
{
	bool has_colour = output_has_colour(stdout);
	_text_ struct text out = TEXT_INIT;
	const cJSON *item;

	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(answer, "diff"))
	{
		const char *line = cJSON_GetStringValue(item);

		if (!line)
			continue;
		text_add_colour(&out, has_colour ? colour_of_sign(*line) : COLOUR_NONE, line);
		text_addc(&out, '\n');
	}
	fwrite(out.buf, 1, out.len, stdout);
}

static void print_applied(const cJSON *answer, bool is_dry_run)
{
	static const char *const counts[] = {"rules", "workloads", "took_ms"};
	double numbers[COUNT(counts)];

	for (size_t i = 0; i < COUNT(counts); i++) {
		const cJSON *item = cJSON_GetObjectItemCaseSensitive(answer, counts[i]);

		numbers[i] = cJSON_IsNumber(item) ? cJSON_GetNumberValue(item) : 0;
	}
	if (is_dry_run)
		fputs("would be applied: ", stdout);
	else
		printf("applied as generation %.0f: ",
		       cJSON_GetNumberValue(
			       cJSON_GetObjectItemCaseSensitive(answer, "generation")));
	printf("%.0f rules, %.0f workloads, %.0f ms\n", numbers[0], numbers[1], numbers[2]);
}

static void print_refusal(const cJSON *answer)
{
	const char *diagnostics =
		cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(answer, "diagnostics"));
	const char *error = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(answer, "error"));

	if (diagnostics)
		fputs(diagnostics, stderr);
	cli_error("apply: refused: %s", error ? error : "the agent did not say why");
}

static enum exit_code print_answer(const cJSON *answer, const struct apply_values *values)
{
	bool is_ok = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(answer, "ok"));
	_free_ char *json = NULL;

	if (output_is_json(values->format)) {
		json = cJSON_PrintUnformatted(answer);
		puts(json);
	} else if (is_ok) {
		print_diff(answer);
		print_applied(answer, values->is_dry_run);
	} else {
		print_refusal(answer);
	}
	return is_ok ? EXIT_FINE : EXIT_FINDING;
}

static enum exit_code run_apply(const struct arguments *args)
{
	const struct apply_values *values = args->values;
	_client_ struct client client = CLIENT_INIT;
	_text_ struct text request = TEXT_INIT;
	_text_ struct text error = TEXT_INIT;
	_cjson_ cJSON *answer = NULL;
	enum exit_code code;

	if (!args->operands.count)
		return cli_error("apply: a file of the policy is due");
	code = load_request(args, &request);
	if (code != EXIT_FINE)
		return code;
	if (client_ask(&client, values->socket, request.buf, &error) ||
	    client_answer(&client, NULL, NULL, &error, &answer))
		return cli_error("apply: %s", error.buf);
	return print_answer(answer, values);
}

const struct command apply_command = {
	.name = "apply",
	.arguments = "FILE... [--dry-run] [OPTION...]",
	.summary = "Have the agent swap a policy in, whole or not at all",
	.details =
		"All FILEs together are the new policy; what the agent had before is gone. A\n"
		"policy that does not compile, or breaks a promise of its own, leaves the running\n"
		"one untouched. Prints what changes for connections, as 'bulkhead diff' does. "
		"Exit\n"
		"code 1: the agent refused it; 2: it cannot be read, or no agent answers.",
	.examples = "bulkhead apply policies/five-zone.yaml\n"
		    "bulkhead apply --dry-run zones.yaml services/",
	.options = OPTION_TABLE(apply_options),
	.values_size = sizeof(struct apply_values),
	.run = run_apply,
};
