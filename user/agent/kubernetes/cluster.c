/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/kubernetes/cluster.h"

#include <errno.h>
#include <string.h>

#include "agent/kubernetes/kube_pods_text.h"
#include "agent/kubernetes/kube_texts.h"
#include "agent/kubernetes/pod_moves.h"
#include "agent/policies/pending.h"
#include "agent/policies/room.h"
#include "agent/reactions.h"
#include "util/log.h"

#define MANY_PODS 10000

typedef VEC(struct kube_blamed) blamed_list;

/* As @last, which is of the same line; several of an object come in a row. */
static bool is_as_last(const struct policy_fault *fault, size_t count,
		       const struct kube_blamed *last)
{
	return count == 1 && last->entry && !last->has_notes && fault->line &&
	       !strcmp(fault->line, last->at->line);
}

/* Who is to be refused, each once; false: there is something wrong that nobody can be for. */
static bool blame(struct agent *a, const policy_faults *faults, blamed_list *ret)
{
	struct kube_blamed blamed = {};
	bool is_found = faults->count;

	for (size_t i = 0, next; i < faults->count; i = next) {
		const struct policy_fault *fault = &faults->items[i];

		for (next = i + 1; next < faults->count && faults->items[next].is_note;)
			next++;
		if (is_as_last(fault, next - i, &blamed)) {
			blamed.at = fault;
			blamed.message = fault->message;
		} else {
			is_found &= kube_blame(a->objects, fault, next - i, &blamed);
			vec_push(ret, blamed);
		}
		kube_report_fault(a->report, &blamed);
	}
	return is_found;
}

/* Whether all that is wrong is in objects that something else can stand for. */
static bool refuse_faults(struct agent *a, const policy_faults *faults)
{
	blamed_list all = {};
	bool is_found = blame(a, faults, &all);

	if (is_found) {
		vec_foreach (blamed, &all)
			kube_refuse(a->objects, blamed);
	}
	vec_release(&all);
	return is_found;
}

/* What is wrong with ZonePolicies holds up nothing else, if those in force can stay. */
static bool hold_zones(struct kube_zones *zones)
{
	if (zones->is_held || !zones->is_known)
		return false;
	return zones->is_held = true;
}

/* Once, and not at every change of anything. */
static void tell_held(struct kube_zones *zones, bool is_all_held, struct text *why)
{
	zones->is_all_held = is_all_held;
	if (strcmp(zones->why.buf, why->buf) != 0 && why->len) {
		fputs(why->buf, stderr);
		log_error("msg=\"%s\"", is_all_held
						? "the cluster's policy is not in force: the last "
						  "one stays"
						: "the cluster's ZonePolicies are not in force: "
						  "those that were stay");
	}
	text_reset(&zones->why);
	text_add(&zones->why, why->buf);
}

static int prepare(struct agent *a, struct text *diagnostics, policy_faults *faults,
		   struct policy_version **ret)
{
	const struct loaded_policy *loaded = a->policies.current->loaded;
	source_list own = {};
	struct policy_input input = {
		.paths = (const char *const *)loaded->paths.items,
		.path_count = loaded->paths.count,
		.faults = faults,
	};
	int err;

	if (loaded->origin == POLICY_GIVEN)
		loaded_policy_texts(loaded, &own);
	a->policies.is_listed = true;
	if (!own.count) { /* what stood in for it is over */
		input.paths = a->config->policy_paths;
		input.path_count = a->config->policy_count;
	}
	input.sources = own.items;
	input.source_count = own.count;
	err = policy_set_prepare(&a->policies, &input, diagnostics, ret);
	vec_release(&own);
	return err;
}

/* A policy of many pods takes much: not three of them at once, when one change follows another. */
static void forget_previous(struct agent *a)
{
	if (a->objects[KUBE_POD].entries.count < MANY_PODS || !a->policies.previous)
		return;
	intake_drain(a);
	reaction_to_age(a, true);
}

/* What an object's author got wrong is no reason to enforce nothing new. */
static int prepare_safely(struct agent *a, struct text *diagnostics, struct policy_version **ret)
{
	struct kube_zones *zones = &a->zones;
	_text_ struct text why = TEXT_INIT;
	bool is_better;
	int err;

	forget_previous(a);
	if (zones->is_touched)
		kube_forgive(a->objects);
	zones->is_touched = zones->is_held = false;
	kube_report_begin(a->report);
	/* Each may bring more to light; it ends, as an object is refused twice at most. */
	do {
		_cleanup_(policy_faults_release)
		policy_faults faults = {};

		text_reset(diagnostics);
		err = prepare(a, diagnostics, &faults, ret);
		if (err && !zones->is_held) {
			text_reset(&why);
			text_add(&why, diagnostics->buf);
		}
		is_better = err && (refuse_faults(a, &faults) || hold_zones(zones));
	} while (is_better);
	if (!err && !zones->is_held)
		text_reset(&why);
	tell_held(zones, err, &why);
	return err;
}

/*
 * What is in force stays until whoever starts agents starts the next one, which has room; once for
 * each policy.
 */
static void end_for_room(struct agent *a)
{
	const char *directory = a->config->state_dir;
	int err = room_keep(directory, &a->policies.room);

	if (err == -EEXIST)
		return;
	if (err) {
		log_error("msg=\"no room for the cluster's policy, nor a note of it for the next "
			  "start\" directory=%s error=\"%s\"",
			  directory, strerror(-err));
		return;
	}
	log_warning("msg=\"no room for the cluster's policy: the agent ends, and its next start "
		    "makes room\"");
	a->is_outgrown = true;
	loop_stop(a->loop);
}

static int swap(struct agent *a, struct policy_version *v, struct text *why)
{
	int err;

	if (datapath_revert_at(a->dp))
		pending_go_back(a, NULL,
				"the cluster has changed, and the policy must be compiled for it");
	err = policy_set_swap(&a->policies, v, why);
	if (err == -E2BIG && a->policies.is_outgrown)
		end_for_room(a);
	return err;
}

static bool is_in_force(struct agent *a, const struct policy_version *v)
{
	struct loaded_policy *now = a->policies.current->loaded;

	if (a->policies.is_behind || strcmp(v->loaded->hash, now->hash) != 0 ||
	    loaded_policy_addresses(v->loaded) != loaded_policy_addresses(now))
		return false;
	now->origin = a->endpoints.origin = POLICY_GIVEN;
	return true;
}

/* What is in force is right for all that were touched, or will be. */
static void settle_pods(struct agent *a)
{
	struct kube_pods *pods = &a->pods;

	if (pods->touched.count)
		a->last_good.is_behind = true;
	kube_pods_settle(pods);
	policy_set_follow(&a->policies);
	if (pods->is_here_touched)
		endpoints_follow(&a->endpoints, a->policies.current->loaded->policy);
	pods->is_here_touched = false;
}

/* Whether each has found its place; else the policy has to be compiled for some. */
static bool move_pods(struct agent *a)
{
	struct kube_pods *pods = &a->pods;
	bool are_placed = true;

	vec_foreach (touched, &pods->touched)
		are_placed &= !pod_move(&a->policies, touched, kube_pods_owner(pods, touched));
	settle_pods(a);
	return are_placed;
}

static void on_moved(void *user)
{
	struct agent *a = user;

	if (!move_pods(a))
		kube_call_changed(a->kubernetes);
	endpoints_scan(&a->endpoints);
}

/* What is in force now is right, and the next start is to know of ZonePolicies that are. */
static void take_over(struct agent *a)
{
	room_forget(a->config->state_dir);
	for (enum kube_kind kind = 0; kind < KUBE_KIND_COUNT; kind++) {
		if (kind == KUBE_POD || !kube_makes_policy(kind))
			continue;
		vec_foreach (entry, &a->objects[kind].entries)
			(*entry)->is_proven = !(*entry)->refusals;
	}
	if (kube_zones_take(&a->zones, &a->objects[KUBE_ZONE_POLICY]))
		last_good_keep(&a->last_good, a->policies.current->loaded, &a->objects[KUBE_POD]);
}

static void on_changed(void *user)
{
	struct agent *a = user;
	_policy_version_ struct policy_version *v = NULL;
	_text_ struct text diagnostics = TEXT_INIT;
	_text_ struct text why = TEXT_INIT;
	int err = prepare_safely(a, &diagnostics, &v);

	if (!err && !is_in_force(a, v)) {
		err = swap(a, TAKE_PTR(v), &why);
		if (err)
			log_error("msg=\"the cluster's policy is not in force: the last one "
				  "stays\" error=\"%s\"",
				  why.len ? why.buf : strerror(-err));
	}
	if (!err)
		take_over(a);
	/* What has come into force knows of all pods, what was of those that have a place in it. */
	if (err || datapath_revert_at(a->dp))
		move_pods(a);
	else
		settle_pods(a);
	if (!err)
		endpoints_settle(&a->endpoints);
	kube_report_end(a->report, !err && !a->zones.is_held, why.len ? why.buf : a->zones.why.buf);
}

/* Without this they stay as they were. */
static int set_backends(struct agent *a, struct text *reterr)
{
	kube_backends backends = {};
	int err = 0;

	if (kube_backends_now(a->kubernetes, &backends))
		err = datapath_set_backends(a->dp, backends.items, backends.count, reterr);
	vec_release(&backends);
	return err;
}

static int set_fronts(struct agent *a, struct text *reterr)
{
	kube_fronts fronts = {};
	int err;

	kube_fronts_now(a->kubernetes, &fronts);
	err = datapath_set_fronts(a->dp, fronts.items, fronts.count, reterr);
	vec_release(&fronts);
	return err;
}

/* While the server is away, and for as long as it takes to list them, those that were stand. */
static void on_services_changed(void *user)
{
	_text_ struct text why = TEXT_INIT;
	struct agent *a = user;
	int err = datapath_asks_backends(a->dp) ? set_backends(a, &why) : set_fronts(a, &why);

	if (err)
		log_error("msg=\"Services are not those of the cluster\" error=\"%s\"",
			  why.len ? why.buf : strerror(-err));
}

void cluster_check(struct agent *a)
{
	int count = a->kubernetes ? datapath_repair_fronts(a->dp) : 0;

	if (count < 0)
		log_error("msg=\"program for Services is detached\" error=\"%s\"",
			  strerror(-count));
	else if (count)
		log_warning("msg=\"program for Services was detached: it is there again\" "
			    "hooks=%d",
			    count);
}

/* Each on a line of its own: rules may name pods of them that don't exist. */
static void recall_spaces(struct agent *a, const struct source *source)
{
	const char *line = source->text;

	while (*line) {
		_text_ struct text text = TEXT_INIT;
		struct kube_object object;

		text_addn(&text, line, strcspn(line, "\n"));
		line += text.len + (line[text.len] == '\n');
		if (!kube_object_read(KUBE_NAMESPACE, text.buf, &object))
			kube_table_put(&a->objects[KUBE_NAMESPACE], &object, 0);
	}
}

void cluster_recall(struct agent *a)
{
	_source_list_ source_list texts = {};
	_text_ struct text why = TEXT_INIT;

	if (!a->config->kubernetes)
		return;
	a->pods.node = a->config->kubernetes->node;
	a->objects[KUBE_POD].pods = &a->pods;
	a->objects[KUBE_ZONE_POLICY].zones = &a->zones;
	a->policies.objects = a->objects;
	a->naming.pods = &a->pods;
	a->endpoints.cluster = &a->pods;
	if (last_good_read(&a->last_good, &why, &texts))
		return; /* who reads the policy in it tells why */
	vec_foreach (text, &texts) {
		if (!strcmp(text->name, PODS_SOURCE))
			kube_pods_read(text, &a->objects[KUBE_POD]);
		else if (is_kube_source_of(text, KUBE_NAMESPACE))
			recall_spaces(a, text);
		else if (is_kube_source_of(text, KUBE_ZONE_POLICY))
			kube_zones_recall(&a->zones, text);
		/* It was a cluster's, if only one without any. */
		a->zones.is_known |= is_kube_source(text);
	}
	kube_pods_settle(&a->pods);
}

int cluster_start(struct agent *a, struct text *reterr)
{
	const struct kube_events events = {on_changed, on_moved, a, on_services_changed};
	const char *trouble = datapath_fronts_trouble(a->dp);
	int err;

	if (!a->config->kubernetes)
		return 0;
	if (trouble)
		log_warning("msg=\"no program can decide who gets what is sent to a Service: all "
			    "of its backends must be allowed\" error=\"%s\"",
			    trouble);
	err = kube_new(a->loop, a->config->kubernetes, a->objects, &events, &a->kubernetes);
	if (err)
		text_addf(reterr, "cannot follow the cluster: %s", strerror(-err));
	else {
		if (datapath_asks_backends(a->dp))
			kube_follow_endpoints(a->kubernetes);
		a->report = kube_report_new(a->loop, a->kubernetes, a->config->kubernetes);
	}
	return err;
}
