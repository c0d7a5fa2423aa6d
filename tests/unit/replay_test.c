/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/test.h"

#include "policy/replay.h"
#include "tests/unit/policy_text.h"
#include "tests/unit/recorded_text.h"

#define MEMBERS                                                                                    \
	"  zones:\n"                                                                               \
	"  - {name: dmz, cidrs: [10.0.0.0/24, \"fd00::/64\"]}\n"                                   \
	"  - {name: data, cidrs: [10.0.1.0/24, \"fd01::/64\"]}\n"                                  \
	"  - {name: seen, cidrs: [10.0.2.0/24], mode: audit}\n"                                    \
	"  workloads:\n"                                                                           \
	"  - {name: web, zone: dmz, addresses: [10.0.0.10, 10.0.0.11, \"fd00::10\"]}\n"            \
	"  - {name: db, zone: data, addresses: [10.0.1.10, \"fd01::10\"]}\n"                       \
	"  rules:\n"                                                                               \
	"  - {name: r, from: web, to: db, services: tcp/5432}\n"

struct replay_case {
	const char *name;
	const char *events;
	const char *text; /* but for its last line */
	uint64_t allowed, denied;
};

/* clang-format off */
static const struct replay_case cases[] = {
	{ "nothing", "", "", 0, 0 },
	{ "what was denied is", "10.0.0.10 10.0.1.10 tcp/22 deny", "", 0, 0 },
	{ "what was allowed is", "10.0.0.10 10.0.1.10 tcp/5432 allow", "", 0, 0 },
	{ "newly allowed", "10.0.0.10 10.0.1.10 tcp/5432 deny",
	  "+ web -> db tcp/5432: 1 events, 1 connections, allow r at t.yaml:13:12, was deny then\n", 1, 0 },
	{ "newly allowed after a reject", "10.0.0.10 10.0.1.10 tcp/5432 reject",
	  "+ web -> db tcp/5432: 1 events, 1 connections, allow r at t.yaml:13:12, was reject then\n", 1, 0 },
	{ "one line for all addresses of a workload",
	  "10.0.0.10 10.0.1.10 tcp/5432 deny; 10.0.0.11 10.0.1.10 tcp/5432 deny; 10.0.0.11 10.0.1.10 tcp/5432 deny; "
	  "fd00::10 fd01::10 tcp/5432 deny",
	  "+ web -> db tcp/5432: 4 events, 3 connections, allow r at t.yaml:13:12, was deny then\n", 3, 0 },
	{ "newly denied, by zone", "10.0.0.10 10.0.1.77 tcp/5432 allow",
	  "- web -> data tcp/5432: 1 events, 1 connections, deny default, was allow then\n", 0, 1 },
	{ "what audit let through is newly denied", "10.0.0.10 10.0.1.10 tcp/22 audit",
	  "- web -> db tcp/22: 1 events, 1 connections, deny default, was audit then\n", 0, 1 },
	{ "what audit will let through gets through", "198.51.100.1 10.0.2.1 tcp/22 deny",
	  "+ 198.51.100.1 -> seen tcp/22: 1 events, 1 connections, audit default, was deny then\n", 1, 0 },
	{ "from allow to audit is no difference", "198.51.100.1 10.0.2.1 tcp/22 allow", "", 0, 0 },
	{ "outside by address", "198.51.100.1 10.0.1.10 udp/1 allow; 198.51.100.2 10.0.1.10 udp/1 allow;",
	  "- 198.51.100.1 -> db udp/1: 1 events, 1 connections, deny default, was allow then\n"
	  "- 198.51.100.2 -> db udp/1: 1 events, 1 connections, deny default, was allow then\n", 0, 2 },
	{ "the denied first, then by events",
	  "10.0.0.10 10.0.1.10 tcp/5432 deny; 10.0.0.10 10.0.1.10 tcp/1 allow; 10.0.0.10 10.0.1.10 tcp/2 allow; "
	  "10.0.0.10 10.0.1.10 tcp/2 allow",
	  "- web -> db tcp/2: 2 events, 1 connections, deny default, was allow then\n"
	  "- web -> db tcp/1: 1 events, 1 connections, deny default, was allow then\n"
	  "+ web -> db tcp/5432: 1 events, 1 connections, allow r at t.yaml:13:12, was deny then\n", 1, 2 },
	{ "a workload that moved goes by its name", "web@10.0.0.99 db@10.9.9.9 tcp/5432 deny",
	  "+ web -> db tcp/5432: 1 events, 1 connections, allow r at t.yaml:13:12, was deny then\n", 1, 0 },
	{ "an address is whose it is now", "db@10.0.0.10 web@10.0.1.10 tcp/5432 deny",
	  "+ web -> db tcp/5432: 1 events, 1 connections, allow r at t.yaml:13:12, was deny then\n", 1, 0 },
	{ "a zone's name says nothing", "dmz@10.9.9.9 db@10.0.1.10 tcp/5432 allow",
	  "- 10.9.9.9 -> db tcp/5432: 1 events, 1 connections, deny default, was allow then\n", 0, 1 },
	{ "ping", "10.0.0.10 10.0.1.10 icmp/echo-request allow",
	  "- web -> db icmp/echo-request: 1 events, 1 connections, deny default, was allow then\n", 0, 1 },
};
/* clang-format on */

static void a_policy_is_compared_with_what_was(void **state)
{
	_policy_text_ struct compiled_text t = policy_text(MEMBERS, NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct replay_case *k = &cases[i];
		_recording_ struct recording r = {};
		_replay_ struct replay replay = {};
		_text_ struct text seen = TEXT_INIT;
		_text_ struct text wanted = TEXT_INIT;

		recorded_text(k->events, &r);
		replay_run(t.compiled, &r, &replay);
		assert_row(k->name, replay.allowed == k->allowed);
		assert_row(k->name, replay.denied == k->denied);
		replay_text(t.compiled, &r, &replay, &seen);
		text_addf(&wanted,
			  "%s%u events, %zu connections, %u newly allowed, %u newly denied\n",
			  k->text, (unsigned int)r.events, r.connections.count,
			  (unsigned int)k->allowed, (unsigned int)k->denied);
		assert_row_string(k->name, seen.buf, wanted.buf);
	}
}

static void json_says_the_same(void **state)
{
	_policy_text_ struct compiled_text t = policy_text(MEMBERS, NULL);
	_recording_ struct recording r = {};
	_replay_ struct replay replay = {};
	_text_ struct text seen = TEXT_INIT;

	(void)state;
	recorded_text("10.0.0.10 10.0.1.10 tcp/5432 deny", &r);
	replay_run(t.compiled, &r, &replay);
	replay_json(t.compiled, &r, &replay, &seen);
	assert_string_equal(
		seen.buf,
		"{\"changes\":[{\"change\":\"newly-allowed\",\"from\":\"web\",\"to\":\"db\","
		"\"service\":\"tcp/5432\",\"events\":1,\"connections\":1,\"verdict\":\"allow\","
		"\"rule\":\"r\",\"rule_at\":\"t.yaml:13:12\",\"was_verdict\":\"deny\","
		"\"was_rule\":\"then\"}],\"events\":1,\"connections\":1,\"newly_allowed\":1,"
		"\"newly_denied\":0}\n");
}

/* The pods share an identity; the node has one of them. */
#define PODS                                                                                       \
	"  zones: []\n---\n"                                                                       \
	"apiVersion: v1\nkind: Node\nmetadata: {name: node-a}\n"                                   \
	"status: {addresses: [{type: InternalIP, address: 192.0.2.1}]}\n---\n"                     \
	"apiVersion: v1\nkind: PodList\nitems:\n"                                                  \
	"- {metadata: {name: one}, spec: {nodeName: node-a}, status: {podIP: 10.8.0.1}}\n"         \
	"- {metadata: {name: two}, status: {podIP: 10.8.0.2}}\n---\n"                              \
	"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: shut}\n"          \
	"spec: {podSelector: {}}\n"

static void each_pod_goes_by_its_own_name(void **state)
{
	_policy_text_ struct compiled_text t = policy_text(PODS, NULL);
	_recording_ struct recording r = {};
	_replay_ struct replay replay = {};
	_text_ struct text seen = TEXT_INIT;

	(void)state;
	recorded_text("10.8.0.1 10.8.0.2 tcp/1 allow; default/two@10.8.9.9 10.8.0.1 tcp/2 allow;"
		      "10.8.0.1 10.8.0.1 tcp/3 allow; 192.0.2.1 10.8.0.1 tcp/4 allow;"
		      "192.0.2.1 10.8.0.2 tcp/5 allow",
		      &r);
	replay_run(t.compiled, &r, &replay);
	replay_text(t.compiled, &r, &replay, &seen);
	assert_non_null(strstr(seen.buf, "- default/one -> default/two tcp/1: "));
	assert_non_null(strstr(seen.buf, "- default/two -> default/one tcp/2: "));
	assert_non_null(strstr(seen.buf, "- node-a -> default/two tcp/5: "));
	/* A pod and itself, a node and its pod: nothing changes. */
	assert_int_equal(replay.rows.count, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_policy_is_compared_with_what_was),
		cmocka_unit_test(json_says_the_same),
		cmocka_unit_test(each_pod_goes_by_its_own_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
