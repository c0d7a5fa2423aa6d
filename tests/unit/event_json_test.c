/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/events/event_json.h"

#include <arpa/inet.h>
#include <string.h>

#include <bulkhead/endpoint.h>
#include <bulkhead/reason.h>
#include <bulkhead/verdict.h>

#include "tests/test.h"
#include "util/address.h"

#define WALL_NS 1795251600123456000ull /* 2026-11-21T09:00:00.123456Z */

struct json_case {
	const char *name;
	const char *src, *dst; /* NULL: never read */
	struct bh_event event;
	struct event_names names;
	const char *expected;
};

/* clang-format off */
#define EDGE { .workload = "edge-lb", .zone = "dmz", .labels_json = "{\"tier\":\"edge\"}" }
#define DB   { .workload = "postgres", .zone = "data", .labels_json = "{}" }
#define OUT  { .zone = "outside", .labels_json = "{}" }
#define HEAD "{\"time\":\"2026-11-21T09:00:00.123456Z\","

static const struct json_case cases[] = {
	{ "denied by default, with a near miss", "10.0.0.10", "10.0.32.10",
	  { .sport = 51514, .dport = 5432, .proto = 6, .tcp_flags = 0x02, .ethertype = 0x0800,
	    .reason = BH_REASON_POLICY, .length = 74, .generation = 7 },
	  { .src = EDGE, .dst = DB, .rule = "default",
	    .interface = "veth-pg", .endpoint = "postgres",
	    .policy_hash = "00ff", .near = "api-to-db(port 5433, allows 5432)" },
	  HEAD "\"verdict\":\"deny\",\"direction\":\"ingress\",\"reason\":\"policy\","
	  "\"rule\":\"default\","
	  "\"src\":{\"ip\":\"10.0.0.10\",\"port\":51514,\"workload\":\"edge-lb\",\"zone\":\"dmz\","
	  "\"labels\":{\"tier\":\"edge\"}},"
	  "\"dst\":{\"ip\":\"10.0.32.10\",\"port\":5432,\"workload\":\"postgres\","
	  "\"zone\":\"data\",\"labels\":{}},"
	  "\"proto\":\"tcp\",\"tcp_flags\":\"SYN\",\"length\":74,\"interface\":\"veth-pg\","
	  "\"endpoint\":\"postgres\","
	  "\"generation\":7,\"policy_hash\":\"00ff\","
	  "\"near\":\"api-to-db(port 5433, allows 5432)\",\"count\":1}" },
	{ "allowed by a rule that logs, IPv6", "fd00::10", "fd00:2::10",
	  { .sport = 9, .dport = 53, .proto = 17, .ethertype = 0x86dd, .verdict = BH_VERDICT_ALLOW,
	    .direction = BH_EGRESS, .length = 90, .generation = 1 },
	  { .src = EDGE, .dst = DB, .rule = "dns", .rule_at = "p.yaml:12" },
	  HEAD "\"verdict\":\"allow\",\"direction\":\"egress\",\"reason\":\"none\","
	  "\"rule\":\"dns\",\"rule_at\":\"p.yaml:12\","
	  "\"src\":{\"ip\":\"fd00::10\",\"port\":9,\"workload\":\"edge-lb\",\"zone\":\"dmz\","
	  "\"labels\":{\"tier\":\"edge\"}},"
	  "\"dst\":{\"ip\":\"fd00:2::10\",\"port\":53,\"workload\":\"postgres\",\"zone\":\"data\","
	  "\"labels\":{}},"
	  "\"proto\":\"udp\",\"length\":90,\"generation\":1,\"count\":1}" },
	{ "audited ping has a type and no ports", "192.0.2.1", "10.0.32.10",
	  { .proto = 1, .icmp_type = 8, .ethertype = 0x0800, .verdict = BH_VERDICT_AUDIT,
	    .reason = BH_REASON_POLICY, .length = 98, .generation = 2 },
	  { .src = OUT, .dst = DB, .rule = "default" },
	  HEAD "\"verdict\":\"audit\",\"direction\":\"ingress\",\"reason\":\"policy\","
	  "\"rule\":\"default\","
	  "\"src\":{\"ip\":\"192.0.2.1\",\"zone\":\"outside\",\"labels\":{}},"
	  "\"dst\":{\"ip\":\"10.0.32.10\",\"workload\":\"postgres\",\"zone\":\"data\","
	  "\"labels\":{}},"
	  "\"proto\":\"icmp\",\"icmp_type\":8,\"icmp_code\":0,\"length\":98,\"generation\":2,"
	  "\"count\":1}" },
	{ "cut off before its addresses", NULL, NULL,
	  { .ethertype = 0x86dd, .reason = BH_REASON_MALFORMED, .length = 20, .generation = 2 },
	  { .src = OUT, .dst = OUT, .rule = "default" },
	  HEAD "\"verdict\":\"deny\",\"direction\":\"ingress\",\"reason\":\"malformed\","
	  "\"rule\":\"default\","
	  "\"src\":{\"zone\":\"outside\",\"labels\":{}},\"dst\":{\"zone\":\"outside\","
	  "\"labels\":{}},"
	  "\"proto\":\"0\",\"length\":20,\"generation\":2,\"count\":1}" },
	{ "an ethertype without a name", NULL, NULL,
	  { .ethertype = 0x88cc, .reason = BH_REASON_UNSUPPORTED, .length = 60, .generation = 2 },
	  { .src = OUT, .dst = OUT, .rule = "default" },
	  HEAD "\"verdict\":\"deny\",\"direction\":\"ingress\",\"reason\":\"unsupported\","
	  "\"rule\":\"default\","
	  "\"src\":{\"zone\":\"outside\",\"labels\":{}},\"dst\":{\"zone\":\"outside\","
	  "\"labels\":{}},"
	  "\"proto\":\"0x88cc\",\"length\":60,\"generation\":2,\"count\":1}" },
	{ "one line for many", NULL, NULL,
	  { .ethertype = 0x88cc, .reason = BH_REASON_UNSUPPORTED, .length = 60, .generation = 2 },
	  { .src = OUT, .dst = OUT, .rule = "default", .count = 18446744073709551615ull },
	  HEAD "\"verdict\":\"deny\",\"direction\":\"ingress\",\"reason\":\"unsupported\","
	  "\"rule\":\"default\","
	  "\"src\":{\"zone\":\"outside\",\"labels\":{}},\"dst\":{\"zone\":\"outside\","
	  "\"labels\":{}},"
	  "\"proto\":\"0x88cc\",\"length\":60,\"generation\":2,\"count\":18446744073709551615}" },
	{ "ARP, and numbers that the contract does not have", "10.0.0.1", "10.0.0.2",
	  { .ethertype = 0x0806, .reason = 200, .verdict = 9, .direction = 7, .length = 42 },
	  { .src = { .zone = "q\"\n" } },
	  HEAD "\"verdict\":\"unknown\",\"direction\":\"unknown\",\"reason\":\"unknown\","
	  "\"src\":{\"ip\":\"10.0.0.1\",\"zone\":\"q\\\"\\n\"},\"dst\":{\"ip\":\"10.0.0.2\"},"
	  "\"proto\":\"arp\",\"length\":42,\"generation\":0,\"count\":1}" },
};
/* clang-format on */

static struct bh_addr address(const char *s)
{
	struct bh_addr a = {};

	if (s)
		assert_null(addr_parse(s, &a));
	return a;
}

static void writes_one_line_an_event(void **state)
{
	(void)state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct bh_event event = cases[i].event;
		struct event_names names = cases[i].names;
		_text_ struct text out = TEXT_INIT;

		event.src = address(cases[i].src);
		event.dst = address(cases[i].dst);
		event.sport = htons(event.sport);
		event.dport = htons(event.dport);
		event.ethertype = htons(event.ethertype);
		names.wall_ns = WALL_NS;
		names.count = names.count ? names.count : 1;
		event_json(&event, &names, &out);
		if (strcmp(out.buf, cases[i].expected) != 0)
			fail_msg("%s:\ngot    %s\nwanted %s", cases[i].name, out.buf,
				 cases[i].expected);
	}
}

static void a_packet_is_base64(void **state)
{
	struct bh_event_packet packet = {.captured = 5};
	_text_ struct text out = TEXT_INIT;

	(void)state;
	memcpy(packet.bytes, "\x00\x10\xff\xfe\x41", 5);
	event_json_packet(&packet, &out);
	assert_string_equal(out.buf, "\"packet\":\"ABD//kE=\"");
}

struct flags_case {
	uint8_t flags;
	const char *expected;
};

/* clang-format off */
static const struct flags_case flags_cases[] = {
	{ 0x02, "\"tcp_flags\":\"SYN\"" },
	{ 0x12, "\"tcp_flags\":\"SYN,ACK\"" },
	{ 0x29, "\"tcp_flags\":\"FIN,PSH,URG\"" },
	{ 0xc4, "\"tcp_flags\":\"RST,ECE,CWR\"" },
};
/* clang-format on */

static void names_tcp_flags_in_header_order(void **state)
{
	(void)state;

	for (size_t i = 0; i < COUNT(flags_cases); i++) {
		struct bh_event event = {
			.proto = 6,
			.ethertype = htons(0x0800),
			.tcp_flags = flags_cases[i].flags,
		};
		struct event_names names = {};
		_text_ struct text out = TEXT_INIT;

		event_json(&event, &names, &out);
		if (!strstr(out.buf, flags_cases[i].expected))
			fail_msg("%s: %s", flags_cases[i].expected, out.buf);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_one_line_an_event),
		cmocka_unit_test(a_packet_is_base64),
		cmocka_unit_test(names_tcp_flags_in_header_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
