/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Conversations in a tiny language, each played over both families at every kind of endpoint.
 * Steps are separated by commas:
 *
 *   > SA            a packet forth (<: back); TCP flags, or "-" for none of them
 *   > A +100        with that much payload; sequence numbers follow by themselves
 *   > A =160301     with these bytes of payload
 *   > A back 6      with a sequence number that much lower (ahead: higher)
 *   < R bad         with sequence and acknowledgement numbers that don't fit
 *   > S dport 80    with another port (also sport, id); "request", "answer": of an echo
 *   < A wrong       seen from the other side of the endpoint
 *   > A !REASON     ... is dropped; otherwise it passes
 *   > S by RULE     ... and that rule is counted
 *   state STATE     of the connection, or none; `in embryonic`, `in conns`; `rule RULE`
 *   timeout N       seconds that it may be silent
 *   wait N          seconds pass
 *   policy WORD     another policy, of the player's list
 *   bump            the generation rises
 *   adopt on        connections older than the agent are adopted (off)
 *   clock N         seconds since 1970, on the wall
 *   beat N          the agent's last heartbeat was N seconds ago; -1: there was none
 *   displace        others fill the table: the connection is forgotten
 *   off N           the set of built-in rules that are off
 */
#ifndef TESTS_BPF_SEQUENCE_H
#define TESTS_BPF_SEQUENCE_H

#include "tests/bpf/table.h"

struct named_policy {
	const char *word, *rules;
};

struct sequence {
	const char *name;
	const char *steps;
	struct packet_spec packet; /* the first one forth */
	enum family family;
	unsigned int stands; /* AT_...; 0: all */
};

#define AT_SERVER_VETH 1u
#define AT_CLIENT_VETH 2u

/* Begins with the first policy.  Counters of both halves are checked after every packet. */
void sequence_play(struct rig *rig, const struct named_policy *policies,
		   const struct sequence *sequences, size_t count);

#endif
