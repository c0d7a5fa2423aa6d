/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What an attacker may send, by the number of the case; each with its allowed twin. */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <stdio.h>

#include "tests/bpf/table.h"
#include "util/mem.h"

#define ARP        .ethertype = ETH_P_ARP
#define UDP        .proto = IPPROTO_UDP
#define ND(number) .icmp = ICMP_TYPE, .type = (number)
#define TYPE(n)    .icmp = ICMP_TYPE, .type = (n)

static const char rules[] =
	"    - {name: web, from: client, to: server, services: [tcp/443, udp/443]}\n"
	"    - {name: tunnel-port, from: client, to: server, services: udp/4789}\n";

static const char tunnels[] = "    - {name: tunnels, from: client, to: server, services: "
			      "[proto/4, proto/41, proto/47, proto/2]}\n";

/* clang-format off */
static const struct row frames[] = {
	{"L2-01 the baseline", {}, BH_REASON_NONE, "web"},
	{"L2-01 its denied twin", {.dport = 444}, BH_REASON_POLICY, "default"},
	{"L2-01 from another", {.from = OTHER}, BH_REASON_POLICY, "default"},
	{"L2-04 a tag", {.vlans = 1}, BH_REASON_NONE, "web"},
	{"L2-04 a tag hides no port", {.vlans = 1, .dport = 444}, BH_REASON_POLICY, "default"},
	{"L2-04 a tag in a tag hides no port", {.vlans = 2, UDP, .dport = 444}, BH_REASON_POLICY, "default"},
	{"L2-04 a priority tag", {.vlans = 1, .is_priority_tag = true}, BH_REASON_NONE, "web"},
	{"L2-04 a priority tag hides no port", {.vlans = 1, .is_priority_tag = true, .dport = 444}, BH_REASON_POLICY, "default"},
	{"L2-04 more tags than are followed", {.vlans = 3}, BH_REASON_UNSUPPORTED, "none"},
	{"L2-06 to everyone's MAC", {.is_group_mac = true}, BH_REASON_NONE, "web"},
	{"L2-06 to everyone's MAC, denied", {.is_group_mac = true, .dport = 444}, BH_REASON_POLICY, "default"},
	{"L2-07 LLDP", {.ethertype = 0x88cc}, BH_REASON_UNSUPPORTED, "none"},
	{"L2-07 SNAP", {.ethertype = 100}, BH_REASON_UNSUPPORTED, "none"},
	{"L2-07 PPPoE discovery", {.ethertype = 0x8863}, BH_REASON_UNSUPPORTED, "none"},
	{"L2-07 PPPoE session", {.ethertype = 0x8864}, BH_REASON_UNSUPPORTED, "none"},
	{"L2-07 MPLS", {.ethertype = 0x8847}, BH_REASON_UNSUPPORTED, "none"},
	{"L2-07 X.75", {.ethertype = 0x0801}, BH_REASON_UNSUPPORTED, "none"},
	{"L2-07 reverse ARP", {.ethertype = 0x8035}, BH_REASON_UNSUPPORTED, "none"},
	{"L2-07 ffff", {.ethertype = 0xffff}, BH_REASON_UNSUPPORTED, "none"},
	{"L2-02 ARP", {ARP}, BH_REASON_NONE, "builtin-arp", FAMILY_V4},
	{"L2-02 ARP for another", {ARP, .from = SERVER, .to = SERVER, .is_arp_reply = true}, BH_REASON_SPOOFED_SOURCE, "none", FAMILY_V4, ON_FROM, CLIENT},
};

static const struct row tags_pass[] = {
	{"L2-04 a tag passes unseen", {.vlans = 1, .dport = 444}, BH_REASON_NONE, "none"},
	{"L2-04 whatever it tags", {.vlans = 2, .ethertype = 0x88cc}, BH_REASON_NONE, "none"},
	{"L2-04 a priority is no tag", {.vlans = 1, .is_priority_tag = true, .dport = 444}, BH_REASON_POLICY, "default"},
	{"L2-04 without one as ever", {.dport = 444}, BH_REASON_POLICY, "default"},
};

static const struct row tags_drop[] = {
	{"L2-04 a tag is dropped", {.vlans = 1}, BH_REASON_VLAN, "none"},
	{"L2-04 two are", {.vlans = 2}, BH_REASON_VLAN, "none"},
	{"L2-04 a priority is no tag", {.vlans = 1, .is_priority_tag = true}, BH_REASON_NONE, "web"},
	{"L2-04 without one as ever", {}, BH_REASON_NONE, "web"},
};

static const struct row ipv4[] = {
	{"4-02 all the options, denied", {.option_words = 10, UDP, .dport = 444}, BH_REASON_POLICY, "default", FAMILY_V4},
	{"4-02 all the options", {.option_words = 10, UDP}, BH_REASON_NONE, "web", FAMILY_V4},
	{"4-02 router alert", {.option_words = 1, .options = "\x94\x04\0"}, BH_REASON_NONE, "web", FAMILY_V4},
	{"4-02 the end of options, then anything", {.option_words = 2, .options = "\0\x83\x83\x83\x83\x83\x83"}, BH_REASON_NONE, "web", FAMILY_V4},
	{"4-02 an option of no length", {.option_words = 1, .options = "\x94\0\0"}, BH_REASON_MALFORMED, "none", FAMILY_V4},
	{"4-02 an option beyond the header", {.option_words = 1, .options = "\x94\x05\0"}, BH_REASON_MALFORMED, "none", FAMILY_V4},
	{"4-02 an option cut in its length", {.option_words = 1, .options = "\1\1\1\x94"}, BH_REASON_MALFORMED, "none", FAMILY_V4},
	{"4-03 a header of 16 bytes", {.ihl = 4}, BH_REASON_MALFORMED, "none", FAMILY_V4},
	{"4-03 version 5", {.version = 5}, BH_REASON_MALFORMED, "none", FAMILY_V4},
	{"4-03 ports in the padding", {UDP, .ip_len_add = -8}, BH_REASON_MALFORMED, "none", FAMILY_V4},
	{"4-03 longer than its frame", {UDP, .ip_len_add = 1460}, BH_REASON_MALFORMED, "none", FAMILY_V4},
	{"4-03 of length 0", {UDP, .ip_len_add = -28}, BH_REASON_MALFORMED, "none", FAMILY_V4},
	{"4-03 shorter than its header", {UDP, .ip_len_add = -9}, BH_REASON_MALFORMED, "none", FAMILY_V4},
	{"4-03 UDP of length 0", {UDP, .udp_len_add = -8}, BH_REASON_MALFORMED, "none"},
	{"4-03 UDP longer than its packet", {UDP, .udp_len_add = 1}, BH_REASON_MALFORMED, "none"},
	{"4-03 TCP of no length", {.doff = 16}, BH_REASON_MALFORMED, "none"},
	{"4-03 TCP options beyond its packet", {.doff = 15}, BH_REASON_MALFORMED, "none"},
	{"4-03 UDP of length 7", {UDP, .udp_len_add = -1}, BH_REASON_MALFORMED, "none"},
	{"4-03 TCP of 16 bytes", {.doff = 4}, BH_REASON_MALFORMED, "none"},
	{"4-04 loose source routing", {.option_words = 2, .options = "\x83\x07\x04\x0a\x4d\x00\x02"}, BH_REASON_IP_OPTIONS, "none", FAMILY_V4},
	{"4-04 strict source routing", {.option_words = 2, .options = "\x89\x07\x04\x0a\x4d\x00\x02"}, BH_REASON_IP_OPTIONS, "none", FAMILY_V4},
	{"4-04 behind other options", {.option_words = 4, .options = "\x01\x94\x04\x00\x00\x01\x01\x01\x83\x07\x04\x0a\x4d\x00\x02"}, BH_REASON_IP_OPTIONS, "none", FAMILY_V4},
	{"4-04 behind an alert", {.option_words = 3, .options = "\x94\x04\x00\x00\x83\x07\x04\x0a\x4d\x00\x02"}, BH_REASON_IP_OPTIONS, "none", FAMILY_V4},
	{"4-04 the last of many", {.option_words = 10, .options = "\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\x83\x07\x04\1\1\1\1"}, BH_REASON_IP_OPTIONS, "none", FAMILY_V4},
	{"4-04 in a later fragment", {UDP, .option_words = 2, .options = "\x83\x07\x04\x0a\x4d\x00\x02", .is_fragment = true, .offset = 9, .payload = 8}, BH_REASON_IP_OPTIONS, "none", FAMILY_V4},
	{"4-06 an allowed one's source", {}, BH_REASON_SPOOFED_SOURCE, "none", .programs = ON_FROM, .stand = OTHER},
	{"4-06 the outside's", {.from = OUTSIDER}, BH_REASON_SPOOFED_SOURCE, "none", .programs = ON_FROM, .stand = CLIENT},
	{"4-07 from loopback", {.from = LOOPBACK}, BH_REASON_SPOOFED_SOURCE, "none"},
	{"4-07 from nobody", {.from = NOBODY}, BH_REASON_SPOOFED_SOURCE, "none", .programs = ON_HOST_IN | ON_WORKLOAD, .stand = SERVER},
	{"4-07 from this network", {.src = "0.1.2.3"}, BH_REASON_SPOOFED_SOURCE, "none", FAMILY_V4},
	{"4-07 to this network", {.dst = "0.1.2.3"}, BH_REASON_MALFORMED, "none", FAMILY_V4},
	{"4-07 from a group", {.src = "224.0.0.5"}, BH_REASON_SPOOFED_SOURCE, "none", FAMILY_V4},
	{"4-07 from everyone", {.from = EVERYONE}, BH_REASON_SPOOFED_SOURCE, "none"},
	{"4-07 from its own address", {.from = SERVER, .to = SERVER, .sport = 443}, BH_REASON_SPOOFED_SOURCE, "none", .programs = ON_HOST_IN},
	{"4-07 an allowed source, but it is our own", {.from = SERVER, .to = CLIENT}, BH_REASON_SPOOFED_SOURCE, "none", .programs = ON_HOST_IN, .stand = SERVER},
	{"4-07 a workload is no client of DHCP", {UDP, .from = NOBODY, .to = EVERYONE, .sport = 68, .dport = 67}, BH_REASON_SPOOFED_SOURCE, "none", FAMILY_V4, ON_FROM, CLIENT},
	{"4-08 to everyone", {UDP, .to = EVERYONE}, BH_REASON_POLICY, "default", .programs = ON_HOST_IN | ON_WORKLOAD},
	{"4-08 to a network's last address", {UDP, .dst = "10.77.2.255"}, BH_REASON_POLICY, "default", FAMILY_V4, ON_WORKLOAD, CLIENT},
	{"4-08 to a group", {UDP, .to = GROUP}, BH_REASON_POLICY, "default", .programs = ON_HOST_IN | ON_WORKLOAD},
	{"4-09 IGMP of nothing", {.proto = IPPROTO_IGMP, .dst = "224.0.0.22", .hop_limit = 1}, BH_REASON_POLICY, "default", FAMILY_V4, ON_WORKLOAD, CLIENT},
	{"4-09 IGMP of seven bytes", {.proto = IPPROTO_IGMP, .payload = 7}, BH_REASON_POLICY, "default"},
	{"4-09 IGMP of one byte", {.proto = IPPROTO_IGMP, .payload = 1}, BH_REASON_POLICY, "default"},
	{"4-09 IGMP that counts 65535 groups", {.proto = IPPROTO_IGMP, .payload = 8, .begin = {0x22, 0, 0, 0, 0, 0, 0xff, 0xff}}, BH_REASON_POLICY, "default", FAMILY_V4},
	{"4-09 PIM", {.proto = IPPROTO_PIM, .payload = 4}, BH_REASON_POLICY, "default"},
	{"4-09 VRRP", {.proto = 112, .payload = 20}, BH_REASON_POLICY, "default"},
	{"4-11 from outside", {.from = OUTSIDER}, BH_REASON_POLICY, "default", .programs = ON_HOST_IN | ON_TO},
};

static const struct row ipv6[] = {
	{"6-01 destination options", {.extensions = "D"}, BH_REASON_NONE, "web", FAMILY_V6},
	{"6-01 destination options, denied", {.extensions = "D", .dport = 444}, BH_REASON_POLICY, "default", FAMILY_V6},
	{"6-01 hop-by-hop options", {.extensions = "H"}, BH_REASON_NONE, "web", FAMILY_V6},
	{"6-01 hop-by-hop options, denied", {.extensions = "H", .dport = 444}, BH_REASON_POLICY, "default", FAMILY_V6},
	{"6-01 authentication", {.extensions = "A"}, BH_REASON_NONE, "web", FAMILY_V6},
	{"6-01 authentication, denied", {.extensions = "A", .dport = 444}, BH_REASON_POLICY, "default", FAMILY_V6},
	{"6-01 routing", {.extensions = "R"}, BH_REASON_EXTENSIONS, "none", FAMILY_V6},
	{"6-01 mobility", {.extensions = "M"}, BH_REASON_UNSUPPORTED, "none", FAMILY_V6},
	{"6-01 HIP", {.proto = 139, .payload = 40}, BH_REASON_POLICY, "default", FAMILY_V6},
	{"6-01 Shim6", {.extensions = "S"}, BH_REASON_POLICY, "default", FAMILY_V6},
	{"6-01 nothing follows", {.proto = IPPROTO_NONE, .payload = 8}, BH_REASON_UNSUPPORTED, "none", FAMILY_V6},
	{"6-01 512 bytes of options", {.extensions = "D", .extension_len = 63, .payload = 496}, BH_REASON_MALFORMED, "none", FAMILY_V6},
	{"6-01 520 bytes of options", {.extensions = "D", .extension_len = 64, .payload = 1000}, BH_REASON_EXTENSIONS, "none", FAMILY_V6},
	{"6-01 nine headers", {.extensions = "HDDDDDDDD"}, BH_REASON_EXTENSIONS, "none", FAMILY_V6},
	{"6-04 an atomic fragment", {.extensions = "F"}, BH_REASON_NONE, "web", FAMILY_V6},
	{"6-04 an atomic fragment, denied", {.extensions = "F", .dport = 444}, BH_REASON_POLICY, "default", FAMILY_V6},
	{"6-05 a first fragment without ports", {UDP, .extensions = "FD", .is_fragment = true, .cut = 8, .ip_len_add = -8}, BH_REASON_MALFORMED, "none", FAMILY_V6},
	{"6-08 a solicitation", {ND(135), .target = "fd77:2::1"}, BH_REASON_NONE, "builtin-nd", FAMILY_V6},
	{"6-08 from beyond the link", {ND(135), .target = "fd77:2::1", .hop_limit = 64}, BH_REASON_NEIGHBOUR, "none", FAMILY_V6},
	{"6-08 a solicitation, denied IP or not", {ND(135), .from = OTHER, .target = "fd77:2::1"}, BH_REASON_NONE, "builtin-nd", FAMILY_V6, ON_TO},
	{"6-08 is there a router?", {ND(133), .to = EVERYONE}, BH_REASON_NONE, "builtin-nd", FAMILY_V6, ON_FROM, CLIENT},
	{"6-08 is this address free?", {ND(135), .from = NOBODY, .to = EVERYONE, .target = "fd77:1::1"}, BH_REASON_NONE, "builtin-nd", FAMILY_V6, ON_FROM, CLIENT},
	{"6-08 a router's advertisement", {ND(134), .from = LINK_LOCAL, .to = EVERYONE}, BH_REASON_NEIGHBOUR, "none", FAMILY_V6, ON_FROM, CLIENT},
	{"6-08 the same in pieces", {ND(134), .from = LINK_LOCAL, .to = EVERYONE, .is_fragment = true}, BH_REASON_NEIGHBOUR, "none", FAMILY_V6, ON_FROM, CLIENT},
	{"6-08 the same behind options", {ND(134), .from = LINK_LOCAL, .to = EVERYONE, .extensions = "DD"}, BH_REASON_NEIGHBOUR, "none", FAMILY_V6, ON_FROM, CLIENT},
	{"6-08 a redirect", {ND(137), .from = LINK_LOCAL}, BH_REASON_NEIGHBOUR, "none", FAMILY_V6},
	{"6-09 an echo", {.icmp = ICMP_ECHO_REQUEST}, BH_REASON_POLICY, "default"},
	{"6-09 an error about nothing", {.icmp = ICMP_UNREACHABLE}, BH_REASON_ICMP_UNRELATED, "default"},
	{"6-10 a jumbogram", {.extensions = "H", .ip_len_add = -36}, BH_REASON_MALFORMED, "none", FAMILY_V6},
	{"6-10 longer than its frame", {.ip_len_add = 1}, BH_REASON_MALFORMED, "none", FAMILY_V6},
	{"6-10 shorter than its header", {.ip_len_add = -1}, BH_REASON_MALFORMED, "none", FAMILY_V6},
	{"6-10 no length", {.ip_len_add = -20}, BH_REASON_MALFORMED, "none", FAMILY_V6},
	{"6-11 another's source", {.from = OTHER}, BH_REASON_SPOOFED_SOURCE, "none", FAMILY_V6, ON_FROM, CLIENT},
	{"6-11 another's address advertised", {ND(136), .target = "fd77:2::1"}, BH_REASON_SPOOFED_SOURCE, "none", FAMILY_V6, ON_FROM, CLIENT},
	{"6-11 one's own, advertised", {ND(136), .target = "fd77:1::1"}, BH_REASON_NONE, "builtin-nd", FAMILY_V6, ON_FROM, CLIENT},
	{"6-11 another's address claimed before it is used", {ND(135), .from = NOBODY, .to = EVERYONE, .target = "fd77:2::1"}, BH_REASON_SPOOFED_SOURCE, "none", FAMILY_V6, ON_FROM, CLIENT},
	{"6-11 IPv4 in disguise", {.src = "::ffff:10.77.1.1"}, BH_REASON_MALFORMED, "none", FAMILY_V6},
	{"6-11 IPv4 in an old disguise", {.src = "::10.77.1.1"}, BH_REASON_MALFORMED, "none", FAMILY_V6},
	{"6-11 to IPv4 in an old disguise", {.dst = "::10.77.2.1"}, BH_REASON_MALFORMED, "none", FAMILY_V6},
};

static const struct row fragments[] = {
	{"FR-03 a tail alone", {UDP, .is_fragment = true, .offset = 2, .is_last = true, .payload = 16}, BH_REASON_FRAGMENT, "none"},
	{"FR-09 beyond 65535 bytes", {UDP, .is_fragment = true, .offset = 8191, .is_last = true, .payload = 16}, BH_REASON_MALFORMED, "none"},
	{"FR-09 in pieces, and not to be", {UDP, .is_fragment = true, .has_df = true, .payload = 8}, BH_REASON_MALFORMED, "none", FAMILY_V4},
	{"FR-09 whole, and to stay so", {UDP, .has_df = true, .payload = 8}, BH_REASON_NONE, "web"},
	{"FR-09 a first of odd length", {UDP, .is_fragment = true, .payload = 9}, BH_REASON_MALFORMED, "none"},
	{"FR-09 a middle of odd length", {UDP, .is_fragment = true, .offset = 9, .payload = 9}, BH_REASON_MALFORMED, "none"},
	{"FR-09 a last of nothing", {UDP, .is_fragment = true, .offset = 9, .is_last = true}, BH_REASON_MALFORMED, "none"},
	{"FR-09 an echo in pieces", {.icmp = ICMP_ECHO_REQUEST, .is_fragment = true, .payload = 8}, BH_REASON_POLICY, "default"},
	{"FR-09 a tiny first", {.is_fragment = true, .cut = 4, .ip_len_add = -4}, BH_REASON_MALFORMED, "none"},
};

static const struct row icmp[] = {
	{"IC-01 an echo without a rule", {.icmp = ICMP_ECHO_REQUEST}, BH_REASON_POLICY, "default"},
	{"IC-04 too big, about nothing", {.icmp = ICMP_UNREACHABLE, .code = 4, .from = OUTSIDER}, BH_REASON_ICMP_UNRELATED, "default", .programs = ON_HOST_IN | ON_TO},
	{"IC-08 a redirect", {TYPE(5), .code = 1}, BH_REASON_POLICY, "default", FAMILY_V4},
	{"IC-08 a timestamp", {TYPE(13)}, BH_REASON_POLICY, "default", FAMILY_V4},
	{"IC-08 an address mask", {TYPE(17)}, BH_REASON_POLICY, "default", FAMILY_V4},
	{"IC-08 a router's advertisement", {TYPE(9)}, BH_REASON_POLICY, "default", FAMILY_V4},
	{"IC-08 source quench", {TYPE(4)}, BH_REASON_POLICY, "default", FAMILY_V4},
};

static const struct row encapsulated[] = {
	{"EN-01 VXLAN to the node", {UDP, .to = NODE, .dport = 4789, .payload = 58}, BH_REASON_POLICY, "default", .programs = ON_FROM},
	{"EN-02 IP in IPv4", {.proto = IPPROTO_IPIP, .payload = 48}, BH_REASON_POLICY, "default"},
	{"EN-02 IPv6 in IP", {.proto = IPPROTO_IPV6, .payload = 68}, BH_REASON_POLICY, "default"},
	{"EN-02 GRE", {.proto = IPPROTO_GRE, .payload = 52}, BH_REASON_POLICY, "default"},
	{"EN-02 ESP", {.proto = IPPROTO_ESP, .payload = 52}, BH_REASON_POLICY, "default"},
	{"EN-04 a tunnel's port with a rule", {UDP, .dport = 4789, .payload = 58}, BH_REASON_NONE, "tunnel-port"},
	{"EN-04 one without", {UDP, .dport = 8472, .payload = 58}, BH_REASON_POLICY, "default"},
};

static const struct row encapsulated_by_rule[] = {
	{"EN-02 IP in IPv4, with a rule", {.proto = IPPROTO_IPIP, .payload = 48}, BH_REASON_NONE, "tunnels"},
	{"EN-02 IPv6 in IP, with a rule", {.proto = IPPROTO_IPV6, .payload = 68}, BH_REASON_NONE, "tunnels"},
	{"EN-02 GRE, with a rule", {.proto = IPPROTO_GRE, .payload = 52}, BH_REASON_NONE, "tunnels"},
	{"EN-02 what is inside opens nothing", {}, BH_REASON_POLICY, "default"},
	{"4-09 IGMP, with a rule", {.proto = IPPROTO_IGMP, .payload = 8}, BH_REASON_NONE, "tunnels"},
};

static const struct row tcp[] = {
	{"CT-01 a bare ACK", {.flags = "A"}, BH_REASON_NO_CONNECTION, "none"},
	{"CT-01 data", {.flags = "PA", .payload = 20}, BH_REASON_NO_CONNECTION, "none"},
	{"CT-01 a bare ACK, denied", {.flags = "A", .dport = 444}, BH_REASON_NO_CONNECTION, "none"},
	{"CT-03 SYN and FIN", {.flags = "SF"}, BH_REASON_NO_CONNECTION, "none"},
	{"CT-03 SYN and RST", {.flags = "SR"}, BH_REASON_NO_CONNECTION, "none"},
	{"CT-03 no flag", {.flags = ""}, BH_REASON_NO_CONNECTION, "none"},
	{"CT-03 FIN, PSH, URG", {.flags = "FPU"}, BH_REASON_NO_CONNECTION, "none"},
	{"CT-03 FIN", {.flags = "F"}, BH_REASON_NO_CONNECTION, "none"},
	{"CT-03 SYN and ACK", {.flags = "SA"}, BH_REASON_NO_CONNECTION, "none"},
	{"CT-03 RST and ACK", {.flags = "RA"}, BH_REASON_NO_CONNECTION, "none"},
	{"CT-03 RST", {.flags = "R"}, BH_REASON_NO_CONNECTION, "none"},
	{"CT-03 SYN and FIN, denied", {.flags = "SF", .dport = 444}, BH_REASON_NO_CONNECTION, "none"},
	{"CT-03 its twin", {}, BH_REASON_NONE, "web"},
};
/* clang-format on */

static void run(void **state, const char *policy, const struct row *rows, size_t count)
{
	struct rig *rig = *state;

	rig_policy(rig, policy);
	table_run(rig, rows, count);
}

#define TABLE(table)                                                                               \
	static void table##_that_attackers_send(void **state)                                      \
	{                                                                                          \
		run(state, rules, table, COUNT(table));                                            \
	}

TABLE(frames)
TABLE(ipv4)
TABLE(ipv6)
TABLE(fragments)
TABLE(icmp)
TABLE(encapsulated)
TABLE(tcp)

static void tunnels_need_a_rule_of_their_own(void **state)
{
	run(state, tunnels, encapsulated_by_rule, COUNT(encapsulated_by_rule));
}

static void tags_are_what_the_agent_is_told_of_them(void **state)
{
	const struct datapath_config pass = {.vlan = BH_VLAN_PASS}, drop = {.vlan = BH_VLAN_DROP};
	struct rig *rig = rig_new_config(&pass);

	(void)state;
	rig_policy(rig, rules);
	table_run(rig, tags_pass, COUNT(tags_pass));
	rig_free(rig);
	rig = rig_new_config(&drop);
	rig_policy(rig, rules);
	table_run(rig, tags_drop, COUNT(tags_drop));
	rig_free(rig);
}

/* Of @len bytes, with the IP header's length as given. */
static bool long_passes(struct rig *rig, enum program program, const struct packet_spec *spec,
			size_t len, size_t ip_len, uint16_t gso_size)
{
	_free_ uint8_t *bytes = xcalloc(1, len);
	struct frame f = packet_build(spec);
	uint16_t said = htons((uint16_t)(spec->is_v6 && ip_len ? ip_len - 40 : ip_len));
	const struct program_input in = {
		.bytes = bytes, .len = len, .times = 1, .gso_size = gso_size};
	int returned;

	memcpy(bytes, f.bytes, f.len);
	memcpy(bytes + ETH_HLEN + (spec->is_v6 ? 4 : 2), &said, sizeof(said));
	assert_int_equal(program_run(rig->dp, program, &in, &returned), 0);
	return program_passes(program, returned);
}

/* SK-03: XDP gets such packets in several buffers. */
static void jumbo_frames_are_judged_like_small_ones(void **state)
{
	struct rig *rig = *state;
	const struct packet_spec boring = {};

	rig_policy(rig, rules);
	rig_stand(rig, SERVER);
	rig_run(rig, "who is where", PROGRAM_XDP_IN, &boring);
	for (int is_v6 = 0; is_v6 < 2; is_v6++) {
		const struct packet_spec allowed = {.is_v6 = is_v6};
		const struct packet_spec denied = {.is_v6 = is_v6, .dport = 444};

		assert_true(long_passes(rig, PROGRAM_XDP_IN, &allowed, 9014, 9000, 0));
		assert_false(long_passes(rig, PROGRAM_XDP_IN, &denied, 9014, 9000, 0));
		assert_false(long_passes(rig, PROGRAM_XDP_IN, &allowed, 9014, 9001, 0));
	}
}

/* 4-06: also not in a connection that packets which went astray have opened. */
static void nobody_answers_in_the_name_of_another(void **state)
{
	static const struct {
		const char *name;
		enum end stand;
		enum program astray, answer;
	} rows[] = {
		{"a workload for another", OTHER, PROGRAM_TO, PROGRAM_FROM},
		{"the wire for this machine", SERVER, PROGRAM_HOST_OUT, PROGRAM_XDP_IN},
	};
	struct rig *rig = *state;

	rig_policy(rig, rules);
	for (size_t i = 0; i < 2 * COUNT(rows); i++) {
		const struct packet_spec astray = {.is_v6 = i & 1};
		const struct packet_spec answer = {.is_v6 = i & 1,
						   .from = SERVER,
						   .to = CLIENT,
						   .sport = SPEC_DPORT,
						   .dport = SPEC_SPORT,
						   .flags = "SA",
						   .ack = 1};
		struct outcome o;

		rig_forget(rig);
		rig_stand(rig, rows[i / 2].stand);
		o = rig_run(rig, rows[i / 2].name, rows[i / 2].astray, &astray);
		assert_row(rows[i / 2].name, o.is_passed);
		o = rig_run(rig, rows[i / 2].name, rows[i / 2].answer, &answer);
		assert_row(rows[i / 2].name, o.reason == BH_REASON_SPOOFED_SOURCE);
	}
}

/* SK-02: only what the kernel itself has joined may be of a length that IP can't say. */
static void joined_packets_may_be_longer_than_ip_says(void **state)
{
	struct rig *rig = *state;
	const struct packet_spec boring = {};

	rig_policy(rig, rules);
	rig_stand(rig, SERVER);
	rig_run(rig, "who is where", PROGRAM_TO, &boring);
	for (int is_v6 = 0; is_v6 < 2; is_v6++) {
		const struct packet_spec allowed = {.is_v6 = is_v6};
		const struct packet_spec denied = {.is_v6 = is_v6, .dport = 444};

		assert_true(long_passes(rig, PROGRAM_TO, &allowed, 3000, 0, 1000));
		assert_false(long_passes(rig, PROGRAM_TO, &denied, 3000, 0, 1000));
		assert_false(long_passes(rig, PROGRAM_TO, &allowed, 3000, 0, 0));
	}
}

/* SK-06: checksums are the receiver's business: right or wrong, they pass as they came. */
static void what_passes_is_not_changed(void **state)
{
	static const struct packet_spec kinds[] = {
		{.payload = 100},
		{UDP, .payload = 100},
		{.vlans = 2, .payload = 1},
		{UDP, .is_fragment = true, .payload = 64},
	};
	struct rig *rig = *state;
	static struct program_output out;

	rig_policy(rig, rules);
	for (size_t i = 0; i < 2 * COUNT(kinds) * PROGRAMS; i++) {
		enum program program = (enum program)(i / 2 / COUNT(kinds));
		struct packet_spec packet = kinds[i / 2 % COUNT(kinds)];
		struct program_input in = {.times = 1, .out = &out};
		struct frame frame;
		int returned;

		packet.is_v6 = i & 1;
		frame = packet_build(&packet);
		for (size_t at = frame.len - packet.payload; at < frame.len; at++)
			frame.bytes[at] = (uint8_t)(at * 7);
		rig_stand(rig, program_is_ingress(program) ? SERVER : CLIENT);
		rig_forget(rig);
		rig_run_frame(rig, "SK-06", program, &frame);
		in.bytes = frame.bytes;
		in.len = frame.len;
		assert_int_equal(program_run(rig->dp, program, &in, &returned), 0);
		assert_true(program_passes(program, returned));
		assert_int_equal(out.len, frame.len);
		assert_memory_equal(out.bytes, frame.bytes, frame.len);
	}
}

/* 6-09, IC-08: only what finds neighbours passes, and what is about a connection. */
static void no_type_of_icmp_is_a_free_pass(void **state)
{
	struct rig *rig = *state;
	char name[64];

	rig_policy(rig, rules);
	rig_stand(rig, CLIENT);
	for (int i = 0; i < 512; i++) {
		const struct packet_spec packet = {
			.is_v6 = i & 1, TYPE((uint8_t)(i / 2)), .target = "fd77:1::1"};
		bool is_nd = packet.is_v6 &&
			     (packet.type == 133 || packet.type == 135 || packet.type == 136);

		snprintf(name, sizeof(name), "6-09 type %d of IPv%d", packet.type, i & 1 ? 6 : 4);
		assert_row(name, rig_run(rig, name, PROGRAM_FROM, &packet).is_passed == is_nd);
	}
}

/* 6-13: what a policy doesn't speak of changes no verdict. */
static void fields_of_no_rule_change_nothing(void **state)
{
	struct rig *rig = *state;
	struct packet_spec packet = {};

	rig_policy(rig, rules);
	rig_stand(rig, SERVER);
	for (int i = 0; i < 1000; i++) {
		packet.is_v6 = i & 1;
		packet.dport = i & 2 ? 443 : 444;
		packet.hop_limit = (uint8_t)(i % 255 + 1);
		packet.traffic_class = (uint8_t)(i * 7);
		packet.fragment_id = (uint16_t)(i * 31);
		packet.has_df = i & 4;
		packet.sport = (uint16_t)(1 + i);
		assert_row("6-13", rig_run(rig, "6-13", PROGRAM_XDP_IN, &packet).is_passed ==
					   (packet.dport == 443));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_that_attackers_send),
		cmocka_unit_test(ipv4_that_attackers_send),
		cmocka_unit_test(ipv6_that_attackers_send),
		cmocka_unit_test(fragments_that_attackers_send),
		cmocka_unit_test(icmp_that_attackers_send),
		cmocka_unit_test(encapsulated_that_attackers_send),
		cmocka_unit_test(tcp_that_attackers_send),
		cmocka_unit_test(tunnels_need_a_rule_of_their_own),
		cmocka_unit_test(tags_are_what_the_agent_is_told_of_them),
		cmocka_unit_test(jumbo_frames_are_judged_like_small_ones),
		cmocka_unit_test(nobody_answers_in_the_name_of_another),
		cmocka_unit_test(joined_packets_may_be_longer_than_ip_says),
		cmocka_unit_test(what_passes_is_not_changed),
		cmocka_unit_test(no_type_of_icmp_is_a_free_pass),
		cmocka_unit_test(fields_of_no_rule_change_nothing),
	};

	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
