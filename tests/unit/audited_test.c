/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/policies/audited.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <linux/if_ether.h>

#include "tests/test.h"
#include "tests/unit/policy_text.h"

#define SYN 0x02
#define ACK 0x10

static const char next[] = "  zones:\n"
			   "    - {name: front, cidrs: [10.0.0.0/24]}\n"
			   "    - {name: back, cidrs: [10.0.1.0/24]}\n"
			   "  rules:\n"
			   "    - {name: web, from: front, to: back, services: tcp/443}\n";

struct seen {
	const char *name;
	enum bh_verdict verdict;
	uint8_t proto, tcp_flags;
	uint16_t dport;
	const char *rule;
	int times;
	uint64_t connections, events; /* of what would be dropped */
};

/* clang-format off */
static const struct seen cases[] = {
	{ "what is denied then",        BH_VERDICT_AUDIT, IPPROTO_TCP, SYN,       80,  "default", 3, 1, 3 },
	{ "by a rule",                  BH_VERDICT_AUDIT, IPPROTO_UDP, 0,         53,  "no-dns",  1, 1, 1 },
	{ "what is allowed then",       BH_VERDICT_AUDIT, IPPROTO_TCP, SYN,       443, "default", 3, 0, 0 },
	{ "what was allowed",           BH_VERDICT_ALLOW, IPPROTO_TCP, SYN,       80,  "default", 3, 0, 0 },
	{ "what was denied",            BH_VERDICT_DENY,  IPPROTO_TCP, SYN,       80,  "default", 3, 0, 0 },
	{ "what may be an answer",      BH_VERDICT_AUDIT, IPPROTO_TCP, SYN | ACK, 80,  "default", 3, 0, 0 },
	{ "the middle of a connection", BH_VERDICT_AUDIT, IPPROTO_TCP, ACK,       80,  "default", 3, 0, 0 },
};
/* clang-format on */

static struct bh_event event_of(const struct seen *c)
{
	struct bh_event event = {
		.verdict = (uint8_t)c->verdict,
		.proto = c->proto,
		.tcp_flags = c->tcp_flags,
		.sport = htons(40000),
		.dport = htons(c->dport),
		.ethertype = htons(ETH_P_IP),
	};

	assert_null(addr_parse("10.0.0.5", &event.src));
	assert_null(addr_parse("10.0.1.5", &event.dst));
	return event;
}

static void tells_what_enforcing_would_drop(void **state)
{
	_policy_text_ struct compiled_text policy = policy_text(next, NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct seen *c = &cases[i];
		const struct event_names names = {.rule = c->rule, .wall_ns = 1};
		struct bh_event event = event_of(c);
		_audited_drops_ struct audited_drops drops = {};
		struct audited audited = {};

		for (int n = 0; n < c->times; n++)
			audited_add(&audited, &event, &names);
		audited_find(&audited, policy.compiled, &drops);
		assert_row(c->name, drops.connections == c->connections);
		assert_row(c->name, drops.rules.count == c->connections);
		if (c->connections) {
			assert_row_string(c->name, drops.rules.items[0].name, c->rule);
			assert_row(c->name, drops.rules.items[0].events == c->events);
		}
		audited_release(&audited);
	}
}

static void sums_up_by_rule(void **state)
{
	_policy_text_ struct compiled_text policy = policy_text(next, NULL);
	const struct event_names names = {.rule = "default", .wall_ns = 1};
	struct bh_event event = event_of(&cases[0]);
	_audited_drops_ struct audited_drops drops = {};
	_text_ struct text out = TEXT_INIT;
	struct audited audited = {};
	struct json j = {.out = &out};

	(void)state;
	for (uint16_t port = 1; port <= 5; port++) {
		event.dport = htons(port);
		audited_add(&audited, &event, &names);
	}
	audited_find(&audited, policy.compiled, &drops);
	assert_int_equal(drops.rules.count, 1);
	audited_json(&audited, &drops, &j, NULL);
	assert_string_equal(out.buf, "{\"since\":\"1970-01-01T00:00:00.000000Z\",\"connections\":5,"
				     "\"left_out\":0,\"rules\":[{\"rule\":\"default\","
				     "\"connections\":5,\"events\":5,\"example\":"
				     "\"front 10.0.0.5 -> back 10.0.1.5 tcp/1\"}]}");
	audited_release(&audited);
}

static void what_is_kept_is_bounded(void **state)
{
	const struct event_names names = {.rule = "default", .wall_ns = 1};
	struct bh_event event = event_of(&cases[0]);
	struct audited audited = {};

	(void)state;
	for (uint16_t port = 0; port < AUDITED_MAX + 7; port++) {
		event.dport = htons(port);
		audited_add(&audited, &event, &names);
	}
	assert_int_equal(audited.recording.connections.count, AUDITED_MAX);
	assert_int_equal(audited.left_out, 7);
	audited_release(&audited);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_what_enforcing_would_drop),
		cmocka_unit_test(sums_up_by_rule),
		cmocka_unit_test(what_is_kept_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
