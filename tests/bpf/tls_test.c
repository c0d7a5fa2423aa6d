/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Rules that require TLS: what passes before and with the opener's hello, and what is cut. */
#include <netinet/in.h>
#include <stdio.h>
#include <sys/mman.h>

#include "bulkhead.skel.h"
#include "tests/bpf/sequence.h"

#define RULE      "    - {name: web, from: client, to: server, services: tcp/443"
#define HANDSHAKE "> S by web, < SA by web, > A by web, state hello"
#define HELLO     "> PA =160301020001"
#define REST      "> PA +500"
#define ANSWER    "< PA +1000"
#define CUT       " !plaintext by web, state closing"

/* clang-format off */
static const struct named_policy policies[] = {
	{"tls",    RULE ", require: tls}\n"},
	{"free",   RULE "}\n"},
	{"again",  "    - {name: unused, from: server, to: client, services: tcp/1}\n" RULE ", require: tls}\n"},
	{"named",  RULE "}\n" "    - {name: later, from: client, to: server, services: tcp/443, require: tls}\n"},
	{"none",   "    - {name: unused, from: server, to: client, services: tcp/1}\n"},
	{}
};

static const struct sequence hellos[] = {
	{"of TLS 1.2 and 1.3 as clients send it", HANDSHAKE ", > PA =1603010200010001 by web, state hello, " REST ", < A, state established, timeout 43200, " ANSWER ", > PA +9, rule web"},
	{"at once with the rest of it", HANDSHAKE ", > PA =1603010200010001 +600, " ANSWER ", state established, in conns"},
	{"with the end of the handshake", "> S, < SA, " HELLO ", state hello, " ANSWER ", state established"},
	{"with a FIN", HANDSHAKE ", > FA =160301020001, < A, state established, < FA, state closing"},
	{"of record version 1.2", HANDSHAKE ", > PA =160303020001, " ANSWER ", state established"},
	{"of record version 1.3", HANDSHAKE ", > PA =160304020001, " ANSWER ", state established"},
	{"of the shortest record", HANDSHAKE ", > PA =160301000401, " ANSWER ", state established"},
	{"of the longest record", HANDSHAKE ", > PA =160301400001, " ANSWER ", state established"},
	{"behind options, extensions and tags", HANDSHAKE ", " HELLO ", " ANSWER ", state established", .packet = {.option_words = 10, .vlans = 2, .extensions = "HDA"}},
	{"after which nothing is looked at", HANDSHAKE ", " HELLO ", < A, > PA =474554202f, < PA +10, > PA =474554202f back 6, state established"},
};

static const struct sequence others[] = {
	{"HTTP", HANDSHAKE ", > PA =474554202f68" CUT ", > PA =474554202f68 !no-connection, < A !no-connection"},
	{"one byte of it", HANDSHAKE ", > PA =47" CUT},
	{"with the end of the handshake", "> S, < SA, > PA =474554202f68" CUT},
	{"with a FIN", HANDSHAKE ", > FA =47" CUT},
	{"a lot of zeros", HANDSHAKE ", > PA +1000" CUT},
	{"SSL 2", HANDSHAKE ", > PA =802e0100020015" CUT},
	{"SSL 3", HANDSHAKE ", > PA =160300020001" CUT},
	{"a version to come", HANDSHAKE ", > PA =160305020001" CUT},
	{"another major version", HANDSHAKE ", > PA =160201020001" CUT},
	{"application data", HANDSHAKE ", > PA =170303020001" CUT},
	{"an alert", HANDSHAKE ", > PA =150301000201" CUT},
	{"a server's hello", HANDSHAKE ", > PA =160301020002" CUT},
	{"a hello request", HANDSHAKE ", > PA =160301000400" CUT},
	{"an empty record", HANDSHAKE ", > PA =160301000001" CUT},
	{"a record too short for a handshake", HANDSHAKE ", > PA =160301000301" CUT},
	{"a record that is a byte too long", HANDSHAKE ", > PA =160301400101" CUT},
	{"a record that is far too long", HANDSHAKE ", > PA =160301ff0001" CUT},
	{"a record that is too long, as its last byte tells", HANDSHAKE ", > PA =16030140, < A, > PA =01" CUT},
	{"a record that is too short, as its last byte tells", HANDSHAKE ", > PA =16030100, < A, > PA =03, > PA =01" CUT},
	{"behind options, extensions and tags", HANDSHAKE ", > PA =474554202f68" CUT, .packet = {.option_words = 10, .vlans = 2, .extensions = "HDA"}},
	{"and nothing goes on after it", HANDSHAKE ", > PA =47" CUT ", timeout 60, > PA =160301020001 back 1 !no-connection, < A !no-connection, < PA +10 !no-connection, > FA !no-connection, > R, wait 61, > A !no-connection, state none"},
	{"nor is it adopted", HANDSHAKE ", adopt on, > PA =47" CUT ", wait 59, > PA =47 !no-connection, < PA +10 !no-connection"},
	{"unless it is required no more", HANDSHAKE ", > PA =47" CUT ", policy free, > PA =47, < A, state closing"},
	{"the tuple may be used again", HANDSHAKE ", > PA =47" CUT ", > S, < SA, > A, " HELLO ", " ANSWER ", state established"},
};

static const struct sequence servers[] = {
	{"a banner", HANDSHAKE ", < PA =323230" CUT},
	{"a banner before the handshake is complete", "> S, < SA, < PA =323230" CUT},
	{"a banner with the answer", "> S, < SA =323230" CUT},
	{"a banner after a part of the hello", HANDSHAKE ", > PA =160301, < PA =323230" CUT},
	{"data that acknowledges what was not sent", HANDSHAKE ", " HELLO ", < PA =323230 bad !no-connection, state hello, " ANSWER ", state established"},
	{"a banner with another acknowledgement", HANDSHAKE ", < A, > A, < PA =32 ahead 9 !no-connection, state hello"},
	{"acknowledgements, keepalives and a FIN", HANDSHAKE ", < A, < A back 1, < A =00 back 1, < FA, state hello, " HELLO ", < A, state established"},
	{"an answer to another SYN", "> S, < SA bad !no-connection, state new"},
	{"a SYN of its own", "> S, < S !no-connection, < SA, state opening"},
	{"a refusal", "> S, < RA, state closing, > S, < SA, > A, > PA =47" CUT},
};

static const struct sequence pieces[] = {
	{"byte by byte", HANDSHAKE ", > PA =16, < A, > PA =03, > PA =01, < A, > PA =02, > PA =00, < A, state hello, > PA =01, < A, state established"},
	{"byte by byte, and then not", HANDSHAKE ", > PA =16, > PA =03, > PA =01, > PA =02, > PA =00, > PA =02" CUT},
	{"repeated", HANDSHAKE ", > PA =160301, > PA =160301 back 3, > PA =020001, > PA =160301020001 back 6, " ANSWER ", state established"},
	{"repeated and overlapping", HANDSHAKE ", > PA =160301, > PA =0301020001 back 2, > PA =01020001 back 4, " ANSWER ", state established"},
	{"repeated with other bytes", HANDSHAKE ", > PA =160301, > PA =474554 back 3" CUT},
	{"repeated with other bytes, complete", HANDSHAKE ", " HELLO ", > PA =474554202f68 back 6" CUT},
	{"repeated with one other byte, complete", HANDSHAKE ", " HELLO ", > PA =02 back 1" CUT},
	{"the second first", HANDSHAKE ", > PA =020001 ahead 3 !no-connection, state hello, > PA =160301, > PA =020001, " ANSWER ", state established"},
	{"the rest first", HANDSHAKE ", > PA +100 ahead 6 !no-connection, " HELLO ", > PA +100, " ANSWER ", state established"},
	{"far ahead", HANDSHAKE ", > PA =16 ahead 60000 !no-connection, state hello"},
	{"behind the beginning", HANDSHAKE ", > PA =474554 back 3 !no-connection, > PA =47160301020001 back 1 !no-connection, state hello"},
	{"after the hello, behind the beginning", HANDSHAKE ", " HELLO ", > PA =474554 back 9 !no-connection, state hello"},
};

static const struct sequence quiet[] = {
	{"acknowledgements and keepalives", HANDSHAKE ", > A, > A back 1, < A, > A =00 back 1, < A, > A, state hello, " HELLO ", " ANSWER ", state established"},
	{"silence before the hello", HANDSHAKE ", timeout 60, wait 59, " HELLO ", " ANSWER ", state established"},
	{"too much of it", HANDSHAKE ", wait 61, " HELLO " !no-connection, state none"},
	{"it ends without a word", HANDSHAKE ", > FA, < FA, > A, state closing"},
	{"what ended may not go on", HANDSHAKE ", > FA, < FA, > PA =47 back 1" CUT},
	{"nor may it be answered", HANDSHAKE ", > FA, < FA, < PA =32" CUT},
	{"what was reset may not go on", HANDSHAKE ", < A, > R, state closing, > PA =47" CUT},
	{"a SYN carries data", "> S +100 !no-connection by web, state none, > S, < SA, > A, state hello"},
	{"a SYN carries a hello", "> S =160301020001 !no-connection, state none"},
	{"a SYN is repeated", "> S, > S back 1, state new, < SA, > S back 1, > A, state hello"},
	{"a SYN is repeated, with data", "> S, > S =160301020001 back 1 !no-connection, state new"},
	{"a SYN of another number", "> S, > S !no-connection, > S back 2 !no-connection, < SA, > S !no-connection, > A, state hello"},
	{"data before the answer", "> S, " HELLO " !no-connection, state new"},
};

static const struct sequence changes[] = {
	{"another policy requires it too", HANDSHAKE ", policy again, > A, state hello, > PA =47" CUT},
	{"in the middle of the hello", HANDSHAKE ", > PA =160301, bump, > PA =020001, policy again, " ANSWER ", state established"},
	{"no longer required", HANDSHAKE ", policy free, > PA =47, state established, timeout 43200, < PA +10"},
	{"no longer required, seen from the server", HANDSHAKE ", policy free, < PA +10, state established"},
	{"required from now on, not of what runs", "policy free, > S, < SA, policy tls, > A, > PA =47, < PA +10, state established"},
	{"but of what is new", "policy free, > S, < SA, > A, policy tls, > FA, < FA, > S, < SA, > A, > PA =47" CUT},
	{"a later rule requires it", "policy named, > S by web, < SA, > A, > PA =47, < PA +10, state established"},
	{"not allowed any more", HANDSHAKE ", policy none, " HELLO " !revoked, state none"},
	{"adopted connections have said it", "adopt on, > PA =47, < PA +10, state established"},
};
/* clang-format on */

#define PLAY(set)                                                                                  \
	static void set##_are_judged(void **state)                                                 \
	{                                                                                          \
		sequence_play(*state, policies, set, COUNT(set));                                  \
	}

PLAY(hellos)
PLAY(others)
PLAY(servers)
PLAY(pieces)
PLAY(quiet)
PLAY(changes)

/* At every byte, and with every byte in turn wrong. */
static void a_hello_may_be_split_anywhere(void **state)
{
	static const char bytes[] = "160301020001";

	for (int at = 2; at < (int)sizeof(bytes) - 1; at += 2) {
		char good[200], bad[200];
		const struct sequence split[] = {
			{"split", good},
			{"split, and the second part is wrong", bad},
		};

		snprintf(good, sizeof(good),
			 HANDSHAKE ", > PA =%.*s, < A, > PA =%s, " ANSWER ", state established", at,
			 bytes, bytes + at);
		snprintf(bad, sizeof(bad), HANDSHAKE ", > PA =%.*s, < A, > PA =ffffff" CUT, at,
			 bytes);
		sequence_play(*state, policies, split, COUNT(split));
	}
}

static void send_fragment(struct rig *rig, const char *name, struct packet_spec fragment,
			  enum bh_reason reason)
{
	struct outcome outcome = rig_run(rig, name, PROGRAM_TO, &fragment);

	assert_row(name, outcome.reason == reason);
}

/* Fragments may overlap, so what is in them is not known. */
static void fragments_wait_for_the_hello(void **state)
{
	struct rig *rig = *state;

	for (int is_v6 = 0; is_v6 < 2; is_v6++) {
		const char *name = is_v6 ? "IPv6" : "IPv4";
		const struct packet_spec syn = {.is_v6 = is_v6, .seq = 1000};
		struct packet_spec answer = rig_answer(is_v6);
		struct packet_spec data = {.is_v6 = is_v6,
					   .flags = "A",
					   .seq = 1001,
					   .ack = 5001,
					   .payload = 60,
					   .begin = {0x16, 3, 1, 2, 0, 1},
					   .is_fragment = true,
					   .fragment_id = 9};

		answer.seq = 5000;
		answer.ack = 1001;
		rig_policy(rig, policies[0].rules);
		rig_forget(rig);
		rig_stand(rig, SERVER);
		assert_row(name, rig_run(rig, name, PROGRAM_TO, &syn).is_passed);
		assert_row(name, rig_run(rig, name, PROGRAM_FROM, &answer).is_passed);
		send_fragment(rig, name, data, BH_REASON_FRAGMENT);
		data.is_fragment = false;
		send_fragment(rig, name, data, BH_REASON_NONE);
		data.is_fragment = true;
		send_fragment(rig, name, data, BH_REASON_FRAGMENT);
	}
}

/* As a packet does that was on its way when its connection ended, and another got the line. */
static void establish_all(const struct rig *rig)
{
	size_t size;
	struct bh_conn *lines = rig_share(rig->dp->skel->maps.bh_conns, &size);

	for (size_t i = 0; i < size / sizeof(*lines); i++) {
		if (!lines[i].ip_version)
			continue;
		lines[i].state = BH_CONN_ESTABLISHED;
		lines[i].timeout = BH_TIMEOUT_TCP_ESTABLISHED;
	}
	munmap(lines, size);
}

static void no_other_connections_packet_takes_the_requirement_away(void **state)
{
	struct rig *rig = *state;

	for (int i = 0; i < 4; i++) {
		const struct packet_spec last = {.is_v6 = i & 1, .flags = "A", .seq = 1, .ack = 1};
		const struct packet_spec data = {.is_v6 = i & 1,
						 .from = i & 2 ? SERVER : CLIENT,
						 .to = i & 2 ? CLIENT : SERVER,
						 .sport = i & 2 ? SPEC_DPORT : SPEC_SPORT,
						 .dport = i & 2 ? SPEC_SPORT : SPEC_DPORT,
						 .flags = "PA",
						 .seq = 1,
						 .ack = 1,
						 .payload = 20};

		rig_policy(rig, policies[0].rules);
		rig_forget(rig);
		rig_stand(rig, SERVER);
		rig_open_web(rig, PROGRAM_TO, &last);
		establish_all(rig);
		assert_int_equal(
			rig_run(rig, "no TLS", i & 2 ? PROGRAM_FROM : PROGRAM_TO, &data).reason,
			BH_REASON_PLAINTEXT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hellos_are_judged),
		cmocka_unit_test(others_are_judged),
		cmocka_unit_test(servers_are_judged),
		cmocka_unit_test(pieces_are_judged),
		cmocka_unit_test(quiet_are_judged),
		cmocka_unit_test(changes_are_judged),
		cmocka_unit_test(a_hello_may_be_split_anywhere),
		cmocka_unit_test(fragments_wait_for_the_hello),
		cmocka_unit_test(no_other_connections_packet_takes_the_requirement_away),
	};

	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
