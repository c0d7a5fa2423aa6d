/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <string.h>

#include "agent/answer.h"
#include "policy/diff.h"
#include "util/clock.h"
#include "util/log.h"

#define NS_PER_MS 1000000ull

/* What was wrong with a policy, and why it is not in force. */
struct failure {
	struct text diagnostics;
	struct text error;
};

#define FAILURE_INIT                                                                               \
	{                                                                                          \
		.diagnostics = TEXT_INIT, .error = TEXT_INIT                                       \
	}

static void failure_release(struct failure *f)
{
	text_release(&f->diagnostics);
	text_release(&f->error);
}

static void answer_failure(const struct failure *f, struct text *out)
{
	struct json j = {.out = out};

	json_object(&j, NULL);
	json_bool(&j, "ok", false);
	json_string(&j, "error", f->error.buf);
	json_string(&j, "diagnostics", f->diagnostics.buf);
	json_end(&j, '}');
	text_addc(out, '\n');
}

static void answer_success(struct agent *a, const struct policy *policy, uint64_t began_ns,
			   const struct text *diff, struct text *out)
{
	struct json j = answer_ok_begin(out);

	if (diff)
		json_raw(&j, "diff", diff->buf);

	json_number(&j, "generation", datapath_generation(a->dp));
	json_number(&j, "rules", policy->rules.count);
	json_number(&j, "workloads", policy->workloads.count);
	json_number(&j, "took_ms", (clock_monotonic_ns() - began_ns) / NS_PER_MS);
	json_end(&j, '}');
	text_addc(out, '\n');
}

/*
 * What @v changes, as a JSON array of lines; null without a policy in force, or where the two
 * differ too widely to be listed.
 */
static void tell_diff(const struct agent *a, const struct policy_version *v, struct text *out)
{
	const struct policy_version *current = a->policies.current;
	_text_ struct text line = TEXT_INIT;
	struct json j = {.out = out};
	_diff_ struct diff diff = {};

	if (!current || policy_diff(current->compiled, v->compiled, &diff, &line)) {
		text_add(out, "null");
		return;
	}
	json_array(&j, NULL);
	vec_foreach (region, &diff.regions) {
		text_reset(&line);
		diff_region_format(region, &line);
		json_string(&j, NULL, line.buf);
	}
	json_end(&j, ']');
}

static int prepare(struct agent *a, const struct policy_input *input, struct text *diagnostics,
		   struct text *reterr, struct policy_version **ret)
{
	int err = policy_set_prepare(&a->policies, input, diagnostics, ret);

	if (err)
		text_add(reterr, "the policy is not valid; the one in force is untouched");
	return err;
}

static int swap(struct agent *a, struct policy_version *v, struct text *reterr)
{
	_text_ struct text why = TEXT_INIT;
	int err = policy_set_swap(&a->policies, v, &why);

	if (err)
		text_addf(reterr, "cannot put the policy in force: %s",
			  why.len ? why.buf : strerror(-err));
	return err;
}

int agent_reload(struct agent *a, struct text *diagnostics, struct text *reterr)
{
	struct policy_input input = {
		.paths = a->config->policy_paths,
		.path_count = a->config->policy_count,
	};
	_policy_version_ struct policy_version *v = NULL;
	int err = prepare(a, &input, diagnostics, reterr, &v);

	return err ? err : swap(a, TAKE_PTR(v), reterr);
}

void answer_reload(struct agent *a, struct text *out)
{
	_cleanup_(failure_release)
	struct failure failure = FAILURE_INIT;
	uint64_t began_ns = clock_monotonic_ns();

	if (agent_reload(a, &failure.diagnostics, &failure.error)) {
		log_warning("msg=\"policy not reloaded\" error=\"%s\"", failure.error.buf);
		answer_failure(&failure, out);
		return;
	}
	answer_success(a, a->policies.current->loaded->policy, began_ns, NULL, out);
}

void answer_apply(struct agent *a, struct request *request, struct text *out)
{
	struct policy_input input = {
		.sources = request->sources.items,
		.source_count = request->sources.count,
	};
	_cleanup_(failure_release)
	struct failure failure = FAILURE_INIT;
	_policy_version_ struct policy_version *v = NULL;
	uint64_t began_ns = clock_monotonic_ns();
	_text_ struct text diff = TEXT_INIT;
	int err;

	err = prepare(a, &input, &failure.diagnostics, &failure.error, &v);
	request->sources.count = 0; /* their contents were taken over */
	if (!err)
		tell_diff(a, v, &diff);
	if (!err && request->dry_run) {
		answer_success(a, v->loaded->policy, began_ns, &diff, out);
		return;
	}
	if (!err)
		err = swap(a, TAKE_PTR(v), &failure.error);
	if (err) {
		log_warning("msg=\"policy not applied\" error=\"%s\"", failure.error.buf);
		answer_failure(&failure, out);
		return;
	}
	answer_success(a, a->policies.current->loaded->policy, began_ns, &diff, out);
}
