/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/kubernetes/pod_endpoints.h"

#include <string.h>

#include "agent/endpoints/endpoint_patterns.h"
#include "agent/kubernetes/kube_table.h"
#include "agent/kubernetes/pod_path.h"
#include "util/log.h"
#include "util/mem.h"

#define BY_CLUSTER "kubernetes" /* who configures these */

/* Those of its addresses that no younger pod has. */
static void list_addresses(const struct endpoints *es, const struct kube_entry *pod, prefixes *out)
{
	for (unsigned int i = 0; i < pod->object.address_count; i++) {
		const struct bh_addr *a = &pod->object.addresses[i];

		if (kube_pods_owner(es->cluster, a) == pod)
			vec_push(out, prefix_of_addr(a));
	}
}

bool pod_endpoint_addresses(const struct endpoints *es, const char *name, prefixes *out)
{
	const struct kube_entry *pod = es->cluster ? kube_pods_here(es->cluster, name) : NULL;

	if (pod)
		list_addresses(es, pod, out);
	return pod;
}

static bool has_same_sources(const struct endpoints *es, const struct endpoint *e,
			     const struct kube_entry *pod)
{
	prefixes now = {};
	bool is_same;

	list_addresses(es, pod, &now);
	is_same = endpoint_prefixes_equal(&now, &e->sources);
	vec_release(&now);
	return is_same;
}

static bool has_addresses(const struct endpoints *es, const struct kube_entry *pod)
{
	for (unsigned int i = 0; i < pod->object.address_count; i++) {
		if (kube_pods_owner(es->cluster, &pod->object.addresses[i]) == pod)
			return true;
	}
	return false;
}

/* Of any of its addresses: where one is that a younger pod has by now, this one is not. */
static bool find_path(const struct endpoints *es, const struct kube_entry *pod, uint32_t *ret)
{
	for (unsigned int i = 0; i < pod->object.address_count; i++) {
		const struct bh_addr *a = &pod->object.addresses[i];

		if (kube_pods_owner(es->cluster, a) == pod && !pod_path_find(a, ret))
			return true;
	}
	return false;
}

/* NULL @pod: nobody's. */
static void assign(const struct endpoints *es, struct endpoint *e, const struct kube_entry *pod)
{
	free(e->pod);
	e->pod = pod ? xstrdup(pod->object.key) : NULL;
	e->workload = e->pod;
	vec_release(&e->sources);
	if (pod)
		list_addresses(es, pod, &e->sources);
}

static void set_again(struct endpoints *es, struct endpoint *e)
{
	if (e->ifindex && !endpoints_try_attach(es, e))
		e->ifindex = 0;
}

static void follow(struct endpoints *es, struct endpoint *e)
{
	const struct kube_entry *pod = kube_pods_here(es->cluster, e->pod);
	uint32_t ifindex = 0;

	if (pod && has_same_sources(es, e, pod))
		return;
	if (!pod)
		log_info("msg=\"pod is gone\" pod=%s interface=%s", e->pod, endpoint_label(e));
	/* Another pod of the name is behind another interface. */
	if (pod && (!find_path(es, pod, &ifindex) || ifindex != e->seen))
		pod = NULL;
	assign(es, e, pod);
	set_again(es, e);
}

void pod_endpoints_follow(struct endpoints *es)
{
	if (!es->cluster)
		return;
	vec_foreach (e, &es->list) {
		if (e->pod)
			follow(es, e);
	}
}

static bool has_endpoint(const struct endpoints *es, const struct kube_entry *pod)
{
	vec_foreach (e, &es->list) {
		if (e->pod && !strcmp(e->pod, pod->object.key))
			return true;
	}
	return false;
}

/* What an option says of an interface by its name stands. */
static void take(struct endpoints *es, const struct kube_entry *pod, uint32_t ifindex)
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
		assign(es, there, pod);
		set_again(es, there);
		return;
	}
	if (!if_indextoname(ifindex, e.name))
		return;
	e.id = endpoint_choose_id(es, ifindex);
	assign(es, &e, pod);
	vec_push(&es->list, e);
}

void pod_endpoints_find(struct endpoints *es)
{
	es->has_missing = false;
	if (!es->cluster)
		return;
	vec_foreach (here, &es->cluster->here) {
		const struct kube_entry *pod = *here;
		uint32_t ifindex;

		if (has_endpoint(es, pod) || !has_addresses(es, pod))
			continue;
		if (find_path(es, pod, &ifindex))
			take(es, pod, ifindex);
		else
			es->has_missing = true;
	}
}
