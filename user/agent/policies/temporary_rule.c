/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/policies/temporary_rule.h"

#include <errno.h>
#include <string.h>

#include "agent/policies/audit.h"
#include "agent/policies/pending.h"
#include "policy/explain.h"
#include "util/clock.h"
#include "util/log.h"

typedef int prepare_fn(struct policy_set *set, const struct policy_input *input,
		       struct text *diagnostics, struct policy_version **ret);

/* The policy in force, with the temporary rules as they are now. */
static int prepare_again(struct agent *a, prepare_fn *prepare, struct text *diagnostics,
			 struct policy_version **ret)
{
	const struct loaded_policy *loaded = a->policies.current->loaded;
	source_list texts = {};
	struct policy_input input = {};
	int err;

	loaded_policy_texts(loaded, &texts);
	input.sources = texts.items;
	input.source_count = texts.count;
	input.paths = (const char *const *)loaded->paths.items;
	input.path_count = loaded->paths.count;
	err = prepare(&a->policies, &input, diagnostics, ret);
	vec_release(&texts);
	if (err)
		return err;
	(*ret)->loaded->origin = loaded->origin;
	(*ret)->loaded->is_kept = loaded->is_kept;
	return 0;
}

/* A deny stands above it: then it is better not to be there than to be of no use. */
static int check_use(const struct compiled *compiled, const struct request *r, struct text *reterr)
{
	const struct question q = {r->from, r->to, r->service};
	_cleanup_(answer_release)
	struct answer answer = {};
	_text_ struct text why = TEXT_INIT;

	if (explain_ask(compiled, &q, &answer, &why) || answer.is_mixed ||
	    BH_VERDICT_PASSES(answer.decision.verdict))
		return 0;
	text_addf(reterr, "it would still be denied by '%s', which no temporary rule is above",
		  compiled_rule_name(compiled, answer.decision.rule));
	return -EPERM;
}

static int check_request(const struct request *r, struct text *reterr)
{
	if (r->for_s && r->for_s <= TEMPORARY_MAX_S && *r->reason)
		return 0;
	text_addf(reterr,
		  *r->reason ? "'for' must be from one second to %u days" : "a reason is due",
		  TEMPORARY_MAX_S / (24 * 3600));
	return -EINVAL;
}

static int put_in_force(struct agent *a, const struct request *r, struct change *c)
{
	struct policy_version *v;
	int err = prepare_again(a, policy_set_prepare_whole, &c->diagnostics, &c->next);

	v = c->next;
	if (err) {
		text_add(&c->error, "the rule does not fit the policy in force");
		return err;
	}
	err = check_use(v->compiled, r, &c->error);
	if (err)
		return err;
	c->next = NULL;
	return policy_set_swap(&a->policies, v, &c->error);
}

static int add_rule(struct agent *a, const struct request *r, struct change *c)
{
	const struct temporary_request wanted = {
		.from = r->from,
		.to = r->to,
		.service = r->service,
		.expires = clock_wall_s() + (int64_t)r->for_s,
	};
	int err = check_request(r, &c->error);

	if (!err)
		err = pending_refuse(a, &c->error);
	if (err)
		return err;
	temporaries_add(&a->policies.temporaries, &wanted);
	err = put_in_force(a, r, c);
	if (err) {
		temporaries_drop(&a->policies.temporaries);
		return err;
	}
	if (temporaries_save(&a->policies.temporaries, a->config->state_dir))
		text_add(&c->diagnostics, "warning: the rule can't be saved, and ends with the "
					  "agent\n");
	return 0;
}

static void tell(struct agent *a, const struct request *r, const char *outcome,
		 const struct change *c)
{
	_text_ struct text note = TEXT_INIT;
	struct audit_entry entry = {
		.who = &r->caller,
		.command = "allow",
		.before = policy_hash(a),
		.after = policy_hash(a),
		.outcome = outcome,
	};

	text_addf(&note, "%s -> %s %s for %llu s: %s", r->from, r->to, r->service,
		  (unsigned long long)r->for_s, r->reason);
	if (c->error.len)
		text_addf(&note, "; %s", c->error.buf);
	entry.note = note.buf;
	audit_add(a->config->state_dir, &entry);
}

int temporary_rule_add(struct agent *a, const struct request *request, struct change *c,
		       const struct temporary **ret)
{
	int err = add_rule(a, request, c);
	size_t count = a->policies.temporaries.list.count;

	tell(a, request, err ? "refused" : "done", c);
	if (err)
		return err;
	*ret = &a->policies.temporaries.list.items[count - 1];
	log_warning("msg=\"temporary rule in force\" rule=%s", (*ret)->source.name);
	return 0;
}

void temporary_rules_expire(struct agent *a)
{
	struct temporaries *rules = &a->policies.temporaries;
	const struct audit_entry entry = {
		.command = "allow",
		.before = policy_hash(a),
		.after = policy_hash(a),
		.outcome = "ended",
		.note = "the time of a temporary rule is over",
	};
	_text_ struct text why = TEXT_INIT;
	struct policy_version *v = NULL;
	int err;

	if (datapath_revert_at(a->dp) || !temporaries_expire(rules, clock_wall_s(), clock_boot_s()))
		return;
	temporaries_save(rules, a->config->state_dir);
	err = prepare_again(a, policy_set_prepare, &why, &v);
	if (!err)
		err = policy_set_swap(&a->policies, v, &why);
	if (err)
		log_error("msg=\"policy not compiled without temporary rules that are over\" "
			  "error=\"%s\"",
			  why.len ? why.buf : strerror(-err));
	audit_add(a->config->state_dir, &entry);
}
