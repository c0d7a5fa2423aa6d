/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/test.h"

#include "policy/promise.h"
#include "tests/unit/policy_text.h"

#define MEMBERS                                                                                    \
	"  zones:\n"                                                                               \
	"  - {name: dmz, cidrs: [10.0.0.0/24, \"fd00::/64\"]}\n"                                   \
	"  - {name: data, cidrs: [10.0.1.0/24, \"fd01::/64\"]}\n"                                  \
	"  - {name: six, cidrs: [\"fd02::/64\"]}\n"                                                \
	"  - {name: off, cidrs: [10.0.3.0/24], mode: \"off\"}\n"                                   \
	"  - {name: off2, cidrs: [10.0.4.0/24], mode: \"off\"}\n"                                  \
	"  workloads:\n"                                                                           \
	"  - {name: web, zone: dmz, addresses: [10.0.0.10, \"fd00::10\"]}\n"                       \
	"  - {name: db, zone: data, addresses: [10.0.1.10]}\n"

#define PODS                                                                                       \
	"\n---\n{apiVersion: v1, kind: Node, metadata: {name: n1},"                                \
	" status: {addresses: [{type: InternalIP, address: 192.0.2.1}]}}\n"                        \
	"---\n{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: x},"                      \
	" spec: {nodeName: n1}, status: {podIP: 10.1.0.1}}\n"                                      \
	"---\n{apiVersion: v1, kind: Pod, metadata: {name: b, namespace: x},"                      \
	" spec: {nodeName: n2}, status: {podIP: 10.1.0.2}}\n"                                      \
	"---\n{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy,"                             \
	" metadata: {name: p, namespace: x}, spec: {podSelector: {}}}"

struct promise_case {
	const char *name;
	const char *rules;   /* items of the list */
	const char *promise; /* the list and its one item */
	const char *error;   /* NULL: kept */
};

/* clang-format off */
static const struct promise_case cases[] = {
	{ "nothing is allowed", "[]",
	  "never: [{name: n, from: dmz, to: data}]", NULL },
	{ "a rule breaks it", "[{name: r, from: web, to: db, services: tcp/5432}]",
	  "never: [{name: n, from: dmz, to: data}]",
	  "never 'n' is broken: 10.0.0.10 (web) to 10.0.1.10 (db), tcp/5432 is allowed" },
	{ "another service", "[{name: r, from: web, to: db, services: tcp/5432}]",
	  "never: [{name: n, from: dmz, to: data, services: [udp/0-65535, tcp/5433]}]", NULL },
	{ "the other direction", "[{name: r, from: web, to: db, services: tcp/5432}]",
	  "never: [{name: n, from: data, to: dmz}]", NULL },
	{ "a deny rule saves it", 
	  "[{name: r, from: web, to: db, services: any}, "
	  "{name: no, from: dmz, to: data, services: any, action: deny}]",
	  "never: [{name: n, from: dmz, to: data}]", NULL },
	{ "a deny rule that leaves a port", 
	  "[{name: r, from: web, to: db, services: any}, "
	  "{name: no, from: dmz, to: data, services: [tcp/0-99, tcp/101-65535], action: deny}]",
	  "never: [{name: n, from: dmz, to: data, services: tcp/0-65535}]",
	  "never 'n' is broken: 10.0.0.10 (web) to 10.0.1.10 (db), tcp/100 is allowed" },
	{ "modes don't count", "[]",
	  "never: [{name: n, from: \"off\", to: off2}]", NULL },
	{ "ends of two families never meet", "[{name: r, from: any, to: any, services: any}]",
	  "never: [{name: n, from: db, to: six}]", NULL },
	{ "icmp6 isn't IPv4's", "[{name: r, from: any, to: any, services: icmp6/echo-request}]",
	  "never: [{name: n, from: any, to: db}]", NULL },
	{ "icmp over IPv4 only",
	  "[{name: r, from: [six, web], to: [data, dmz], services: icmp/echo-request}]",
	  "never: [{name: n, from: [six, web], to: [data, dmz]}]",
	  "never 'n' is broken: 10.0.0.10 (web) to 10.0.0.1 (dmz), icmp/echo-request is allowed" },
	{ "a row that IPv4 has first",
	  "[{name: r, from: [db, six], to: [db, six], services: icmp6/echo-request}]",
	  "never: [{name: n, from: [db, six], to: [db, six]}, {name: alone, from: db, to: db}]",
	  "never 'n' is broken: fd02::1 (six) to fd02::1 (six), icmp6/echo-request is allowed" },
	{ "from outside", "[{name: r, from: any, to: web, services: tcp/80}]",
	  "never: [{name: n, from: outside, to: dmz}]",
	  "never 'n' is broken: 198.51.100.1 (outside) to 10.0.0.10 (web), tcp/80 is allowed" },
	{ "expected and so", "[{name: r, from: web, to: db, services: tcp/5432}]",
	  "expect: [{from: web, to: db, services: tcp/5432, verdict: allow}]", NULL },
	{ "expected of all, true of one", "[{name: r, from: web, to: db, services: tcp/5432}]",
	  "expect: [{from: dmz, to: db, services: tcp/5432, verdict: allow}]",
	  "expected allow, got deny by default: 10.0.0.1 (dmz) to 10.0.1.10 (db), tcp/5432" },
	{ "expected of all ports", "[{name: r, from: web, to: db, services: tcp/5432}]",
	  "expect: [{from: web, to: db, services: tcp/5432-5433, verdict: allow}]",
	  "expected allow, got deny by default: 10.0.0.10 (web) to 10.0.1.10 (db), tcp/5433" },
	{ "a rule against it", "[{name: r, from: web, to: db, services: tcp/5432}]",
	  "expect: [{from: web, to: db, services: tcp/5432, verdict: deny}]",
	  "expected deny, got allow by rule 'r': 10.0.0.10 (web) to 10.0.1.10 (db), tcp/5432" },
	{ "off allows", "[]",
	  "expect: [{from: \"off\", to: off2, services: any, verdict: allow}]", NULL },
	{ "audit isn't allow", "[]",
	  "expect: [{from: \"off\", to: off2, services: any, verdict: audit}]",
	  "expected audit, got allow by default: 10.0.3.1 (off) to 10.0.4.1 (off2), tcp/0" },
	{ "a pod reaches itself, isolated or not", "[]",
	  "expect: [{from: x/a, to: x/a, services: any, verdict: allow}]" PODS, NULL },
	{ "and by its address", "[]",
	  "expect: [{from: x/a, to: {cidr: 10.1.0.1}, services: any, verdict: deny}]" PODS,
	  "expected deny, got allow by builtin-self" },
	{ "beside others, a pod itself doesn't count", "[]",
	  "expect: [{from: [x/a, x/b], to: [x/a, x/b], services: tcp/1, verdict: deny}]" PODS, NULL },
	{ "a node reaches its pods", "[]",
	  "expect: [{from: n1, to: x/a, services: any, verdict: allow}]" PODS, NULL },
	{ "a node is not denied its pods", "[]",
	  "expect: [{from: n1, to: x/a, services: any, verdict: deny}]" PODS,
	  "expected deny, got allow by builtin-host" },
	{ "a node reaches none of another", "[]",
	  "expect: [{from: n1, to: x/b, services: tcp/1, verdict: allow}]" PODS,
	  "expected allow, got deny by default: 192.0.2.1 (n1) to 10.1.0.2 (x/b), tcp/1" },
	{ "beside who never meets them: of the other family", "[]",
	  "expect: [{from: [n1, six], to: x/a, services: any, verdict: deny}]" PODS,
	  "expected deny, got allow by builtin-host" },
	{ "beside others of its family they don't count", "[]",
	  "expect: [{from: [n1, dmz], to: x/a, services: tcp/1, verdict: deny}]" PODS, NULL },
	{ "a never is about rules: a pod itself and its node don't break it", "[]",
	  "never: [{name: n, from: [n1, x/a], to: x/a}]" PODS, NULL },
	{ "the other family is passed over", "[{name: r, from: web, to: db, services: tcp/1}]",
	  "expect: [{from: web, to: [db, six], services: tcp/2, verdict: deny}]", NULL },
};
/* clang-format on */

static void a_promise_is_kept_or_an_example_given(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct promise_case *k = &cases[i];
		_text_ struct text spec = TEXT_INIT;
		_policy_text_ struct compiled_text t = {};
		_diags_ struct diags d = {};
		size_t broken;

		text_addf(&spec, MEMBERS "%s%s\n  %s\n", strcmp(k->rules, "[]") ? "  rules: " : "",
			  strcmp(k->rules, "[]") ? k->rules : "", k->promise);
		t = policy_text(spec.buf, NULL);
		broken = promise_check_never(t.compiled, &d) + promise_check_expect(t.compiled, &d);
		assert_row(k->name, broken == (k->error ? 1 : 0));
		assert_row(k->name, d.errors == broken);
		if (k->error)
			assert_row_string(k->name, d.list.items[0].message, k->error);
	}
}

static void the_rule_at_fault_is_noted(void **state)
{
	_policy_text_ struct compiled_text t =
		policy_text(MEMBERS "  rules:\n"
				    "  - {name: r, from: web, to: db, services: tcp/5432}\n"
				    "  never:\n"
				    "  - {name: n, from: dmz, to: data}\n",
			    NULL);
	_diags_ struct diags d = {};

	(void)state;
	assert_int_equal(promise_check_never(t.compiled, &d), 1);
	assert_int_equal(d.list.count, 2);
	assert_int_equal(d.list.items[0].at.line, t.policy->nevers.items[0].at.line);
	assert_int_equal(d.list.items[1].level, DIAG_NOTE);
	assert_int_equal(d.list.items[1].at.line, t.policy->rules.items[0].at.line);
	assert_string_equal(d.list.items[1].message, "rule 'r' decides this: allow");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_promise_is_kept_or_an_example_given),
		cmocka_unit_test(the_rule_at_fault_is_noted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
