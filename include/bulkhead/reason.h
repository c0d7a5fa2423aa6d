/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Why a packet was dropped.  Append only: the numbers are stored in maps and event files.
 * BH_REASONS(X) is the single list: the enum, users' words, metric labels and manual come from it.
 */
#ifndef BULKHEAD_REASON_H
#define BULKHEAD_REASON_H

/* clang-format off */
#define BH_REASONS(X)                                                                          \
	X(NONE,             "none",             "not dropped")                                 \
	X(POLICY,           "policy",           "no rule allows it, or a rule denies it")      \
	X(NO_CONNECTION,    "no-connection",    "not the first packet of a connection, and of none that is known") \
	X(REVOKED,          "revoked",          "the connection was allowed once; the policy in force denies it") \
	X(SPOOFED_SOURCE,   "spoofed-source",   "the source is not an address of the workload that sent it") \
	X(MALFORMED,        "malformed",        "a header is cut short or contradicts itself") \
	X(FRAGMENT,         "fragment",         "a fragment whose first part was not seen or not allowed") \
	X(UNSUPPORTED,      "unsupported",      "a protocol or header chain that is not parsed") \
	X(ICMP_UNRELATED,   "icmp-unrelated",   "an ICMP error that is about no known connection") \
	X(NEIGHBOUR,        "neighbour",        "neighbour discovery or ARP that this end may not send") \
	X(TABLE_FULL,       "table-full",       "no room for a new connection")                \
	X(NO_POLICY,        "no-policy",        "no generation is in force yet")               \
	X(UNKNOWN_ENDPOINT, "unknown-endpoint", "the interface is not registered as an endpoint") \
	X(AGENT_DOWN,       "agent-down",       "the agent is down, and an end's zone is closed then") \
	X(PLAINTEXT,        "plaintext",        "the rule requires TLS; what came first is no TLS hello of the client") \
	X(IP_OPTIONS,       "ip-options",       "an IPv4 option that chooses the packet's way (source routing)") \
	X(EXTENSIONS,       "extension-headers", "more or longer IPv6 extension headers than are followed, or a routing header") \
	X(VLAN,             "vlan",             "a VLAN tag, and the agent is set to drop those") \
	X(UNTRANSLATED,     "untranslated",     "to a Service's address, and nobody was put in its place")

enum bh_reason {
#define X(id, word, help) BH_REASON_##id,
	BH_REASONS(X)
#undef X
	BH_REASON_COUNT
};
/* clang-format on */

#endif
