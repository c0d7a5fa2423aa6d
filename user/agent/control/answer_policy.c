/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "agent/control/answer.h"
#include "agent/policies/change.h"
#include "agent/policies/history.h"
#include "agent/policies/pending.h"
#include "agent/policies/temporary_rule.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/when.h"

#define NS_PER_MS 1000000ull

/* What the change would do, as far as that was found out. */
static void tell_effects(const struct agent *a, const struct change *c, struct json *j)
{
	if (!c->diff.len)
		return;
	json_raw(j, "diff", c->diff.buf);
	cuts_json(&c->cuts, j, "cuts");
	json_bool(j, "promotion", c->is_promotion);
	audited_json(&a->audited, &c->drops, j, "audited");
}

static void answer_failure(const struct agent *a, const struct change *c, struct text *out)
{
	struct json j = {.out = out};

	json_object(&j, NULL);
	json_bool(&j, "ok", false);
	json_string(&j, "error", c->error.buf);
	json_string(&j, "diagnostics", c->diagnostics.buf);
	tell_effects(a, c, &j);
	json_end(&j, '}');
	text_addc(out, '\n');
}

static void answer_success(struct agent *a, const struct change *c, uint64_t began_ns,
			   struct text *out)
{
	const struct policy_version *v = c->next ? c->next : a->policies.current;
	const struct policy *policy = v->loaded->policy;
	struct json j = answer_ok_begin(out);

	tell_effects(a, c, &j);
	json_string(&j, "diagnostics", c->diagnostics.buf);
	json_number(&j, "generation", datapath_generation(a->dp));
	json_number(&j, "rules", policy->rules.count);
	json_number(&j, "workloads", policy->workloads.count);
	json_number(&j, "took_ms", (clock_monotonic_ns() - began_ns) / NS_PER_MS);
	answer_time(&j, "confirm_until", c->next ? 0 : pending_until(a));
	json_end(&j, '}');
	text_addc(out, '\n');
}

static void answer_wish(struct agent *a, const struct wish *wish, struct text *out)
{
	uint64_t began_ns = clock_monotonic_ns();
	_change_ struct change c = CHANGE_INIT;

	if (change_make(a, wish, &c))
		answer_failure(a, &c, out);
	else
		answer_success(a, &c, began_ns, out);
}

static struct wish reload_wish(const struct agent *a, const struct caller *who)
{
	return (struct wish){
		.command = "reload",
		.who = who,
		.input.paths = a->config->policy_paths,
		.input.path_count = a->config->policy_count,
		.is_forced = true,
		.is_quiet = true,
	};
}

int agent_reload(struct agent *a, struct text *diagnostics, struct text *reterr)
{
	const struct wish wish = reload_wish(a, NULL);
	_change_ struct change c = CHANGE_INIT;
	int err = change_make(a, &wish, &c);

	text_add(diagnostics, c.diagnostics.buf);
	text_add(reterr, c.error.buf);
	return err;
}

void answer_reload(struct agent *a, const struct request *request, struct text *out)
{
	const struct wish wish = reload_wish(a, &request->caller);

	answer_wish(a, &wish, out);
}

void answer_apply(struct agent *a, struct request *request, struct text *out)
{
	const struct wish wish = {
		.command = "apply",
		.who = &request->caller,
		.input.sources = request->sources.items,
		.input.source_count = request->sources.count,
		.is_dry_run = request->dry_run,
		.is_forced = request->force,
		.is_strict = request->strict,
		.session = request->ssh,
		.confirm_s = request->confirm_s,
	};

	if (!request->dry_run && datapath_revert_at(a->dp)) {
		_text_ struct text why = TEXT_INIT;

		pending_refuse(a, &why);
		control_error(out, why.buf);
		return;
	}
	answer_wish(a, &wish, out);
	request->sources.count = 0; /* their contents were taken over */
}

/* Where the disk was full, the newest that is kept is another one, and numbers count from it. */
static int keep_current(const struct agent *a, struct text *reterr)
{
	int err = history_add(a->config->state_dir, a->policies.current->loaded, NULL);

	if (err)
		text_addf(reterr,
			  "the policy in force can't be kept in '%s/" HISTORY_DIRECTORY
			  "', and what is kept there need not be the one before it: %s; apply the "
			  "one that you want",
			  a->config->state_dir, strerror(-err));
	return err;
}

static void roll_back(struct agent *a, const struct request *request, unsigned int back,
		      struct text *out)
{
	_text_ struct text why = TEXT_INIT;
	source_list texts = {};
	struct wish wish = {
		.command = "rollback",
		.who = &request->caller,
		.is_dry_run = request->dry_run,
		.is_forced = request->force,
		.session = request->ssh,
	};

	if (keep_current(a, &why) || history_read(a->config->state_dir, back, &texts, &why)) {
		control_error(out, why.buf);
		return;
	}
	wish.input.sources = texts.items;
	wish.input.source_count = texts.count;
	answer_wish(a, &wish, out);
	vec_release(&texts);
}

/* One that waits to be confirmed is the newest, though no part of the history. */
void answer_rollback(struct agent *a, const struct request *request, struct text *out)
{
	bool is_pending = datapath_revert_at(a->dp) && !request->dry_run;
	const struct change c = CHANGE_INIT;

	if (!request->back) {
		control_error(out, "'back' must be at least 1");
		return;
	}
	if (is_pending)
		pending_go_back(a, &request->caller, NULL);
	if (is_pending && request->back == 1)
		answer_success(a, &c, clock_monotonic_ns(), out);
	else
		roll_back(a, request, (unsigned int)(request->back - is_pending), out);
}

void answer_confirm(struct agent *a, const struct request *request, struct text *out)
{
	const struct change c = CHANGE_INIT;
	int err = pending_confirm(a, &request->caller);

	if (err == -ENOENT)
		control_error(out, "no policy waits to be confirmed");
	else if (err)
		control_error(out, "it is too late; the policy before is in force again");
	else
		answer_success(a, &c, clock_monotonic_ns(), out);
}

void answer_allow(struct agent *a, const struct request *request, struct text *out)
{
	const struct temporary *rule;
	_change_ struct change c = CHANGE_INIT;
	_text_ struct text end = TEXT_INIT;
	struct json j;

	if (temporary_rule_add(a, request, &c, &rule)) {
		answer_failure(a, &c, out);
		return;
	}
	time_format(rule->expires, &end);
	j = answer_ok_begin(out);
	json_string(&j, "rule", rule->source.name);
	json_string(&j, "expires", end.buf);
	json_string(&j, "diagnostics", c.diagnostics.buf);
	json_number(&j, "generation", datapath_generation(a->dp));
	json_end(&j, '}');
	text_addc(out, '\n');
}
