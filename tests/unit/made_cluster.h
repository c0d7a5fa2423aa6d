/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A cluster of a test: its objects, and the policy that they make, as the agent makes it. */
#ifndef TESTS_UNIT_MADE_CLUSTER_H
#define TESTS_UNIT_MADE_CLUSTER_H

#include "tests/test.h"

#include "agent/kubernetes/kube_texts.h"
#include "agent/policies/policy_set.h"

struct made_cluster {
	struct kube_table tables[KUBE_KIND_COUNT];
	struct kube_zones zones;
	struct kube_pods pods;
	uint64_t order;
};

static inline void made_cluster_init(struct made_cluster *c)
{
	*c = (struct made_cluster){.zones = KUBE_ZONES_INIT};
	c->tables[KUBE_ZONE_POLICY].zones = &c->zones;
	c->tables[KUBE_POD].pods = &c->pods;
}

static inline void made_cluster_release(struct made_cluster *c)
{
	for (size_t i = 0; i < KUBE_KIND_COUNT; i++)
		kube_table_release(&c->tables[i]);
	kube_zones_release(&c->zones);
	kube_pods_release(&c->pods);
}

#define _made_cluster_ _cleanup_(made_cluster_release)

static inline bool made_cluster_put(struct made_cluster *c, enum kube_kind kind, const char *json)
{
	struct kube_object object;

	assert_int_equal(kube_object_read(kind, json, &object), 0);
	return kube_table_put(&c->tables[kind], &object, ++c->order);
}

/* With a document of this machine's own; NULL: with none.  NULL if it is wrong, as is said. */
static inline struct policy_version *made_cluster_compile(struct made_cluster *c, const char *own,
							  struct text *diagnostics)
{
	struct policy_set set = {.objects = c->tables, .is_listed = true};
	struct source source = own ? source_of("own.yaml", own, strlen(own)) : (struct source){};
	const struct policy_input input = {.sources = &source, .source_count = own != NULL};
	struct policy_version *v = NULL;

	policy_set_prepare(&set, &input, diagnostics, &v);
	policy_set_release(&set);
	return v;
}

#endif
