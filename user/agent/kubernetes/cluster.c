/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/kubernetes/cluster.h"

#include <errno.h>
#include <string.h>

#include "agent/kubernetes/cluster_pods.h"
#include "agent/kubernetes/cluster_policy.h"
#include "agent/kubernetes/kube_pods_text.h"
#include "agent/kubernetes/kube_texts.h"
#include "util/log.h"

/* What the policy in the making finds a place for needs no other one. */
static void on_moved(void *user)
{
	struct agent *a = user;

	if (!cluster_pods_move(a) && !a->making)
		kube_call_changed(a->kubernetes);
	endpoints_scan(&a->endpoints);
}

static void on_changed(void *user)
{
	cluster_policy_make(user);
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
