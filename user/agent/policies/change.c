/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/policies/change.h"

#include <errno.h>
#include <string.h>

#include "agent/events/intake.h"
#include "agent/policies/audit.h"
#include "agent/policies/history.h"
#include "agent/policies/pending.h"
#include "policy/diff.h"
#include "util/log.h"

#define SUMMARY_LINES 20 /* of a diff, in the audit log */

const char *policy_hash(const struct agent *a)
{
	return a->policies.current ? a->policies.current->loaded->hash : NULL;
}

void change_release(struct change *c)
{
	policy_version_free(c->next);
	text_release(&c->diagnostics);
	text_release(&c->error);
	text_release(&c->diff);
	text_release(&c->summary);
	cuts_release(&c->cuts);
	audited_drops_release(&c->drops);
}

static void summarise(const struct diff *diff, const struct text *lines, struct text *out)
{
	struct json j = {.out = out};
	uint64_t count[3] = {};

	vec_foreach (region, &diff->regions)
		count[region->sign == '+' ? 0 : region->sign == '-' ? 1 : 2]++;
	json_object(&j, NULL);
	json_number(&j, "allowed", count[0]);
	json_number(&j, "denied", count[1]);
	json_number(&j, "otherwise", count[2]);
	json_raw(&j, "lines", lines->buf);
	json_end(&j, '}');
}

static void list_regions(const struct diff *diff, size_t most, struct text *out)
{
	_text_ struct text line = TEXT_INIT;
	struct json j = {.out = out};

	json_array(&j, NULL);
	for (size_t i = 0; i < diff->regions.count && i < most; i++) {
		text_reset(&line);
		diff_region_format(&diff->regions.items[i], &line);
		json_string(&j, NULL, line.buf);
	}
	json_end(&j, ']');
}

static bool is_promotion(const struct diff_region *region)
{
	static const char audit[] = "audit";

	return region->sign == '-' && !strncmp(region->was, audit, strlen(audit));
}

/* Null without a policy in force, or where the two differ too widely to be listed. */
static void tell_diff(const struct agent *a, struct change *c)
{
	const struct policy_version *current = a->policies.current;
	_text_ struct text lines = TEXT_INIT;
	_text_ struct text why = TEXT_INIT;
	_diff_ struct diff diff = {};

	if (!current || policy_diff(current->compiled, c->next->compiled, &diff, &why)) {
		text_add(&c->diff, "null");
		return;
	}
	list_regions(&diff, SIZE_MAX, &c->diff);
	list_regions(&diff, SUMMARY_LINES, &lines);
	summarise(&diff, &lines, &c->summary);
	vec_foreach (region, &diff.regions)
		c->is_promotion |= is_promotion(region);
}

static int refuse(struct change *c, const char *why)
{
	text_add(&c->error, why);
	return -EPERM;
}

static int judge(const struct wish *wish, struct change *c)
{
	if (c->cuts.has_session && !wish->is_forced)
		return refuse(c, "it would cut your own session; --force does it all the same");
	if (c->drops.connections && wish->is_strict)
		return refuse(c, "it would drop what was audited, and --strict is given");
	return 0;
}

static int prepare(struct agent *a, const struct wish *wish, struct change *c)
{
	int err;

	err = policy_set_prepare(&a->policies, &wish->input, &c->diagnostics, &c->next);
	if (err) {
		a->policies.swaps.failed += !wish->is_dry_run;
		text_add(&c->error, "the policy is not valid; the one in force is untouched");
		return err;
	}
	tell_diff(a, c);
	if (wish->is_quiet)
		return 0;
	cuts_find(a, c->next, wish->session, &c->cuts);
	intake_drain(a); /* what was audited until now counts, read or not */
	audited_find(&a->audited, c->next->compiled, &c->drops);
	return 0;
}

static int put_in_force(struct agent *a, const struct wish *wish, struct change *c)
{
	_text_ struct text why = TEXT_INIT;
	int err;

	if (wish->confirm_s)
		err = pending_begin(a, c->next, wish, &why);
	else
		err = policy_set_swap(&a->policies, c->next, &why);
	c->next = NULL;
	if (err)
		text_addf(&c->error, "cannot put the policy in force: %s",
			  why.len ? why.buf : strerror(-err));
	return err;
}

static void end_temporaries(struct agent *a)
{
	const struct loaded_policy *loaded = a->policies.current->loaded;
	struct temporaries *temporaries = &a->policies.temporaries;
	const struct audit_entry entry = {
		.command = "allow",
		.before = loaded->hash,
		.after = loaded->hash,
		.outcome = "ended",
		.note = "the temporary rules don't fit the policy that is in force now",
	};

	if (!temporaries->list.count || loaded->policy->sources.count > loaded->own_sources)
		return;
	temporaries_release(temporaries);
	temporaries_save(temporaries, a->config->state_dir);
	audit_add(a->config->state_dir, &entry);
}

void change_settled(struct agent *a, const struct caller *who)
{
	int err = history_add(a->config->state_dir, a->policies.current->loaded, who);

	if (err)
		log_error("msg=\"policy not kept for a rollback\" error=\"%s\"", strerror(-err));
	end_temporaries(a);
}

static int try_change(struct agent *a, const struct wish *wish, struct change *c)
{
	int err = wish->is_dry_run ? 0 : pending_refuse(a, &c->error);

	if (!err)
		err = prepare(a, wish, c);
	if (err || wish->is_dry_run)
		return err;
	err = judge(wish, c);
	return err ? err : put_in_force(a, wish, c);
}

int change_make(struct agent *a, const struct wish *wish, struct change *ret)
{
	char before[POLICY_HASH_STRLEN] = "";
	struct audit_entry entry = {
		.who = wish->who,
		.command = wish->command,
		.before = before,
		.outcome = "done",
	};
	int err;

	memcpy(before, policy_hash(a), sizeof(before));
	err = try_change(a, wish, ret);
	if (wish->is_dry_run)
		return err;
	if (err)
		entry.outcome = "refused";
	else if (wish->confirm_s)
		entry.outcome = "to be confirmed";
	entry.after = err && ret->next ? ret->next->loaded->hash : policy_hash(a);
	entry.diff = ret->summary.len ? ret->summary.buf : NULL;
	entry.note = err ? ret->error.buf : NULL;
	audit_add(a->config->state_dir, &entry);
	if (err)
		log_warning("msg=\"policy not changed\" command=%s error=\"%s\"", wish->command,
			    ret->error.buf);
	else if (!wish->confirm_s)
		change_settled(a, wish->who);
	return err;
}
