/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/selftest_corpus.h"

#include <linux/if_ether.h>
#include <netinet/in.h>

#include "util/mem.h"

const char selftest_policy[] =
	"apiVersion: bulkhead.dev/v1\n"
	"kind: ZonePolicy\n"
	"metadata: {name: selftest}\n"
	"spec:\n"
	"  zones:\n"
	"    - {name: front, cidrs: [10.77.1.0/24, 'fd77:1::/64']}\n"
	"    - {name: back, cidrs: [10.77.2.0/24, 'fd77:2::/64']}\n"
	"  workloads:\n"
	"    - {name: client, zone: front, addresses: [10.77.1.1, 'fd77:1::1']}\n"
	"    - {name: server, zone: back, addresses: [10.77.2.1, 'fd77:2::1']}\n"
	"  rules:\n"
	"    - {name: web, from: client, to: server, services: [tcp/443, udp/443]}\n"
	"    - {name: ping, from: client, to: server,\n"
	"       services: [icmp/echo-request, icmp6/echo-request]}\n";

/* --- words of the table --- */

#define XDP     (1u << PROGRAM_XDP_IN)
#define FROM    (1u << PROGRAM_FROM)
#define TO      (1u << PROGRAM_TO)
#define HOST_IN (XDP | 1u << PROGRAM_HOST_IN)
#define INWARDS (HOST_IN | TO)
#define UNBOUND (HOST_IN | FROM | TO) /* what this machine itself sends to groups is its affair */
#define ALL     (UNBOUND | 1u << PROGRAM_HOST_OUT)

#define AT(family, programs, stand) HOSTILE_##family, (programs), (stand)
#define BOTH(programs)              AT(BOTH, programs, END_DEFAULT)
#define V4(programs)                AT(V4, programs, END_DEFAULT)
#define V6(programs)                AT(V6, programs, END_DEFAULT)

#define PASS              BH_REASON_NONE, HOSTILE_ALONE
#define DROP(reason)      BH_REASON_##reason, HOSTILE_ALONE
#define THEN_PASS         BH_REASON_NONE, HOSTILE_THEN
#define THEN_DROP(reason) BH_REASON_##reason, HOSTILE_THEN
#define BACK_PASS         BH_REASON_NONE, HOSTILE_BACK
#define BACK_DROP(reason) BH_REASON_##reason, HOSTILE_BACK

#define TCP         .proto = IPPROTO_TCP
#define UDP         .proto = IPPROTO_UDP
#define ARP         .ethertype = ETH_P_ARP
#define PING        .icmp = ICMP_ECHO_REQUEST, .id = 7
#define TYPE(n)     .icmp = ICMP_TYPE, .type = (n)
#define SHORTER(n)  .cut = (n), .ip_len_add = -(n) /* and IP says so */
#define RETURNED    .from = SERVER, .to = CLIENT, .sport = SPEC_DPORT, .dport = SPEC_SPORT
#define UNREACHABLE .icmp = ICMP_UNREACHABLE, .from = SERVER, .to = CLIENT
#define QUOTING(...)                                                                               \
	.quoted = &(const struct packet_spec)                                                      \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}
#define FIRST    .is_fragment = true, .fragment_id = 77, .payload = 64
#define TAIL(at) .is_fragment = true, .fragment_id = 77, .offset = (at), .payload = 64
#define LAST(at) TAIL(at), .is_last = true

/* clang-format off */
const struct hostile selftest_corpus[] = {
	/* What must pass, and what looks like it. */
	{"a SYN that a rule allows", PASS, BOTH(ALL), {TCP}},
	{"a SYN to another port", DROP(POLICY), BOTH(ALL), {TCP, .dport = 444}},
	{"a SYN to port 0", DROP(POLICY), BOTH(ALL), {TCP, .has_port_0 = true}},
	{"a datagram that a rule allows", PASS, BOTH(ALL), {UDP, .payload = 3}},
	{"a datagram to another port", DROP(POLICY), BOTH(ALL), {UDP, .dport = 444}},
	{"an echo request that a rule allows", PASS, BOTH(ALL), {PING}},
	{"an echo request the other way", DROP(POLICY), BOTH(ALL), {PING, .from = SERVER, .to = CLIENT}},
	{"a SYN from another of the client's zone", DROP(POLICY), BOTH(ALL), {TCP, .from = OTHER}},
	{"a SYN from outside", DROP(POLICY), BOTH(INWARDS), {TCP, .from = OUTSIDER}},
	{"a datagram to a group", DROP(POLICY), BOTH(UNBOUND), {UDP, .to = GROUP}},
	{"a datagram to everyone", DROP(POLICY), BOTH(UNBOUND), {UDP, .to = EVERYONE}},
	{"a datagram to everyone's MAC", DROP(POLICY), BOTH(ALL), {UDP, .is_group_mac = true, .dport = 444}},

	/* Frames. */
	{"a VLAN tag", PASS, BOTH(ALL), {TCP, .vlans = 1}},
	{"a VLAN tag hides no port", DROP(POLICY), BOTH(ALL), {TCP, .vlans = 1, .dport = 444}},
	{"a priority tag hides no port", DROP(POLICY), BOTH(ALL), {TCP, .vlans = 1, .is_priority_tag = true, .dport = 444}},
	{"QinQ", PASS, BOTH(ALL), {TCP, .vlans = 2}},
	{"QinQ hides no port", DROP(POLICY), BOTH(ALL), {UDP, .vlans = 2, .dport = 444}},
	{"three VLAN tags", DROP(UNSUPPORTED), BOTH(ALL), {TCP, .vlans = 3}},
	{"a VLAN tag around nothing known", DROP(UNSUPPORTED), V4(ALL), {TCP, .vlans = 1, .ethertype = 0x88cc}},
	{"a VLAN tag without what it tags", DROP(MALFORMED), V4(ALL), {TCP, .vlans = 1, .cut = 40}},
	{"half a VLAN tag", DROP(MALFORMED), V4(XDP), {TCP, .vlans = 1, .cut = 42}},
	{"IEEE 802.3 with a length", DROP(UNSUPPORTED), V4(ALL), {TCP, .ethertype = 100}},
	{"LLDP", DROP(UNSUPPORTED), V4(ALL), {TCP, .ethertype = 0x88cc}},
	{"PPPoE with IP inside", DROP(UNSUPPORTED), V4(ALL), {TCP, .ethertype = 0x8864}},
	{"MPLS with IP inside", DROP(UNSUPPORTED), V4(ALL), {TCP, .ethertype = 0x8847}},
	{"reverse ARP", DROP(UNSUPPORTED), V4(ALL), {TCP, .ethertype = 0x8035}},
	{"EtherType ffff", DROP(UNSUPPORTED), V4(ALL), {TCP, .ethertype = 0xffff}},
	{"IPv6 in an IPv4 frame", DROP(MALFORMED), V4(ALL), {TCP, .version = 6}},
	{"IPv4 in an IPv6 frame", DROP(MALFORMED), V6(ALL), {TCP, .version = 4}},

	/* ARP and neighbour discovery. */
	{"an ARP request", PASS, V4(ALL), {ARP}},
	{"an ARP announcement of one's own address", PASS, AT(V4, FROM, CLIENT), {ARP, .to = CLIENT}},
	{"an ARP answer for another's address", DROP(SPOOFED_SOURCE), AT(V4, FROM, CLIENT), {ARP, .from = SERVER, .is_arp_reply = true}},
	{"ARP of other hardware", DROP(MALFORMED), V4(ALL), {ARP, .arp_hardware = 6}},
	{"ARP of an operation that isn't its own", DROP(MALFORMED), V4(ALL), {ARP, .arp_operation = 3}},
	{"ARP cut in its last address", DROP(MALFORMED), V4(ALL), {ARP, .cut = 1}},
	{"a neighbour solicitation", PASS, V6(ALL), {TYPE(135), .target = "fd77:2::1"}},
	{"is this address free?", PASS, AT(V6, FROM, CLIENT), {TYPE(135), .from = NOBODY, .to = EVERYONE, .target = "fd77:1::1"}},
	{"another's address, claimed as free", DROP(SPOOFED_SOURCE), AT(V6, FROM, CLIENT), {TYPE(135), .from = NOBODY, .to = EVERYONE, .target = "fd77:2::1"}},
	{"a solicitation from beyond the link", DROP(NEIGHBOUR), V6(ALL), {TYPE(135), .target = "fd77:2::1", .hop_limit = 64}},
	{"another's address, advertised", DROP(SPOOFED_SOURCE), AT(V6, FROM, CLIENT), {TYPE(136), .target = "fd77:2::1"}},
	{"a workload that poses as a router", DROP(NEIGHBOUR), AT(V6, FROM, CLIENT), {TYPE(134), .from = LINK_LOCAL, .to = EVERYONE}},
	{"a router's advertisement in pieces", DROP(NEIGHBOUR), AT(V6, FROM, CLIENT), {TYPE(134), .from = LINK_LOCAL, .to = EVERYONE, .is_fragment = true}},
	{"a router's advertisement behind options", DROP(NEIGHBOUR), AT(V6, FROM, CLIENT), {TYPE(134), .from = LINK_LOCAL, .to = EVERYONE, .extensions = "DD"}},
	{"a redirect", DROP(NEIGHBOUR), AT(V6, FROM, CLIENT), {TYPE(137), .from = LINK_LOCAL}},

	/* Truncated: first where IP's length says so too, then where it lies. */
	{"nothing behind Ethernet, of IPv4", DROP(MALFORMED), V4(XDP), {TCP, .cut = 40}},
	{"nothing behind Ethernet, of IPv6", DROP(MALFORMED), V6(XDP), {TCP, .cut = 60}},
	{"one byte of an IPv4 header", DROP(MALFORMED), V4(XDP), {TCP, .cut = 39}},
	{"an IPv4 header without its last byte", DROP(MALFORMED), V4(XDP), {TCP, .cut = 21}},
	{"one byte of an IPv6 header", DROP(MALFORMED), V6(XDP), {TCP, .cut = 59}},
	{"an IPv6 header without its last byte", DROP(MALFORMED), V6(XDP), {TCP, .cut = 21}},
	{"nothing behind the IP header", DROP(MALFORMED), BOTH(ALL), {TCP, SHORTER(20)}},
	{"TCP without its ports' last byte", DROP(MALFORMED), BOTH(ALL), {TCP, SHORTER(17)}},
	{"TCP without its last byte", DROP(MALFORMED), BOTH(ALL), {TCP, SHORTER(1)}},
	{"TCP cut, and IP says it is whole", DROP(MALFORMED), BOTH(ALL), {TCP, .cut = 1}},
	{"UDP without its last byte", DROP(MALFORMED), BOTH(ALL), {UDP, SHORTER(1)}},
	{"SCTP without its last byte", DROP(MALFORMED), BOTH(ALL), {.proto = IPPROTO_SCTP, SHORTER(1)}},
	{"ICMP without its last byte", DROP(MALFORMED), BOTH(ALL), {PING, SHORTER(1)}},

	/* IP headers. */
	{"version 5", DROP(MALFORMED), BOTH(ALL), {TCP, .version = 5}},
	{"a header of 4 bytes", DROP(MALFORMED), V4(ALL), {TCP, .ihl = 1}},
	{"a header of 16 bytes", DROP(MALFORMED), V4(ALL), {TCP, .ihl = 4}},
	{"a header longer than its packet", DROP(MALFORMED), V4(ALL), {TCP, .ihl = 15}},
	{"length 0", DROP(MALFORMED), V4(ALL), {TCP, .ip_len_add = -40}},
	{"a length shorter than the header", DROP(MALFORMED), V4(ALL), {TCP, .ip_len_add = -21}},
	{"a length that cuts TCP", DROP(MALFORMED), BOTH(ALL), {TCP, .ip_len_add = -1}},
	{"a length beyond the frame", DROP(MALFORMED), BOTH(ALL), {TCP, .ip_len_add = 1}},
	{"a length far beyond the frame", DROP(MALFORMED), BOTH(ALL), {TCP, .ip_len_add = 1500}},
	{"the ports in the padding", DROP(MALFORMED), BOTH(ALL), {UDP, .padding = 8, .ip_len_add = -8}},
	{"padding behind a short packet", PASS, BOTH(ALL), {TCP, .padding = 6}},
	{"all the options there can be", PASS, V4(ALL), {TCP, .option_words = 10}},
	{"options hide no port", DROP(POLICY), V4(ALL), {TCP, .option_words = 10, .dport = 444}},
	{"options that look like ports", DROP(POLICY), V4(ALL), {UDP, .option_words = 10, .dport = 0x101}},
	{"a router alert", PASS, V4(ALL), {TCP, .option_words = 1, .options = "\x94\x04\0"}},
	{"an option of length 0", DROP(MALFORMED), V4(ALL), {TCP, .option_words = 1, .options = "\x94\0\0"}},
	{"an option of length 1", DROP(MALFORMED), V4(ALL), {TCP, .option_words = 1, .options = "\x94\x01\0"}},
	{"an option beyond the header", DROP(MALFORMED), V4(ALL), {TCP, .option_words = 1, .options = "\x94\x05\0"}},
	{"an option without its length", DROP(MALFORMED), V4(ALL), {TCP, .option_words = 1, .options = "\1\1\1\x94"}},
	{"a loose source route", DROP(IP_OPTIONS), V4(ALL), {TCP, .option_words = 2, .options = "\x83\x07\x04\x0a\x4d\x00\x02"}},
	{"a strict source route", DROP(IP_OPTIONS), V4(ALL), {TCP, .option_words = 2, .options = "\x89\x07\x04\x0a\x4d\x00\x02"}},
	{"a source route behind other options", DROP(IP_OPTIONS), V4(ALL), {TCP, .option_words = 4, .options = "\x01\x94\x04\x00\x00\x01\x01\x01\x83\x07\x04\x0a\x4d\x00\x02"}},
	{"a source route in a later fragment", DROP(IP_OPTIONS), V4(ALL), {UDP, .option_words = 2, .options = "\x83\x07\x04\x0a\x4d\x00\x02", TAIL(9)}},

	/* Chains of IPv6. */
	{"hop-by-hop options", PASS, V6(ALL), {TCP, .extensions = "H"}},
	{"hop-by-hop options hide no port", DROP(POLICY), V6(ALL), {TCP, .extensions = "H", .dport = 444}},
	{"hop-by-hop options again and again", DROP(POLICY), V6(ALL), {TCP, .extensions = "HHHH", .dport = 444}},
	{"destination options hide no port", DROP(POLICY), V6(ALL), {TCP, .extensions = "D", .dport = 444}},
	{"authentication, whose length has other units", DROP(POLICY), V6(ALL), {TCP, .extensions = "A", .dport = 444}},
	{"a chain of many kinds", PASS, V6(ALL), {TCP, .extensions = "HDAD"}},
	{"a chain hides no port", DROP(POLICY), V6(ALL), {TCP, .extensions = "HDAD", .dport = 444}},
	{"a chain of nine", DROP(EXTENSIONS), V6(ALL), {TCP, .extensions = "HDDDDDDDD"}},
	{"520 bytes of options", DROP(EXTENSIONS), V6(ALL), {TCP, .extensions = "D", .extension_len = 64, .payload = 1000}},
	{"options longer than their packet", DROP(MALFORMED), V6(ALL), {TCP, .extensions = "D", .extension_len = 255}},
	{"a length that ends in an extension", DROP(MALFORMED), V6(ALL), {TCP, .extensions = "D", .ip_len_add = -24}},
	{"a routing header", DROP(EXTENSIONS), V6(ALL), {TCP, .extensions = "R"}},
	{"a routing header within a chain", DROP(EXTENSIONS), V6(ALL), {TCP, .extensions = "HRD"}},
	{"mobility", DROP(UNSUPPORTED), V6(ALL), {TCP, .extensions = "M"}},
	{"a header that nobody knows", DROP(POLICY), V6(ALL), {TCP, .extensions = "S"}},
	{"no next header", DROP(UNSUPPORTED), V6(ALL), {.proto = IPPROTO_NONE, .payload = 8}},
	{"a chain that ends in nothing", DROP(UNSUPPORTED), V6(ALL), {.proto = IPPROTO_NONE, .extensions = "D"}},
	{"a jumbogram", DROP(MALFORMED), V6(ALL), {TCP, .extensions = "H", .ip_len_add = -36}},
	{"no length, and no jumbogram", DROP(MALFORMED), V6(ALL), {TCP, .ip_len_add = -20}},
	{"an atomic fragment", PASS, V6(ALL), {TCP, .extensions = "F"}},
	{"an atomic fragment hides no port", DROP(POLICY), V6(ALL), {TCP, .extensions = "HFD", .dport = 444}},
	{"a fragment in a fragment", DROP(MALFORMED), V6(ALL), {UDP, .extensions = "FF", FIRST}},
	{"a first fragment that ends before its ports", DROP(MALFORMED), V6(ALL), {UDP, .extensions = "FD", .is_fragment = true, SHORTER(8)}},

	/* Transport. */
	{"all the TCP options there can be", PASS, BOTH(ALL), {TCP, .doff = 15, .payload = 40}},
	{"a TCP header of no length", DROP(MALFORMED), BOTH(ALL), {TCP, .doff = 16}},
	{"a TCP header of 16 bytes", DROP(MALFORMED), BOTH(ALL), {TCP, .doff = 4}},
	{"a TCP header longer than its packet", DROP(MALFORMED), BOTH(ALL), {TCP, .doff = 6}},
	{"a TCP header that ends in padding", DROP(MALFORMED), BOTH(ALL), {TCP, .doff = 6, .padding = 4}},
	{"TCP without a flag", DROP(NO_CONNECTION), BOTH(ALL), {TCP, .flags = ""}},
	{"FIN, PSH and URG", DROP(NO_CONNECTION), BOTH(ALL), {TCP, .flags = "FPU"}},
	{"every flag of TCP", DROP(NO_CONNECTION), BOTH(ALL), {TCP, .flags = "FSRPAUEC"}},
	{"SYN and FIN", DROP(NO_CONNECTION), BOTH(ALL), {TCP, .flags = "SF"}},
	{"SYN and RST", DROP(NO_CONNECTION), BOTH(ALL), {TCP, .flags = "SR"}},
	{"SYN and ACK of no connection", DROP(NO_CONNECTION), BOTH(ALL), {TCP, .flags = "SA"}},
	{"ACK of no connection", DROP(NO_CONNECTION), BOTH(ALL), {TCP, .flags = "A"}},
	{"RST of no connection", DROP(NO_CONNECTION), BOTH(ALL), {TCP, .flags = "R"}},
	{"UDP of length 0", DROP(MALFORMED), BOTH(ALL), {UDP, .udp_len_add = -8}},
	{"UDP of length 7", DROP(MALFORMED), BOTH(ALL), {UDP, .udp_len_add = -1}},
	{"UDP longer than its packet", DROP(MALFORMED), BOTH(ALL), {UDP, .udp_len_add = 1}},
	{"UDP longer, into the padding", DROP(MALFORMED), BOTH(ALL), {UDP, .udp_len_add = 4, .padding = 4}},
	{"UDP-Lite, with UDP's ports", DROP(POLICY), BOTH(ALL), {.proto = IPPROTO_UDPLITE, .payload = 8, .begin = {0x9c, 0x40, 0x01, 0xbb}}},
	{"protocol 255", DROP(POLICY), BOTH(ALL), {.proto = 255, .payload = 8}},
	{"IGMP of nothing", DROP(POLICY), BOTH(ALL), {.proto = IPPROTO_IGMP}},

	/* Packets in packets. */
	{"IPv4 inside", DROP(POLICY), BOTH(ALL), {.proto = IPPROTO_IPIP, .payload = 48}},
	{"IPv6 inside", DROP(POLICY), BOTH(ALL), {.proto = IPPROTO_IPV6, .payload = 68}},
	{"GRE", DROP(POLICY), BOTH(ALL), {.proto = IPPROTO_GRE, .payload = 52}},
	{"ESP", DROP(POLICY), BOTH(ALL), {.proto = IPPROTO_ESP, .payload = 52}},
	{"VXLAN", DROP(POLICY), BOTH(ALL), {UDP, .dport = 4789, .payload = 58}},

	/* Addresses. */
	{"an allowed one's source, from another workload", DROP(SPOOFED_SOURCE), AT(BOTH, FROM, OTHER), {TCP}},
	{"the outside's source, from a workload", DROP(SPOOFED_SOURCE), AT(BOTH, FROM, CLIENT), {TCP, .from = OUTSIDER}},
	{"this machine's source, from a workload", DROP(SPOOFED_SOURCE), AT(BOTH, FROM, CLIENT), {TCP, .from = NODE}},
	{"this machine's own source, from the wire", DROP(SPOOFED_SOURCE), AT(BOTH, HOST_IN, SERVER), {TCP, .from = SERVER, .to = SERVER}},
	{"from loopback", DROP(SPOOFED_SOURCE), BOTH(ALL), {TCP, .from = LOOPBACK}},
	{"from nobody", DROP(SPOOFED_SOURCE), AT(BOTH, UNBOUND, SERVER), {TCP, .from = NOBODY}},
	{"from a group", DROP(SPOOFED_SOURCE), BOTH(ALL), {TCP, .from = GROUP}},
	{"from everyone", DROP(SPOOFED_SOURCE), BOTH(ALL), {TCP, .from = EVERYONE}},
	{"from this network", DROP(SPOOFED_SOURCE), V4(ALL), {TCP, .src = "0.1.2.3"}},
	{"to loopback", DROP(MALFORMED), AT(BOTH, ALL, SERVER), {TCP, .to = LOOPBACK}},
	{"to nobody", DROP(MALFORMED), AT(BOTH, ALL, SERVER), {TCP, .to = NOBODY}},
	{"from IPv4, mapped", DROP(MALFORMED), V6(ALL), {TCP, .src = "::ffff:10.77.1.1"}},
	{"to IPv4, mapped", DROP(MALFORMED), V6(ALL), {TCP, .dst = "::ffff:10.77.2.1"}},
	{"from IPv4, compatible", DROP(MALFORMED), V6(ALL), {TCP, .src = "::10.77.1.1"}},
	{"to IPv4, compatible", DROP(MALFORMED), V6(ALL), {TCP, .dst = "::10.77.2.1"}},

	/* Fragments. */
	{"a first fragment", PASS, BOTH(ALL), {UDP, FIRST}},
	{"its middle", THEN_PASS, BOTH(ALL), {UDP, TAIL(9)}},
	{"its last", THEN_PASS, BOTH(ALL), {UDP, LAST(17)}},
	{"one that reaches back into the first", THEN_DROP(FRAGMENT), BOTH(ALL), {UDP, TAIL(4)}},
	{"one of another datagram", THEN_DROP(FRAGMENT), BOTH(ALL), {UDP, .is_fragment = true, .fragment_id = 78, .offset = 9, .payload = 64}},
	{"one of another protocol", THEN_DROP(FRAGMENT), BOTH(ALL), {TCP, TAIL(9)}},
	{"another first, to another port", THEN_DROP(POLICY), BOTH(ALL), {UDP, FIRST, .dport = 444}},
	{"a first fragment to another port", DROP(POLICY), BOTH(ALL), {UDP, FIRST, .dport = 444}},
	{"its middle alone", THEN_DROP(FRAGMENT), BOTH(ALL), {UDP, TAIL(9)}},
	{"a first fragment of TCP", PASS, BOTH(ALL), {TCP, .is_fragment = true, .fragment_id = 77, .payload = 52}},
	{"one over TCP's flags", THEN_DROP(FRAGMENT), BOTH(ALL), {TCP, TAIL(1)}},
	{"one over TCP's end", THEN_DROP(FRAGMENT), BOTH(ALL), {TCP, TAIL(2)}},
	{"TCP without its flags, the rest to come", DROP(MALFORMED), BOTH(ALL), {TCP, .is_fragment = true, SHORTER(12)}},
	{"16 bytes of TCP, the rest to come", DROP(MALFORMED), BOTH(ALL), {TCP, .is_fragment = true, SHORTER(4)}},
	{"TCP without its options, the rest to come", DROP(MALFORMED), BOTH(ALL), {TCP, .is_fragment = true, .doff = 8, .payload = 4}},
	{"the last alone", DROP(FRAGMENT), BOTH(ALL), {UDP, LAST(9)}},
	{"a last of nothing", DROP(MALFORMED), BOTH(ALL), {UDP, .is_fragment = true, .offset = 9, .is_last = true}},
	{"a last beyond 65535 bytes", DROP(MALFORMED), BOTH(ALL), {UDP, LAST(8191)}},
	{"a first of odd length", DROP(MALFORMED), BOTH(ALL), {UDP, .is_fragment = true, .payload = 9}},
	{"a fragment that may not be one", DROP(MALFORMED), V4(ALL), {UDP, FIRST, .has_df = true}},

	/* Answers, and errors about what was sent. */
	{"a SYN that is answered", PASS, BOTH(ALL), {TCP}},
	{"an answer from another port", BACK_DROP(NO_CONNECTION), BOTH(ALL), {TCP, .from = SERVER, .to = CLIENT, .sport = 444, .dport = SPEC_SPORT, .flags = "SA", .ack = 1}},
	{"a SYN the other way", BACK_DROP(POLICY), BOTH(ALL), {TCP, .from = SERVER, .to = CLIENT}},
	{"its answer", BACK_PASS, BOTH(ALL), {TCP, RETURNED, .flags = "SA", .ack = 1}},
	{"an error about it", BACK_PASS, BOTH(ALL), {UNREACHABLE, QUOTING(TCP)}},
	{"an error about another port", BACK_DROP(ICMP_UNRELATED), BOTH(ALL), {UNREACHABLE, QUOTING(TCP, .dport = 444)}},
	{"an error about another protocol", BACK_DROP(ICMP_UNRELATED), BOTH(ALL), {UNREACHABLE, QUOTING(UDP)}},
	{"an error about what it sent itself", BACK_DROP(ICMP_UNRELATED), BOTH(ALL), {UNREACHABLE, QUOTING(TCP, RETURNED)}},
	{"an error about an error", BACK_DROP(ICMP_UNRELATED), BOTH(ALL), {UNREACHABLE, QUOTING(.icmp = ICMP_UNREACHABLE)}},
	{"an error about a later fragment", BACK_DROP(ICMP_UNRELATED), BOTH(ALL), {UNREACHABLE, QUOTING(TCP, TAIL(100))}},
	{"an error about IP of version 5", BACK_DROP(ICMP_UNRELATED), BOTH(ALL), {UNREACHABLE, QUOTING(TCP, .version = 5)}},
	{"an error about a header of 4 bytes", BACK_DROP(ICMP_UNRELATED), V4(ALL), {UNREACHABLE, QUOTING(TCP, .ihl = 1)}},
	{"an error with 7 bytes of TCP, IPv4", BACK_DROP(ICMP_UNRELATED), V4(ALL), {UNREACHABLE, QUOTING(TCP), .quoted_len = 27}},
	{"an error with 7 bytes of TCP, IPv6", BACK_DROP(ICMP_UNRELATED), V6(ALL), {UNREACHABLE, QUOTING(TCP), .quoted_len = 47}},
	{"an ICMP redirect about it", BACK_DROP(POLICY), V4(ALL), {TYPE(5), .from = SERVER, .to = CLIENT, .code = 1, QUOTING(TCP)}},
	{"an error about nothing", DROP(ICMP_UNRELATED), BOTH(ALL), {.icmp = ICMP_UNREACHABLE}},
	{"an ICMP timestamp", DROP(POLICY), V4(ALL), {TYPE(13)}},
};
/* clang-format on */

const size_t selftest_corpus_count = COUNT(selftest_corpus);
