/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/flows/flow_text.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <bulkhead/endpoint.h>
#include <bulkhead/reason.h>
#include <bulkhead/verdict.h>

#include "tests/test.h"
#include "util/address.h"
#include "util/clock.h"

#define NS_PER_S UINT64_C(1000000000)

static struct bh_addr addr(const char *s)
{
	struct bh_addr parsed;

	assert_null(addr_parse(s, &parsed));
	return parsed;
}

/* Began 30 s before the record, and was last seen 10 s before. */
static struct bh_flow make_flow(void)
{
	uint64_t now = clock_monotonic_ns();

	return (struct bh_flow){
		.time_ns = now,
		.key = {.addr = {addr("10.0.16.10"), addr("10.0.32.10")},
			.port = {htons(443), htons(51514)},
			.endpoint = 3,
			.proto = IPPROTO_TCP,
			.ip_version = 4},
		.packets = {7, 5},
		.bytes = {700, 5000000000},
		.line = 255,
		.stamp = 6,
		.created = BH_TICKS(now) - BH_TICKS_OF_S(90),
		.since = BH_TICKS(now) - BH_TICKS_OF_S(30),
		.seen = BH_TICKS(now) - BH_TICKS_OF_S(10),
		.generation = 4,
		.rule = 17,
		.tcp_flags = {0x1b, 0x12},
		.state = BH_CONN_CLOSING,
		.verdict = BH_VERDICT_ALLOW,
		.opener = 1,
		.direction = BH_INGRESS,
		.why = BH_FLOW_CLOSED,
	};
}

static const struct event_names names = {
	.src = {.workload = "db", .zone = "data", .labels_json = "{}"},
	.dst = {.workload = "app", .zone = "internal", .labels_json = "{\"tier\":\"web\"}"},
	.rule = "web",
	.rule_at = "p.yaml:7",
	.interface = "veth app",
	.endpoint = "app",
	.policy_hash = "abc",
};

/* Without the two times; which are seconds before now, give or take one. */
static void check_vpc(const char *line, const char *before, const char *after, int start, int end)
{
	size_t len = strlen(before);
	int64_t now = clock_wall_s();
	char *rest;

	assert_row_string(line, strncmp(line, before, len) ? line : before, before);
	assert_true(labs((long)(now - start - strtoll(line + len, &rest, 10))) <= 1);
	assert_true(labs((long)(now - end - strtoll(rest, &rest, 10))) <= 1);
	assert_int_equal(strncmp(rest, after, strlen(after)), 0);
}

static void each_direction_is_a_vpc_line(void **state)
{
	const struct bh_flow flow = make_flow();
	_text_ struct text out = TEXT_INIT;
	const char *second;

	(void)state;
	flow_add(FLOW_VPC, &flow, &names, &out);
	check_vpc(out.buf, "2 - veth_app 10.0.32.10 10.0.16.10 51514 443 6 7 700 ", " ACCEPT OK\n",
		  30, 10);
	second = strchr(out.buf, '\n') + 1;
	check_vpc(second, "2 - veth_app 10.0.16.10 10.0.32.10 443 51514 6 5 5000000000 ",
		  " ACCEPT OK\n", 30, 10);
	assert_int_equal(strchr(second, '\n')[1], '\0');
}

static void directions_that_carried_nothing_are_left_out(void **state)
{
	struct bh_flow flow = make_flow();
	_text_ struct text out = TEXT_INIT;

	(void)state;
	flow.packets[0] = flow.bytes[0] = 0;
	flow.seen = flow.since - BH_TICKS_OF_S(600); /* replies alone don't move it (UDP) */
	flow_add(FLOW_VPC, &flow, &names, &out);
	check_vpc(out.buf, "2 - veth_app 10.0.16.10 10.0.32.10 443 51514 6 5 5000000000 ",
		  " ACCEPT OK\n", 30, 30);
	text_reset(&out);
	flow.packets[1] = flow.bytes[1] = 0;
	flow_add(FLOW_VPC, &flow, &names, &out);
	assert_string_equal(out.buf, "");
}

static void protocols_without_ports_have_port_0(void **state)
{
	const struct event_names nobody = {};
	struct bh_flow flow = make_flow();
	_text_ struct text out = TEXT_INIT;

	(void)state;
	flow.key.addr[0] = addr("fd00::1");
	flow.key.addr[1] = addr("fd00::2");
	flow.key.proto = IPPROTO_ICMPV6;
	flow_add(FLOW_VPC, &flow, &nobody, &out);
	check_vpc(out.buf, "2 - - fd00::2 fd00::1 0 0 58 7 700 ", " ACCEPT OK\n", 30, 10);
}

static void lost_records_are_skipped_data(void **state)
{
	_text_ struct text out = TEXT_INIT;

	(void)state;
	flow_add_lost(FLOW_VPC, 1000 * NS_PER_S, 1060 * NS_PER_S, 5, &out);
	assert_string_equal(out.buf, "2 - - - - - - - - - 1000 1060 - SKIPDATA\n");
	text_reset(&out);
	flow_add_lost(FLOW_JSON, 0, NS_PER_S, 5, &out);
	assert_string_equal(out.buf, "{\"time\":\"1970-01-01T00:00:01.000000Z\","
				     "\"start\":\"1970-01-01T00:00:00.000000Z\",\"lost\":5}\n");
}

static void json_has_names_and_the_rule(void **state)
{
	const struct bh_flow flow = make_flow();
	_text_ struct text out = TEXT_INIT;

	(void)state;
	flow_add(FLOW_JSON, &flow, &names, &out);
	assert_non_null(strstr(
		out.buf,
		"\"direction\":\"ingress\",\"verdict\":\"allow\",\"rule\":\"web\",\"rule_at\":"
		"\"p.yaml:7\",\"src\":{\"ip\":\"10.0.32.10\",\"port\":51514,\"workload\":\"db\","
		"\"zone\":\"data\",\"labels\":{}},\"dst\":{\"ip\":\"10.0.16.10\",\"port\":443,"
		"\"workload\":\"app\",\"zone\":\"internal\",\"labels\":{\"tier\":\"web\"}},"
		"\"proto\":\"tcp\",\"state\":\"closing\",\"tcp_flags\":[\"FIN,SYN,PSH,ACK\","
		"\"SYN,ACK\"],\"packets\":[7,5],\"bytes\":[700,5000000000],\"interface\":"
		"\"veth app\",\"endpoint\":\"app\",\"generation\":4,\"policy_hash\":\"abc\"}\n"));
	assert_non_null(strstr(out.buf, "\"why\":\"closed\",\"id\":\"ff-6\",\"start\":\""));
}

/* Of two packets, three seconds apart. */
static struct denied_flow make_denied(void)
{
	uint64_t now = clock_monotonic_ns();

	return (struct denied_flow){
		.first = {.time_ns = now - 5 * NS_PER_S,
			  .src = addr("10.0.16.10"),
			  .dst = addr("10.0.32.10"),
			  .sport = htons(51514),
			  .dport = htons(22),
			  .proto = IPPROTO_TCP,
			  .generation = 4,
			  .verdict = BH_VERDICT_DENY,
			  .reason = BH_REASON_POLICY},
		.last_ns = now - 2 * NS_PER_S,
		.packets = 2,
		.bytes = 148,
		.tcp_flags = 2,
	};
}

static void what_was_denied_is_a_line_too(void **state)
{
	const struct denied_flow denied = make_denied();
	_text_ struct text out = TEXT_INIT;

	(void)state;
	flow_add_denied(FLOW_VPC, &denied, &names, &out);
	check_vpc(out.buf, "2 - veth_app 10.0.16.10 10.0.32.10 51514 22 6 2 148 ", " REJECT OK\n",
		  5, 2);
	text_reset(&out);
	flow_add_denied(FLOW_JSON, &denied, &names, &out);
	assert_non_null(strstr(out.buf, "\"why\":\"denied\""));
	assert_non_null(strstr(out.buf, "\"verdict\":\"deny\",\"reason\":\"policy\","
					"\"rule\":\"web\",\"rule_at\":\"p.yaml:7\","));
	assert_non_null(strstr(out.buf, "\"tcp_flags\":[\"SYN\",\"\"],\"packets\":[2,0],"
					"\"bytes\":[148,0],"));
}

static void what_was_denied_without_a_line_is_told_as_skipped(void **state)
{
	_text_ struct text out = TEXT_INIT;

	(void)state;
	flow_add_skipped(FLOW_VPC, 10 * NS_PER_S, 70 * NS_PER_S, 5, &out);
	assert_string_equal(out.buf, "2 - - - - - - - - - 10 70 - SKIPDATA\n");
	text_reset(&out);
	flow_add_skipped(FLOW_JSON, 10 * NS_PER_S, 70 * NS_PER_S, 5, &out);
	assert_non_null(strstr(out.buf, "\"denied_skipped\":5}"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_direction_is_a_vpc_line),
		cmocka_unit_test(directions_that_carried_nothing_are_left_out),
		cmocka_unit_test(protocols_without_ports_have_port_0),
		cmocka_unit_test(lost_records_are_skipped_data),
		cmocka_unit_test(json_has_names_and_the_rule),
		cmocka_unit_test(what_was_denied_is_a_line_too),
		cmocka_unit_test(what_was_denied_without_a_line_is_told_as_skipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
