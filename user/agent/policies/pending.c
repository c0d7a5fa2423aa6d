/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/policies/pending.h"

#include <errno.h>
#include <string.h>

#include "agent/policies/audit.h"
#include "agent/policies/durable.h"
#include "agent/policies/history.h"
#include "util/clock.h"
#include "util/log.h"

#define NS_PER_S  1000000000ull
#define NS_PER_MS 1000000ull

uint64_t pending_until(const struct agent *a)
{
	uint64_t at_ns = datapath_revert_at(a->dp);

	return at_ns ? clock_wall_of(at_ns) : 0;
}

int pending_refuse(const struct agent *a, struct text *reterr)
{
	char time[CLOCK_STRLEN];

	if (!datapath_revert_at(a->dp))
		return 0;
	text_addf(reterr,
		  "a policy waits to be confirmed until %s; 'bulkhead confirm' keeps it, "
		  "'bulkhead rollback' takes it back",
		  clock_format(pending_until(a), time));
	return -EBUSY;
}

static void forget(struct agent *a)
{
	int err = durable_remove(a->config->state_dir, PENDING_FILE);

	if (err)
		log_error("msg=\"'" PENDING_FILE "' not removed\" error=\"%s\"", strerror(-err));
}

static void tell(struct agent *a, const struct audit_entry *entry)
{
	audit_add(a->config->state_dir, entry);
	log_info("msg=\"%s\" outcome=\"%s\" before=%s after=%s", entry->command, entry->outcome,
		 entry->before ? entry->before : "-", entry->after ? entry->after : "-");
}

static int write_file(const struct agent *a, const struct policy_version *next,
		      const struct wish *wish, uint64_t until_ns)
{
	_text_ struct text content = TEXT_INIT;
	struct json j = {.out = &content};
	char time[CLOCK_STRLEN];

	json_object(&j, NULL);
	json_string(&j, "until", clock_format(until_ns, time));
	json_string(&j, "hash", next->loaded->hash);
	json_string(&j, "back_to", policy_hash(a));
	caller_json(&j, "who", wish->who);
	json_end(&j, '}');
	text_addc(&content, '\n');
	return durable_write(a->config->state_dir, PENDING_FILE, &content);
}

int pending_begin(struct agent *a, struct policy_version *next, const struct wish *wish,
		  struct text *reterr)
{
	_policy_version_ struct policy_version *v = next;
	uint64_t now_ns = clock_monotonic_ns(), at_ns = now_ns + wish->confirm_s * NS_PER_S;
	int err;

	/* First the policy that is in force: it is what a new agent would go back to. */
	err = history_add(a->config->state_dir, a->policies.current->loaded, NULL);
	if (!err)
		err = write_file(a, v, wish, clock_wall_of(at_ns));
	if (err) {
		text_addf(reterr, "the way back can't be written to '%s': %s", a->config->state_dir,
			  strerror(-err));
		return err;
	}
	err = policy_set_try(&a->policies, TAKE_PTR(v), at_ns, reterr);
	if (err) {
		forget(a);
		return err;
	}
	loop_timer_start(a->deadline, wish->confirm_s * 1000, 0);
	return 0;
}

int pending_go_back(struct agent *a, const struct caller *who, const char *note)
{
	char before[POLICY_HASH_STRLEN];
	struct audit_entry entry = {
		.who = who,
		.command = who ? "rollback" : "automatic-rollback",
		.before = before,
		.outcome = "done",
		.note = note,
	};
	int err;

	memcpy(before, policy_hash(a), sizeof(before));
	err = policy_set_revert(&a->policies);
	if (err)
		return err;
	forget(a);
	entry.after = policy_hash(a);
	tell(a, &entry);
	return 0;
}

void pending_check(struct agent *a)
{
	uint64_t at_ns = datapath_revert_at(a->dp), now_ns = clock_monotonic_ns();

	if (!at_ns)
		return;
	if (now_ns >= at_ns)
		pending_go_back(a, NULL, "nobody confirmed the policy in time");
	else
		loop_timer_start(a->deadline, (at_ns - now_ns) / NS_PER_MS + 1, 0);
}

static void on_deadline(void *user)
{
	pending_check(user);
}

void pending_init(struct agent *a)
{
	a->deadline = loop_timer_new(a->loop, on_deadline, a);
}

int pending_confirm(struct agent *a, const struct caller *who)
{
	const struct policy_version *back = a->policies.previous;
	struct audit_entry entry = {.who = who, .command = "confirm", .outcome = "done"};
	int err = policy_set_keep(&a->policies);

	if (err == -ETIME)
		pending_go_back(a, NULL, "nobody confirmed the policy in time");
	if (err)
		return err;
	change_settled(a, who);
	forget(a);
	entry.before = back->loaded->hash;
	entry.after = policy_hash(a);
	tell(a, &entry);
	return 0;
}

bool pending_recover(struct agent *a, struct policy_version **ret)
{
	_text_ struct text content = TEXT_INIT;
	_text_ struct text why = TEXT_INIT;
	source_list texts = {};
	struct policy_input input = {};
	int err;

	if (durable_read(a->config->state_dir, PENDING_FILE, &content))
		return false;
	a->is_recovering = true;
	err = history_read(a->config->state_dir, 0, &texts, &why);
	input.sources = texts.items;
	input.source_count = texts.count;
	if (!err)
		err = policy_set_prepare(&a->policies, &input, &why, ret);
	vec_release(&texts);
	if (err)
		log_error("msg=\"the policy before the one that was not confirmed does not load\" "
			  "error=\"%s\"",
			  why.buf);
	return !err;
}

void pending_recovered(struct agent *a)
{
	const struct audit_entry entry = {
		.command = "automatic-rollback",
		.after = policy_hash(a),
		.outcome = "done",
		.note = "the agent ended before the policy was confirmed",
	};

	if (!a->is_recovering)
		return;
	a->is_recovering = false;
	forget(a);
	tell(a, &entry);
}
