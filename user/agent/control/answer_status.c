/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/control/answer.h"

#include <string.h>

#include "agent/control/words.h"
#include "agent/version.h"
#include "datapath/features.h"
#include "policy/model.h"
#include "util/clock.h"
#include "util/diag.h"

#define TABLES_MAX 64

static void add_policy(struct json *j, const struct policy_version *v)
{
	const struct loaded_policy *loaded = v->loaded;

	json_object(j, "policy");
	json_array(j, "paths");
	vec_foreach (path, &loaded->paths)
		json_string(j, NULL, *path);
	json_end(j, ']');
	json_string(j, "hash", loaded->hash);
	json_string(j, "origin", policy_origin_word(loaded->origin));
	json_bool(j, "kept", loaded->is_kept);
	json_number(j, "rules", loaded->policy->rules.count);
	json_number(j, "workloads", loaded->policy->workloads.count);
	answer_time(j, "loaded_at", loaded->loaded_ns);
	json_end(j, '}');
}

static void add_events(struct json *j, const struct agent *a)
{
	json_object(j, "events");
	json_number(j, "history", hub_count(a->hub));
	json_number(j, "size", hub_size(a->hub));
	json_number(j, "read", a->intake.read);
	json_end(j, '}');
}

static void add_rejects(struct json *j, struct datapath *dp)
{
	struct bh_rejects rejects = {};

	datapath_read_rejects(dp, &rejects);
	json_object(j, "rejects");
	json_number(j, "answered", rejects.answered);
	json_number(j, "suppressed", rejects.suppressed);
	json_number(j, "silent", rejects.silent);
	json_end(j, '}');
}

static void add_tables(struct json *j, struct datapath *dp)
{
	struct table_fill tables[TABLES_MAX];
	size_t count = datapath_tables(dp, tables, TABLES_MAX);

	json_array(j, "tables");
	for (size_t i = 0; i < count && i < TABLES_MAX; i++) {
		json_object(j, NULL);
		json_string(j, "name", tables[i].name);
		if (tables[i].used == UINT64_MAX)
			json_string(j, "used", NULL);
		else
			json_number(j, "used", tables[i].used);
		json_number(j, "capacity", tables[i].capacity);
		json_number(j, "bytes", tables[i].bytes);
		json_end(j, '}');
	}
	json_end(j, ']');
}

static const char *method_in_use(const struct endpoints *es, bool is_xdp_wanted)
{
	vec_foreach (e, &es->list) {
		enum attach_method methods[] = {e->attachment.ingress, e->attachment.egress};

		for (size_t i = 0; i < COUNT(methods); i++) {
			if (methods[i] != ATTACH_NONE &&
			    attach_method_is_xdp(methods[i]) == is_xdp_wanted)
				return attach_method_word(methods[i]);
		}
	}
	return NULL;
}

static void add_method(struct json *j, const char *key, const char *method)
{
	if (method)
		json_string(j, key, method);
	else
		json_bool(j, key, false);
}

static void add_kernel(struct json *j, const struct endpoints *es)
{
	json_object(j, "kernel");
	add_method(j, "xdp", method_in_use(es, true));
	add_method(j, "tc", method_in_use(es, false));
	json_bool(j, "btf", features_have_btf());
	json_bool(j, "ringbuf", true); /* the programs would not have loaded without it */
	json_end(j, '}');
}

/* --- the watchdog --- */

static void add_trouble(struct json *j, const struct endpoint *e, const char *what)
{
	json_object(j, NULL);
	json_string(j, "interface", endpoint_label(e));
	json_number(j, "ifindex", e->ifindex);
	json_string(j, "what", what);
	answer_time(j, "since", e->ifindex ? e->trouble.since_ns : 0);
	json_end(j, '}');
}

static void add_health(struct json *j, const struct endpoints *es)
{
	size_t count = 0;

	json_array(j, "degraded");
	vec_foreach (e, &es->list) {
		const char *what = watchdog_trouble(e);

		if (what)
			add_trouble(j, e, what);
		count += what != NULL;
	}
	json_end(j, ']');
	json_string(j, "health", count ? "degraded" : "ok");
}

static void add_last(struct json *j, const struct watchdog_last *last)
{
	json_object(j, "last");
	json_string(j, "interface", last->name);
	json_string(j, "what", last->what.buf);
	answer_time(j, "at", last->at_ns);
	answer_time(j, "repaired_at", last->repaired_ns);
	json_end(j, '}');
}

static void add_watchdog(struct json *j, const struct watchdog *w)
{
	json_object(j, "watchdog");
	json_string(j, "action", watchdog_action_word(w->action));
	json_object(j, "faults");
	for (enum hook_fault f = HOOK_INTACT + 1; f < HOOK_FAULTS; f++)
		json_number(j, hook_fault_word(f), w->faults[f]);
	json_end(j, '}');
	json_number(j, "repairs", w->repairs);
	if (w->last.name[0])
		add_last(j, &w->last);
	json_end(j, '}');
}

/* What was decided by whenAgentIsDown, by us or while nobody was there. */
static void add_stances(struct json *j, const struct rule_stats *stats)
{
	const struct rule_count total = rule_stats_total(stats, BH_BUILTIN_DOWN);
	const struct bh_count count = {total.packets, total.bytes};

	answer_count(j, "agent_down", &count);
}

/* Whether what pods send to Services is decided behind them. */
static void add_fronts(struct json *j, const struct agent *a)
{
	const struct datapath *dp = a->dp;
	const char *trouble = datapath_fronts_trouble(dp);
	const char *crowded = kube_crowded(a->kubernetes);
	bool is_attached;
	size_t count = datapath_fronts(dp, &is_attached);

	json_object(j, "services");
	json_number(j, "addresses", count);
	json_bool(j, "attached", is_attached);
	json_bool(j, "by_backends", datapath_asks_backends(dp) && !is_attached);
	json_string(j, "error", trouble);
	json_string(j, "crowded", *crowded ? crowded : NULL);
	json_end(j, '}');
}

/* What of the cluster stays as it was, for something is wrong. */
static void add_held(struct json *j, const struct kube_zones *zones)
{
	const char *why = diags_first_error(zones->why.buf);
	_text_ struct text line = TEXT_INIT;

	if (!zones->why.len)
		return;
	text_addn(&line, why, strcspn(why, "\n"));
	json_string(j, "held", zones->is_all_held ? "all" : "ZonePolicies");
	json_string(j, "held_error", line.buf);
}

static void add_cluster(struct json *j, const struct agent *a)
{
	if (!a->kubernetes)
		return;
	json_object(j, "cluster");
	json_string(j, "node", a->config->kubernetes->node);
	json_bool(j, "listed", kube_is_listed(a->kubernetes));
	json_number(j, "pods", a->pods.here.count);
	json_bool(j, "missing", a->endpoints.has_missing);
	kube_tell(a->kubernetes, j, "kinds");
	add_held(j, &a->zones);
	kube_report_tell(a->report, j, "writes");
	add_fronts(j, a);
	json_end(j, '}');
}

void answer_status(struct agent *a, struct text *out)
{
	struct json j = answer_ok_begin(out);

	json_string(&j, "version", BULKHEAD_VERSION);
	json_number(&j, "pid", (uint64_t)getpid());
	answer_time(&j, "started", a->started_ns);
	add_policy(&j, a->policies.current);
	json_number(&j, "generation", datapath_generation(a->dp));
	json_bool(&j, "adopting", clock_monotonic_ns() < a->adopt_until_ns);
	add_stances(&j, &a->policies.stats);
	json_number(&j, "endpoints", a->endpoints.list.count);
	add_cluster(&j, a);
	add_health(&j, &a->endpoints);
	add_watchdog(&j, &a->watchdog);
	add_events(&j, a);
	alerts_json(&a->alerts, &j, "alerts");
	answer_books(a, &j);
	flow_log_json(&a->flows, &j);
	add_rejects(&j, a->dp);
	add_tables(&j, a->dp);
	add_kernel(&j, &a->endpoints);
	json_end(&j, '}');
	text_addc(out, '\n');
}
