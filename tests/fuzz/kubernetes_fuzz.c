/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Whatever the bytes say about some given pods, the model keeps what it promises. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "policy/load.h"
#include "tests/fuzz/round_trip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char given[] =
	"{apiVersion: v1, kind: Namespace, metadata: {name: prod, labels: {team: shop}}}\n"
	"---\n"
	"apiVersion: v1\n"
	"kind: PodList\n"
	"items:\n"
	"- metadata: {name: given-1, namespace: prod, labels: {app: web}}\n"
	"  spec: {containers: [{ports: [{name: http, containerPort: 8080}]}]}\n"
	"  status: {podIP: 198.51.100.1}\n"
	"- metadata: {name: given-2, namespace: prod, labels: {app: api}}\n"
	"  spec: {containers: [{ports: [{name: http, containerPort: 80}]}]}\n"
	"  status: {podIP: 198.51.100.2}\n"
	"- metadata: {name: given-3}\n"
	"  status: {podIP: 198.51.100.3}\n";

static void check_rules(const struct policy *p)
{
	int64_t last[TIER_BASELINE + 1] = {[TIER_ADMIN] = -1, [TIER_BASELINE] = -1};
	size_t ordered = 0;

	vec_foreach (rule, &p->rules) {
		assert(rule->from && rule->to && rule->name && rule->service_text);
		assert(rule->services.count && rule->sides);
		if (rule->tier != TIER_ADMIN && rule->tier != TIER_BASELINE)
			continue;
		ordered++;
		if (last[rule->tier] < rule->order)
			last[rule->tier] = rule->order;
	}
	assert(last[TIER_ADMIN] < (int64_t)ordered && last[TIER_BASELINE] < (int64_t)ordered);
}

static void check_workloads(const struct policy *p)
{
	vec_foreach (w, &p->workloads) {
		if (w->kind == WORKLOAD_POD)
			assert(w->space < p->namespaces.count);
		else
			assert(!w->isolated && w->group == POLICY_NONE);
		if (!w->prefixes.count && w->kind == WORKLOAD_POD)
			assert(!w->isolated && w->group == POLICY_NONE && w->zone == POLICY_NONE);
		if (w->group != POLICY_NONE)
			assert(p->workloads.items[w->group].kind == WORKLOAD_GROUP);
		if (w->node != POLICY_NONE)
			assert(p->workloads.items[w->node].kind == WORKLOAD_NODE);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct source sources[] = {
		source_of("given", given, strlen(given)),
		source_of("fuzz", (const char *)data, size),
	};
	_diags_ struct diags d = {};
	_policy_ struct policy *p = NULL;

	if (policy_load_sources(sources, COUNT(sources), &d, &p))
		return 0;
	check_rules(p);
	check_workloads(p);
	check_print(p);
	return 0;
}
