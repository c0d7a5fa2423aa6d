/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/test.h"

#include <errno.h>

#include "lab/plan.h"
#include "policy/services.h"
#include "tests/unit/policy_text.h"

/* Compiles a spec and plans its lab. */
struct fixture {
	struct compiled_text policy;
	struct lab_plan plan;
	int err;
	struct text error;
};

static void fixture_init(struct fixture *f, const char *spec)
{
	*f = (struct fixture){.error = TEXT_INIT};
	f->policy = policy_text(spec, NULL);
	f->err = lab_plan(f->policy.compiled, &f->plan, &f->error);
}

static void fixture_release(struct fixture *f)
{
	lab_plan_release(&f->plan);
	policy_text_release(&f->policy);
	text_release(&f->error);
}
#define _fixture_ _cleanup_(fixture_release)

/* "NAME ADDRESS ADDRESS/NAME …": a '-' for a family that a station lacks. */
static void format_stations(const struct lab_plan *plan, struct text *out)
{
	char address[ADDRESS_STRLEN];

	vec_foreach (s, &plan->stations) {
		text_addf(out, "%s%s", out->len ? " | " : "", s->name);
		for (enum lab_family f = LAB_V4; f < LAB_FAMILIES; f++)
			text_addf(out, " %s", s->has[f] ? addr_format(&s->addr[f], address) : "-");
	}
}

struct station_case {
	const char *name;
	const char *spec;
	const char *stations;
};

#define ZONE(text) "  - {name: " text "}\n"
#define WORKLOADS  "  workloads:\n"
#define RULE_ANY   "  rules:\n  - {name: open, from: any, to: any, services: tcp/80}\n"

/* clang-format off */
static const struct station_case stations[] = {
	{ "a workload has its address",
	  "  zones:\n" ZONE("a, cidrs: [10.0.0.0/8, \"0.0.0.0/0\", \"::/0\"]") WORKLOADS
	  ZONE("w, zone: a, addresses: [10.0.0.1]") ZONE("x, zone: a, addresses: [10.0.0.2]")
	  RULE_ANY,
	  "w 10.0.0.1 - | x 10.0.0.2 -" },
	{ "families pair up by position",
	  "  zones:\n" ZONE("a, cidrs: [\"0.0.0.0/0\", \"::/0\"]") WORKLOADS
	  ZONE("w, addresses: [10.0.0.1, \"fd00::1\", 10.0.0.2, \"fd00::2\", \"fd00::3\"]")
	  RULE_ANY,
	  "w 10.0.0.1 fd00::1 | w-2 10.0.0.2 fd00::2 | w-3 - fd00::3" },
	{ "a prefix gives its first address that is nobody else's",
	  "  zones:\n" ZONE("a, cidrs: [\"0.0.0.0/0\", \"::/0\"]") WORKLOADS
	  ZONE("w, addresses: [10.0.0.0/24]") ZONE("x, addresses: [10.0.0.1, 10.0.0.2]") RULE_ANY,
	  "w 10.0.0.3 - | x 10.0.0.1 - | x-2 10.0.0.2 -" },
	{ "zones without workloads and the outside have stand-ins",
	  "  zones:\n" ZONE("a, cidrs: [10.0.0.0/24, \"fd00:1::/64\"]")
	  ZONE("b, cidrs: [10.0.1.0/24]")
	  WORKLOADS ZONE("w, zone: a, addresses: [10.0.0.7]") RULE_ANY,
	  "w 10.0.0.7 - | b 10.0.1.1 - | outside 203.0.113.10 -" },
	{ "a cidr that rules tell apart has one as well",
	  "  zones:\n" ZONE("a, cidrs: [10.0.0.0/24]") "  rules:\n"
	  "  - {name: r, from: {cidr: 198.18.0.0/24}, to: a, services: tcp/80}\n",
	  "a 10.0.0.1 - | outside 203.0.113.10 - | outside-2 198.18.0.1 -" },
	{ "a cidr of one family has none of the other",
	  "  zones:\n" ZONE("a, cidrs: [10.0.0.0/24, \"fd00:1::/64\"]") "  rules:\n"
	  "  - {name: r, from: {cidr: 0.0.0.0/0}, to: a, services: tcp/80}\n",
	  "a 10.0.0.1 fd00:1::1 | outside - 2001:db8:ffff::10 | outside-2 203.0.113.10 -" },
	{ "the node's name is nobody's",
	  "  zones:\n" ZONE("a, cidrs: [\"0.0.0.0/0\", \"::/0\"]") WORKLOADS
	  ZONE("node, zone: a, addresses: [10.0.0.1]") ZONE("lo, zone: a, addresses: [10.0.0.2]")
	  RULE_ANY,
	  "node-2 10.0.0.1 - | lo 10.0.0.2 -" },
};
/* clang-format on */

static void every_station_stands_where_the_policy_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(stations); i++) {
		_text_ struct text out = TEXT_INIT;
		_fixture_ struct fixture f;

		fixture_init(&f, stations[i].spec);
		format_stations(&f.plan, &out);
		if (f.err || strcmp(out.buf, stations[i].stations) != 0)
			fail_msg("%s: expected '%s', got '%s' (%s)", stations[i].name,
				 stations[i].stations, out.buf, f.error.buf);
	}
}

static void interfaces_are_short_and_unique(void **state)
{
	_fixture_ struct fixture f;

	(void)state;
	fixture_init(&f,
		     "  zones:\n" ZONE("a, cidrs: [\"0.0.0.0/0\", \"::/0\"]")
			     WORKLOADS ZONE("lo, addresses: [10.0.0.1]")
				     ZONE("a-name-that-is-long, addresses: [10.0.0.2]")
					     ZONE("a-name-that-is-longer, addresses: [10.0.0.3]")
						     ZONE("fifteen-letters, addresses: [10.0.0.4]")
							     RULE_ANY);
	assert_int_equal(f.plan.stations.count, 4);
	assert_string_equal(f.plan.stations.items[0].interface, "lo-1");
	assert_string_equal(f.plan.stations.items[1].interface, "a-name-that-1");
	assert_string_equal(f.plan.stations.items[2].interface, "a-name-that-2");
	assert_string_equal(f.plan.stations.items[3].interface, "fifteen-letters");
}

/* The pods are of one kind, so of one identity. */
static const char three_pods[] =
	"  zones: [{name: a, cidrs: [10.0.0.0/24]}]\n"
	"  workloads: [{name: default.one, zone: a, addresses: [10.0.0.1]}]\n"
	"---\n"
	"apiVersion: v1\nkind: Node\nmetadata: {name: node-a}\n"
	"status: {addresses: [{type: InternalIP, address: 192.0.2.1}]}\n"
	"---\n"
	"apiVersion: v1\nkind: PodList\nitems:\n"
	"- {metadata: {name: one}, spec: {nodeName: node-a}, status: {podIP: 10.8.0.1}}\n"
	"- {metadata: {name: two}, spec: {nodeName: node-a}, status: {podIP: 10.8.0.2}}\n"
	"- {metadata: {name: three}, spec: {nodeName: node-b}, status: {podIP: 10.8.0.3}}\n";

static bool is_probed(const struct lab_plan *plan, const char *from, const char *to)
{
	vec_foreach (p, &plan->probes) {
		if (!strcmp(plan->stations.items[p->from].name, from) &&
		    !strcmp(plan->stations.items[p->to].name, to))
			return true;
	}
	return false;
}

static void every_pod_is_a_station(void **state)
{
	_text_ struct text out = TEXT_INIT;
	_fixture_ struct fixture f;

	(void)state;
	fixture_init(&f, three_pods);
	assert_int_equal(f.err, 0);
	vec_foreach (s, &f.plan.stations)
		text_addf(&out, "%s %s %s|", s->name, s->netns, s->interface);
	assert_string_equal(out.buf, "default.one default.one default-one|"
				     "node-a node-a node-a|"
				     "default/one default.one-2 default-one-2|"
				     "default/two default.two default-two|"
				     "default/three default.three default-three|"
				     "outside outside outside|");
	assert_true(is_probed(&f.plan, "default/one", "default/two"));
	assert_true(is_probed(&f.plan, "node-a", "default/three"));
	assert_false(is_probed(&f.plan, "node-a", "default/two"));
}

static void services_are_both_ends_of_every_range_and_one_that_is_unnamed(void **state)
{
	_text_ struct text out = TEXT_INIT, not_probed = TEXT_INIT;
	_fixture_ struct fixture f;

	(void)state;
	fixture_init(&f,
		     "  zones:\n" ZONE("a, cidrs: [10.0.0.0/24]") ZONE(
			     "b, cidrs: [10.0.1.0/24]") "  rules:\n"
							"  - {name: r, from: a, to: b, services: "
							"[tcp/80, tcp/0-7, udp/9999-10001, sctp/5, "
							"icmp/echo-request, icmp/3]}\n"
							"  - {name: s, from: b, to: a, services: "
							"any}\n");
	assert_int_equal(f.err, 0);
	vec_foreach (s, &f.plan.services) {
		text_add(&out, out.len ? " " : "");
		service_format(s->table, s->number, &out);
	}
	services_format(&f.plan.not_probed, &not_probed);
	assert_string_equal(out.buf, "tcp/1 tcp/7 tcp/80 tcp/9999 udp/9999 udp/10001 udp/10002 "
				     "icmp/echo-request icmp6/echo-request");
	assert_string_equal(not_probed.buf, "sctp/5, icmp/destination-unreachable");
}

static void what_is_expected_is_what_the_compiler_decides(void **state)
{
	_fixture_ struct fixture f;
	size_t allowed = 0;

	(void)state;
	fixture_init(&f, "  zones:\n" ZONE("a, cidrs: [10.0.0.0/24, \"fd00:a::/64\"]") ZONE(
				 "b, cidrs: [10.0.1.0/24, \"fd00:b::/64\"]") "  rules:\n  - {name: "
									     "r, from: a, to: b, "
									     "services: tcp/80}\n");
	vec_foreach (p, &f.plan.probes) {
		const struct lab_service *s = &f.plan.services.items[p->service];

		assert_true(lab_service_is_of(s, p->family));
		if (!lab_probe_expects_answer(p) || p->from > 1 || p->to > 1)
			continue;
		assert_string_equal(f.plan.stations.items[p->from].name, "a");
		assert_int_equal(s->number, 80);
		allowed++;
	}
	assert_int_equal(allowed, LAB_FAMILIES);
}

static void a_lab_that_is_too_large_or_empty_is_refused(void **state)
{
	_text_ struct text spec = TEXT_INIT;
	_fixture_ struct fixture large, lonely;

	(void)state;
	text_add(&spec, "  zones:\n" ZONE("a, cidrs: [\"0.0.0.0/0\", \"::/0\"]")
				WORKLOADS ZONE("w, addresses: [10.0.0.1"));
	spec.len -= 2;
	for (int i = 2; i <= LAB_MAX_STATIONS + 1; i++)
		text_addf(&spec, ", 10.0.0.%d", i);
	text_add(&spec, "]}\n" RULE_ANY);
	fixture_init(&large, spec.buf);
	assert_int_equal(large.err, -E2BIG);
	fixture_init(&lonely, "  zones:\n" ZONE("a, cidrs: [\"0.0.0.0/0\", \"::/0\"]")
				      WORKLOADS ZONE("w, addresses: [10.0.0.1]") RULE_ANY);
	assert_int_equal(lonely.err, -ENOENT);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_station_stands_where_the_policy_says),
		cmocka_unit_test(interfaces_are_short_and_unique),
		cmocka_unit_test(every_pod_is_a_station),
		cmocka_unit_test(services_are_both_ends_of_every_range_and_one_that_is_unnamed),
		cmocka_unit_test(what_is_expected_is_what_the_compiler_decides),
		cmocka_unit_test(a_lab_that_is_too_large_or_empty_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
