/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/output.h"
#include "cli/values.h"
#include "util/json.h"

struct allow_values {
	uint32_t for_s;
	const char *from, *to, *service, *reason;
	const char *socket;
	const char *format;
};

/* clang-format off */
#define AT(member) .offset = offsetof(struct allow_values, member)
static const struct option allow_options[] = {
	{ "for", 0, OPTION_DURATION, AT(for_s), "TIME", "how long: 90s, 30m, 1h; at most 30d" },
	{ "from", 0, OPTION_TEXT, AT(from), "WHO", "who opens: a zone, a workload, an address" },
	{ "to", 0, OPTION_TEXT, AT(to), "WHO", "who is opened to" },
	{ "service", 0, OPTION_TEXT, AT(service), "SERVICE", "such as tcp/22, or any" },
	{ "reason", 0, OPTION_TEXT, AT(reason), "TEXT", "why; it goes into the audit log" },
	SOCKET_OPTION(struct allow_values, socket),
	OUTPUT_OPTION(struct allow_values, format, "text|json", "text"),
};
#undef AT
/* clang-format on */

static void add_request(const struct allow_values *values, struct text *out)
{
	struct json json = {.out = out};

	json_object(&json, NULL);
	json_string(&json, "op", "allow");
	json_number(&json, "for", values->for_s);
	json_string(&json, "from", values->from);
	json_string(&json, "to", values->to);
	json_string(&json, "service", values->service);
	json_string(&json, "reason", values->reason);
	json_end(&json, '}');
}

static enum exit_code print_answer(const cJSON *answer, const struct allow_values *values)
{
	bool is_ok = cJSON_IsTrue(value_of(answer, "ok"));
	_free_ char *json = NULL;

	if (output_is_json(values->format)) {
		json = cJSON_PrintUnformatted(answer);
		puts(json);
		return is_ok ? EXIT_FINE : EXIT_FINDING;
	}
	fputs(value_string(value_of(answer, "diagnostics")), stderr);
	if (is_ok)
		printf("'%s' allows it until %s\n", value_string(value_of(answer, "rule")),
		       value_string(value_of(answer, "expires")));
	else
		cli_error("allow: refused: %s", value_string(value_of(answer, "error")));
	return is_ok ? EXIT_FINE : EXIT_FINDING;
}

static enum exit_code run_allow(const struct arguments *args)
{
	static const char *const due[] = {"for", "from", "to", "service", "reason"};
	const struct allow_values *values = args->values;
	_client_ struct client client = CLIENT_INIT;
	_text_ struct text request = TEXT_INIT;
	_text_ struct text error = TEXT_INIT;
	_cjson_ cJSON *answer = NULL;

	if (args->operands.count)
		return cli_error("allow: '%s' is too much; see 'bulkhead allow --help'",
				 args->operands.items[0]);
	for (size_t i = 0; i < COUNT(due); i++) {
		if (!arguments_have(args, due[i]))
			return cli_error("allow: '--%s' is due", due[i]);
	}
	add_request(values, &request);
	if (client_ask(&client, values->socket, request.buf, &error) ||
	    client_answer(&client, NULL, NULL, &error, &answer))
		return cli_error("allow: %s", error.buf);
	return print_answer(answer, values);
}

const struct command allow_command = {
	.name = "allow",
	.arguments = "--for TIME --from WHO --to WHO --service SERVICE --reason TEXT",
	.summary = "Allow something for a while, beside the policy",
	.details =
		"Break-glass access: a rule that the agent adds to whatever policy is in force,\n"
		"and that ends by itself, in the kernel, even with the agent dead. It outlives a\n"
		"restart of the agent, reports every connection, and is shown by 'bulkhead list\n"
		"rules'. No 'never' and no deny of the policy gives way to it. Exit code 1: the\n"
		"agent refused it.",
	.examples = "bulkhead allow --for 1h --from 10.1.2.3 --to postgres --service tcp/5432 "
		    "--reason INC-42",
	.options = OPTION_TABLE(allow_options),
	.values_size = sizeof(struct allow_values),
	.run = run_allow,
};
