/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/unit/explain_asks.h"

/* Line 1 is the head's; api-1 and api-2 share an identity. */
static const char spec[] =
	"  zones: [{name: data, podSelector: {matchLabels: {app: db}}}]\n"
	"  workloads: [{name: backend, podSelector: {matchLabels: {app: api}}}]\n"
	"  rules:\n"
	"  - {name: late, from: any, to: any, services: tcp/7, expires: 2020-01-01T00:00:00Z}\n"
	"---\n"
	"apiVersion: v1\n"
	"kind: List\n"
	"items:\n"
	"- {apiVersion: v1, kind: Node, metadata: {name: node-a},\n"
	"   status: {addresses: [{type: InternalIP, address: 192.0.2.1}]}}\n"
	"- {apiVersion: v1, kind: Node, metadata: {name: node-b},\n"
	"   status: {addresses: [{type: InternalIP, address: 192.0.2.2}]}}\n"
	"- {apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, labels: {app: "
	"web}},\n"
	"   spec: {nodeName: node-a}, status: {podIP: 10.8.0.1}}\n"
	"- {apiVersion: v1, kind: Pod, metadata: {name: api-1, namespace: shop, labels: {app: "
	"api}},\n"
	"   spec: {nodeName: node-a}, status: {podIPs: [{ip: 10.8.0.2}, {ip: \"fd00:8::2\"}]}}\n"
	"- {apiVersion: v1, kind: Pod, metadata: {name: api-2, namespace: shop, labels: {app: "
	"api}},\n"
	"   spec: {nodeName: node-b}, status: {podIP: 10.8.0.3}}\n"
	"- {apiVersion: v1, kind: Pod, metadata: {name: db, namespace: shop, labels: {app: db}},\n"
	"   spec: {nodeName: node-b}, status: {podIP: 10.8.0.4}}\n"
	"- {apiVersion: v1, kind: Pod, metadata: {name: agent, namespace: ops},\n"
	"   spec: {nodeName: node-b, hostNetwork: true}, status: {podIP: 192.0.2.2}}\n"
	"---\n"
	"apiVersion: networking.k8s.io/v1\n"
	"kind: NetworkPolicy\n"
	"metadata: {name: deny-all, namespace: shop}\n"
	"spec: {podSelector: {}}\n"
	"---\n"
	"apiVersion: networking.k8s.io/v1\n"
	"kind: NetworkPolicy\n"
	"metadata: {name: api, namespace: shop}\n"
	"spec:\n"
	"  podSelector: {matchLabels: {app: api}}\n"
	"  ingress:\n"
	"  - {from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: 8080}]}\n"
	"  egress:\n"
	"  - {to: [{podSelector: {matchLabels: {app: db}}}], ports: [{port: 5432}]}\n";

static const struct environment env = {.now = 1795251600};

/* clang-format off */
static const struct ask_case asks[] = {
	{ "a pod and itself",             "shop/web", "shop/web", "tcp/9",       "allow builtin-self" },
	{ "by address",                   "10.8.0.1", "shop/web", "any",         "allow builtin-self" },
	{ "its other address",            "shop/api-1", "fd00:8::2", "tcp/9",    "allow builtin-self" },
	{ "one of the same kind",         "shop/api-1", "shop/api-2", "tcp/9",   "deny default" },
	{ "by address, too",              "10.8.0.2", "10.8.0.3", "tcp/9",       "deny default" },
	{ "a group with its only other",  "backend", "shop/api-1", "tcp/9",      "deny default" },
	{ "a zone of one pod",            "data", "shop/db", "tcp/9",            "allow builtin-self" },
	{ "a family it doesn't have",     "shop/api-2", "fd00:8::2", "tcp/9",
	  "'shop/api-2' has IPv4 and 'fd00:8::2' has IPv6: only ends of one family connect" },
	{ "a node and its pod",           "node-a", "shop/web", "tcp/9",         "allow builtin-host" },
	{ "by address",                   "192.0.2.2", "10.8.0.4", "tcp/9",      "allow builtin-host" },
	{ "a hostNetwork pod",            "ops/agent", "shop/api-2", "tcp/9",    "allow builtin-host" },
	{ "not another node's",           "ops/agent", "shop/api-1", "tcp/9",    "deny default" },
	{ "not the other way",            "shop/db", "node-b", "tcp/9",          "deny default" },
	{ "this machine and a pod",       "host", "shop/db", "tcp/9",            "allow builtin-host" },
	{ "and a node",                   "host", "node-b", "tcp/9",             "allow default" },
	{ "a zone of its pods",           "node-b", "data", "tcp/9",             "allow builtin-host" },
	{ "a group of some of its pods",  "node-b", "backend", "tcp/9",          "mixed" },
	{ "both sides' rules",            "shop/web", "shop/api-2", "tcp/8080",  "allow shop/api:ingress[0]" },
	{ "one side's alone",             "shop/api-2", "shop/db", "tcp/5432",   "deny default" },
};
/* clang-format on */

static void what_is_built_in_is_asked_before_the_rules(void **state)
{
	_policy_text_ struct compiled_text t = policy_text(spec, &env);

	(void)state;
	assert_answers(t.compiled, asks, COUNT(asks));
}

/* clang-format off */
static const struct describe_case describes[] = {
	{ "a rule of one side", "shop/web", "10.8.0.3", "tcp/8080",
	  "allow by rule 'shop/api:ingress[0]' at t.yaml:39:5\n"
	  "  egress of shop/web: open, since nothing isolates it\n"
	  "  ingress of 10.8.0.3: allowed by NetworkPolicy shop/api:ingress[0] (t.yaml:39)\n"
	  "  from shop/web: pod shop/web, mode enforce\n"
	  "  to 10.8.0.3: pod shop/api-2 of workload backend, mode enforce\n"
	  "  service tcp/8080: tcp/8080\n" },
	{ "who isolates", "203.0.113.1", "shop/web", "tcp/7",
	  "deny by default\n"
	  "  egress of 203.0.113.1: open, since nothing isolates it\n"
	  "  ingress of shop/web: denied by default, since NetworkPolicy shop/deny-all selects it\n"
	  "  from 203.0.113.1: outside, in no zone\n"
	  "  to shop/web: pod shop/web, mode enforce\n"
	  "  service tcp/7: tcp/7\n" },
	{ "what denies is the other side", "shop/api-2", "shop/db", "tcp/5432",
	  "deny by default\n"
	  "  egress of shop/api-2: allowed by NetworkPolicy shop/api:egress[0] (t.yaml:41)\n"
	  "  ingress of shop/db: denied by default, since it is in zone data\n"
	  "  from shop/api-2: pod shop/api-2 of workload backend, mode enforce\n"
	  "  to shop/db: pod shop/db in zone data, mode enforce\n"
	  "  service tcp/5432: tcp/5432\n"
	  "  other rules with an end in common:\n"
	  "    'shop/api:egress[0]' matches, and speaks for egress only\n" },
	{ "a built-in", "node-b", "shop/db", "tcp/1",
	  "allow by builtin-host\n"
	  "  from node-b: node node-b\n"
	  "  to shop/db: pod shop/db in zone data, mode enforce\n"
	  "  service tcp/1: tcp/1\n" },
	{ "some of a group", "node-b", "backend", "tcp/1",
	  "mixed\n"
	  "  from node-b: node node-b\n"
	  "  to backend: workload backend, mode enforce\n"
	  "  service tcp/1: tcp/1\n"
	  "  node-b -> backend on that machine: allow by builtin-host\n"
	  "  node-b -> backend: deny by default\n" },
};
/* clang-format on */

static void each_side_is_described(void **state)
{
	_policy_text_ struct compiled_text t = policy_text(spec, &env);

	(void)state;
	assert_descriptions(t.compiled, describes, COUNT(describes));
}

static void a_side_that_is_not_the_same_for_all_is_not_known(void **state)
{
	_policy_text_ struct compiled_text t = policy_text(spec, &env);
	const struct question q = {"any", "shop/web", "tcp/1"};
	_text_ struct text error = TEXT_INIT;
	struct answer_sides sides;
	struct answer a;

	(void)state;
	assert_int_equal(explain_ask(t.compiled, &q, &a, &error), 0);
	explain_sides(t.compiled, &q, &a, &sides);
	answer_release(&a);
	assert_false(sides.src.is_known);
	assert_true(sides.dst.is_known);
	assert_int_equal(sides.dst.view.cause, CAUSE_ISOLATION);
	assert_string_equal(sides.dst.since, "NetworkPolicy shop/deny-all selects it");
	answer_sides_release(&sides);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_built_in_is_asked_before_the_rules),
		cmocka_unit_test(each_side_is_described),
		cmocka_unit_test(a_side_that_is_not_the_same_for_all_is_not_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
