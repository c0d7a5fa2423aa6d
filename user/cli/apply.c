/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <string.h>

#include "agent/control/protocol.h"
#include "cli/change_answer.h"
#include "cli/output.h"
#include "cli/ssh_session.h"
#include "policy/load.h"
#include "util/json.h"

#define CONFIRM_MAX_S (24 * 3600)

struct apply_values {
	struct change_values change;
	uint32_t confirm_s;
	bool is_forced;
	bool is_strict;
};

/* clang-format off */
#define AT(member) .offset = offsetof(struct apply_values, member)
static const struct option apply_options[] = {
	{ "dry-run", 0, OPTION_FLAG, AT(change.is_dry_run), NULL,
	  "tell what it would do; nothing changes" },
	{ "confirm", 0, OPTION_DURATION, AT(confirm_s), "SECONDS",
	  "go back after that time, unless 'bulkhead confirm' comes first" },
	{ "force", 0, OPTION_FLAG, AT(is_forced), NULL,
	  "also if it cuts your own SSH session" },
	{ "strict", 0, OPTION_FLAG, AT(is_strict), NULL,
	  "not if it drops what was only audited until now" },
	SOCKET_OPTION(struct apply_values, change.socket),
	OUTPUT_OPTION(struct apply_values, change.format, "text|json", "text"),
};
#undef AT
/* clang-format on */

static void add_request(const struct policy *policy, const struct apply_values *values,
			struct text *out)
{
	_text_ struct text session = TEXT_INIT;
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
	json_bool(&json, "dry_run", values->change.is_dry_run);
	json_bool(&json, "force", values->is_forced);
	json_bool(&json, "strict", values->is_strict);
	json_number(&json, "confirm", values->confirm_s);
	if (ssh_session_find(&session))
		json_string(&json, "ssh", session.buf);
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
	add_request(policy, values, request);
	if (request->len >= PROTOCOL_MAX_REQUEST)
		return cli_error("apply: the policy is too large for one request: %zu bytes, at "
				 "most %lu",
				 request->len, PROTOCOL_MAX_REQUEST);
	return EXIT_FINE;
}

static enum exit_code run_apply(const struct arguments *args)
{
	const struct apply_values *values = args->values;
	_text_ struct text request = TEXT_INIT;
	enum exit_code code;

	if (!args->operands.count)
		return cli_error("apply: a file of the policy is due");
	if (arguments_have(args, "confirm") &&
	    (!values->confirm_s || values->confirm_s > CONFIRM_MAX_S))
		return cli_error("apply: '--confirm' must be from one second to a day");
	code = load_request(args, &request);
	return code == EXIT_FINE ? change_ask("apply", request.buf, &values->change) : code;
}

const struct command apply_command = {
	.name = "apply",
	.arguments = "FILE... [--dry-run] [--confirm SECONDS] [OPTION...]",
	.summary = "Have the agent swap a policy in, whole or not at all",
	.details =
		"All FILEs together are the new policy; what the agent had before is gone. A\n"
		"policy that does not compile, or breaks a promise of its own, leaves the running\n"
		"one untouched. Prints what changes for connections, as 'bulkhead diff' does,\n"
		"which live connections are cut, by the rule that lets them through now, and what\n"
		"of that which was only audited will be dropped. One that cuts the SSH session in\n"
		"which it is typed is refused.\n\n"
		"With --confirm the policy before comes back by itself after SECONDS, even if the\n"
		"agent is dead by then, and also if it dies: unless 'bulkhead confirm' comes\n"
		"first. 'bulkhead rollback' goes back at any time. Exit code 1: the agent refused\n"
		"it; 2: it cannot be read, or no agent answers.",
	.examples = "bulkhead apply policies/five-zone.yaml\n"
		    "bulkhead apply --dry-run zones.yaml services/\n"
		    "bulkhead apply --confirm 60 /etc/bulkhead/policy.d",
	.options = OPTION_TABLE(apply_options),
	.values_size = sizeof(struct apply_values),
	.run = run_apply,
};
