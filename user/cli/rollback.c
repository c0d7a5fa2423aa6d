/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/change_answer.h"
#include "cli/output.h"
#include "cli/ssh_session.h"
#include "util/json.h"

#define BACK_MAX 10

struct rollback_values {
	struct change_values change;
	bool is_forced;
};

/* clang-format off */
#define AT(member) .offset = offsetof(struct rollback_values, member)
static const struct option rollback_options[] = {
	{ "dry-run", 0, OPTION_FLAG, AT(change.is_dry_run), NULL,
	  "tell what it would do; nothing changes" },
	{ "force", 0, OPTION_FLAG, AT(is_forced), NULL,
	  "also if it cuts your own SSH session" },
	SOCKET_OPTION(struct rollback_values, change.socket),
	OUTPUT_OPTION(struct rollback_values, change.format, "text|json", "text"),
};
#undef AT
/* clang-format on */

static enum exit_code run_rollback(const struct arguments *args)
{
	const struct rollback_values *values = args->values;
	_text_ struct text session = TEXT_INIT;
	_text_ struct text request = TEXT_INIT;
	struct json json = {.out = &request};
	uint64_t back = 1;

	if (args->operands.count > 1)
		return cli_error("rollback: one number is enough");
	if (args->operands.count && !text_to_u64(args->operands.items[0], 1, BACK_MAX, &back))
		return cli_error("rollback: '%s' is no number from 1 to %d",
				 args->operands.items[0], BACK_MAX);
	json_object(&json, NULL);
	json_string(&json, "op", "rollback");
	json_number(&json, "back", back);
	json_bool(&json, "dry_run", values->change.is_dry_run);
	json_bool(&json, "force", values->is_forced);
	if (ssh_session_find(&session))
		json_string(&json, "ssh", session.buf);
	json_end(&json, '}');
	return change_ask("rollback", request.buf, &values->change);
}

const struct command rollback_command = {
	.name = "rollback",
	.arguments = "[N] [OPTION...]",
	.summary = "Have the agent go back to an earlier policy",
	.details =
		"N policies back, 1 if it is not given; the last ten are kept. The policy gone\n"
		"back to counts as a new one: 'rollback' once more undoes it. One that waits for\n"
		"'bulkhead confirm' is taken back at once. Prints what 'bulkhead apply' prints.\n"
		"Exit code 1: the agent refused, or has no such policy.",
	.examples = "bulkhead rollback\n"
		    "bulkhead rollback 3 --dry-run",
	.options = OPTION_TABLE(rollback_options),
	.values_size = sizeof(struct rollback_values),
	.run = run_rollback,
};
