/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What changes without the agent: rules that expire, and zones whose agent is down. */
#include <netinet/in.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bulkhead.skel.h"
#include "tests/bpf/sequence.h"
#include "util/cleanup.h"
#include "util/mem.h"

#define HANDSHAKE "> S, < SA, > A"
#define SERVICES  "[tcp/443, udp/443, icmp/echo-request, icmp6/echo-request]"
#define UDP       .packet = {.proto = IPPROTO_UDP}
#define ECHO      .packet = {.icmp = ICMP_ECHO_REQUEST, .id = 7}
#define SSH       .packet = {.dport = 22}

/* 2030-01-01T00:00:00Z, the second before it, and ten and twenty after it. */
#define T      "clock 1893456000"
#define BEFORE "clock 1893455999"
#define T10    "clock 1893456010"
#define T20    "clock 1893456020"

#define ENDS   "expires: '2030-01-01T00:00:00Z'"
#define ENDS10 "expires: '2030-01-01T00:00:10Z'"
#define ENDS20 "expires: '2030-01-01T00:00:20Z'"

/* clang-format off */
static const struct named_policy expiring[] = {
	{"timed",  "    - {name: web, from: client, to: server, services: " SERVICES ", " ENDS "}\n"},
	{"wide",   "    - {name: web, from: client, to: server, services: " SERVICES ", " ENDS "}\n"
		   "    - {name: wide, from: front, to: back, services: any}\n"},
	{"denied", "    - {name: stop, from: client, to: server, services: " SERVICES ", action: deny, " ENDS "}\n"
		   "    - {name: web, from: client, to: server, services: any}\n"},
	{"chain",  "    - {name: web, from: client, to: server, services: any, " ENDS "}\n"
		   "    - {name: second, from: front, to: server, services: any, " ENDS20 "}\n"
		   "    - {name: stop, from: front, to: back, services: any, action: deny, " ENDS10 "}\n"},
	{}
};

static const struct sequence rules_that_expire[] = {
	{"a rule ends at its second", BEFORE ", > S by web, displace, " T ", > S !policy by default, state none"},
	{"its connection is cut", BEFORE ", " HANDSHAKE ", > PA +10, " T ", > PA +10 !revoked by default, state none, > PA +10 !no-connection, < PA +1 !no-connection"},
	{"cut by an answer, too", BEFORE ", " HANDSHAKE ", " T ", < PA +10 !revoked by default, state none"},
	{"one that nobody answered", BEFORE ", > S, " T ", < SA !revoked by default, state none"},
	{"nothing comes back", BEFORE ", " HANDSHAKE ", " T ", > A !revoked, " BEFORE ", > A !no-connection"},
	{"a clock set back gives a rule its time back", T ", > S !policy, " BEFORE ", > S by web"},
	{"UDP ends", BEFORE ", >, <, state established, " T ", < !revoked by default, > !policy, state none", UDP},
	{"echo ends", BEFORE ", > request, < answer, " T ", < answer !revoked, > request !policy", ECHO},
	{"another rule takes over", "policy wide, " BEFORE ", " HANDSHAKE ", > PA +10 by web, " T ", > PA +10 by wide, rule wide, < A, state established"},
	{"for new ones, too", "policy wide, " T ", > S by wide"},
	{"a denial ends", "policy denied, " BEFORE ", > S !policy by stop, " T ", > S by web, < SA, > A, > PA +10"},
	{"other services know no time", "policy denied, " BEFORE ", > S dport 80 by web"},
	{"one after the other", "policy chain, " BEFORE ", > S !policy by stop, " T ", > S !policy by stop, " T10 ", > S by second, < SA, > A, " T20 ", > A !revoked by default, > S !policy by default"},
};

static const struct named_policy stances[] = {
	{"closed", "    - {name: web, from: client, to: server, services: " SERVICES "}\n"
		   "  whenAgentIsDown: closed\n"
		   "  failsafe: [{direction: ingress, services: tcp/22, from: front}]\n"},
	{"open",   "    - {name: ssh, from: client, to: server, services: tcp/22}\n"
		   "  whenAgentIsDown: open\n"},
	{"keep",   "    - {name: web, from: client, to: server, services: " SERVICES "}\n"},
	{}
};

static const struct sequence agents_that_are_down[] = {
	{"nobody ever beat", "beat -1, " HANDSHAKE ", > PA +10 by web"},
	{"the last beat is fresh", "beat 9, > S by web"},
	{"a closed zone is closed", "beat 11, > S !agent-down by agent-down, state none"},
	{"a connection rests, and goes on", "beat 0, " HANDSHAKE ", beat 11, > PA +10 !agent-down by agent-down, < A !agent-down, state established, beat 0, > PA +10 by web, < A by web"},
	{"UDP rests", "beat 0, >, <, beat 11, > !agent-down, < !agent-down, beat 0, < by web", UDP},
	{"echo rests", "beat 0, > request, < answer, beat 11, < answer !agent-down, beat 0, < answer", ECHO},
	{"what needs no stance keeps its reason", "beat 11, > A !no-connection"},
	{"failsafe is never closed", "beat 0, " HANDSHAKE ", beat 11, > PA +10 by failsafe, < A, displace, > S by failsafe", SSH},
	{"an open zone is open", "policy open, beat 0, > S !policy by default, beat 11, > S by agent-down, < SA, > A, rule agent-down, > PA +10 by agent-down"},
	{"until the agent is back", "policy open, beat 11, " HANDSHAKE ", beat 0, > PA +10 !revoked by default, state none"},
	{"what is allowed is not the stance's", "policy open, beat 11, " HANDSHAKE ", > PA +10 by ssh, rule ssh", SSH},
	{"what was allowed goes on", "policy open, beat 0, " HANDSHAKE ", beat 11, > PA +10 by ssh, beat 0, > PA +10 by ssh", SSH},
	{"keep goes on", "policy keep, beat 3600, " HANDSHAKE ", > PA +10 by web, > S dport 80 !policy by default"},
};

static const struct named_policy failsafes[] = {
	{"denied", "    - {name: nothing, from: any, to: any, services: any, action: deny}\n"
		   "  failsafe: [{direction: ingress, services: tcp/22, from: front}]\n"},
	{"other",  "    - {name: ssh, from: client, to: server, services: tcp/22, action: reject}\n"
		   "    - {name: more, from: any, to: any, services: tcp/1-100, action: deny, mode: audit}\n"
		   "  failsafe: [{direction: ingress, services: tcp/22, from: front}]\n"},
	{"none",   "    - {name: web, from: client, to: server, services: tcp/443}\n"},
	{}
};

static const struct sequence failsafe[] = {
	{"above every denial", HANDSHAKE ", > PA +10 by failsafe, < A by failsafe, in conns", SSH},
	{"in every generation", HANDSHAKE ", policy other, > PA +10 by failsafe, < A, bump, < PA +10 by failsafe, rule failsafe, policy denied, > A by failsafe", SSH},
	{"that has it", HANDSHAKE ", policy none, > PA +10 !revoked by default", SSH},
	{"goes on without an entry", "> S, displace, < SA by failsafe, state none, > A by failsafe, > PA +10 by failsafe, < A by failsafe, < FA by failsafe, > R by failsafe, state none", SSH},
	{"its answers open nothing", "< S !policy, state none", SSH},
	{"no other port goes on", "> A dport 23 !no-connection, < A sport 23 !no-connection, < A dport 22 sport 23 !no-connection", SSH},
	{"from nobody else", "> S !policy, > A !no-connection, < A !no-connection", .packet = {.from = OUTSIDER, .dport = 22}, .stands = AT_SERVER_VETH},
	{"not without the key", "policy none, > A !no-connection, < A !no-connection", SSH},
};
/* clang-format on */

static void what_expires_ends_without_the_agent(void **state)
{
	sequence_play(*state, expiring, rules_that_expire, COUNT(rules_that_expire));
}

static void zones_stand_as_declared_while_the_agent_is_down(void **state)
{
	sequence_play(*state, stances, agents_that_are_down, COUNT(agents_that_are_down));
}

static void failsafe_passes_whatever_denies_it(void **state)
{
	sequence_play(*state, failsafes, failsafe, COUNT(failsafe));
}

/* --- which end has a say --- */

static const char mixed[] = "apiVersion: bulkhead.dev/v1\n"
			    "kind: ZonePolicy\n"
			    "metadata: {name: test}\n"
			    "spec:\n"
			    "  zones:\n"
			    "    - {name: shut, cidrs: [10.77.1.0/24], whenAgentIsDown: closed}\n"
			    "    - {name: ajar, cidrs: [10.77.2.0/24], whenAgentIsDown: open}\n"
			    "    - {name: same, cidrs: [10.77.3.0/24]}\n"
			    "    - {name: watched, cidrs: [10.77.4.0/24], mode: audit,\n"
			    "       whenAgentIsDown: closed}\n"
			    "  rules:\n"
			    "    - {name: all, from: any, to: any, services: tcp/443}\n";

/* clang-format off */
static const struct row rows_of_down[] = {
	{"closed and open", {.from = CLIENT, .to = SERVER}, BH_REASON_AGENT_DOWN, "agent-down"},
	{"open and closed", {.from = SERVER, .to = CLIENT}, BH_REASON_AGENT_DOWN, "agent-down"},
	{"closed and outside", {.from = OUTSIDER, .to = CLIENT}, BH_REASON_AGENT_DOWN, "agent-down"},
	{"closed to itself", {.from = OTHER, .to = CLIENT}, BH_REASON_AGENT_DOWN, "agent-down"},
	{"open and neither", {.from = WATCHED, .to = SERVER, .dport = 80}, BH_REASON_NONE, "agent-down", .is_reported = true},
	{"open and outside", {.from = OUTSIDER, .to = SERVER, .dport = 80}, BH_REASON_NONE, "agent-down", .is_reported = true},
	{"open and allowed", {.from = OUTSIDER, .to = SERVER}, BH_REASON_NONE, "all"},
	{"neither", {.from = OUTSIDER, .to = WATCHED, .dport = 80}, BH_REASON_POLICY, "default"},
	{"neither, and allowed", {.from = OUTSIDER, .to = WATCHED}, BH_REASON_NONE, "all"},
	{"an audited zone is not closed", {.from = OUTSIDER, .to = LOOSE}, BH_REASON_NONE, "all"},
};
/* clang-format on */

static void either_end_closes_and_either_opens(void **state)
{
	struct row rows[COUNT(rows_of_down)];

	memcpy(rows, rows_of_down, sizeof(rows));
	for (size_t i = 0; i < COUNT(rows); i++) {
		rows[i].family = FAMILY_V4;
		rows[i].programs = ON_HOST | ON_WORKLOAD;
	}
	rig_document(*state, mixed);
	rig_heartbeat(*state, 11);
	table_run(*state, rows, COUNT(rows));
	rig_heartbeat(*state, -1);
}

/* --- errors about a connection --- */

/* At CLIENT's veth, which opened the connection that the error is about. */
static enum bh_reason reason_of_error(struct rig *rig, const char *name)
{
	static const struct packet_spec opened = {.flags = "S"};
	const struct packet_spec error = {
		.from = OUTSIDER,
		.to = CLIENT,
		.icmp = ICMP_UNREACHABLE,
		.quoted = &opened,
		.quoted_len = 28,
	};

	return rig_run(rig, name, PROGRAM_TO, &error).reason;
}

static void open_connection(struct rig *rig, const char *rules)
{
	static const struct packet_spec opened = {.flags = "S"};

	rig_policy(rig, rules);
	rig_forget(rig);
	rig_stand(rig, CLIENT);
	rig_clock(rig, 1893455999);
	rig_heartbeat(rig, 0);
	assert_true(rig_run(rig, "opened", PROGRAM_FROM, &opened).is_passed);
}

static void errors_pass_as_long_as_what_they_are_about(void **state)
{
	struct rig *rig = *state;

	open_connection(rig, expiring[0].rules);
	assert_int_equal(reason_of_error(rig, "in time"), BH_REASON_NONE);
	rig_clock(rig, 1893456000);
	assert_int_equal(reason_of_error(rig, "too late"), BH_REASON_ICMP_UNRELATED);

	open_connection(rig, stances[0].rules);
	assert_int_equal(reason_of_error(rig, "agent there"), BH_REASON_NONE);
	rig_heartbeat(rig, 11);
	assert_int_equal(reason_of_error(rig, "agent down"), BH_REASON_AGENT_DOWN);
	rig_heartbeat(rig, -1);
}

/* --- full tables --- */

/* The endpoint has no place for a connection, whatever is asked. */
static void take_places(const struct rig *rig)
{
	int fd = bpf_map__fd(rig->dp->skel->maps.bh_conn_setup);
	struct bh_conn_setup setup;
	const __u32 key = 0;

	bpf_map_lookup_elem(fd, &key, &setup);
	setup.settled_each = setup.settled_shared = setup.embryonic_each = 0;
	assert_int_equal(bpf_map_update_elem(fd, &key, &setup, BPF_ANY), 0);
}

/* A handshake, and data both ways after others have displaced the connection, at a veth. */
/* clang-format off */
static const struct {
	const char *name;
	struct packet_spec packet;
} crowd[] = {
	{"SYN", {.dport = 22, .flags = "S", .seq = 1}},
	{"its answer", {.from = SERVER, .to = CLIENT, .sport = 22, .dport = 40000, .flags = "SA", .seq = 5, .ack = 2}},
	{"data", {.dport = 22, .flags = "PA", .seq = 2, .ack = 6, .payload = 10}},
	{"an answer", {.from = SERVER, .to = CLIENT, .sport = 22, .dport = 40000, .flags = "PA", .seq = 6, .ack = 12, .payload = 9}},
};
/* clang-format on */

static void full_tables_lock_nobody_out(void **state)
{
	struct rig *rig = *state;

	rig_policy(rig, failsafes[0].rules);
	rig_forget(rig);
	take_places(rig);
	rig_stand(rig, SERVER);
	for (size_t i = 0; i < COUNT(crowd); i++) {
		bool is_back = crowd[i].packet.from == SERVER;
		struct outcome outcome;

		outcome = rig_run(rig, crowd[i].name, is_back ? PROGRAM_FROM : PROGRAM_TO,
				  &crowd[i].packet);
		assert_row(crowd[i].name, outcome.is_passed);
		assert_row_string(crowd[i].name, rig_rule_name(rig, outcome.rule), "failsafe");
	}
	assert_int_equal(connections_share(rig->dp), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_expires_ends_without_the_agent),
		cmocka_unit_test(zones_stand_as_declared_while_the_agent_is_down),
		cmocka_unit_test(failsafe_passes_whatever_denies_it),
		cmocka_unit_test(either_end_closes_and_either_opens),
		cmocka_unit_test(errors_pass_as_long_as_what_they_are_about),
		cmocka_unit_test(full_tables_lock_nobody_out),
	};

	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
