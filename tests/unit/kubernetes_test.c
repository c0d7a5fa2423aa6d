/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What Kubernetes' documents become in the model. */
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#include "policy/load.h"
#include "policy/services.h"

#define POD(space, name, more, address)                                                            \
	"---\n{apiVersion: v1, kind: Pod, metadata: {namespace: " space ", name: " name more       \
	", status: {podIP: " address "}}\n"
#define LABELS(text) ", labels: {" text "}}"
#define SPEC(text)   "}, spec: {" text "}"
#define NAMESPACE(name, more)                                                                      \
	"---\n{apiVersion: v1, kind: Namespace, metadata: {name: " name more "}}\n"
#define POLICY(name, spec)                                                                         \
	"---\n{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {namespace: a, "   \
	"name: " name "}, spec: {" spec "}}\n"
#define CLUSTER(name, spec)                                                                        \
	"---\n{apiVersion: policy.networking.k8s.io/v1alpha2, kind: ClusterNetworkPolicy, "        \
	"metadata: {name: " name "}, spec: {" spec "}}\n"

/* A policy, and what loading it said; freed by the scope. */
struct loaded {
	struct diags diags;
	struct policy *policy;
	int err;
};

static void unload(struct loaded *l)
{
	policy_free(l->policy);
	diags_release(&l->diags);
}

#define _loaded_ _cleanup_(unload)

static struct loaded load(const char *text)
{
	struct source source = source_of("test", text, strlen(text));
	struct loaded l = {};

	l.err = policy_load_sources(&source, 1, &l.diags, &l.policy);
	return l;
}

static struct loaded load_good(const char *name, const char *text)
{
	struct loaded l = load(text);

	if (l.err) {
		diags_print(&l.diags, stderr);
		fail_msg("%s doesn't load", name);
	}
	return l;
}

static const struct workload *find(const struct policy *p, const char *name)
{
	vec_foreach (w, &p->workloads) {
		if (!strcmp(w->name, name))
			return w;
	}
	fail_msg("no workload %s", name);
	return NULL;
}

struct isolation_case {
	const char *name;
	const char *spec;
	unsigned int web, db; /* sides in which these pods of the namespace are isolated */
	size_t rules;
};

/* clang-format off */
static const struct isolation_case isolation_cases[] = {
	{ "ingress by default",            "podSelector: {}",                      SIDE_DST, SIDE_DST, 0 },
	{ "no egress for an empty list",   "podSelector: {}, egress: []",          SIDE_DST, SIDE_DST, 0 },
	{ "no egress for null",            "podSelector: {}, egress: null",        SIDE_DST, SIDE_DST, 0 },
	{ "egress for a rule",             "podSelector: {}, egress: [{}]",        SIDE_BOTH, SIDE_BOTH, 1 },
	{ "an empty list says nothing",    "podSelector: {}, policyTypes: [], egress: [{}]",
	  SIDE_BOTH, SIDE_BOTH, 1 },
	{ "what is listed",                "podSelector: {}, policyTypes: [Egress]", SIDE_SRC, SIDE_SRC, 0 },
	{ "rules of a type not listed",    "podSelector: {}, policyTypes: [Egress], ingress: [{}]",
	  SIDE_SRC, SIDE_SRC, 0 },
	{ "only egress rules, not listed", "podSelector: {}, policyTypes: [Ingress], egress: [{}]",
	  SIDE_DST, SIDE_DST, 0 },
	{ "everybody without a selector",  "policyTypes: [Egress]",                SIDE_SRC, SIDE_SRC, 0 },
	{ "everybody for null",            "podSelector: null",                    SIDE_DST, SIDE_DST, 0 },
	{ "who is selected",               "podSelector: {matchLabels: {app: web}}", SIDE_DST, 0, 0 },
	{ "nobody",                        "podSelector: {matchLabels: {app: none}}", 0, 0, 0 },
	{ "one of several values",
	  "podSelector: {matchExpressions: [{key: app, operator: In, values: [none, db, db]}]}", 0, SIDE_DST, 0 },
	{ "both requirements",
	  "podSelector: {matchLabels: {app: web}, matchExpressions: [{key: app, operator: DoesNotExist}]}",
	  0, 0, 0 },
	{ "what is absent is not in",
	  "podSelector: {matchExpressions: [{key: tier, operator: NotIn, values: [x]}]}", SIDE_DST, SIDE_DST, 0 },
};
/* clang-format on */

static void a_policy_isolates_the_pods_of_its_namespace_that_it_selects(void **state)
{
	(void)state;

	for (size_t i = 0; i < COUNT(isolation_cases); i++) {
		const struct isolation_case *c = &isolation_cases[i];
		_text_ struct text text = TEXT_INIT;
		_loaded_ struct loaded l = {};

		text_addf(&text,
			  POLICY("p", "%s") POD("a", "web", LABELS("app: web"), "10.0.0.1")
				  POD("a", "db", LABELS("app: db"), "10.0.0.2")
					  POD("b", "web", LABELS("app: web"), "10.0.0.3"),
			  c->spec);
		l = load_good(c->name, text.buf);
		assert_row(c->name, find(l.policy, "a/web")->isolated == c->web);
		assert_row(c->name, find(l.policy, "a/db")->isolated == c->db);
		assert_row(c->name, find(l.policy, "b/web")->isolated == 0);
		assert_row(c->name, l.policy->rules.count == c->rules);
	}
}

struct peer_case {
	const char *name;
	const char *peers; /* of an ingress rule in namespace a */
	const char *taken; /* pods, in file order */
};

/* clang-format off */
static const struct peer_case peer_cases[] = {
	{ "podSelector: its own namespace",      "[{podSelector: {}}]",       "a/web a/db" },
	{ "podSelector with labels",             "[{podSelector: {matchLabels: {app: web}}}]", "a/web" },
	{ "namespaceSelector: all of the pods",  "[{namespaceSelector: {}}]", "a/web a/db b/web" },
	{ "namespaceSelector with labels",       "[{namespaceSelector: {matchLabels: {team: y}}}]", "b/web" },
	{ "a namespace by its name",
	  "[{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: a}}}]", "a/web a/db" },
	{ "both: and",
	  "[{namespaceSelector: {}, podSelector: {matchLabels: {app: web}}}]", "a/web b/web" },
	{ "a label that the namespace lacks",
	  "[{namespaceSelector: {matchExpressions: [{key: team, operator: DoesNotExist}]}}]", "a/web a/db" },
};
/* clang-format on */

static void a_peer_takes_what_upstream_says(void **state)
{
	(void)state;

	for (size_t i = 0; i < COUNT(peer_cases); i++) {
		const struct peer_case *c = &peer_cases[i];
		_text_ struct text text = TEXT_INIT, taken = TEXT_INIT;
		_loaded_ struct loaded l = {};
		const struct rule *rule;

		text_addf(&text,
			  POLICY("p", "podSelector: {}, ingress: [{from: %s}]")
				  NAMESPACE("b", ", labels: {team: y}")
					  POD("a", "web", LABELS("app: web"), "10.0.0.1") POD(
						  "a", "db", LABELS("app: db"), "10.0.0.2")
						  POD("b", "web", LABELS("app: web"), "10.0.0.3"),
			  c->peers);
		l = load_good(c->name, text.buf);
		assert_row(c->name, l.policy->rules.count == 1);
		rule = l.policy->rules.items;
		vec_foreach (w, &l.policy->workloads) {
			if (selector_takes(l.policy, rule->from, w))
				text_addf(&taken, "%s%s", taken.len ? " " : "", w->name);
		}
		assert_row_string(c->name, taken.buf, c->taken);
	}
}

struct rule_case {
	const char *name;
	const char *spec; /* of a NetworkPolicy */
	const char *want; /* of each rule: its name, whom it is from, its services */
};

static char kind_sign(const struct selector *s)
{
	switch (s->kind) {
	case SELECT_ANY:
		return '*';
	case SELECT_PODS:
		return 'p';
	case SELECT_NODES:
		return 'n';
	case SELECT_CIDR:
		return 'c';
	case SELECT_ONE_OF:
		return '|';
	case SELECT_ALL_OF:
		return '&';
	case SELECT_OUTSIDE:
	case SELECT_HOST:
	case SELECT_ZONE:
	case SELECT_WORKLOAD:
	case SELECT_LABELS:
	case SELECT_EXCEPT:
		return '?';
	}
	return '?';
}

static void add_selector(struct text *out, const struct selector *s)
{
	text_addc(out, kind_sign(s));
	vec_foreach (child, &s->children)
		add_selector(out, *child);
	if (s->port_name)
		text_addf(out, "=%s", s->port_name);
}

static void describe(const struct policy *p, struct text *out)
{
	vec_foreach (rule, &p->rules) {
		text_addf(out, "%s%s ", rule == p->rules.items ? "" : "; ", rule->name);
		add_selector(out, rule->from);
		text_addc(out, '>');
		add_selector(out, rule->to);
		text_addc(out, ' ');
		services_format(&rule->services, out);
	}
}

/* clang-format off */
static const struct rule_case rule_cases[] = {
	{ "everybody, everything", "ingress: [{}]",                "a/p:ingress[0] *>p any" },
	{ "empty lists",           "ingress: [{from: [], ports: []}]", "a/p:ingress[0] *>p any" },
	{ "nulls",                 "ingress: [{from: null, ports: }]", "a/p:ingress[0] *>p any" },
	{ "egress",                "egress: [{}, {}]",
	  "a/p:egress[0] p>* any; a/p:egress[1] p>* any" },
	{ "both",                  "egress: [{}], ingress: [{}]",
	  "a/p:ingress[0] *>p any; a/p:egress[0] p>* any" },
	{ "several peers", "ingress: [{from: [{podSelector: {}}, {ipBlock: {cidr: 10.0.0.0/8}}]}]",
	  "a/p:ingress[0] |pc>p any" },
	{ "tcp by default", "ingress: [{ports: [{port: 80}]}]",      "a/p:ingress[0] *>p tcp/80" },
	{ "a range",        "ingress: [{ports: [{port: 80, endPort: 90}]}]", "a/p:ingress[0] *>p tcp/80-90" },
	{ "a range of one", "ingress: [{ports: [{port: 80, endPort: 80}]}]", "a/p:ingress[0] *>p tcp/80" },
	{ "a protocol, all of it", "ingress: [{ports: [{protocol: SCTP}]}]", "a/p:ingress[0] *>p sctp/0-65535" },
	{ "no port, no protocol",  "ingress: [{ports: [{}]}]",       "a/p:ingress[0] *>p tcp/0-65535" },
	{ "merged", "ingress: [{ports: [{port: 80}, {port: 81}, {port: 53, protocol: UDP}]}]",
	  "a/p:ingress[0] *>p tcp/80-81, udp/53" },
	{ "a name, for each number", "ingress: [{ports: [{port: http}]}]",
	  "a/p:ingress[0] *>p=http tcp/80; a/p:ingress[0] *>p=http tcp/8080" },
	{ "a name that is another protocol's", "ingress: [{ports: [{port: http, protocol: UDP}]}]", "" },
	{ "a name among the selected", "podSelector: {matchLabels: {app: db}}, ingress: [{ports: [{port: http}]}]",
	  "a/p:ingress[0] *>p=http tcp/8080" },
	{ "names and numbers", "ingress: [{ports: [{port: http}, {port: 9}, {port: dns, protocol: UDP}]}]",
	  "a/p:ingress[0] *>p tcp/9; a/p:ingress[0] *>p=http tcp/80; a/p:ingress[0] *>p=http tcp/8080; "
	  "a/p:ingress[0] *>p=dns udp/53" },
	{ "a name on the other end", "egress: [{to: [{namespaceSelector: {matchLabels: {team: y}}}], ports: [{port: http}]}]",
	  "a/p:egress[0] p>p=http tcp/81" },
	{ "a name anywhere", "egress: [{ports: [{port: dns, protocol: UDP}]}]", "a/p:egress[0] p>p=dns udp/53" },
	{ "a name in a cidr", "egress: [{to: [{ipBlock: {cidr: 10.0.0.3/32}}], ports: [{port: http}]}]",
	  "a/p:egress[0] p>&cp=http tcp/81" },
	{ "a name in a hole", "egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/16]}}], ports: [{port: http}]}]",
	  "" },
	{ "a port whose name starts with a digit", "ingress: [{ports: [{port: 8080tcp}]}]", "" },
};
/* clang-format on */

#define PORTS(text) "}, spec: {containers: [{ports: [" text "]}]}"

static const char ported_pods[] = POD(
	"a", "web",
	PORTS("{name: http, containerPort: 80}, {name: http, containerPort: 82}, {name: dns, "
	      "containerPort: 53, protocol: UDP}"),
	"10.0.0.1")
	POD("a", "db", ", labels: {app: db}" PORTS("{name: http, containerPort: 8080}"), "10.0.0.2")
		POD("b", "web", PORTS("{name: http, containerPort: 81}"), "10.0.0.3")
			NAMESPACE("b", ", labels: {team: y}");

static void a_rule_becomes_one_for_its_numbers_and_one_for_each_number_of_a_name(void **state)
{
	(void)state;

	for (size_t i = 0; i < COUNT(rule_cases); i++) {
		const struct rule_case *c = &rule_cases[i];
		bool has_selector = strstr(c->spec, "podSelector: {matchLabels");
		_text_ struct text text = TEXT_INIT, got = TEXT_INIT;
		_loaded_ struct loaded l = {};

		text_addf(&text, POLICY("p", "%s%s"), has_selector ? "" : "podSelector: {}, ",
			  c->spec);
		text_add(&text, ported_pods);
		l = load_good(c->name, text.buf);
		describe(l.policy, &got);
		assert_row_string(c->name, got.buf, c->want);
		vec_foreach (rule, &l.policy->rules) {
			bool is_ingress = strstr(rule->name, "ingress");

			assert_row(c->name, rule->tier == TIER_NETWORK);
			assert_row(c->name, rule->action == ACTION_ALLOW);
			assert_row(c->name, rule->sides == (is_ingress ? SIDE_DST : SIDE_SRC));
		}
	}
}

static void a_named_port_is_of_the_pods_that_call_their_number_so(void **state)
{
	_text_ struct text text = TEXT_INIT;
	_loaded_ struct loaded l = {};
	const struct rule *rules;

	(void)state;
	text_add(&text, POLICY("p", "podSelector: {}, ingress: [{ports: [{port: http}]}]"));
	text_add(&text, ported_pods);
	l = load_good("ports", text.buf);
	rules = l.policy->rules.items;
	assert_int_equal(l.policy->rules.count, 2);
	assert_true(selector_takes(l.policy, rules[0].to, find(l.policy, "a/web")));
	assert_false(selector_takes(l.policy, rules[0].to, find(l.policy, "a/db")));
	assert_false(selector_takes(l.policy, rules[1].to, find(l.policy, "a/web")));
	assert_true(selector_takes(l.policy, rules[1].to, find(l.policy, "a/db")));
	assert_false(selector_takes(l.policy, rules[0].to, find(l.policy, "b/web")));
}

struct pod_case {
	const char *name;
	const char *pod; /* behind its namespace and name, a/x */
	size_t addresses;
	const char *node; /* that it is (then it isn't a workload) or runs on; NULL: none */
	bool is_node;
};

/* clang-format off */
static const struct pod_case pod_cases[] = {
	{ "one address",        "}, status: {podIP: 10.0.0.1}",                       1, NULL, false },
	{ "both families",      "}, status: {podIP: 10.0.0.1, podIPs: [{ip: 10.0.0.1}, {ip: 'fd00::1'}]}",
	  2, NULL, false },
	{ "no status",          "}",                                                  0, NULL, false },
	{ "an empty address",   "}, status: {podIP: ''}",                             0, NULL, false },
	{ "upper case",         "}, status: {podIP: 'FD00:0010::A'}",                 1, NULL, false },
	{ "running",            "}, status: {phase: Running, podIP: 10.0.0.1}",       1, NULL, false },
	{ "succeeded",          "}, status: {phase: Succeeded, podIP: 10.0.0.1}",     0, NULL, false },
	{ "failed",             "}, status: {phase: Failed, podIP: 10.0.0.1}",        0, NULL, false },
	{ "being deleted",      ", deletionTimestamp: now}, status: {podIP: 10.0.0.1}", 1, NULL, false },
	{ "on a node",          "}, spec: {nodeName: n}, status: {podIP: 10.0.0.1}",  1, "n", false },
	{ "the node",           "}, spec: {nodeName: n, hostNetwork: true}, status: {podIP: 10.0.0.1}",
	  1, "n", true },
	{ "the node, finished", "}, spec: {nodeName: n, hostNetwork: true}, status: {phase: Failed, podIP: 10.0.0.1}",
	  0, "n", false },
	{ "not on a node yet",  "}, spec: {hostNetwork: true}",                       0, NULL, false },
};
/* clang-format on */

static void check_pod(const struct pod_case *c, const struct policy *p)
{
	const struct workload *w;

	if (c->is_node) {
		assert_row(c->name, p->aliases.count == 1);
		assert_row_string(c->name, p->aliases.items[0].name, "a/x");
		w = &p->workloads.items[p->aliases.items[0].workload];
		assert_row(c->name, w->kind == WORKLOAD_NODE);
		assert_row_string(c->name, w->name, c->node);
	} else {
		w = find(p, "a/x");
		assert_row(c->name, w->kind == WORKLOAD_POD);
		assert_row(c->name, (w->node == POLICY_NONE) == !c->node);
		if (c->node)
			assert_row_string(c->name, p->workloads.items[w->node].name, c->node);
	}
	assert_row(c->name, w->prefixes.count == c->addresses);
}

/* A rule that names the pod loads in every case: its name is known. */
static void a_pod_is_its_addresses_or_its_node_or_nobody(void **state)
{
	(void)state;

	for (size_t i = 0; i < COUNT(pod_cases); i++) {
		const struct pod_case *c = &pod_cases[i];
		_text_ struct text text = TEXT_INIT;
		_loaded_ struct loaded l = {};

		text_addf(&text,
			  "{apiVersion: v1, kind: Pod, metadata: {namespace: a, name: x%s}\n"
			  "---\n{apiVersion: bulkhead.dev/v1, kind: ZonePolicy, spec: {rules: "
			  "[{name: r, from: a/x, to: any, services: any}]}}\n",
			  c->pod);
		l = load_good(c->name, text.buf);
		check_pod(c, l.policy);
	}
}

static void a_declared_node_has_the_addresses_that_it_says(void **state)
{
	_loaded_ struct loaded l = load_good(
		"node",
		POD("a", "x", SPEC("nodeName: n, hostNetwork: true"),
		    "192.0.2.9") "---\n{apiVersion: v1, kind: Node, metadata: {name: n, labels: "
				 "{a: b}}, status: "
				 "{addresses: [{type: InternalIP, address: 192.0.2.1}, {type: "
				 "Hostname, address: n}, "
				 "{type: ExternalIP, address: 192.0.2.1}]}}\n"
				 "---\n{apiVersion: v1, kind: Node, metadata: {name: m}, status: "
				 "{addresses: [{type: ExternalIP, address: 192.0.2.1}]}}\n");
	const struct workload *node = find(l.policy, "n");

	(void)state;
	assert_int_equal(node->prefixes.count, 1);
	assert_int_equal(node->labels.count, 1);
	assert_int_equal(find(l.policy, "m")->prefixes.count, 0);
	assert_int_equal(l.diags.warnings, 1);
}

struct void_case {
	const char *name;
	const char *rule; /* an ingress rule of a ClusterNetworkPolicy */
	const char *want;
	enum action action;
};

/* clang-format off */
static const struct void_case cluster_cases[] = {
	{ "accept",  "action: Accept, from: [{namespaces: {}}]", "c:ingress[0] p>p any", ACTION_ALLOW },
	{ "deny",    "action: Deny, from: [{pods: {podSelector: {}}}]", "c:ingress[0] p>p any", ACTION_DENY },
	{ "pass",    "action: Pass, name: by name, from: [{namespaces: {}}, {pods: {podSelector: {}}}]",
	  "c:by name |pp>p any", ACTION_PASS },
	{ "protocols", "action: Deny, from: [{namespaces: {}}], protocols: [{tcp: {destinationPort: {number: 1}}}, "
	  "{udp: {destinationPort: {range: {start: 2, end: 3}}}}]", "c:ingress[0] p>p tcp/1, udp/2-3", ACTION_DENY },
	{ "a name of every protocol", "action: Deny, from: [{namespaces: {}}], protocols: [{destinationNamedPort: dns}]",
	  "c:ingress[0] p>p=dns udp/53", ACTION_DENY },
	{ "unknown accept",  "action: Accept, from: [{namespaces: {}}, {planets: {}}]", "", ACTION_ALLOW },
	{ "unknown deny",    "action: Deny, from: [{namespaces: {}}, {planets: {}}]", "c:ingress[0] *>p any", ACTION_DENY },
	{ "unknown pass",    "action: Pass, from: [{planets: {}}]", "c:ingress[0] *>p any", ACTION_DENY },
	{ "no peer field",   "action: Pass, from: [{}]", "c:ingress[0] *>p any", ACTION_DENY },
	{ "a null peer",     "action: Pass, from: [{namespaces: null}]", "c:ingress[0] *>p any", ACTION_DENY },
	{ "nodes are no ingress peer", "action: Deny, from: [{nodes: {}}]", "c:ingress[0] *>p any", ACTION_DENY },
	{ "unknown, of a port", "action: Pass, from: [{planets: {}}], protocols: [{tcp: {destinationPort: {number: 1}}}]",
	  "c:ingress[0] *>p tcp/1", ACTION_DENY },
};
/* clang-format on */

static void an_unknown_peer_closes(void **state)
{
	(void)state;

	for (size_t i = 0; i < COUNT(cluster_cases); i++) {
		const struct void_case *c = &cluster_cases[i];
		_text_ struct text text = TEXT_INIT, got = TEXT_INIT;
		_loaded_ struct loaded l = {};

		text_addf(&text,
			  CLUSTER("c", "tier: Admin, priority: 1, subject: {namespaces: {}}, "
				       "ingress: [{%s}]"),
			  c->rule);
		text_add(&text, ported_pods);
		l = load_good(c->name, text.buf);
		describe(l.policy, &got);
		assert_row_string(c->name, got.buf, c->want);
		vec_foreach (rule, &l.policy->rules) {
			assert_row(c->name, rule->action == c->action);
			assert_row(c->name, rule->tier == TIER_ADMIN);
			assert_row(c->name, rule->sides == SIDE_DST);
		}
	}
}

#define IN(name) "ingress: [{name: " name ", action: Deny, from: [{namespaces: {}}]}]"
#define SUBJECT  "subject: {namespaces: {}}, "

/* By tier, priority, name; then as written. */
static void cluster_rules_are_asked_in_order(void **state)
{
	static const char *const want[] = {"d:first", "d:second", "a:x", "b:x", "c:x", "e:x"};
	_loaded_ struct loaded l = load_good(
		"order",
		CLUSTER("e", "tier: Baseline, priority: 0, " SUBJECT IN("x"))
			CLUSTER("c", "tier: Admin, priority: 1000, " SUBJECT IN("x")) CLUSTER(
				"b", "tier: Admin, priority: 10, " SUBJECT IN("x"))
				CLUSTER("a", "tier: Admin, priority: 10, " SUBJECT IN("x")) CLUSTER(
					"d",
					"tier: Admin, priority: 9, " SUBJECT
					"ingress: [{name: first, action: Deny, from: [{namespaces: "
					"{}}]}, {name: second, action: Pass, from: [{namespaces: "
					"{}}]}]"));
	const struct rule *by_order[COUNT(want)] = {};

	(void)state;
	assert_int_equal(l.policy->rules.count, COUNT(want));
	vec_foreach (rule, &l.policy->rules) {
		assert_true(rule->order < COUNT(want));
		assert_null(by_order[rule->order]);
		by_order[rule->order] = rule;
	}
	for (size_t i = 0; i < COUNT(want); i++)
		assert_row_string(want[i], by_order[i]->name, want[i]);
	assert_int_equal(by_order[5]->tier, TIER_BASELINE);
	assert_int_equal(l.diags.warnings, 1); /* a and b have one priority */
}

static void the_first_workload_and_zone_that_select_a_pod_have_it(void **state)
{
	_loaded_ struct loaded l = load_good(
		"homes",
		"apiVersion: bulkhead.dev/v1\nkind: ZonePolicy\nspec:\n"
		"  zones: [{name: one, podSelector: {matchLabels: {app: web}}}, {name: two, "
		"namespaceSelector: {}}]\n"
		"  workloads: [{name: g, podSelector: {matchLabels: {app: web}}}, {name: h, "
		"podSelector: {}}]\n" POD("a", "web", LABELS("app: web"), "10.0.0.1")
			POD("a", "db", LABELS("app: db"), "10.0.0.2"));
	const struct policy *p = l.policy;
	const struct workload *web = find(p, "a/web"), *db = find(p, "a/db");

	(void)state;
	assert_string_equal(p->workloads.items[web->group].name, "g");
	assert_string_equal(p->workloads.items[db->group].name, "h");
	assert_string_equal(p->zones.items[web->zone].name, "one");
	assert_string_equal(p->zones.items[db->zone].name, "two");
	assert_int_equal(l.diags.warnings, 2);
}

static void a_namespace_exists_if_anything_mentions_it(void **state)
{
	_loaded_ struct loaded l = load_good(
		"namespaces", POLICY("p", "podSelector: {}") POD("b", "x", "}", "10.0.0.1")
				      NAMESPACE("c", ", annotations: {bulkhead.dev/mode: "
						     "off}"));
	const struct policy *p = l.policy;

	(void)state;
	assert_int_equal(p->namespaces.count, 3);
	vec_foreach (space, &p->namespaces) {
		assert_string_equal(space->labels.items[0].key, "kubernetes.io/metadata.name");
		assert_string_equal(space->labels.items[0].value, space->name);
		assert_int_equal(space->mode, *space->name == 'c' ? MODE_OFF : MODE_UNSET);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_policy_isolates_the_pods_of_its_namespace_that_it_selects),
		cmocka_unit_test(a_peer_takes_what_upstream_says),
		cmocka_unit_test(
			a_rule_becomes_one_for_its_numbers_and_one_for_each_number_of_a_name),
		cmocka_unit_test(a_named_port_is_of_the_pods_that_call_their_number_so),
		cmocka_unit_test(a_pod_is_its_addresses_or_its_node_or_nobody),
		cmocka_unit_test(a_declared_node_has_the_addresses_that_it_says),
		cmocka_unit_test(an_unknown_peer_closes),
		cmocka_unit_test(cluster_rules_are_asked_in_order),
		cmocka_unit_test(the_first_workload_and_zone_that_select_a_pod_have_it),
		cmocka_unit_test(a_namespace_exists_if_anything_mentions_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
