/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/reactions.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "agent/control/answer.h"
#include "agent/endpoints/machine.h"
#include "agent/kubernetes/cluster.h"
#include "agent/metrics/metrics.h"
#include "agent/notify.h"
#include "agent/policies/change.h"
#include "agent/policies/pending.h"
#include "agent/policies/temporary_rule.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/mem.h"

#define SWEEP_MS  5000 /* of expired connections */
#define SAMPLE_MS 1000 /* heartbeat, rule counters, interfaces that could not be attached */
#define TIDY_MS   100  /* after a swap, and between the parts of what is to be done then */
#define RESCAN_MS 1

/* --- policy --- */

/* A policy that may go back by itself isn't a good one yet. */
static void keep_last_good(struct agent *a)
{
	if (!datapath_revert_at(a->dp))
		last_good_keep(&a->last_good, a->policies.current->loaded,
			       a->kubernetes ? &a->objects[KUBE_POD] : NULL);
}

static void keep_last_good_meanwhile(struct agent *a)
{
	if (!a->kubernetes)
		keep_last_good(a);
	else if (!datapath_revert_at(a->dp))
		last_good_begin(&a->last_good, a->loop, a->policies.current->loaded,
				&a->objects[KUBE_POD]);
}

/* What is on disk of a policy serves later starts: the first one is enforced before it is there. */
static void keep_first(void *user)
{
	struct agent *a = user;

	if (a->is_first_kept)
		return;
	a->is_first_kept = true;
	if (!a->kubernetes)
		keep_last_good(a);
	change_settled(a, NULL);
}

static void before_swap(void *user)
{
	struct agent *a = user;

	/* While their generations have names; those of an agent before us get the first policy's.
	 */
	if (!a->policies.current)
		return;
	keep_first(a);
	intake_drain(a);
	flow_log_read(&a->flows, true);
}

static void after_swap(void *user)
{
	struct agent *a = user;
	const struct policy_version *v = a->policies.current;

	datapath_beat(a->dp);
	/* Pods come and go all the time: it is enough now and then. */
	if (!a->kubernetes && a->is_first_kept)
		keep_last_good(a);
	datapath_beat(a->dp);
	naming_update(&a->naming, v, a->policies.previous);
	detect_workloads(a->alerts.detect, v->loaded->policy, clock_monotonic_ns());
	a->endpoints.origin = v->loaded->origin;
	endpoints_follow(&a->endpoints, v->loaded->policy);
	policy_set_follow(&a->policies);
	loop_timer_start(a->tidy, TIDY_MS, 0);
	log_info("msg=\"policy in force\" generation=%u hash=%s rules=%zu workloads=%zu",
		 v->generation, v->loaded->hash, v->loaded->policy->rules.count,
		 v->loaded->policy->workloads.count);
}

/* What fails here, the next swap does; or it says what is wrong. */
static void on_tidy(void *user)
{
	struct agent *a = user;

	if (datapath_tidy(a->dp) > 0)
		loop_timer_start(a->tidy, TIDY_MS, 0);
	else
		mem_give_back_free();
}

static void reload(void *user)
{
	_text_ struct text diagnostics = TEXT_INIT;
	_text_ struct text why = TEXT_INIT;
	struct agent *a = user;

	a->is_reload_due = a->making;
	if (a->making || !agent_reload(user, &diagnostics, &why))
		return;
	fputs(diagnostics.buf, stderr);
	log_error("msg=\"policy not reloaded\" error=\"%s\"", why.buf);
}

static void on_hangup(void *user)
{
	struct agent *a = user;

	flow_log_reopen(&a->flows);
	reload(a);
}

/* Rules whose time is over. */
static void expire(struct agent *a)
{
	_text_ struct text why = TEXT_INIT;
	int err;

	if (a->making)
		return;
	temporary_rules_expire(a);
	err = policy_set_expire(&a->policies, &why);
	if (err)
		log_error("msg=\"a rule has expired, and the policy is not compiled without it\" "
			  "error=\"%s\"",
			  why.len ? why.buf : strerror(-err));
}

void reaction_to_made(struct agent *a)
{
	if (a->is_reload_due)
		reload(a);
	control_resume(a->control);
	expire(a);
}

/* --- interfaces --- */

static void on_link_gone(void *user, uint32_t ifindex)
{
	struct agent *a = user;

	endpoints_link_gone(&a->endpoints, ifindex);
	policy_set_follow(&a->policies);
}

/* What else there is to do has its turn between two parts of a crowd. */
static void scan(struct agent *a)
{
	endpoints_scan(&a->endpoints);
	policy_set_follow(&a->policies);
	if (a->endpoints.is_unfinished)
		loop_timer_start(a->rescan, RESCAN_MS, 0);
}

static void on_rescan(void *user)
{
	scan(user);
}

static void on_links(void *user)
{
	struct agent *a = user;

	scan(a);
	watchdog_soon(&a->watchdog);
}

static void on_filters(void *user)
{
	struct agent *a = user;

	watchdog_soon(&a->watchdog);
}

static void on_paths(void *user)
{
	struct agent *a = user;

	if (a->endpoints.has_missing)
		loop_timer_start(a->rescan, RESCAN_MS, 0);
}

/* --- time --- */

void reaction_to_age(struct agent *a, bool is_memory_short)
{
	if (!policy_set_forget(&a->policies, is_memory_short))
		return;
	naming_update(&a->naming, a->policies.current, NULL);
	mem_give_back_free();
}

static void on_sweep(void *user)
{
	struct agent *a = user;
	int err = datapath_sweep(a->dp, clock_monotonic_ns());

	if (last_good_is_due(&a->last_good, a->policies.current->loaded, a->kubernetes))
		keep_last_good_meanwhile(a);
	reaction_to_age(a, false);
	if (err < 0)
		log_warning("msg=\"connections not swept\" error=\"%s\"", strerror(-err));
}

static void on_sample(void *user)
{
	struct agent *a = user;

	datapath_beat(a->dp);
	notify_alive();
	intake_tick(a);
	pending_check(a);
	expire(a);
	policy_set_sample(&a->policies);
	metrics_sample(a);
	flow_log_tick(&a->flows);
	scan(a);
	cluster_check(a);
}

/* --- requests --- */

bool reaction_to_request(void *user, struct request *request, struct text *out)
{
	struct agent *a = user;

	pending_check(a);
	switch (request->op) {
	case REQUEST_STATUS:
		answer_status(a, out);
		break;
	case REQUEST_LIST:
		answer_list(a, request->what, out);
		break;
	case REQUEST_APPLY:
		answer_apply(a, request, out);
		break;
	case REQUEST_RELOAD:
		answer_reload(a, request, out);
		break;
	case REQUEST_ROLLBACK:
		answer_rollback(a, request, out);
		break;
	case REQUEST_CONFIRM:
		answer_confirm(a, request, out);
		break;
	case REQUEST_ALLOW:
		answer_allow(a, request, out);
		break;
	case REQUEST_OBSERVE:
		intake_drain(a);
		answer_observe(a, request, out);
		return request->follow;
	}
	return false;
}

bool reaction_to_ask(void *user, const struct request *request)
{
	const struct agent *a = user;

	switch (request->op) {
	case REQUEST_APPLY:
	case REQUEST_RELOAD:
	case REQUEST_ROLLBACK:
	case REQUEST_ALLOW:
		return a->making;
	case REQUEST_STATUS:
	case REQUEST_LIST:
	case REQUEST_CONFIRM:
	case REQUEST_OBSERVE:
		break;
	}
	return false;
}

void reaction_to_end(void *user)
{
	intake_drain(user);
}

/* --- what is reacted to --- */

static void on_stop(void *user)
{
	struct agent *a = user;

	loop_stop(a->loop);
}

int reactions_init(struct agent *a)
{
	int err = loop_new(&a->loop);

	signal(SIGPIPE, SIG_IGN);
	if (!err)
		err = loop_on_signal(a->loop, SIGTERM, on_stop, a);
	if (!err)
		err = loop_on_signal(a->loop, SIGINT, on_stop, a);
	if (!err)
		err = loop_on_signal(a->loop, SIGHUP, on_hangup, a);
	if (!err)
		a->tidy = loop_timer_new(a->loop, on_tidy, a);
	if (!err)
		a->rescan = loop_timer_new(a->loop, on_rescan, a);
	if (!err)
		pending_init(a);
	return err;
}

int reactions_to_events(struct agent *a, struct text *why)
{
	int err = intake_open(a);

	if (err)
		text_addf(why, "cannot read events: %s", strerror(-err));
	return err;
}

struct policy_hooks reactions_to_swaps(struct agent *a)
{
	return (struct policy_hooks){before_swap, after_swap, a};
}

struct rtnl_events reactions_to_links(struct agent *a)
{
	return (struct rtnl_events){on_link_gone, on_links, machine_changed,
				    on_filters,   on_paths, a};
}

/* Where flows that go on are told often, more often. */
static uint64_t sweep_ms(const struct flow_log_config *flows)
{
	return flows->path && flows->interval_s < 2 * SWEEP_MS / 1000 ? SAMPLE_MS : SWEEP_MS;
}

void reactions_start(struct agent *a)
{
	uint64_t ms = sweep_ms(&a->config->flows);

	loop_timer_start(loop_timer_new(a->loop, keep_first, a), 0, 0);
	loop_timer_start(loop_timer_new(a->loop, on_sweep, a), ms, ms);
	loop_timer_start(loop_timer_new(a->loop, on_sample, a), SAMPLE_MS, SAMPLE_MS);
}

void reactions_end(struct agent *a)
{
	keep_first(a);
	last_good_finish(&a->last_good);
	keep_last_good(a);
}
