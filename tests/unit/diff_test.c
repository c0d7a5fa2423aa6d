/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/diff.h"

#include "tests/test.h"
#include "tests/unit/policy_text.h"

#define ZONES                                                                                      \
	"  zones:\n"                                                                               \
	"  - {name: internet, cidrs: [0.0.0.0/0, \"::/0\"]}\n"                                     \
	"  - {name: dmz, cidrs: [10.0.0.0/24, \"fd00::/64\"]}\n"                                   \
	"  - {name: data, cidrs: [10.0.1.0/24]}\n"
#define WORKLOADS                                                                                  \
	"  workloads:\n"                                                                           \
	"  - {name: web, zone: dmz, addresses: [10.0.0.10, \"fd00::10\"], labels: {app: web}}\n"   \
	"  - {name: api, zone: dmz, addresses: [10.0.0.20], labels: {app: api}}\n"                 \
	"  - {name: db, zone: data, addresses: [10.0.1.10]}\n"                                     \
	"  - {name: cache, zone: data, addresses: [10.0.1.20]}\n"
#define RULES     "  rules:\n" WEB_TO_DB
#define WEB_TO_DB "  - {name: web-to-db, from: web, to: db, services: tcp/5432}\n"
#define BASE      ZONES WORKLOADS RULES
#define CROWD                                                                                      \
	ZONES "  workloads:\n"                                                                     \
	      "  - {name: a1, zone: dmz, addresses: [10.0.0.1], labels: {app: a}}\n"               \
	      "  - {name: a2, zone: dmz, addresses: [10.0.0.3], labels: {app: a}}\n"               \
	      "  - {name: a3, zone: dmz, addresses: [10.0.0.5], labels: {app: a}}\n"               \
	      "  - {name: a4, zone: dmz, addresses: [10.0.0.7], labels: {app: a}}\n"               \
	      "  - {name: a5, zone: data, addresses: [10.0.1.1], labels: {app: a}}\n"              \
	      "  - {name: b1, zone: data, addresses: [10.0.1.3], labels: {app: b}}\n"              \
	      "  - {name: b2, zone: data, addresses: [10.0.1.5], labels: {app: b}}\n"              \
	      "  rules:\n"                                                                         \
	      "  - {name: r, from: a1, to: b1, services: tcp/2}\n"
#define NO_SSH "  - {name: no-ssh, from: any, to: any, services: tcp/22, action: deny}\n"

#define CLUSTER                                                                                    \
	"  mode: enforce\n"                                                                        \
	"---\n{apiVersion: v1, kind: Node, metadata: {name: n1},"                                  \
	" status: {addresses: [{type: InternalIP, address: 192.0.2.1}]}}\n"                        \
	"---\n{apiVersion: v1, kind: Node, metadata: {name: n2},"                                  \
	" status: {addresses: [{type: InternalIP, address: 192.0.2.2}]}}\n"                        \
	"---\n{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: x},"                      \
	" spec: {nodeName: n1}, status: {podIP: 10.1.0.1}}\n"                                      \
	"---\n{apiVersion: v1, kind: Pod, metadata: {name: b, namespace: y},"                      \
	" spec: {nodeName: n2}, status: {podIP: 10.1.0.2}}\n"                                      \
	"---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"                             \
	"metadata: {name: p, namespace: x}\nspec:\n  podSelector: {}\n"
#define FROM(peer) CLUSTER "  ingress: [{from: [" peer "]}]\n"

struct diff_case {
	const char *name;
	const char *old, *new;
	const char *lines;
};

/* clang-format off */
static const struct diff_case cases[] = {
	{ "nothing changes", BASE, BASE, "" },
	{ "a rule is renamed and moved",
	  BASE NO_SSH,
	  ZONES WORKLOADS "  rules:\n" NO_SSH
	  "  - {name: sql, from: web, to: db, services: tcp/5432}\n",
	  "" },
	{ "a rule is split",
	  BASE "  - {name: a, from: dmz, to: cache, services: tcp/1-100}\n",
	  BASE "  - {name: a, from: dmz, to: cache, services: tcp/1-50}\n"
	       "  - {name: b, from: dmz, to: cache, services: [tcp/51-99, tcp/100]}\n",
	  "" },
	{ "a zone is renamed", BASE,
	  "  zones:\n"
	  "  - {name: internet, cidrs: [0.0.0.0/0, \"::/0\"]}\n"
	  "  - {name: front, cidrs: [10.0.0.0/24, \"fd00::/64\"]}\n"
	  "  - {name: data, cidrs: [10.0.1.0/25, 10.0.1.128/25]}\n"
	  "  workloads:\n"
	  "  - {name: www, zone: front, addresses: [10.0.0.10, \"fd00::10\"]}\n"
	  "  - {name: db, zone: data, addresses: [10.0.1.10]}\n"
	  "  rules:\n"
	  "  - {name: web-to-db, from: www, to: db, services: tcp/5432}\n",
	  "" },
	{ "a promise is added", BASE,
	  BASE "  never:\n  - {name: n, from: internet, to: data}\n", "" },
	{ "a rule that another one covers", BASE,
	  BASE "  - {name: more, from: {labels: {app: web}}, to: db, services: tcp/5432}\n", "" },

	{ "a rule is added", BASE,
	  BASE "  - {name: more, from: api, to: db, services: tcp/6432}\n",
	  "+ api -> db tcp/6432\n" },
	{ "a rule is taken away",
	  BASE "  - {name: more, from: dmz, to: data, services: [udp/53, icmp/echo-request]}\n", BASE,
	  "- dmz -> data udp/53, icmp/echo-request\n" },
	{ "a range of ports is narrowed",
	  BASE "  - {name: a, from: api, to: db, services: tcp/8000-8999}\n",
	  BASE "  - {name: a, from: api, to: db, services: tcp/8100-8200}\n",
	  "- api -> db tcp/8000-8099, tcp/8201-8999\n" },
	{ "another port", BASE,
	  ZONES WORKLOADS "  rules:\n  - {name: r, from: web, to: db, services: tcp/6432}\n",
	  "+ web -> db tcp/6432\n"
	  "- web -> db tcp/5432\n" },
	{ "sources and destinations that change alike are together", BASE,
	  BASE "  - {name: a, from: web, to: [cache, api], services: tcp/1}\n"
	       "  - {name: b, from: api, to: [cache, api], services: tcp/1}\n"
	       "  - {name: c, from: [web, api], to: [api, cache], services: udp/1}\n",
	  "+ web, api -> api, cache tcp/1, udp/1\n" },
	{ "rules that overlap", BASE,
	  BASE "  - {name: a, from: any, to: cache, services: tcp/1}\n"
	       "  - {name: b, from: api, to: cache, services: tcp/1-2}\n",
	  "+ any -> cache tcp/1\n"
	  "+ api -> cache tcp/2\n" },
	{ "everything", BASE,
	  BASE "  - {name: a, from: internet, to: cache, services: any}\n",
	  "+ internet -> cache any\n" },
	{ "everything but what there was", BASE,
	  BASE "  - {name: a, from: web, to: db, services: any}\n",
	  "+ web -> db any except tcp/5432\n" },
	{ "a deny beats what there was", BASE,
	  BASE "  - {name: a, from: any, to: any, services: tcp/1-9999, action: deny}\n",
	  "- web -> db tcp/5432\n" },
	{ "all of a zone but a workload", BASE,
	  BASE "  - {name: a, from: {cidr: 10.0.0.0/24, except: [10.0.0.10]}, to: cache,\n"
	       "     services: tcp/1}\n",
	  "+ 10.0.0.0/24 (dmz) except 10.0.0.10 (web) -> cache tcp/1\n" },
	{ "a cidr with an exception", BASE,
	  BASE "  - {name: a, from: {cidr: 203.0.113.0/24, except: [203.0.113.7]}, to: web,\n"
	       "     services: tcp/443}\n",
	  "+ 203.0.113.0/24 (internet) except 203.0.113.7 -> web tcp/443\n" },
	{ "a cidr around zones", BASE,
	  BASE "  - {name: a, from: {cidr: 10.0.0.0/8}, to: web, services: tcp/443}\n",
	  "+ 10.0.0.0/8 -> web tcp/443\n" },
	{ "all but a zone, where names are as short", BASE,
	  BASE "  - {name: a, from: {except: internet}, to: web, services: tcp/443}\n"
	       "  - {name: b, from: {except: data}, to: web, services: tcp/444}\n",
	  "+ internet, dmz -> web tcp/444\n"
	  "+ dmz, data -> web tcp/443\n" },
	{ "both families of ICMP", BASE,
	  BASE "  - {name: a, from: internet, to: web,\n"
	       "     services: [icmp/echo-request, icmp6/echo-request, proto/47]}\n",
	  "+ internet -> web icmp/echo-request, icmp6/echo-request, proto/47\n" },
	{ "only what a family has", BASE,
	  BASE "  - {name: a, from: web, to: cache, services: [icmp/redirect, icmp6/redirect]}\n",
	  "+ web -> cache icmp/redirect\n" },
	{ "ends of two families", BASE,
	  BASE "  - {name: a, from: {cidr: \"fd00::/64\"}, to: cache, services: tcp/1}\n", "" },
	{ "a workload moves", BASE,
	  ZONES
	  "  workloads:\n"
	  "  - {name: web, zone: dmz, addresses: [10.0.0.11, \"fd00::10\"], labels: {app: web}}\n"
	  "  - {name: api, zone: dmz, addresses: [10.0.0.20], labels: {app: api}}\n"
	  "  - {name: db, zone: data, addresses: [10.0.1.10]}\n"
	  "  - {name: cache, zone: data, addresses: [10.0.1.20]}\n" RULES,
	  "- 10.0.0.10 (web) -> db tcp/5432\n"
	  "+ 10.0.0.11 (web) -> db tcp/5432\n" },
	{ "a workload gets another address, and another rule", BASE,
	  ZONES
	  "  workloads:\n"
	  "  - {name: web, zone: dmz, addresses: [10.0.0.10, \"fd00::10\"], labels: {app: web}}\n"
	  "  - {name: api, zone: dmz, addresses: [10.0.0.20], labels: {app: api}}\n"
	  "  - {name: db, zone: data, addresses: [10.0.1.10, 10.0.1.11]}\n"
	  "  - {name: cache, zone: data, addresses: [10.0.1.20]}\n" RULES
	  "  - {name: a, from: api, to: db, services: tcp/1}\n",
	  "+ web -> 10.0.1.11 (db) tcp/5432\n"
	  "+ api -> 10.0.1.10/31 (db) tcp/1\n" },
	{ "a zone is watched only", BASE,
	  "  zones:\n"
	  "  - {name: internet, cidrs: [0.0.0.0/0, \"::/0\"]}\n"
	  "  - {name: dmz, cidrs: [10.0.0.0/24, \"fd00::/64\"]}\n"
	  "  - {name: data, mode: audit, cidrs: [10.0.1.0/24]}\n" WORKLOADS RULES,
	  "+ data -> data any (deny -> audit)\n" },
	{ "all but a zone, as a list of the others", 
	  BASE "  - {name: a, from: {except: internet}, to: cache, services: tcp/1}\n",
	  BASE "  - {name: a, from: [dmz, data], to: cache, services: tcp/1}\n", "" },
	{ "a rule reports", BASE,
	  ZONES WORKLOADS
	  "  rules:\n  - {name: r, from: web, to: db, services: tcp/5432, log: true}\n",
	  "~ web -> db tcp/5432 (allow -> allow, logged)\n" },
	{ "a rule requires TLS", BASE,
	  ZONES WORKLOADS
	  "  rules:\n  - {name: r, from: web, to: db, services: tcp/5432, require: tls}\n",
	  "~ web -> db tcp/5432 (allow -> allow, tls)\n" },
	{ "a rule requires TLS no more, and reports",
	  ZONES WORKLOADS
	  "  rules:\n  - {name: r, from: web, to: db, services: tcp/5432, require: tls}\n",
	  ZONES WORKLOADS
	  "  rules:\n  - {name: r, from: web, to: db, services: tcp/5432, log: true}\n",
	  "~ web -> db tcp/5432 (allow, tls -> allow, logged)\n" },
	{ "a new rule requires TLS, and reports", BASE,
	  BASE "  - {name: a, from: web, to: cache, services: tcp/1, require: tls, log: true}\n",
	  "+ web -> cache tcp/1 (deny -> allow, tls)\n" },
	{ "more workloads than one would read",
	  CROWD, CROWD "  - {name: a, from: {labels: {app: a}}, to: {labels: {app: b}}, services: tcp/1}\n",
	  "+ labels app=a -> b1, b2 tcp/1\n" },
	{ "a rule for this machine", BASE,
	  BASE "  - {name: a, from: host, to: cache, services: tcp/1}\n",
	  "+ host -> cache tcp/1\n" },
	{ "a pod reaches itself, whatever rules say",
	  CLUSTER, FROM("{podSelector: {}}"), "" },
	{ "a node reaches its own pods, whatever rules say",
	  CLUSTER, FROM("{ipBlock: {cidr: 192.0.2.1/32}}"), "" },
	{ "another node does not",
	  CLUSTER, FROM("{ipBlock: {cidr: 192.0.2.2/32}}"),
	  "+ n2 -> x/a any\n" },
	{ "beside others, a pod itself goes without saying",
	  CLUSTER, FROM("{namespaceSelector: {}}"),
	  "+ x/a, y/b -> x/a any\n" },
};
/* clang-format on */

static void format(const struct diff *d, struct text *out)
{
	vec_foreach (region, &d->regions) {
		diff_region_format(region, out);
		text_addc(out, '\n');
	}
}

static void check_case(const struct diff_case *c)
{
	_policy_text_ struct compiled_text old = policy_text(c->old, NULL);
	_policy_text_ struct compiled_text new = policy_text(c->new, NULL);
	_text_ struct text error = TEXT_INIT;
	_text_ struct text out = TEXT_INIT;
	_diff_ struct diff d = {};

	assert_row(c->name, !policy_diff(old.compiled, new.compiled, &d, &error));
	format(&d, &out);
	assert_row_string(c->name, out.buf, c->lines);
}

static void what_changes_is_said_by_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		check_case(&cases[i]);
}

/* Turns a rule's denials into answers, as `action: reject` does. */
static void reject(struct compiled *c, uint32_t rule)
{
	vec_foreach (block, &c->image.cells.blocks) {
		for (size_t i = 0; i < COUNT(block->value); i++) {
			struct decision d = decision_of_cell(block->value[i]);

			if (d.rule == rule && d.verdict == BH_VERDICT_DENY)
				block->value[i] = BH_CELL(rule, BH_VERDICT_REJECT, 0);
		}
	}
}

static void a_deny_that_answers_is_another_way(void **state)
{
	_policy_text_ struct compiled_text old = policy_text(BASE NO_SSH, NULL);
	_policy_text_ struct compiled_text new = policy_text(BASE NO_SSH, NULL);
	_text_ struct text error = TEXT_INIT;
	_text_ struct text out = TEXT_INIT;
	_diff_ struct diff d = {};

	(void)state;
	reject(new.compiled, BH_RULE_FIRST + 1);
	assert_int_equal(policy_diff(old.compiled, new.compiled, &d, &error), 0);
	format(&d, &out);
	assert_string_equal(out.buf, "~ any -> any tcp/22 (deny -> reject)\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_changes_is_said_by_name),
		cmocka_unit_test(a_deny_that_answers_is_another_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
