/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The rules that every policy has.  They are numbered before the policy's own (BH_RULE_FIRST),
 * counted like any rule, and those named builtin-... can be turned off in the agent's
 * configuration.
 */
#ifndef BULKHEAD_BUILTIN_H
#define BULKHEAD_BUILTIN_H

/* clang-format off */
#define BH_BUILTINS(X)                                                                                 \
	X(DEFAULT, "default",       "deny what no rule allows")                                        \
	X(HOST,    "builtin-host",  "this machine's own traffic to the workloads on it (probes)")      \
	X(ARP,     "builtin-arp",   "address resolution, by an end for its own addresses")             \
	X(ND,      "builtin-nd",    "IPv6 neighbour discovery and multicast listening on the link") \
	X(DHCP,    "builtin-dhcp",  "this machine as DHCP and DHCPv6 client")                          \
	X(ICMP,    "builtin-icmp-error", "ICMP errors about a known connection")                       \
	X(FAILSAFE, "failsafe",      "what spec.failsafe keeps open in every policy")                  \
	X(SELF,    "builtin-self",  "a workload's traffic to its own address")                         \
	X(DOWN,    "agent-down",    "what spec.whenAgentIsDown says while it is, instead of the rules") \
	X(FRONT,   "builtin-service", "a workload to a Service's address: decided behind it")

enum bh_builtin {
#define X(id, name, help) BH_BUILTIN_##id,
	BH_BUILTINS(X)
#undef X
	BH_BUILTIN_COUNT
};
/* clang-format on */

#endif
