/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/kubernetes/cluster_policy.h"

#include <errno.h>
#include <string.h>

#include "agent/kubernetes/cluster_pods.h"
#include "agent/kubernetes/kube_snapshot.h"
#include "agent/kubernetes/pod_moves.h"
#include "agent/policies/pending.h"
#include "agent/policies/policy_job.h"
#include "agent/policies/room.h"
#include "agent/reactions.h"
#include "util/log.h"
#include "util/mem.h"

#define MANY_PODS 10000

struct making {
	struct agent *agent;
	struct kube_snapshot made_of;
	bool is_held;    /* those ZonePolicies count that are in force */
	struct text why; /* what was wrong, before they did */
};

static void end(struct making *m)
{
	struct agent *a = m->agent;

	a->making = NULL;
	kube_pods_note_end(&a->pods);
	kube_snapshot_release(&m->made_of);
	text_release(&m->why);
	free(m);
}

/* --- what is wrong with it --- */

typedef VEC(struct kube_blamed) blamed_list;

/* As @last, which is of the same line; several of an object come in a row. */
static bool is_as_last(const struct policy_fault *fault, size_t count,
		       const struct kube_blamed *last)
{
	return count == 1 && last->entry && !last->has_notes && fault->line &&
	       !strcmp(fault->line, last->at->line);
}

/* Who is to be refused, each once; false: there is something wrong that nobody can be for. */
static bool blame(const struct making *m, const policy_faults *faults, blamed_list *ret)
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
			is_found &= kube_blame(m->made_of.tables, fault, next - i, &blamed);
			vec_push(ret, blamed);
		}
		kube_report_fault(m->agent->report, &blamed);
	}
	return is_found;
}

/* Whether all that is wrong is in objects that something else can stand for. */
static bool refuse_faults(const struct making *m, const policy_faults *faults)
{
	blamed_list all = {};
	bool is_found = blame(m, faults, &all);

	if (is_found) {
		vec_foreach (blamed, &all)
			kube_refuse(m->made_of.tables, blamed);
	}
	vec_release(&all);
	return is_found;
}

/* What is wrong with ZonePolicies holds up nothing else, if those in force can stay. */
static bool hold_zones(struct making *m)
{
	if (m->is_held || !m->agent->zones.is_known)
		return false;
	return m->is_held = true;
}

/* Each may bring more to light; it ends, as an object is refused twice at most. */
static bool is_to_be_tried_again(struct making *m, const struct preparation *p)
{
	if (!m->is_held) {
		text_reset(&m->why);
		text_add(&m->why, p->diagnostics.buf);
	}
	return refuse_faults(m, &p->faults) || hold_zones(m);
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

/* --- in force --- */

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
	int err = policy_set_swap(&a->policies, v, why);

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

/* One that waits to be confirmed goes back, and it is made of the one before. */
static bool has_gone_back(struct agent *a)
{
	return datapath_revert_at(a->dp) &&
	       !pending_go_back(a, NULL,
				"the cluster has changed, and the policy must be compiled for it");
}

/* What is in force now is right, and the next start is to know of ZonePolicies that are. */
static void take_over(struct making *m)
{
	struct agent *a = m->agent;

	room_forget(a->config->state_dir);
	for (enum kube_kind kind = 0; kind < KUBE_KIND_COUNT; kind++) {
		if (kind == KUBE_POD)
			continue;
		vec_foreach (entry, &m->made_of.tables[kind].entries)
			(*entry)->is_proven = !(*entry)->refusals;
	}
	if (kube_zones_take(&a->zones, &m->made_of.tables[KUBE_ZONE_POLICY]))
		last_good_keep(&a->last_good, a->policies.current->loaded, &a->objects[KUBE_POD]);
}

struct followed {
	const struct kube_pods *pods;
	struct policy_version *version;
	bool are_placed;
};

static void follow_pod(void *user, const struct bh_addr *addr)
{
	struct followed *f = user;

	f->are_placed &= !pod_move_ahead(f->version, addr, kube_pods_owner(f->pods, addr));
}

/* What pods did since the objects were taken.  False: the policy has to be compiled for some. */
static bool follow_pods(const struct agent *a, struct policy_version *v)
{
	struct followed f = {&a->pods, v, true};

	kube_pods_noted(&a->pods, follow_pod, &f);
	return f.are_placed;
}

/* Of ZonePolicies that have changed since, more is known when they are in force. */
static bool has_same_zones(const struct making *m)
{
	const struct kube_table *then = &m->made_of.tables[KUBE_ZONE_POLICY];
	const struct kube_table *now = &m->agent->objects[KUBE_ZONE_POLICY];

	vec_foreach (entry, &then->entries) {
		if (kube_table_get(now, (*entry)->object.key) != *entry)
			return false;
	}
	return then->entries.count == now->entries.count;
}

static void begin(struct making *m);

/* -ECANCELED: it has to begin again. */
static int put_in_force(struct making *m, struct preparation *p, struct text *why)
{
	struct agent *a = m->agent;
	bool are_placed = follow_pods(a, p->version);
	int err = 0;

	if (!is_in_force(a, p->version)) {
		if (has_gone_back(a))
			return -ECANCELED;
		err = swap(a, TAKE_PTR(p->version), why);
	}
	/* What has come into force knows of all pods, what was of those that have a place in it. */
	if (err || datapath_revert_at(a->dp))
		cluster_pods_move(a);
	else
		cluster_pods_settle(a);
	if (err)
		log_error("msg=\"the cluster's policy is not in force: the last one "
			  "stays\" error=\"%s\"",
			  why->len ? why->buf : strerror(-err));
	else
		take_over(m);
	if (!are_placed)
		kube_call_changed(a->kubernetes);
	return err;
}

static void on_prepared(void *user, struct preparation *p)
{
	struct making *m = user;
	struct agent *a = m->agent;
	_text_ struct text why = TEXT_INIT;
	int err = p->err;

	if (err && err != -ECANCELED && is_to_be_tried_again(m, p)) {
		begin(m);
		return;
	}
	if (err != -ECANCELED) {
		if (!err && !m->is_held)
			text_reset(&m->why);
		a->zones.is_held = m->is_held;
		tell_held(&a->zones, err, &m->why);
	}
	if (!err)
		err = put_in_force(m, p, &why);
	if (!err)
		endpoints_settle(&a->endpoints);
	else if (p->err)
		cluster_pods_move(a);
	if (err == -ECANCELED)
		kube_call_changed(a->kubernetes);
	else if (has_same_zones(m))
		kube_report_end(a->report, !err && !a->zones.is_held,
				why.len ? why.buf : a->zones.why.buf);
	end(m);
	kube_changed_over(a->kubernetes);
	reaction_to_made(a);
}

/* --- begin --- */

/* Of what the objects and this machine's own files are now. */
static void begin(struct making *m)
{
	struct agent *a = m->agent;
	const struct loaded_policy *loaded = a->policies.current->loaded;
	source_list own = {};
	struct policy_input input = {
		.paths = (const char *const *)loaded->paths.items,
		.path_count = loaded->paths.count,
	};
	struct policy_job_plan plan = {a->loop, &input, m->made_of.tables, on_prepared, m};

	if (loaded->origin == POLICY_GIVEN)
		loaded_policy_texts(loaded, &own);
	if (!own.count) { /* what stood in for it is over */
		input.paths = a->config->policy_paths;
		input.path_count = a->config->policy_count;
	}
	input.sources = own.items;
	input.source_count = own.count;
	a->policies.is_listed = true;
	kube_snapshot_release(&m->made_of);
	kube_snapshot_take(a->objects, &m->made_of);
	m->made_of.zones.is_held = m->is_held;
	policy_job_begin(&a->policies, &plan);
	vec_release(&own);
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
void cluster_policy_make(struct agent *a)
{
	struct making *m = xcalloc(1, sizeof(*m));

	forget_previous(a);
	if (a->zones.is_touched)
		kube_forgive(a->objects);
	a->zones.is_touched = false;
	kube_report_begin(a->report);
	m->agent = a;
	m->why = (struct text)TEXT_INIT;
	a->making = m;
	begin(m);
}

void cluster_policy_end(struct agent *a)
{
	policy_job_free(TAKE_PTR(a->policies.job));
	if (a->making)
		end(a->making);
}
