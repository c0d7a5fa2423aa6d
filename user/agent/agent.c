/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/agent.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "agent/answer.h"
#include "agent/audit.h"
#include "agent/change.h"
#include "agent/first_policy.h"
#include "agent/machine.h"
#include "agent/notify.h"
#include "agent/parts.h"
#include "agent/pending.h"
#include "agent/privileges.h"
#include "agent/state.h"
#include "agent/temporary_rule.h"
#include "util/clock.h"
#include "util/log.h"

#define SWEEP_MS  5000 /* of expired connections */
#define SAMPLE_MS 1000 /* heartbeat, rule counters, interfaces that could not be attached */
#define TIDY_MS   100  /* after a swap, and between the parts of what is to be done then */
#define RESCAN_MS 1
#define NS_PER_S  1000000000ull

/* Names ways to attach that are not to be tried: for a driver whose own is broken, and for tests.
 */
#define METHODS_OFF "BULKHEAD_METHODS_OFF"

/* What happens to system calls that the agent is not known to make: to find out, or to get by. */
#define SECCOMP "BULKHEAD_SECCOMP"

static int fail(const char *what, const struct text *why, int err)
{
	log_error("msg=\"%s\" error=\"%s\"", what, why->len ? why->buf : strerror(-err));
	return err;
}

/* --- events --- */

static void on_event(const struct bh_event *event, void *user)
{
	struct agent *a = user;
	const struct endpoint *endpoint = endpoints_by_ifindex(&a->endpoints, event->ifindex);
	_text_ struct text line = TEXT_INIT;
	struct event_names names;

	naming_event(&a->naming, event, &names);
	names.interface = endpoint ? endpoint_label(endpoint) : NULL;
	names.endpoint = endpoints_name(&a->endpoints, event->endpoint);
	audited_add(&a->audited, event, &names);
	event_json(event, &names, &line);
	text_addc(&line, '\n');
	hub_publish(a->hub, &line);
}

static void on_ring(void *user, unsigned int ready)
{
	struct agent *a = user;

	(void)ready;
	datapath_events_consume(a->dp);
}

/* --- policy --- */

static void before_swap(void *user)
{
	struct agent *a = user;

	/* While their generations have names; those of an agent before us get the first policy's.
	 */
	if (a->policies.current)
		datapath_events_consume(a->dp);
}

/* A policy that may go back by itself isn't a good one yet. */
static void keep_last_good(struct agent *a)
{
	if (!datapath_revert_at(a->dp))
		last_good_keep(&a->last_good, a->policies.current->loaded);
}

static void after_swap(void *user)
{
	struct agent *a = user;
	const struct policy_version *v = a->policies.current;

	datapath_beat(a->dp);
	keep_last_good(a);
	datapath_beat(a->dp);
	naming_update(&a->naming, v, a->policies.previous);
	a->endpoints.origin = v->loaded->origin;
	endpoints_follow(&a->endpoints, v->loaded->policy);
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
}

static void on_hangup(void *user)
{
	_text_ struct text diagnostics = TEXT_INIT;
	_text_ struct text why = TEXT_INIT;

	if (!agent_reload(user, &diagnostics, &why))
		return;
	fputs(diagnostics.buf, stderr);
	log_error("msg=\"policy not reloaded\" error=\"%s\"", why.buf);
}

/* --- interfaces --- */

static void on_link_gone(void *user, uint32_t ifindex)
{
	struct agent *a = user;

	endpoints_link_gone(&a->endpoints, ifindex);
}

/* What else there is to do has its turn between two parts of a crowd. */
static void scan(struct agent *a)
{
	endpoints_scan(&a->endpoints);
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

/* --- time --- */

static void on_sweep(void *user)
{
	struct agent *a = user;
	int err = datapath_sweep(a->dp, clock_monotonic_ns());

	keep_last_good(a);
	if (err < 0)
		log_warning("msg=\"connections not swept\" error=\"%s\"", strerror(-err));
}

static void on_sample(void *user)
{
	struct agent *a = user;

	_text_ struct text why = TEXT_INIT;
	int err;

	datapath_beat(a->dp);
	notify_alive();
	pending_check(a);
	temporary_rules_expire(a);
	policy_set_sample(&a->policies);
	scan(a);
	err = policy_set_expire(&a->policies, &why);
	if (err)
		log_error("msg=\"a rule has expired, and the policy is not compiled without it\" "
			  "error=\"%s\"",
			  why.len ? why.buf : strerror(-err));
}

/* --- requests --- */

static bool on_request(void *user, struct request *request, struct text *out)
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
		datapath_events_consume(a->dp);
		answer_observe(a, request, out);
		return request->follow;
	}
	return false;
}

/* --- start, in this order --- */

static void on_stop(void *user)
{
	struct agent *a = user;

	loop_stop(a->loop);
}

static int open_loop(struct agent *a)
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

static int open_datapath(struct agent *a, struct text *why)
{
	struct datapath_config config = {
		.bpffs = a->config->bpffs,
		.event_rate = a->config->event_rate,
		.adopt_s = a->config->adopt_s,
		.builtins_off = a->config->builtins_off,
		.down_after_s = a->config->down_after_s,
		.vlan = a->config->vlan,
	};
	int err = attach_methods_parse(getenv(METHODS_OFF), &config.methods_off);

	if (err)
		text_addf(why, "'%s' is not a list of xdp-native, xdp-generic, tcx, clsact",
			  METHODS_OFF);
	else
		err = datapath_open(&config, why, &a->dp);
	if (err)
		return err;
	datapath_revert(a->dp); /* the agent that could have been told to keep it is gone */
	a->policies.dp = a->dp;
	a->policies.hooks = (struct policy_hooks){before_swap, after_swap, a};
	if (!datapath_is_adopted(a->dp))
		a->adopt_until_ns = clock_monotonic_ns() + config.adopt_s * NS_PER_S;
	return 0;
}

static int watch_machine(struct agent *a, struct text *why)
{
	struct rtnl_events events = {on_link_gone, on_links, machine_changed, on_filters, a};
	int err = rtnl_open(a->loop, &events, &a->rtnl);

	if (!err)
		err = machine_init(a);
	if (err)
		text_addf(why, "cannot read this machine's addresses: %s", strerror(-err));
	return err;
}

static int read_policy(struct agent *a, struct text *why, struct policy_version **ret)
{
	const struct first_policy_input input = {
		.given = {.paths = a->config->policy_paths, .path_count = a->config->policy_count},
		.last_good = &a->last_good,
		.fallback = a->config->fallback,
	};
	int err;

	if (pending_recover(a, ret))
		return 0;
	err = first_policy_prepare(&a->policies, &input, why, ret);
	if (!err)
		a->endpoints.origin = (*ret)->loaded->origin;
	return err;
}

static int watch_events(struct agent *a, struct text *why)
{
	struct loop_watch *watch;
	int err = datapath_events_open(a->dp, on_event, a);

	if (!err)
		err = loop_watch_new(a->loop, datapath_events_fd(a->dp), on_ring, a, &watch);
	if (err) {
		text_addf(why, "cannot read events: %s", strerror(-err));
		return err;
	}
	loop_watch_want(watch, LOOP_READ);
	return 0;
}

static void load_temporaries(struct agent *a)
{
	struct temporaries *rules = &a->policies.temporaries;
	int err = temporaries_load(rules, a->config->state_dir);

	if (err)
		log_error("msg=\"temporary rules not loaded\" error=\"%s\"", strerror(-err));
	temporaries_expire(rules, clock_wall_s());
}

static void tell_start(struct agent *a)
{
	const struct audit_entry entry = {
		.command = "start",
		.after = policy_hash(a),
		.outcome = "done",
	};

	audit_add(a->config->state_dir, &entry);
	pending_recovered(a);
	change_settled(a, NULL);
}

/* Names are checked first, so that a wrong one leaves everything as it was. */
static int enforce(struct agent *a, struct text *why)
{
	_policy_version_ struct policy_version *v = NULL;
	int err = watch_machine(a, why);

	if (err)
		return err;
	load_temporaries(a);
	err = read_policy(a, why, &v);
	if (!err)
		err = endpoints_init(&a->endpoints, a->dp, a->config, v->loaded->policy, why);
	if (!err)
		err = watch_events(a, why);
	if (err)
		return err;
	machine_set_local(a);
	err = policy_set_swap(&a->policies, TAKE_PTR(v), why);
	if (err)
		return err;
	tell_start(a);
	return endpoints_attach(&a->endpoints, why);
}

static int listen_control(struct agent *a, struct text *why)
{
	struct control_config config = {
		.loop = a->loop,
		.socket = a->config->socket,
		.hub = a->hub,
		.fn = on_request,
		.user = a,
	};

	return control_open(&config, why, &a->control);
}

static int read_seccomp(struct text *why, enum seccomp_mode *ret)
{
	int err = seccomp_mode_parse(getenv(SECCOMP), ret);

	if (err)
		text_addf(why, "'%s' is none of errno, log, off", SECCOMP);
	return err;
}

static int start(struct agent *a, struct text *why)
{
	enum seccomp_mode mode;
	int err = read_seccomp(why, &mode);

	if (!err)
		err = open_loop(a);
	if (!err)
		err = state_lock(a->config->state_dir, why, &a->lock_fd);
	if (!err)
		err = listen_control(a, why); /* answers once the loop runs, and it enforces */
	if (!err)
		err = open_datapath(a, why);
	if (!err)
		err = enforce(a, why);
	if (!err)
		err = privileges_drop(mode, why);
	if (err)
		return err;
	watchdog_start(&a->watchdog, a->loop, &a->endpoints, a->config->watchdog);
	loop_timer_start(loop_timer_new(a->loop, on_sweep, a), SWEEP_MS, SWEEP_MS);
	loop_timer_start(loop_timer_new(a->loop, on_sample, a), SAMPLE_MS, SAMPLE_MS);
	return 0;
}

/* A start that fails leaves no trace, unless what it found was in force already. */
static void undo_start(struct agent *a)
{
	bool is_ours = a->dp && !datapath_is_adopted(a->dp);
	size_t links;

	datapath_free(a->dp);
	a->dp = NULL;
	if (is_ours && a->config->bpffs)
		datapath_remove(a->config->bpffs, &links);
}

static void release(struct agent *a)
{
	control_free(a->control);
	rtnl_free(a->rtnl);
	loop_free(a->loop);
	hub_free(a->hub);
	endpoints_release(&a->endpoints);
	watchdog_release(&a->watchdog);
	naming_release(&a->naming);
	policy_set_release(&a->policies);
	audited_release(&a->audited);
	vec_release(&a->addresses.list);
	datapath_free(a->dp);
	if (a->lock_fd >= 0)
		close(a->lock_fd);
}

int agent_run(const struct agent_config *config)
{
	struct agent a = {
		.config = config,
		.lock_fd = -1,
		.last_good.directory = config->state_dir,
		.naming = NAMING_INIT,
		.hub = hub_new(config->history),
		.started_ns = clock_wall_ns(),
		.audited.since_ns = clock_wall_ns(),
	};
	_text_ struct text why = TEXT_INIT;
	int err = start(&a, &why);

	if (err) {
		fail("not started", &why, err);
		undo_start(&a);
	} else {
		notify_manager("READY=1");
		notify_ready_fd(config->ready_fd);
		log_info("msg=ready endpoints=%zu socket=%s", a.endpoints.list.count,
			 config->socket);
		loop_run(a.loop);
		notify_manager("STOPPING=1");
		log_info("msg=stopped enforcement=pinned");
	}
	release(&a);
	return err;
}
