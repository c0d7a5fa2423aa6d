/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/cluster.h"

#include <errno.h>
#include <string.h>

#include "agent/pending.h"
#include "util/log.h"
#include "util/mem.h"

static void faults_release(policy_faults *faults)
{
	vec_foreach (fault, faults) {
		free(fault->source);
		free(fault->message);
	}
	vec_release(faults);
}

/* Whether all that is wrong is in objects that something else can stand for. */
static bool refuse_faults(struct agent *a, const policy_faults *faults)
{
	const struct source *last = NULL;
	unsigned int last_line = 0;

	kube_report_faults(a->report, &a->policies.cluster, faults);
	vec_foreach (fault, faults) {
		const struct source *text = source_list_find(&a->policies.cluster, fault->source);

		if (text && text == last && fault->line == last_line)
			continue;
		if (!text || !kube_refuse(a->kubernetes, text, fault->line))
			return false;
		last = text;
		last_line = fault->line;
	}
	return faults->count;
}

static int prepare(struct agent *a, struct text *diagnostics, policy_faults *faults,
		   struct policy_version **ret)
{
	const struct loaded_policy *loaded = a->policies.current->loaded;
	source_list own = {}, texts = {};
	struct policy_input input = {
		.paths = (const char *const *)loaded->paths.items,
		.path_count = loaded->paths.count,
		.faults = faults,
	};
	int err;

	if (loaded->origin == POLICY_GIVEN)
		loaded_policy_texts(loaded, &own);
	kube_documents(a->kubernetes, &own, &texts);
	policy_set_cluster(&a->policies, &texts);
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

/* What an object's author got wrong is no reason to enforce nothing new. */
static int prepare_safely(struct agent *a, struct text *diagnostics, struct policy_version **ret)
{
	bool is_better;
	int err;

	kube_report_begin(a->report);
	/* Each may bring more to light; it ends, as an object is refused twice at most. */
	do {
		_cleanup_(faults_release)
		policy_faults faults = {};

		text_reset(diagnostics);
		err = prepare(a, diagnostics, &faults, ret);
		is_better = err && refuse_faults(a, &faults);
	} while (is_better);
	return err;
}

static int swap(struct agent *a, struct policy_version *v, struct text *why)
{
	if (datapath_revert_at(a->dp))
		pending_go_back(a, NULL,
				"the cluster has changed, and the policy must be compiled for it");
	return policy_set_swap(&a->policies, v, why);
}

static bool is_in_force(struct agent *a, const struct policy_version *v)
{
	struct loaded_policy *now = a->policies.current->loaded;

	if (strcmp(v->loaded->hash, now->hash) != 0)
		return false;
	now->origin = a->endpoints.origin = POLICY_GIVEN;
	return true;
}

static void on_changed(void *user)
{
	struct agent *a = user;
	_policy_version_ struct policy_version *v = NULL;
	_text_ struct text diagnostics = TEXT_INIT;
	_text_ struct text why = TEXT_INIT;
	int err = prepare_safely(a, &diagnostics, &v);

	if (err)
		fputs(diagnostics.buf, stderr);
	else if (!is_in_force(a, v))
		err = swap(a, TAKE_PTR(v), &why);
	if (err)
		log_error("msg=\"the cluster's policy is not in force: the last one stays\" "
			  "error=\"%s\"",
			  why.len ? why.buf : strerror(-err));
	else
		endpoints_settle(&a->endpoints);
	kube_report_end(a->report, !err, why.len ? why.buf : diagnostics.buf);
}

/* While the server is away, and for as long as it takes to list them, those that were stand. */
static void on_services_changed(void *user)
{
	_text_ struct text why = TEXT_INIT;
	struct agent *a = user;
	kube_fronts fronts = {};
	int err;

	kube_fronts_now(a->kubernetes, &fronts);
	err = datapath_set_fronts(a->dp, fronts.items, fronts.count, &why);
	if (err)
		log_error("msg=\"Services are not those of the cluster\" error=\"%s\"",
			  why.len ? why.buf : strerror(-err));
	vec_release(&fronts);
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

int cluster_start(struct agent *a, struct text *reterr)
{
	const struct kube_events events = {on_changed, a, on_services_changed};
	const char *trouble = datapath_fronts_trouble(a->dp);
	int err;

	if (!a->config->kubernetes)
		return 0;
	if (trouble)
		log_warning("msg=\"Services can't be decided on this kernel: their addresses are "
			    "closed to pods that aren't allowed to send to them as such\" "
			    "error=\"%s\"",
			    trouble);
	err = kube_new(a->loop, a->config->kubernetes, &events, &a->kubernetes);
	if (err)
		text_addf(reterr, "cannot follow the cluster: %s", strerror(-err));
	else
		a->report = kube_report_new(a->loop, a->kubernetes, a->config->kubernetes);
	return err;
}
