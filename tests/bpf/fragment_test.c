/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <netinet/in.h>

#include "tests/bpf/table.h"

static const char rules[] = "    - {name: web, from: client, to: server, services: [tcp/443, "
			    "udp/443, proto/47, icmp/echo-request, icmp6/echo-request]}\n"
			    "    - {name: other, from: front, to: back, services: udp/444}\n";

static const char narrow[] = "    - {name: other, from: front, to: back, services: [udp/444, "
			     "icmp/echo-request, icmp6/echo-request]}\n";

/* Of TCP, whose header is longer. */
#define TCP_1  .is_fragment = true, .payload = 52, .fragment_id = 77
#define FIRST  .is_fragment = true, .payload = 64, .fragment_id = 77
#define MIDDLE .is_fragment = true, .payload = 64, .fragment_id = 77, .offset = 9
#define LAST   .is_fragment = true, .payload = 10, .fragment_id = 77, .offset = 18, .is_last = true
#define UDP    .proto = IPPROTO_UDP

#define STEPS_MAX 6

/* Packets one after another, each with what becomes of it. */
struct datagram {
	const char *name;
	struct {
		struct packet_spec packet;
		enum bh_reason reason;
		uint32_t wait_s;  /* before it */
		bool is_narrowed; /* another policy, from it on */
	} steps[STEPS_MAX];
	enum family family;
};

/* clang-format off */
static const struct datagram datagrams[] = {
	{"FR-01 in order", {{{UDP, FIRST}}, {{UDP, MIDDLE}}, {{UDP, LAST}}}},
	{"of TCP", {{{TCP_1}}, {{MIDDLE}}, {{LAST}}}},
	{"of a ping", {{{.icmp = ICMP_ECHO_REQUEST, .id = 5, FIRST}}, {{.icmp = ICMP_ECHO_REQUEST, MIDDLE}}, {{.icmp = ICMP_ECHO_REQUEST, LAST}}}},
	{"of a protocol without ports", {{{.proto = PROTO_GRE, FIRST}}, {{.proto = PROTO_GRE, LAST}}}},
	{"FR-06 a piece twice", {{{UDP, FIRST}}, {{UDP, MIDDLE}}, {{UDP, MIDDLE}}, {{UDP, LAST}}, {{UDP, LAST}}}},
	{"the last before the middle", {{{UDP, FIRST}}, {{UDP, LAST}}, {{UDP, MIDDLE}}}},
	{"behind extensions", {{{UDP, FIRST, .extensions = "HF"}}, {{UDP, LAST, .extensions = "HF"}}}, FAMILY_V6},
	{"with extensions inside", {{{UDP, FIRST, .extensions = "FD"}}, {{.proto = IPPROTO_DSTOPTS, LAST}}}, FAMILY_V6},
	{"with IPv4 options", {{{UDP, FIRST, .option_words = 5}}, {{UDP, LAST}}}, FAMILY_V4},

	{"FR-04 a tail before its first", {{{UDP, LAST}, BH_REASON_FRAGMENT}, {{UDP, FIRST}}, {{UDP, LAST}}}},
	{"FR-02 a denied first", {{{UDP, FIRST, .dport = 445}, BH_REASON_POLICY}, {{UDP, LAST}, BH_REASON_FRAGMENT}}},
	{"a stray first", {{{TCP_1, .flags = "A"}, BH_REASON_NO_CONNECTION}, {{LAST}, BH_REASON_FRAGMENT}}},
	{"of another datagram", {{{UDP, FIRST}}, {{UDP, .is_fragment = true, .offset = 9, .payload = 64, .fragment_id = 78}, BH_REASON_FRAGMENT}}},
	{"of another sender", {{{UDP, FIRST}}, {{UDP, LAST, .from = OTHER}, BH_REASON_FRAGMENT}}},
	{"of another protocol", {{{UDP, FIRST}}, {{LAST}, BH_REASON_FRAGMENT}}},
	{"of an id whose upper half differs", {{{UDP, FIRST}}, {{UDP, .is_fragment = true, .offset = 9, .payload = 64, .fragment_id = 0x1004d}, BH_REASON_FRAGMENT}}, FAMILY_V6},
	{"FR-06 a denied first after an allowed one", {{{UDP, FIRST}}, {{UDP, FIRST, .dport = 445}, BH_REASON_POLICY}, {{UDP, LAST}}}},
	{"FR-04 the same, denied", {{{UDP, LAST}, BH_REASON_FRAGMENT}, {{UDP, FIRST, .dport = 445}, BH_REASON_POLICY}, {{UDP, LAST}, BH_REASON_FRAGMENT}}},
	{"FR-06 an allowed first after a denied one", {{{UDP, FIRST, .dport = 445}, BH_REASON_POLICY}, {{UDP, FIRST}}, {{UDP, LAST}}}},
	{"FR-06 a tail that reaches back into the first", {{{UDP, FIRST}}, {{UDP, .is_fragment = true, .payload = 64, .fragment_id = 77, .offset = 4}, BH_REASON_FRAGMENT}}},
	{"a tail that reaches back into TCP", {{{TCP_1}}, {{.is_fragment = true, .payload = 64, .fragment_id = 77, .offset = 2}, BH_REASON_FRAGMENT}}},
	{"a whole packet leaves no trace", {{{UDP, .fragment_id = 77, .payload = 8}}, {{UDP, LAST}, BH_REASON_FRAGMENT}}},

	{"late", {{{UDP, FIRST}}, {{UDP, LAST}, BH_REASON_NONE, 29}}},
	{"too late", {{{UDP, FIRST}}, {{UDP, LAST}, BH_REASON_FRAGMENT, 31}}},
	{"an id again", {{{UDP, FIRST}}, {{UDP, LAST}}, {{UDP, FIRST, .dport = 444}}, {{UDP, LAST}}}},
	{"revoked by the tail", {{{UDP, FIRST}}, {{UDP, MIDDLE}, BH_REASON_REVOKED, 0, true}, {{UDP, LAST}, BH_REASON_FRAGMENT}}},
	{"an echo's tail when it is allowed anew", {{{.icmp = ICMP_ECHO_REQUEST, .id = 5, FIRST}}, {{.icmp = ICMP_ECHO_REQUEST, LAST}, BH_REASON_NONE, 0, true}}},
	{"a tail when all is allowed anew", {{{UDP, FIRST, .dport = 444}}, {{UDP, MIDDLE}, BH_REASON_NONE, 0, true}, {{UDP, LAST}}}},
};
/* clang-format on */

static void run_datagram(struct rig *rig, const struct datagram *datagram, enum program program,
			 bool is_v6)
{
	const char *name = table_place(datagram->name, is_v6, program);

	if (rig->rules != rules)
		rig_policy(rig, rules);
	rig_forget(rig);
	for (size_t i = 0; i < STEPS_MAX && datagram->steps[i].packet.fragment_id; i++) {
		struct packet_spec packet = datagram->steps[i].packet;
		struct outcome outcome;

		packet.is_v6 = is_v6;
		rig_stand(rig, program_is_ingress(program) ? SERVER
			       : packet.from               ? packet.from
							   : CLIENT);
		if (datagram->steps[i].is_narrowed)
			rig_policy(rig, narrow);
		if (datagram->steps[i].wait_s)
			rig_age(rig, datagram->steps[i].wait_s);
		outcome = rig_run(rig, name, program, &packet);
		if (outcome.reason != datagram->steps[i].reason)
			fail_msg("%s: piece %zu: reason %d, wanted %d", name, i, outcome.reason,
				 datagram->steps[i].reason);
	}
}

static void tails_share_the_fate_of_their_first(void **state)
{
	struct rig *rig = *state;

	for (size_t i = 0; i < COUNT(datagrams); i++) {
		for (enum program program = 0; program < PROGRAMS; program++) {
			for (int is_v6 = 0; is_v6 < 2; is_v6++) {
				if (family_has(datagrams[i].family, is_v6))
					run_datagram(rig, &datagrams[i], program, is_v6);
			}
		}
	}
}

/* What one endpoint let through says nothing to another, nor to the same in the other direction. */
static void each_endpoint_remembers_for_itself(void **state)
{
	struct rig *rig = *state;

	rig_policy(rig, rules);
	for (int is_v6 = 0; is_v6 < 2; is_v6++) {
		const struct packet_spec first = {UDP, FIRST, .is_v6 = is_v6};
		const struct packet_spec last = {UDP, LAST, .is_v6 = is_v6};

		rig_forget(rig);
		rig_stand(rig, CLIENT);
		assert_true(rig_run(rig, "first", PROGRAM_HOST_OUT, &first).is_passed);
		rig_stand(rig, SERVER);
		assert_int_equal(rig_run(rig, "tail", PROGRAM_TO, &last).reason,
				 BH_REASON_FRAGMENT);
		assert_int_equal(rig_run(rig, "tail", PROGRAM_HOST_IN, &last).reason,
				 BH_REASON_FRAGMENT);
		rig_stand(rig, CLIENT);
		assert_int_equal(rig_run(rig, "tail", PROGRAM_FROM, &last).reason,
				 BH_REASON_FRAGMENT);
		assert_true(rig_run(rig, "tail", PROGRAM_HOST_OUT, &last).is_passed);
	}
}

static void a_tail_is_counted_for_its_connection(void **state)
{
	struct rig *rig = *state;

	rig_policy(rig, rules);
	rig_stand(rig, SERVER);
	for (int is_v6 = 0; is_v6 < 2; is_v6++) {
		const struct packet_spec first = {UDP, FIRST, .is_v6 = is_v6};
		const struct packet_spec last = {UDP, LAST, .is_v6 = is_v6};
		struct seen_connection c;

		rig_forget(rig);
		assert_true(rig_run(rig, "first", PROGRAM_TO, &first).is_passed);
		assert_true(rig_run(rig, "tail", PROGRAM_TO, &last).is_passed);
		assert_int_equal(rig_connection(rig, &first, RIG_ENDPOINT, &c), 0);
		assert_int_equal(c.conn.packets[0], 2);
		assert_int_equal(c.conn.packets[1], 0);
		assert_int_equal(c.conn.line.state, BH_CONN_NEW);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tails_share_the_fate_of_their_first),
		cmocka_unit_test(each_endpoint_remembers_for_itself),
		cmocka_unit_test(a_tail_is_counted_for_its_connection),
	};

	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
