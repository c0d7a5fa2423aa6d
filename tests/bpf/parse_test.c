/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>

#include <netinet/in.h>

#include "tests/bpf/table.h"

/* Port 443 is allowed, all else isn't: what is parsed wrongly gets the wrong verdict. */
static const char rules[] = "    - {name: web, from: client, to: server, services: [tcp/443, "
			    "udp/443, sctp/443, proto/47]}\n";

/* clang-format off */
static const struct row frames[] = {
	{"one VLAN tag", {.vlans = 1}, BH_REASON_NONE, "web"},
	{"one VLAN tag hides nothing", {.vlans = 1, .dport = 444}, BH_REASON_POLICY, "default"},
	{"two VLAN tags", {.vlans = 2}, BH_REASON_NONE, "web"},
	{"two VLAN tags hide nothing", {.vlans = 2, .dport = 444}, BH_REASON_POLICY, "default"},
	{"three VLAN tags", {.vlans = 3}, BH_REASON_UNSUPPORTED, "none"},
	{"a tag and then nothing known", {.vlans = 1, .ethertype = 0x88cc}, BH_REASON_UNSUPPORTED, "none"},
	{"a tag without what it tags", {.vlans = 1, .cut = 60, .payload = 20}, BH_REASON_MALFORMED, "none", FAMILY_V4},
	{"padding behind a short packet", {.padding = 6}, BH_REASON_NONE, "web"},
	{"ports in the padding only", {.proto = IPPROTO_UDP, .padding = 8, .ip_len_add = -8}, BH_REASON_MALFORMED, "none"},

	{"LLDP", {.ethertype = 0x88cc}, BH_REASON_UNSUPPORTED, "none"},
	{"PPPoE with IP inside", {.ethertype = 0x8864}, BH_REASON_UNSUPPORTED, "none"},
	{"MPLS with IP inside", {.ethertype = 0x8847}, BH_REASON_UNSUPPORTED, "none"},
	{"802.3 with a length", {.ethertype = 60}, BH_REASON_UNSUPPORTED, "none"},
	{"EtherType 0", {.vlans = 1, .ethertype = 1}, BH_REASON_UNSUPPORTED, "none"},
	{"EtherType ffff", {.ethertype = 0xffff}, BH_REASON_UNSUPPORTED, "none"},
};

static const struct row ipv4[] = {
	{"one word of options", {.option_words = 1}, BH_REASON_NONE, "web", FAMILY_V4},
	{"options hide no port", {.option_words = 1, .dport = 444}, BH_REASON_POLICY, "default", FAMILY_V4},
	{"all the options there can be", {.option_words = 10}, BH_REASON_NONE, "web", FAMILY_V4},
	{"all of them hide no port", {.option_words = 10, .dport = 444}, BH_REASON_POLICY, "default", FAMILY_V4},
	{"options that look like ports", {.option_words = 10, .proto = IPPROTO_UDP, .dport = 0x101}, BH_REASON_POLICY, "default", FAMILY_V4},
	{"a header of 16 bytes", {.ihl = 4}, BH_REASON_MALFORMED, "none", FAMILY_V4},
	{"a header of 4 bytes", {.ihl = 1}, BH_REASON_MALFORMED, "none", FAMILY_V4},
	{"a header longer than the packet", {.ihl = 15}, BH_REASON_MALFORMED, "none", FAMILY_V4},
	{"a header that ends behind the ports", {.proto = IPPROTO_SCTP, .ihl = 6, .sport = 0x101, .dport = 0x101, .payload = 4}, BH_REASON_POLICY, NULL, FAMILY_V4},
	{"version 5", {.version = 5}, BH_REASON_MALFORMED, "none"},
	{"IPv6 in an IPv4 frame", {.version = 6}, BH_REASON_MALFORMED, "none", FAMILY_V4},
	{"a length without the ports", {.ip_len_add = -20}, BH_REASON_MALFORMED, "none", FAMILY_V4},
	{"a length that cuts TCP", {.ip_len_add = -1}, BH_REASON_MALFORMED, "none"},
	{"a length beyond the frame", {.ip_len_add = 1}, BH_REASON_MALFORMED, "none"},
	{"a length far beyond the frame", {.ip_len_add = 1500}, BH_REASON_MALFORMED, "none"},
	{"length 0", {.ip_len_add = -40}, BH_REASON_MALFORMED, "none", FAMILY_V4},
	{"shorter than its header", {.ip_len_add = -21}, BH_REASON_MALFORMED, "none", FAMILY_V4},
};

static const struct row transport[] = {
	{"TCP options", {.doff = 15, .payload = 40}, BH_REASON_NONE, "web"},
	{"a TCP header of 16 bytes", {.doff = 4}, BH_REASON_MALFORMED, "none"},
	{"a TCP header longer than its packet", {.doff = 6}, BH_REASON_MALFORMED, "none"},
	{"a TCP header that ends in padding", {.doff = 6, .padding = 4}, BH_REASON_MALFORMED, "none"},
	{"UDP", {.proto = IPPROTO_UDP, .payload = 3}, BH_REASON_NONE, "web"},
	{"UDP of nothing", {.proto = IPPROTO_UDP}, BH_REASON_NONE, "web"},
	{"UDP length 0", {.proto = IPPROTO_UDP, .udp_len_add = -8}, BH_REASON_MALFORMED, "none"},
	{"UDP length 7", {.proto = IPPROTO_UDP, .udp_len_add = -1}, BH_REASON_MALFORMED, "none"},
	{"UDP longer than its packet", {.proto = IPPROTO_UDP, .udp_len_add = 1}, BH_REASON_MALFORMED, "none"},
	{"UDP longer, into the padding", {.proto = IPPROTO_UDP, .udp_len_add = 1, .padding = 4}, BH_REASON_MALFORMED, "none"},
	{"UDP shorter than its packet", {.proto = IPPROTO_UDP, .payload = 8, .udp_len_add = -8}, BH_REASON_NONE, "web"},
	{"SCTP", {.proto = IPPROTO_SCTP}, BH_REASON_NONE, "web"},
	{"SCTP cut in its header", {.proto = IPPROTO_SCTP, .cut = 1, .ip_len_add = -1}, BH_REASON_MALFORMED, "none"},
	{"ICMP cut in its header", {.icmp = ICMP_ECHO_REQUEST, .cut = 1, .ip_len_add = -1}, BH_REASON_MALFORMED, "none"},
	{"a protocol of no bytes", {.proto = PROTO_GRE}, BH_REASON_NONE, "web"},
	{"protocol 255", {.proto = 255, .payload = 8}, BH_REASON_POLICY, "default"},
};

static const struct row ipv6[] = {
	{"hop-by-hop options", {.extensions = "H"}, BH_REASON_NONE, "web", FAMILY_V6},
	{"they hide no port", {.extensions = "H", .dport = 444}, BH_REASON_POLICY, "default", FAMILY_V6},
	{"destination options", {.extensions = "D"}, BH_REASON_NONE, "web", FAMILY_V6},
	{"they hide no port either", {.extensions = "D", .dport = 444}, BH_REASON_POLICY, "default", FAMILY_V6},
	{"authentication", {.extensions = "A"}, BH_REASON_NONE, "web", FAMILY_V6},
	{"it has other units", {.extensions = "A", .dport = 444}, BH_REASON_POLICY, "default", FAMILY_V6},
	{"one that ends behind the ports", {.proto = IPPROTO_SCTP, .extensions = "D", .extension_len = 3, .payload = 16}, BH_REASON_POLICY, NULL, FAMILY_V6},
	{"one that is longer than the packet", {.extensions = "D", .extension_len = 4}, BH_REASON_MALFORMED, "none", FAMILY_V6},
	{"one of 2048 bytes", {.extensions = "D", .extension_len = 255}, BH_REASON_MALFORMED, "none", FAMILY_V6},
	{"a chain", {.extensions = "HDAD"}, BH_REASON_NONE, "web", FAMILY_V6},
	{"eight of them", {.extensions = "HDDDDDDD"}, BH_REASON_NONE, "web", FAMILY_V6},
	{"eight of them hide no port", {.extensions = "HDDDDDDD", .dport = 444}, BH_REASON_POLICY, "default", FAMILY_V6},
	{"nine of them", {.extensions = "HDDDDDDDD"}, BH_REASON_EXTENSIONS, "none", FAMILY_V6},
	{"source routing", {.extensions = "R"}, BH_REASON_EXTENSIONS, "none", FAMILY_V6},
	{"source routing within a chain", {.extensions = "HRD"}, BH_REASON_EXTENSIONS, "none", FAMILY_V6},
	{"mobility", {.extensions = "M"}, BH_REASON_UNSUPPORTED, "none", FAMILY_V6},
	{"Shim6 is a protocol to us", {.extensions = "S"}, BH_REASON_POLICY, "default", FAMILY_V6},
	{"no next header", {.proto = IPPROTO_NONE, .payload = 8}, BH_REASON_UNSUPPORTED, "none", FAMILY_V6},
	{"a chain that ends in nothing", {.extensions = "D", .proto = IPPROTO_NONE}, BH_REASON_UNSUPPORTED, "none", FAMILY_V6},
	{"a jumbogram", {.extensions = "H", .ip_len_add = -36}, BH_REASON_MALFORMED, "none", FAMILY_V6},
	{"a length that ends in an extension", {.extensions = "D", .ip_len_add = -24}, BH_REASON_MALFORMED, "none", FAMILY_V6},
	{"IPv4 in an IPv6 frame", {.version = 4}, BH_REASON_MALFORMED, "none", FAMILY_V6},
	{"an atomic fragment", {.extensions = "F"}, BH_REASON_NONE, "web", FAMILY_V6},
	{"it hides no port", {.extensions = "F", .dport = 444}, BH_REASON_POLICY, "default", FAMILY_V6},
	{"two fragment headers", {.extensions = "FF", .is_fragment = true}, BH_REASON_MALFORMED, "none", FAMILY_V6},
	{"the ports in the second fragment", {.extensions = "FD", .is_fragment = true, .cut = 20, .ip_len_add = -20}, BH_REASON_MALFORMED, "none", FAMILY_V6},
};

static const struct row fragments[] = {
	{"a first fragment", {.is_fragment = true, .payload = 12}, BH_REASON_NONE, "web"},
	{"a first fragment hides no port", {.is_fragment = true, .payload = 12, .dport = 444}, BH_REASON_POLICY, "default"},
	{"a first of UDP, cut by its length", {.proto = IPPROTO_UDP, .is_fragment = true, .udp_len_add = 2000}, BH_REASON_NONE, "web"},
	{"a first fragment of 16 TCP bytes", {.is_fragment = true, .cut = 4, .ip_len_add = -4}, BH_REASON_MALFORMED, "none"},
	{"a first fragment without TCP's options", {.is_fragment = true, .doff = 8}, BH_REASON_MALFORMED, "none"},
	{"a tail without its first", {.is_fragment = true, .offset = 100, .payload = 64}, BH_REASON_FRAGMENT, "none"},
	{"the last without its first", {.is_fragment = true, .offset = 100, .is_last = true, .payload = 3}, BH_REASON_FRAGMENT, "none"},
	{"the farthest tail", {.is_fragment = true, .offset = 0x1fff, .is_last = true, .payload = 7}, BH_REASON_FRAGMENT, "none"},
	{"a tail over TCP's flags", {.is_fragment = true, .offset = 1, .payload = 16}, BH_REASON_FRAGMENT, "none"},
	{"a tail over TCP's end", {.is_fragment = true, .offset = 2, .payload = 16}, BH_REASON_FRAGMENT, "none"},
	{"a tail of a protocol without ports", {.proto = PROTO_GRE, .is_fragment = true, .offset = 1, .payload = 16}, BH_REASON_FRAGMENT, "none"},
	{"one that is first and last", {.is_fragment = true, .is_last = true}, BH_REASON_NONE, "web"},
};

static const struct row addresses[] = {
	{"a multicast source", {.from = GROUP}, BH_REASON_SPOOFED_SOURCE, "none"},
	{"a broadcast source", {.from = EVERYONE}, BH_REASON_SPOOFED_SOURCE, "none"},
	{"a loopback source", {.from = LOOPBACK}, BH_REASON_SPOOFED_SOURCE, "none"},
	{"no source", {.from = NOBODY}, BH_REASON_SPOOFED_SOURCE, "none", .programs = ON_HOST_IN | ON_TO | ON_FROM, .stand = SERVER},
	{"another loopback source", {.src = "127.255.0.1"}, BH_REASON_SPOOFED_SOURCE, "none", FAMILY_V4},
	{"a loopback destination", {.to = LOOPBACK}, BH_REASON_MALFORMED, "none", .stand = SERVER},
	{"no destination", {.to = NOBODY}, BH_REASON_MALFORMED, "none", .stand = SERVER},
	{"IPv4 that poses as IPv6", {.src = "::ffff:10.77.1.1"}, BH_REASON_MALFORMED, "none", FAMILY_V6},
	{"to IPv4 that poses as IPv6", {.dst = "::ffff:10.77.2.1"}, BH_REASON_MALFORMED, "none", FAMILY_V6},
	{"low traffic class and hop limit", {.hop_limit = 1}, BH_REASON_NONE, "web"},
	{"the highest hop limit", {.hop_limit = 255}, BH_REASON_NONE, "web"},
};
/* clang-format on */

static void run(void **state, const struct row *rows, size_t count)
{
	struct rig *rig = *state;

	rig_policy(rig, rules);
	table_run(rig, rows, count);
}

static void frames_are_parsed_or_dropped(void **state)
{
	run(state, frames, COUNT(frames));
}

static void ipv4_headers_are_parsed_or_dropped(void **state)
{
	run(state, ipv4, COUNT(ipv4));
}

static void ipv6_header_chains_are_parsed_or_dropped(void **state)
{
	run(state, ipv6, COUNT(ipv6));
}

static void transport_headers_are_parsed_or_dropped(void **state)
{
	run(state, transport, COUNT(transport));
}

static void fragments_hide_nothing(void **state)
{
	run(state, fragments, COUNT(fragments));
}

static void addresses_that_are_on_no_wire_are_dropped(void **state)
{
	run(state, addresses, COUNT(addresses));
}

/* L2-08: cut at every length; lengths in headers go with it, or (@is_lying) stay as they were. */
/* clang-format off */
static const struct row sweep[] = {
	{"TCP", {}},
	{"TCP behind tags", {.vlans = 2}},
	{"TCP behind options", {.option_words = 10}, .family = FAMILY_V4},
	{"TCP behind extensions", {.extensions = "HDAF"}, .family = FAMILY_V6},
	{"UDP", {.proto = IPPROTO_UDP}},
	{"SCTP", {.proto = IPPROTO_SCTP}},
	{"a first fragment", {.is_fragment = true, .payload = 4}},
};
/* clang-format on */

static void sweep_row(struct rig *rig, const struct row *row, enum program program, bool is_v6)
{
	struct packet_spec packet = row->packet;
	size_t whole;
	char name[128];

	packet.is_v6 = is_v6;
	whole = packet_build(&packet).len;
	for (int is_lying = 0; is_lying < 2; is_lying++) {
		for (size_t cut = 1; cut <= whole - 14; cut++) {
			struct packet_spec shorter = packet;
			struct frame frame;

			shorter.cut = (uint16_t)cut;
			shorter.ip_len_add = is_lying ? 0 : -(int)cut;
			frame = packet_build(&shorter);
			snprintf(name, sizeof(name), "%s but %zu bytes%s",
				 table_place(row->name, is_v6, program), cut,
				 is_lying ? ", lying" : "");
			if (!rig_can_run(program, &frame))
				continue;
			assert_row(name, rig_run_frame(rig, name, program, &frame).reason ==
						 BH_REASON_MALFORMED);
		}
	}
	rig_forget(rig);
	assert_row(row->name, rig_run(rig, row->name, program, &packet).is_passed);
}

static void nothing_that_is_cut_short_passes(void **state)
{
	struct rig *rig = *state;

	rig_policy(rig, rules);
	rig_stand(rig, SERVER);
	for (size_t i = 0; i < COUNT(sweep); i++) {
		for (int is_v6 = 0; is_v6 < 2; is_v6++) {
			if (!family_has(sweep[i].family, is_v6))
				continue;
			sweep_row(rig, &sweep[i], PROGRAM_XDP_IN, is_v6);
			sweep_row(rig, &sweep[i], PROGRAM_TO, is_v6);
		}
	}
}

/* 4-05, and the same of IPv6. */
static void only_protocols_with_a_rule_pass(void **state)
{
	struct rig *rig = *state;
	char name[64];

	rig_policy(rig, rules);
	rig_stand(rig, SERVER);
	for (int i = 2; i < 512; i++) {
		int proto = i / 2;
		bool is_allowed = proto == IPPROTO_TCP || proto == IPPROTO_UDP ||
				  proto == IPPROTO_SCTP || proto == PROTO_GRE;
		/* Where ports would be: 40000, 443; no header that is known is shorter. */
		const struct packet_spec packet = {
			.is_v6 = i & 1, .proto = (uint8_t)proto, .payload = 40};

		snprintf(name, sizeof(name), "4-05 protocol %d of IPv%d", proto, i & 1 ? 6 : 4);
		rig_forget(rig);
		assert_row(name, rig_run(rig, name, PROGRAM_TO, &packet).is_passed == is_allowed);
		assert_row(name,
			   rig_run(rig, name, PROGRAM_XDP_IN, &packet).is_passed == is_allowed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_are_parsed_or_dropped),
		cmocka_unit_test(ipv4_headers_are_parsed_or_dropped),
		cmocka_unit_test(ipv6_header_chains_are_parsed_or_dropped),
		cmocka_unit_test(transport_headers_are_parsed_or_dropped),
		cmocka_unit_test(fragments_hide_nothing),
		cmocka_unit_test(addresses_that_are_on_no_wire_are_dropped),
		cmocka_unit_test(nothing_that_is_cut_short_passes),
		cmocka_unit_test(only_protocols_with_a_rule_pass),
	};

	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
