/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/pod_endpoints.h"

#include <string.h>

#include "agent/endpoint_patterns.h"
#include "agent/kube_config.h"
#include "agent/pod_path.h"
#include "util/log.h"
#include "util/mem.h"

#define BY_CLUSTER "kubernetes" /* who configures these */

static size_t find_node(const struct endpoints *es)
{
	const char *node = es->config->kubernetes->node;

	for (size_t i = 0; i < es->policy->workloads.count; i++) {
		const struct workload *w = &es->policy->workloads.items[i];

		if (w->kind == WORKLOAD_NODE && !strcmp(w->name, node))
			return i;
	}
	return POLICY_NONE;
}

static void list_pods(struct endpoints *es)
{
	size_t node = find_node(es);

	es->pods.count = 0;
	for (size_t i = 0; node != POLICY_NONE && i < es->policy->workloads.count; i++) {
		const struct workload *w = &es->policy->workloads.items[i];

		if (w->kind == WORKLOAD_POD && w->node == node && w->prefixes.count)
			vec_push(&es->pods, i);
	}
}

static const struct workload *find_pod(const struct endpoints *es, const char *name)
{
	vec_foreach (pod, &es->pods) {
		const struct workload *w = &es->policy->workloads.items[*pod];

		if (!strcmp(w->name, name))
			return w;
	}
	return NULL;
}

static bool has_same_sources(const struct endpoint *e, const struct workload *pod)
{
	if (e->sources.count != pod->prefixes.count)
		return false;
	for (size_t i = 0; i < e->sources.count; i++) {
		if (prefix_cmp(&e->sources.items[i], &pod->prefixes.items[i].prefix))
			return false;
	}
	return true;
}

/* Of any of its addresses. */
static bool find_path(const struct workload *pod, uint32_t *ret)
{
	vec_foreach (placed, &pod->prefixes) {
		if (!pod_path_find(&placed->prefix.addr, ret))
			return true;
	}
	return false;
}

/* NULL @pod: nobody's. */
static void assign(struct endpoint *e, const struct workload *pod)
{
	free(e->pod);
	e->pod = pod ? xstrdup(pod->name) : NULL;
	e->workload = e->pod;
	vec_release(&e->sources);
	if (!pod)
		return;
	vec_foreach (placed, &pod->prefixes)
		vec_push(&e->sources, placed->prefix);
}

static void set_again(struct endpoints *es, struct endpoint *e)
{
	if (e->ifindex && !endpoints_try_attach(es, e))
		e->ifindex = 0;
}

static void follow(struct endpoints *es, struct endpoint *e)
{
	const struct workload *pod = find_pod(es, e->pod);
	uint32_t ifindex = 0;

	if (pod && has_same_sources(e, pod))
		return;
	if (!pod)
		log_info("msg=\"pod is gone\" pod=%s interface=%s", e->pod, endpoint_label(e));
	/* Another pod of the name is behind another interface. */
	if (pod && (!find_path(pod, &ifindex) || ifindex != e->seen))
		pod = NULL;
	assign(e, pod);
	set_again(es, e);
}

void pod_endpoints_follow(struct endpoints *es)
{
	if (!es->config->kubernetes)
		return;
	list_pods(es);
	vec_foreach (e, &es->list) {
		if (e->pod)
			follow(es, e);
	}
}

static bool has_endpoint(const struct endpoints *es, const struct workload *pod)
{
	vec_foreach (e, &es->list) {
		if (e->pod && !strcmp(e->pod, pod->name))
			return true;
	}
	return false;
}

/* What an option says of an interface by its name stands. */
static void take(struct endpoints *es, const struct workload *pod, uint32_t ifindex)
{
	struct endpoint e = {
		.interface = BY_CLUSTER,
		.kind = BH_ENDPOINT_WORKLOAD,
		.is_match = true,
		.seen = ifindex,
		.trouble.what = TEXT_INIT,
		.refusal = TEXT_INIT,
	};

	vec_foreach (there, &es->list) {
		if (there->seen != ifindex && there->ifindex != ifindex)
			continue;
		if (there->pod || !there->is_match || there->kind != BH_ENDPOINT_WORKLOAD)
			return;
		assign(there, pod);
		set_again(es, there);
		return;
	}
	if (!if_indextoname(ifindex, e.name))
		return;
	e.id = endpoint_choose_id(es, ifindex);
	assign(&e, pod);
	vec_push(&es->list, e);
}

void pod_endpoints_find(struct endpoints *es)
{
	es->has_missing = false;
	vec_foreach (index, &es->pods) {
		const struct workload *pod = &es->policy->workloads.items[*index];
		uint32_t ifindex;

		if (has_endpoint(es, pod))
			continue;
		if (find_path(pod, &ifindex))
			take(es, pod, ifindex);
		else
			es->has_missing = true;
	}
}
