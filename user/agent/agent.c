/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/agent.h"

#include <errno.h>
#include <string.h>

#include "agent/endpoints/machine.h"
#include "agent/kubernetes/cluster.h"
#include "agent/kubernetes/cluster_policy.h"
#include "agent/metrics/metrics.h"
#include "agent/metrics/pages.h"
#include "agent/notify.h"
#include "agent/parts.h"
#include "agent/policies/audit.h"
#include "agent/policies/change.h"
#include "agent/policies/first_policy.h"
#include "agent/policies/pending.h"
#include "agent/policies/room.h"
#include "agent/policies/temporary_rule.h"
#include "agent/privileges.h"
#include "agent/reactions.h"
#include "agent/state.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/mem.h"

#define NS_PER_S 1000000000ull

/* Names ways to attach that are not to be tried: for a driver whose own is broken, and for tests.
 */
#define METHODS_OFF "BULKHEAD_METHODS_OFF"

/* Set: Services are decided as on kernels without programs at netfilter's hooks. */
#define NETFILTER_OFF "BULKHEAD_NETFILTER_OFF"

/* What happens to system calls that the agent is not known to make: to find out, or to get by. */
#define SECCOMP "BULKHEAD_SECCOMP"

static int fail(const char *what, const struct text *why, int err)
{
	log_error("msg=\"%s\" error=\"%s\"", what, why->len ? why->buf : strerror(-err));
	return err;
}

/* Pods come without being asked for. */
static uint32_t kinds_off(const struct agent_config *config)
{
	uint32_t off = 1u << BH_ENDPOINT_IS_HOST;

	if (!config->kubernetes)
		off |= 1u << BH_ENDPOINT_WORKLOAD;
	for (size_t i = 0; i < config->attach_count; i++)
		off &= ~(1u << (config->attach[i].workload ? BH_ENDPOINT_WORKLOAD
							   : BH_ENDPOINT_IS_HOST));
	return off;
}

/* What a cluster has to say comes later; what it said before an earlier end is near to that. */
static bool is_telling(const struct agent *a, const struct policy_version *first)
{
	return !a->config->kubernetes || first->loaded->origin == POLICY_LAST_GOOD;
}

static int open_datapath(struct agent *a, const struct policy_version *first, struct text *why)
{
	struct table_room room;
	struct datapath_config config = {
		.bpffs = a->config->bpffs,
		.event_rate = a->config->event_rate,
		.adopt_s = a->config->adopt_s,
		.builtins_off = a->config->builtins_off,
		.down_after_s = a->config->down_after_s,
		.vlan = a->config->vlan,
		.kinds_off = kinds_off(a->config),
		.image = is_telling(a, first) ? &first->compiled->image : NULL,
		.room = room_recall(a->config->state_dir, &room) ? NULL : &room,
		.is_growing = a->config->kubernetes != NULL,
		.has_fronts = a->config->kubernetes != NULL,
		.is_netfilter_off = getenv(NETFILTER_OFF) != NULL,
		.flow_interval_s = a->config->flows.path ? a->config->flows.interval_s : 0,
		.has_waited = datapath_grace_end(TAKE_PTR(a->grace)),
	};
	int err = attach_methods_parse(getenv(METHODS_OFF), &config.methods_off);

	if (err)
		text_addf(why, "'%s' is not a list of xdp-native, xdp-generic, tcx, clsact",
			  METHODS_OFF);
	else
		err = datapath_open(&config, why, &a->dp);
	if (err)
		return err;
	a->was_in_force = datapath_is_adopted(a->dp) || datapath_beside(a->dp);
	if (datapath_beside(a->dp))
		log_warning("msg=\"the pinned maps are of another build: what is in force goes on "
			    "until ours replaces it, and connections are adopted\" why=\"%s\"",
			    datapath_beside(a->dp));
	datapath_revert(a->dp); /* the agent that could have been told to keep it is gone */
	a->policies.dp = a->dp;
	a->flows.dp = a->dp;
	a->policies.hooks = reactions_to_swaps(a);
	if (!datapath_is_adopted(a->dp))
		a->adopt_until_ns = clock_monotonic_ns() + config.adopt_s * NS_PER_S;
	return 0;
}

static int watch_machine(struct agent *a, struct text *why)
{
	struct rtnl_events events = reactions_to_links(a);
	int err = rtnl_open(a->loop, &events, &a->rtnl);

	if (!err)
		err = machine_init(a);
	if (err)
		text_addf(why, "cannot read this machine's addresses: %s", strerror(-err));
	return err;
}

static void load_temporaries(struct agent *a)
{
	struct temporaries *rules = &a->policies.temporaries;
	int err = temporaries_load(rules, a->config->state_dir);

	if (err)
		log_error("msg=\"temporary rules not loaded\" error=\"%s\"", strerror(-err));
	temporaries_expire(rules, clock_wall_s(), clock_boot_s());
}

/* First: tables are made as large as it takes. */
static int read_policy(struct agent *a, struct text *why, struct policy_version **ret)
{
	const struct first_policy_input input = {
		.given = {.paths = a->config->policy_paths, .path_count = a->config->policy_count},
		.last_good = &a->last_good,
		.fallback = a->config->fallback,
		.is_in_force = datapath_is_in_force(a->config->bpffs),
		.is_cluster = a->config->kubernetes != NULL,
	};
	int err = watch_machine(a, why);

	if (err)
		return err;
	load_temporaries(a);
	cluster_recall(a);
	if (pending_recover(a, ret))
		return 0;
	err = first_policy_prepare(&a->policies, &input, why, ret);
	if (!err)
		a->endpoints.origin = (*ret)->loaded->origin;
	return err;
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
}

/* Names are checked first, so that a wrong one leaves everything as it was. */
static int enforce(struct agent *a, struct policy_version *first, struct text *why)
{
	_policy_version_ struct policy_version *v = first;
	int err = endpoints_init(&a->endpoints, a->dp, a->config, v->loaded->policy, why);

	if (!err)
		err = reactions_to_events(a, why);
	if (err)
		return err;
	machine_set_local(a);
	err = policy_set_swap(&a->policies, TAKE_PTR(v), why);
	if (err)
		return err;
	tell_start(a);
	err = endpoints_attach(&a->endpoints, why);
	return err ? err : datapath_settle(a->dp, why);
}

static int listen_control(struct agent *a, struct text *why)
{
	struct control_config config = {
		.loop = a->loop,
		.socket = a->config->socket,
		.hub = a->hub,
		.alerts = a->alerts.hub,
		.is_to_wait = reaction_to_ask,
		.fn = reaction_to_request,
		.settle = reaction_to_end,
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

/* From then on nobody else changes what is in force. */
static int lock_state(struct agent *a, struct text *why)
{
	int err = state_lock(a->config->state_dir, why, &a->lock_fd);

	if (!err && datapath_is_in_force(a->config->bpffs))
		a->grace = datapath_grace_begin();
	return err;
}

static int start(struct agent *a, struct text *why)
{
	_policy_version_ struct policy_version *first = NULL;
	enum seccomp_mode mode;
	int err = read_seccomp(why, &mode);

	if (!err)
		err = reactions_init(a);
	if (!err)
		err = lock_state(a, why);
	if (!err)
		err = listen_control(a, why); /* answers once the loop runs, and it enforces */
	if (!err)
		err = read_policy(a, why, &first);
	if (!err)
		err = open_datapath(a, first, why);
	if (!err)
		err = enforce(a, TAKE_PTR(first), why);
	if (!err)
		pages_start(a);
	if (!err)
		flow_log_start(&a->flows, a->loop);
	if (!err)
		err = cluster_start(a, why);
	if (!err)
		err = privileges_drop(mode, why);
	if (err)
		return err;
	watchdog_start(&a->watchdog, a->loop, &a->endpoints, a->config->watchdog);
	reactions_start(a);
	return 0;
}

/* A start that fails leaves no trace, unless what it found was in force already. */
static void undo_start(struct agent *a)
{
	bool is_ours = a->dp && !a->was_in_force;
	size_t links;

	flow_log_release(&a->flows);
	datapath_free(a->dp);
	a->dp = NULL;
	if (is_ours && a->config->bpffs)
		datapath_remove(a->config->bpffs, &links);
}

static void release(struct agent *a)
{
	cluster_policy_end(a);
	datapath_grace_end(a->grace);
	flow_log_release(&a->flows);
	control_free(a->control);
	pages_free(a->pages);
	metrics_free(a->metrics);
	kube_free(a->kubernetes);
	kube_report_free(a->report);
	rtnl_free(a->rtnl);
	loop_free(a->loop);
	alerts_release(&a->alerts);
	hub_free(a->hub);
	intake_release(&a->intake);
	endpoints_release(&a->endpoints);
	watchdog_release(&a->watchdog);
	naming_release(&a->naming);
	policy_set_release(&a->policies);
	audited_release(&a->audited);
	for (size_t i = 0; i < KUBE_KIND_COUNT; i++)
		kube_table_release(&a->objects[i]);
	kube_zones_release(&a->zones);
	kube_pods_release(&a->pods);
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
		.zones = KUBE_ZONES_INIT,
		.policies.is_audit = config->is_audit,
		.flows = {.config = &config->flows, .batch = TEXT_INIT},
		.intake = INTAKE_INIT,
		.hub = hub_new(config->history),
		.started_ns = clock_wall_ns(),
		.audited.since_ns = clock_wall_ns(),
	};
	_text_ struct text why = TEXT_INIT;
	int err;

	alerts_init(&a.alerts, &config->detect);
	mem_give_back_large();
	a.flows.naming = &a.naming;
	a.flows.endpoints = &a.endpoints;
	err = start(&a, &why);
	if (err) {
		fail("not started", &why, err);
		undo_start(&a);
	} else {
		notify_manager("READY=1");
		notify_ready_fd(config->ready_fd);
		log_info("msg=ready endpoints=%zu socket=%s", a.endpoints.list.count,
			 config->socket);
		loop_run(a.loop);
		reactions_end(&a);
		notify_manager("STOPPING=1");
		log_info("msg=stopped enforcement=pinned");
		err = a.is_outgrown ? -EAGAIN : 0;
	}
	release(&a);
	return err;
}
