/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <netinet/in.h>

#include "tests/bpf/sequence.h"

#define HANDSHAKE "> S, < SA, > A"
#define SERVICES  "[tcp/443, udp/443, sctp/443, proto/47, icmp/echo-request, icmp6/echo-request]"
#define UDP       .packet = {.proto = IPPROTO_UDP}
#define ECHO      .packet = {.icmp = ICMP_ECHO_REQUEST, .id = 7}

/* clang-format off */
static const struct named_policy policies[] = {
	{"web",     "    - {name: web, from: client, to: server, services: " SERVICES "}\n"},
	{"wide",    "    - {name: unused, from: back, to: front, services: tcp/1}\n"
		    "    - {name: wide, from: front, to: back, services: any}\n"},
	{"none",    "    - {name: unused, from: back, to: front, services: tcp/1}\n"},
	{"reverse", "    - {name: reverse, from: server, to: client, services: any}\n"},
	{"both",    "    - {name: web, from: client, to: server, services: " SERVICES "}\n"
		    "    - {name: reverse, from: server, to: client, services: any}\n"},
	{}
};

static const struct sequence opening[] = {
	{"a handshake opens", "> S by web, state new, in embryonic, < SA by web, state opening, in embryonic, > A by web, state established, in conns"},
	{"data flows both ways", HANDSHAKE ", > PA +100, < A, < PA +1000, > A, state established, rule web"},
	{"data may come with the end of the handshake", "> S, < SA, > PA +10, < A, state established"},
	{"a SYN is repeated", "> S, > S, state new, < SA, > A, state established"},
	{"a SYN carries data", "> S +100, < SA, > A, state established"},
	{"an answer is repeated", "> S, < SA, < SA, > A, > A, state established"},
	{"an answer to another SYN", "> S, < SA bad !no-connection, state new, < SA, > A, state established"},
	{"a challenge before the handshake", "> S, < A, state new, in embryonic"},
	{"both open at once", "> S, < S, state opening, > SA, < SA, state established, in conns"},
	{"a SYN with ECN", "> SEC, < SAE, > A, state established"},
	{"data before the answer", "> S, > A +10 !no-connection, > PA !no-connection, > F !no-connection, state new"},
	{"an answer without ACK", "> S, < - !no-connection, < F !no-connection, state new"},

	{"a bare ACK doesn't open", "> A !no-connection, state none"},
	{"data doesn't open", "> PA +10 !no-connection, state none"},
	{"a FIN doesn't open", "> F !no-connection, > FA !no-connection, state none"},
	{"an RST doesn't open", "> R !no-connection, > RA !no-connection, state none"},
	{"a SYN and ACK doesn't open", "> SA !no-connection, state none"},
	{"a SYN and FIN doesn't open", "> SF !no-connection, state none"},
	{"a SYN and RST doesn't open", "> SR !no-connection, state none"},
	{"no flag doesn't open", "> - !no-connection, state none"},
	{"a christmas tree doesn't open", "> FPU !no-connection, > FSRPAUEC !no-connection, state none"},
	{"a stray counts for no rule", "> A !no-connection by none"},
	{"a denied SYN leaves nothing", "policy none, > S !policy by default, state none, < SA !no-connection"},

	{"the other end can't open", "< S !policy, state none"},
	{"nor with an open connection's ports", HANDSHAKE ", < S sport 444 !policy, < S dport 40001 !policy"},
	{"nor when it is allowed to answer", "> S, < S dport 40001 !policy, < SA dport 40001 !no-connection"},
};

static const struct sequence closing[] = {
	{"both ends close", HANDSHAKE ", > FA, state established, < A, < FA, state closing, > A, timeout 10"},
	{"the other end first", HANDSHAKE ", < FA, > FA, < A, state closing"},
	{"half closed stays", HANDSHAKE ", > FA, wait 3600, < PA +100, > A, state established"},
	{"CT-09 the tuple is used again", HANDSHAKE ", > FA, < FA, > A, > S, state new, in embryonic, < SA, > A, state established"},
	{"CT-09 then it is judged anew", HANDSHAKE ", > FA, < FA, policy wide, > A, > S by wide, rule wide"},
	{"CT-09 and the other direction may be denied", HANDSHAKE ", > FA, < FA, > A, < S !policy, state none"},
	{"CT-09 and may be denied", HANDSHAKE ", > FA, < FA, > A, policy none, > S !revoked by default, state none, > S !policy, < SA !no-connection"},
	{"no SYN ends a live connection", HANDSHAKE ", > S, state established, < A, > PA +10, < A"},
	{"a valid RST closes", HANDSHAKE ", < A, > R, state closing, timeout 10"},
	{"an RST back closes", HANDSHAKE ", < R, state closing"},
	{"an RST of another sequence doesn't", HANDSHAKE ", < A, > R bad, state established, < R bad, state established, timeout 43200"},
	{"nor one of the far past", HANDSHAKE ", > A +100, < A, < R bad, > A, < PA +10, > A, state established"},
	{"a refusal closes", "> S, < RA, state closing, in embryonic, > S, state new, < SA, > A, state established"},
	{"CT-05 a blind RST doesn't close what isn't answered yet", "> S, < R, state new, timeout 20, < SA, > A, state established, in conns"},
	{"a refusal of another SYN doesn't", "> S, < RA bad, state new"},
};

/* CT-08: each state at its time, to the second; what goes on stays. */
static const struct sequence expiring[] = {
	{"a SYN without an answer", "> S, timeout 20, wait 19, < SA, state opening"},
	{"a SYN without an answer, late", "> S, wait 21, < SA !no-connection, state none"},
	{"half a handshake", "> S, < SA, timeout 60, wait 59, > A, state established"},
	{"half a handshake, late", "> S, < SA, wait 61, > A !no-connection, state none"},
	{"an idle connection", HANDSHAKE ", timeout 43200, wait 43199, > A, wait 43199, < A, state established"},
	{"an idle connection, late", HANDSHAKE ", wait 43201, > A !no-connection, state none"},
	{"a closed one", HANDSHAKE ", > FA, < FA, wait 9, > A, state closing"},
	{"a closed one, late", HANDSHAKE ", > FA, < FA, wait 11, > A !no-connection, state none"},
	{"UDP without an answer", "> , timeout 30, wait 29, < , state established", UDP},
	{"CT-16 UDP without an answer, late", "> , wait 31, < !policy, state none", UDP},
	{"UDP, answered", "> , < , timeout 180, wait 179, < , state established", UDP},
	{"CT-16 UDP, answered, late", "> , < , wait 181, < !policy, state none", UDP},
	{"UDP that goes on", "> , < , wait 100, > , wait 100, < , wait 79, < ", UDP},
	{"CT-17 however many they are", "> , < , wait 60, < , wait 60, < , wait 50, < , wait 11, < !policy, state none, < !policy", UDP},
	{"CT-17 answers alone don't keep UDP", "> , < , wait 100, < , wait 81, < !policy, state none", UDP},
	{"an echo", "> , timeout 30, wait 29, < ", ECHO},
	{"an echo, late", "> , wait 31, < !no-connection", ECHO},
	{"another protocol", "> , timeout 60, wait 59, < , timeout 600, wait 599, > , wait 599, > ", .packet = {.proto = PROTO_GRE}},
	{"another protocol, late", "> , wait 61, < !policy", .packet = {.proto = PROTO_GRE}},
};

static const struct sequence without_handshake[] = {
	{"CT-16 a reply passes", "> by web, state new, in embryonic, < by web, state established, in conns, > ", UDP},
	{"CT-16 nothing opens the other way", "< !policy", UDP},
	{"CT-16 a reply from another port", "> , < sport 444 !policy", UDP},
	{"CT-16 a reply to another port", "> , < dport 40001 !policy", UDP},
	{"SCTP", "> , < , in conns, < sport 444 !policy", .packet = {.proto = IPPROTO_SCTP}},
	{"a protocol without ports", "> , < , in conns", .packet = {.proto = PROTO_GRE}},
	{"a protocol without ports, the other way", "< !policy", .packet = {.proto = PROTO_GRE}},
	{"an echo is answered", "> by web, in embryonic, < by web, state established, in conns, > ", ECHO},
	{"no answer without a request", "< !no-connection", ECHO},
	{"nor of another id", "> , < id 8 !no-connection", ECHO},
	{"a request the other way is judged", "> , < , < request !policy", ECHO},
	{"a request the other way, allowed", "policy both, > , < , < request by reverse, > answer by reverse", ECHO},
	{"an answer the same way", "> , > answer !no-connection", ECHO},
};

static const struct sequence sides[] = {
	{"what the opener sends comes from its side", HANDSHAKE ", > A wrong !spoofed-source, > A"},
	{"what the other sends comes from its side", "> S, < SA wrong !spoofed-source, < SA, state opening"},
	{"UDP, too", "> , < wrong !spoofed-source, state new, > wrong !spoofed-source", UDP},
	{"an RST, too", HANDSHAKE ", < A, > R wrong !spoofed-source, state established"},
};

/* Both ends at once, with the same ports: two connections, each decided by its own direction. */
static const struct sequence mirrored[] = {
	{"CT-14 TCP the other way", HANDSHAKE ", < S sport 40000 dport 443 !policy by default, > A, state established"},
	{"CT-14 TCP the other way, allowed", "policy both, " HANDSHAKE ", < S sport 40000 dport 443 by reverse, > SA sport 443 dport 40000 by reverse, > A, rule web"},
	{"CT-14 UDP the other way", "> , < , < sport 40000 dport 443 !policy by default, > , state established", UDP},
	{"CT-14 UDP the other way, allowed", "policy both, > , < sport 40000 dport 443 by reverse, > sport 443 dport 40000 by reverse, state new, rule web", UDP},
};

static const struct sequence generations[] = {
	{"CT-11 still allowed", HANDSHAKE ", policy wide, > A, rule wide, < A by wide, state established"},
	{"still allowed, told by a reply", HANDSHAKE ", policy wide, < A by wide, rule wide, > A, state established"},
	{"before the answer", "> S, policy wide, < SA, > A, rule wide, in conns"},
	{"CT-11 denied", HANDSHAKE ", policy none, > A !revoked by default, state none, > A !no-connection by none, < A !no-connection"},
	{"CT-11 denied, told by a reply", HANDSHAKE ", policy none, < PA +10 !revoked by default, state none, < A !no-connection"},
	{"denied before the answer", "> S, policy none, < SA !revoked, state none, > S !policy"},
	{"the other direction alone doesn't keep it", HANDSHAKE ", policy reverse, < A !revoked, state none"},
	{"nor is it opened by that", HANDSHAKE ", policy reverse, > A !revoked, < S by reverse, > SA, < A, state established"},
	{"allowed again", HANDSHAKE ", policy none, policy wide, > A by wide, state established"},
	{"addresses changed", HANDSHAKE ", bump, > A, bump, < A, state established, rule web"},
	{"CT-11 UDP, denied", "> , < , policy none, > !revoked, > !policy", UDP},
	{"CT-11 UDP, denied, told by a reply", "> , < , policy none, < !revoked, < !policy", UDP},
	{"CT-11 UDP, still allowed", "> , < , policy wide, < by wide, > by wide", UDP},
	{"an echo, denied", "> , < , policy none, < !revoked, < !no-connection", ECHO},
	{"an echo, still allowed", "> , < , policy wide, < by wide", ECHO},
	{"a protocol, denied", "> , policy none, < !revoked, < !policy", .packet = {.proto = PROTO_GRE}},
};

static const struct sequence adoption[] = {
	{"the window is shut", "> A !no-connection, < A !no-connection"},
	{"what the policy allows", "adopt on, > A by web, state established, in conns, < PA +10 by web, > A"},
	{"what may be a reply of it", "adopt on, < A by web, state established, in conns, > A +10, < A"},
	{"what neither is", "adopt on, policy none, > A !no-connection, < A !no-connection, state none"},
	{"an answer to a SYN", "adopt on, < SA by web, > A, state established"},
	{"a FIN", "adopt on, > FA, < FA, state closing"},
	{"no RST", "adopt on, > R !no-connection, < RA !no-connection, state none"},
	{"no new connection the other way", "adopt on, < S !policy, state none"},
	{"a SYN opens as ever", "adopt on, > S, state new, in embryonic"},
	{"then the window shuts", "adopt on, < A, adopt off, > A, < A, state established"},
	{"they are revoked like any", "adopt on, < A, policy none, > A !revoked"},
	{"an echo's answer", "adopt on, < by web, state established, > ", ECHO},
	{"a UDP reply", "adopt on, < by web, state established, > ", UDP},
	{"a UDP reply of what is denied", "adopt on, policy none, < !policy, state none", UDP},
};

/* The connections of a workload with the machine that it runs on. */
#define PROBE .packet = {.from = NODE, .to = SERVER}, .stands = AT_SERVER_VETH

static const struct sequence probes[] = {
	{"a probe", "> S by builtin-host, < SA by builtin-host, > A, state established", PROBE},
	{"no other direction", "< S !policy by default", PROBE},
	{"turned off", "off 2, > S !policy by default", PROBE},
	{"turned off later", HANDSHAKE ", bump, > A, off 2, bump, > A !revoked, state none", PROBE},
	{"it is not asked before", HANDSHAKE ", off 2, > A", PROBE},
};
/* clang-format on */

#define PLAY(table)                                                                                \
	static void table##_connections(void **state)                                              \
	{                                                                                          \
		sequence_play(*state, policies, table, COUNT(table));                              \
	}

PLAY(opening)
PLAY(closing)
PLAY(expiring)
PLAY(without_handshake)
PLAY(sides)
PLAY(mirrored)
PLAY(generations)
PLAY(adoption)
PLAY(probes)

/* Established, and what was decided is of the generation that is returned. */
static uint32_t open_web(struct rig *rig, const struct packet_spec *last)
{
	struct seen_connection c;

	rig_policy(rig, "    - {name: web, from: client, to: server, services: tcp/443}\n");
	rig_forget(rig);
	rig_stand(rig, SERVER);
	rig_open_web(rig, PROGRAM_TO, last);
	assert_int_equal(rig_connection(rig, last, RIG_ENDPOINT, &c), 0);
	return c.conn.line.generation;
}

static void move_to(struct rig *rig, enum end end, enum end whose, bool is_v6)
{
	const struct bh_addr addr = end_addr(end, is_v6), like = end_addr(whose, is_v6);
	uint32_t identity = image_identity(&rig->compiled->image, &like);

	assert_int_equal(datapath_set_identity(rig->dp, &addr, identity, true), 0);
}

/* Each end, by both families; the other address is of another hash. */
static void an_address_that_changes_cuts_its_own_connections_only(void **state)
{
	struct rig *rig = *state;

	for (int i = 0; i < 4; i++) {
		const struct packet_spec last = {.is_v6 = i & 1, .flags = "A", .seq = 1, .ack = 1};
		enum end end = i & 2 ? SERVER : CLIENT;
		uint32_t generation = open_web(rig, &last);
		struct seen_connection c;

		move_to(rig, OTHER, WATCHED, last.is_v6);
		assert_int_not_equal(datapath_generation(rig->dp), generation);
		assert_true(rig_run(rig, "another's change", PROGRAM_TO, &last).is_passed);
		assert_int_equal(rig_connection(rig, &last, RIG_ENDPOINT, &c), 0);
		assert_int_equal(c.conn.line.generation, datapath_generation(rig->dp));

		move_to(rig, end, end, last.is_v6);
		assert_true(rig_run(rig, "the same as it was", PROGRAM_TO, &last).is_passed);
		assert_int_equal(rig_connection(rig, &last, RIG_ENDPOINT, &c), 0);
		assert_int_equal(c.conn.line.generation, datapath_generation(rig->dp));

		move_to(rig, end, OUTSIDER, last.is_v6);
		move_to(rig, OTHER, OTHER, last.is_v6);
		assert_int_equal(rig_run(rig, "its own change", PROGRAM_TO, &last).reason,
				 BH_REASON_REVOKED);
	}
}

static void interfaces_that_came_later_have_no_older_connections(void **state)
{
	const struct packet_spec last = {.flags = "A", .seq = 1, .ack = 1};
	const struct packet_spec datagram = {
		.from = SERVER, .to = CLIENT, .sport = 443, .dport = 40000, .proto = IPPROTO_UDP};
	struct rig *rig = *state;

	rig_policy(rig,
		   "    - {name: web, from: client, to: server, services: [tcp/443, udp/443]}\n");
	rig_forget(rig);
	rig_stand(rig, SERVER);
	rig_adopt(rig, true);
	rig->dp->tables.control->adopt_ifindex = RIG_IFINDEX - 1;
	assert_int_equal(rig_run(rig, "in the middle", PROGRAM_TO, &last).reason,
			 BH_REASON_NO_CONNECTION);
	assert_int_equal(rig_run(rig, "as an answer", PROGRAM_FROM, &datagram).reason,
			 BH_REASON_POLICY);
	rig->dp->tables.control->adopt_ifindex = RIG_IFINDEX;
	assert_true(rig_run(rig, "in the middle", PROGRAM_TO, &last).is_passed);
	assert_true(rig_run(rig, "as an answer", PROGRAM_FROM, &datagram).is_passed);
	rig_adopt(rig, false);
}

/* What is sent to a group answers nobody, and nothing comes from one. */
static void what_a_group_would_have_opened_is_not_adopted(void **state)
{
	static const struct {
		enum program out, in;
	} ways[] = {{PROGRAM_FROM, PROGRAM_TO}, {PROGRAM_HOST_OUT, PROGRAM_XDP_IN}};
	struct rig *rig = *state;

	rig_policy(rig, "    - {name: all, from: any, to: server, services: [tcp/443, udp/443]}\n");
	for (int i = 0; i < 8; i++) {
		const struct packet_spec out = {
			.is_v6 = i & 1,
			.from = SERVER,
			.to = GROUP,
			.sport = 443,
			.dport = 443,
			.proto = i & 2 ? IPPROTO_UDP : IPPROTO_TCP,
			.flags = "A",
		};
		const struct packet_spec in = {
			.is_v6 = out.is_v6,
			.from = GROUP,
			.to = SERVER,
			.sport = 443,
			.proto = out.proto,
			.flags = "A",
		};

		rig_forget(rig);
		rig_stand(rig, SERVER);
		rig_adopt(rig, true);
		assert_int_equal(rig_run(rig, "to a group", ways[i / 4].out, &out).reason,
				 i & 2 ? BH_REASON_POLICY : BH_REASON_NO_CONNECTION);
		assert_int_equal(rig_run(rig, "from it", ways[i / 4].in, &in).reason,
				 BH_REASON_SPOOFED_SOURCE);
	}
	rig_adopt(rig, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opening_connections),
		cmocka_unit_test(closing_connections),
		cmocka_unit_test(expiring_connections),
		cmocka_unit_test(without_handshake_connections),
		cmocka_unit_test(sides_connections),
		cmocka_unit_test(mirrored_connections),
		cmocka_unit_test(generations_connections),
		cmocka_unit_test(adoption_connections),
		cmocka_unit_test(what_a_group_would_have_opened_is_not_adopted),
		cmocka_unit_test(probes_connections),
		cmocka_unit_test(an_address_that_changes_cuts_its_own_connections_only),
		cmocka_unit_test(interfaces_that_came_later_have_no_older_connections),
	};

	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
