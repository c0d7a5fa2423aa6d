/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <linux/if_ether.h>
#include <netinet/in.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bulkhead.skel.h"
#include "tests/bpf/table.h"

#define OFF(builtin) (1u << BH_BUILTIN_##builtin)
#define ARP          .ethertype = ETH_P_ARP
#define ND(number)   .icmp = ICMP_TYPE, .type = (number)

static const char rules[] =
	"    - {name: all, from: client, to: server, services: any}\n"
	"    - {name: dhcp-server, from: server, to: client, services: udp/68}\n";

/* clang-format off */
static const struct row sources[] = {
	{"its own address", {}, BH_REASON_NONE, "all", .programs = ON_FROM},
	{"another's address", {.from = OTHER}, BH_REASON_SPOOFED_SOURCE, "none", .programs = ON_FROM, .stand = CLIENT},
	{"an allowed one's address", {}, BH_REASON_SPOOFED_SOURCE, "none", .programs = ON_FROM, .stand = OTHER},
	{"the machine's address", {.from = NODE}, BH_REASON_SPOOFED_SOURCE, "none", .programs = ON_FROM, .stand = CLIENT},
	{"no address", {.from = NOBODY}, BH_REASON_SPOOFED_SOURCE, "none", .programs = ON_FROM, .stand = CLIENT},
	{"a link-local address", {.from = LINK_LOCAL}, BH_REASON_SPOOFED_SOURCE, "none", .programs = ON_FROM, .stand = CLIENT},
	{"another's, in a tail", {.from = OTHER, .is_fragment = true, .offset = 9, .payload = 64}, BH_REASON_FRAGMENT, "none", .programs = ON_FROM, .stand = CLIENT},
	{"another's, in a ping", {.from = OTHER, .icmp = ICMP_ECHO_REQUEST}, BH_REASON_SPOOFED_SOURCE, "none", .programs = ON_FROM, .stand = CLIENT},
	{"another's, in an ICMP error", {.from = OTHER, .icmp = ICMP_UNREACHABLE}, BH_REASON_SPOOFED_SOURCE, "none", .programs = ON_FROM, .stand = CLIENT},
	{"another's, in the middle of a connection", {.from = OTHER, .flags = "A"}, BH_REASON_SPOOFED_SOURCE, "none", .programs = ON_FROM, .stand = CLIENT},
	{"towards a workload any source", {.from = OTHER}, BH_REASON_POLICY, "default", .programs = ON_TO},

	{"the machine's address from the wire", {.from = SERVER}, BH_REASON_SPOOFED_SOURCE, "none", .programs = ON_HOST_IN},
	{"from itself to itself, on the wire", {.from = SERVER, .to = SERVER}, BH_REASON_SPOOFED_SOURCE, "none", .programs = ON_HOST_IN},
	{"the machine's address to another", {.from = SERVER, .to = OTHER}, BH_REASON_SPOOFED_SOURCE, "none", .programs = ON_HOST_IN, .stand = SERVER},
	{"the machine's address to another, in a datagram", {.from = SERVER, .to = OTHER, .proto = IPPROTO_UDP}, BH_REASON_SPOOFED_SOURCE, "none", .programs = ON_HOST_IN, .stand = SERVER},
	{"the machine's address to another, in the middle of a connection", {.from = SERVER, .to = OTHER, .flags = "A"}, BH_REASON_SPOOFED_SOURCE, "none", .programs = ON_HOST_IN, .stand = SERVER},
	{"no address on the wire", {.from = NOBODY}, BH_REASON_SPOOFED_SOURCE, "none", .programs = ON_HOST_IN},
	{"the machine's own packets", {}, BH_REASON_NONE, "all", .programs = ON(PROGRAM_HOST_OUT)},
};

static const struct row arp[] = {
	{"a question", {ARP}, BH_REASON_NONE, "builtin-arp", FAMILY_V4},
	{"an answer", {ARP, .is_arp_reply = true}, BH_REASON_NONE, "builtin-arp", FAMILY_V4},
	{"a probe, without a sender", {ARP, .from = NOBODY}, BH_REASON_NONE, "builtin-arp", FAMILY_V4, .stand = CLIENT},
	{"an announcement", {ARP, .to = CLIENT}, BH_REASON_NONE, "builtin-arp", FAMILY_V4, ON_FROM},
	{"for another", {ARP, .from = OTHER}, BH_REASON_SPOOFED_SOURCE, "none", FAMILY_V4, ON_FROM, CLIENT},
	{"an answer for another", {ARP, .from = NODE, .is_arp_reply = true}, BH_REASON_SPOOFED_SOURCE, "none", FAMILY_V4, ON_FROM, CLIENT},
	{"for this machine, from the wire", {ARP, .from = SERVER, .is_arp_reply = true}, BH_REASON_SPOOFED_SOURCE, "none", FAMILY_V4, ON_HOST_IN, SERVER},
	{"towards a workload", {ARP, .from = OTHER}, BH_REASON_NONE, "builtin-arp", FAMILY_V4, ON_TO},
	{"behind a tag", {ARP, .vlans = 1}, BH_REASON_NONE, "builtin-arp", FAMILY_V4},
	{"of other hardware", {ARP, .arp_hardware = 6}, BH_REASON_MALFORMED, "none", FAMILY_V4},
	{"an answer for the reverse", {ARP, .arp_operation = 4}, BH_REASON_MALFORMED, "none", FAMILY_V4},
	{"cut short", {ARP, .cut = 1}, BH_REASON_MALFORMED, "none", FAMILY_V4},
};

static const struct row arp_off[] = {
	{"a question", {ARP}, BH_REASON_NEIGHBOUR, "none", FAMILY_V4},
	{"IP goes on", {}, BH_REASON_NONE, "all"},
};

static const struct row nd[] = {
	{"a target behind the packet's end", {ND(135), .target = "fd77:2::1", .ip_len_add = -16}, BH_REASON_MALFORMED, "none", FAMILY_V6},
	{"a solicitation", {ND(135), .target = "fd77:2::1"}, BH_REASON_NONE, "builtin-nd", FAMILY_V6},
	{"to all", {ND(135), .to = EVERYONE, .target = "fd77:2::1"}, BH_REASON_NONE, "builtin-nd", FAMILY_V6, .stand = CLIENT, .programs = ON_FROM},
	{"without a source: is it free?", {ND(135), .from = NOBODY, .to = EVERYONE, .target = "fd77:1::1"}, BH_REASON_NONE, "builtin-nd", FAMILY_V6, ON_FROM | ON_TO | ON_HOST_IN, CLIENT},
	{"6-11 another's address claimed before it is used", {ND(135), .from = NOBODY, .to = EVERYONE, .target = "fd77:2::1"}, BH_REASON_SPOOFED_SOURCE, "none", FAMILY_V6, ON_FROM, CLIENT},
	{"a link-local one claimed", {ND(135), .from = NOBODY, .to = EVERYONE, .target = "fe80::7"}, BH_REASON_NONE, "builtin-nd", FAMILY_V6, ON_FROM, CLIENT},
	{"a workload asks nobody what he listens to", {ND(130), .from = LINK_LOCAL, .to = EVERYONE, .hop_limit = 1}, BH_REASON_NEIGHBOUR, "none", FAMILY_V6, ON_FROM, CLIENT},
	{"a solicitation of nobody", {ND(135)}, BH_REASON_MALFORMED, "none", FAMILY_V6},
	{"from a link-local address", {ND(135), .from = LINK_LOCAL, .target = "fd77:2::1"}, BH_REASON_NONE, "builtin-nd", FAMILY_V6, ON_FROM, CLIENT},
	{"from another's address", {ND(135), .from = OTHER, .target = "fd77:2::1"}, BH_REASON_SPOOFED_SOURCE, "none", FAMILY_V6, ON_FROM, CLIENT},
	{"an advertisement of itself", {ND(136), .target = "fd77:1::1"}, BH_REASON_NONE, "builtin-nd", FAMILY_V6},
	{"of its link-local address", {ND(136), .target = "fe80::7"}, BH_REASON_NONE, "builtin-nd", FAMILY_V6, ON_FROM},
	{"of another", {ND(136), .target = "fd77:2::1"}, BH_REASON_SPOOFED_SOURCE, "none", FAMILY_V6, ON_FROM},
	{"of another's neighbour", {ND(136), .target = "fd77:1::9"}, BH_REASON_SPOOFED_SOURCE, "none", FAMILY_V6, ON_FROM},
	{"of nobody", {ND(136)}, BH_REASON_MALFORMED, "none", FAMILY_V6},
	{"of another, towards a workload", {ND(136), .target = "fd77:1::9"}, BH_REASON_NONE, "builtin-nd", FAMILY_V6, ON_TO},
	{"is there a router?", {ND(133), .to = EVERYONE}, BH_REASON_NONE, "builtin-nd", FAMILY_V6, ON_FROM, CLIENT},
	{"a workload is no router", {ND(134), .to = EVERYONE}, BH_REASON_NEIGHBOUR, "none", FAMILY_V6, ON_FROM, CLIENT},
	{"nor from a link-local address", {ND(134), .from = LINK_LOCAL, .to = EVERYONE}, BH_REASON_NEIGHBOUR, "none", FAMILY_V6, ON_FROM, CLIENT},
	{"a router, to others", {ND(134), .from = LINK_LOCAL, .to = EVERYONE}, BH_REASON_NONE, "builtin-nd", FAMILY_V6, ON_TO | ON_HOST_IN, SERVER},
	{"a redirect", {ND(137), .from = LINK_LOCAL}, BH_REASON_NEIGHBOUR, "none", FAMILY_V6},
	{"from beyond a router", {ND(135), .hop_limit = 254, .target = "fd77:2::1"}, BH_REASON_NEIGHBOUR, "none", FAMILY_V6},
	{"advertised from beyond a router", {ND(136), .hop_limit = 64, .target = "fd77:1::1"}, BH_REASON_NEIGHBOUR, "none", FAMILY_V6},
	{"a code that is none", {ND(135), .code = 1, .target = "fd77:2::1"}, BH_REASON_NEIGHBOUR, "none", FAMILY_V6},
	{"in fragments it hides", {ND(135), .is_fragment = true, .target = "fd77:2::1"}, BH_REASON_NEIGHBOUR, "none", FAMILY_V6},
	{"it is none of IPv4", {.icmp = ICMP_TYPE, .type = 135, .from = SERVER, .to = CLIENT}, BH_REASON_POLICY, "default", FAMILY_V4},
	{"who listens to what", {ND(143), .to = EVERYONE, .hop_limit = 1}, BH_REASON_NONE, "builtin-nd", FAMILY_V6, ON_FROM, CLIENT},
	{"a query of it", {ND(130), .from = LINK_LOCAL, .to = EVERYONE, .hop_limit = 1}, BH_REASON_NONE, "builtin-nd", FAMILY_V6, ON_TO | ON_HOST_IN, SERVER},
	{"a report that may leave the link", {ND(143), .hop_limit = 64}, BH_REASON_NEIGHBOUR, "none", FAMILY_V6},
};

/* 6-11: the same when the workload's own link-local address is known, and is another. */
static const struct row nd_known[] = {
	{"6-11 from a link-local address of others", {ND(135), .from = LINK_LOCAL, .target = "fd77:2::1"}, BH_REASON_SPOOFED_SOURCE, "none", FAMILY_V6, ON_FROM, CLIENT},
	{"6-11 one of others claimed", {ND(135), .from = NOBODY, .to = EVERYONE, .target = "fe80::7"}, BH_REASON_SPOOFED_SOURCE, "none", FAMILY_V6, ON_FROM, CLIENT},
	{"6-11 one of others advertised", {ND(136), .target = "fe80::7"}, BH_REASON_SPOOFED_SOURCE, "none", FAMILY_V6, ON_FROM},
	{"6-11 asked by one of others who listens", {ND(143), .from = LINK_LOCAL, .to = EVERYONE, .hop_limit = 1}, BH_REASON_SPOOFED_SOURCE, "none", FAMILY_V6, ON_FROM, CLIENT},
	{"6-11 its own, advertised", {ND(136), .from = LINK_LOCAL, .target = "fe80::1"}, BH_REASON_NONE, "builtin-nd", FAMILY_V6, ON_FROM, LINK_LOCAL},
	{"6-11 another's, towards a workload", {ND(136), .from = LINK_LOCAL, .target = "fe80::1"}, BH_REASON_NONE, "builtin-nd", FAMILY_V6, ON_TO},
	{"6-11 a workload is still no router", {ND(134), .from = LINK_LOCAL, .to = EVERYONE}, BH_REASON_NEIGHBOUR, "none", FAMILY_V6, ON_FROM, LINK_LOCAL},
};

static const struct row link_only[] = {
	{"6-11 an address for neighbours only, advertised", {ND(136), .target = "fd77:1::1"}, BH_REASON_NONE, "builtin-nd", FAMILY_V6, ON_FROM, CLIENT},
	{"6-11 is no source of anything else", {}, BH_REASON_SPOOFED_SOURCE, "none", FAMILY_V6, ON_FROM, CLIENT},
	{"6-11 nor of a ping", {.icmp = ICMP_ECHO_REQUEST}, BH_REASON_SPOOFED_SOURCE, "none", FAMILY_V6, ON_FROM, CLIENT},
	{"6-11 nor of one to itself", {.to = CLIENT}, BH_REASON_SPOOFED_SOURCE, "none", FAMILY_V6, ON_FROM, CLIENT},
};

/* What no interface has, but a route takes in. */
#define ROUTED_V6 "2001:db8:9::7"

static const struct row routed[] = {
	{"to what a route takes in", {.dst = ROUTED_V6, .from = OTHER}, BH_REASON_POLICY, "default", FAMILY_V6, ON_HOST_IN},
	{"from what a route takes in", {.src = ROUTED_V6}, BH_REASON_SPOOFED_SOURCE, "none", FAMILY_V6, ON_HOST_IN},
	{"to what none takes in", {.dst = "2001:db8:8::7"}, BH_REASON_NONE, "none", FAMILY_V6, ON_HOST_IN},
};

static const struct row routed_all[] = {
	{"to anything, when a route takes in all", {.dst = "2001:db8:8::7", .from = OTHER}, BH_REASON_POLICY, "default", FAMILY_V6, ON_HOST_IN},
	{"from anybody, as ever", {}, BH_REASON_NONE, "all", .programs = ON_HOST_IN},
	{"from its own address, as ever", {.from = SERVER}, BH_REASON_SPOOFED_SOURCE, "none", .programs = ON_HOST_IN},
	{"what it sends on for others is theirs", {.from = OTHER, .to = CLIENT}, BH_REASON_NONE, "none", FAMILY_V6, ON(PROGRAM_HOST_OUT), NODE, .is_forwarded = true},
};

static const struct row nd_off[] = {
	{"a solicitation", {ND(135), .target = "fd77:2::1"}, BH_REASON_NEIGHBOUR, "none", FAMILY_V6},
	{"IP goes on", {}, BH_REASON_NONE, "all"},
};

static const struct row dhcp[] = {
	{"a request", {.from = NOBODY, .to = EVERYONE, .proto = IPPROTO_UDP, .sport = 68, .dport = 67}, BH_REASON_NONE, "builtin-dhcp", FAMILY_V4, ON(PROGRAM_HOST_OUT), NODE},
	{"an answer to all", {.from = OUTSIDER, .to = EVERYONE, .proto = IPPROTO_UDP, .sport = 67, .dport = 68}, BH_REASON_NONE, "builtin-dhcp", FAMILY_V4, ON_HOST_IN, NODE},
	{"an answer", {.from = OUTSIDER, .to = NODE, .proto = IPPROTO_UDP, .sport = 67, .dport = 68}, BH_REASON_NONE, "builtin-dhcp", FAMILY_V4, ON_HOST_IN},
	{"a DHCPv6 request", {.from = LINK_LOCAL, .to = EVERYONE, .proto = IPPROTO_UDP, .sport = 546, .dport = 547}, BH_REASON_NONE, "builtin-dhcp", FAMILY_V6, ON(PROGRAM_HOST_OUT), LINK_LOCAL},
	{"a DHCPv6 answer", {.from = OUTSIDER, .to = LINK_LOCAL, .proto = IPPROTO_UDP, .sport = 547, .dport = 546}, BH_REASON_NONE, "builtin-dhcp", FAMILY_V6, ON_HOST_IN},
	{"this machine is no server", {.from = OTHER, .to = SERVER, .proto = IPPROTO_UDP, .sport = 68, .dport = 67}, BH_REASON_POLICY, "default", FAMILY_V4, ON_HOST_IN},
	{"nor over IPv6", {.from = OTHER, .to = SERVER, .proto = IPPROTO_UDP, .sport = 546, .dport = 547}, BH_REASON_POLICY, "default", FAMILY_V6, ON_HOST_IN},
	{"the other family's ports", {.from = OTHER, .to = SERVER, .proto = IPPROTO_UDP, .sport = 547, .dport = 546}, BH_REASON_POLICY, "default", FAMILY_V4, ON_HOST_IN},
	{"over TCP", {.from = OTHER, .to = SERVER, .sport = 67, .dport = 68}, BH_REASON_POLICY, "default", FAMILY_V4, ON_HOST_IN},
	{"from another port", {.from = OTHER, .to = SERVER, .proto = IPPROTO_UDP, .sport = 66, .dport = 68}, BH_REASON_POLICY, "default", FAMILY_V4, ON_HOST_IN},
	{"a workload is no client of it", {.from = CLIENT, .to = OTHER, .proto = IPPROTO_UDP, .sport = 68, .dport = 67}, BH_REASON_POLICY, "default", FAMILY_V4, ON_FROM},
	{"a workload's answer is judged", {.from = OTHER, .to = CLIENT, .proto = IPPROTO_UDP, .sport = 67, .dport = 68}, BH_REASON_POLICY, "default", FAMILY_V4, ON_TO},
};

static const struct row dhcp_off[] = {
	{"an answer", {.from = OTHER, .to = SERVER, .proto = IPPROTO_UDP, .sport = 67, .dport = 68}, BH_REASON_POLICY, "default", FAMILY_V4, ON_HOST_IN},
	{"a rule may allow it", {.from = SERVER, .to = CLIENT, .proto = IPPROTO_UDP, .sport = 67, .dport = 68}, BH_REASON_NONE, "dhcp-server", FAMILY_V4, ON_HOST_IN},
};

static const struct row own_host[] = {
	{"the machine reaches its workloads", {.from = NODE}, BH_REASON_NONE, "builtin-host", .programs = ON_TO},
	{"with anything", {.from = NODE, .proto = PROTO_GRE, .payload = 8}, BH_REASON_NONE, "builtin-host", .programs = ON_TO},
	{"pings them", {.from = NODE, .icmp = ICMP_ECHO_REQUEST}, BH_REASON_NONE, "builtin-host", .programs = ON_TO},
	{"who poses as it doesn't", {.from = NODE}, BH_REASON_POLICY, "default", .programs = ON_TO, .is_forwarded = true},
	{"a workload that comes back as it does", {.from = NODE}, BH_REASON_NONE, "builtin-self", .programs = ON_TO, .is_returned = true},
	{"but not as another", {.from = OTHER}, BH_REASON_POLICY, "default", .programs = ON_TO, .is_returned = true},
	{"what it forwards for another doesn't", {.from = OTHER}, BH_REASON_POLICY, "default", .programs = ON_TO, .is_forwarded = true},
	{"another's address made here doesn't", {.from = OTHER}, BH_REASON_POLICY, "default", .programs = ON_TO},
	{"its workloads don't reach it", {.from = OTHER, .to = NODE}, BH_REASON_POLICY, "default", .programs = ON_FROM},
	{"a NIC has no such rule", {.from = NODE}, BH_REASON_POLICY, "default", .programs = ON(PROGRAM_HOST_OUT)},
};

static const struct row own_host_off[] = {
	{"it is judged as any", {.from = NODE}, BH_REASON_POLICY, "default", .programs = ON_TO},
};

static const struct row itself[] = {
	{"CT-14 a workload reaches itself", {.from = CLIENT, .to = CLIENT}, BH_REASON_NONE, "builtin-self", .programs = ON_WORKLOAD},
	{"in fragments", {.from = CLIENT, .to = CLIENT, .is_fragment = true, .offset = 9, .payload = 64}, BH_REASON_NONE, "builtin-self", .programs = ON_WORKLOAD},
	{"in the middle of a connection", {.from = CLIENT, .to = CLIENT, .flags = "A"}, BH_REASON_NONE, "builtin-self", .programs = ON_WORKLOAD},
	{"pings itself", {.from = CLIENT, .to = CLIENT, .icmp = ICMP_ECHO_REQUEST}, BH_REASON_NONE, "builtin-self", .programs = ON_WORKLOAD},
	{"another to itself, from here", {.from = OTHER, .to = OTHER}, BH_REASON_SPOOFED_SOURCE, "none", .programs = ON_FROM, .stand = CLIENT},
	{"another to itself, to here", {.from = OTHER, .to = OTHER}, BH_REASON_POLICY, "default", .programs = ON_TO, .stand = CLIENT},
	{"from the wire to whom it poses as", {.from = OTHER, .to = OTHER}, BH_REASON_SPOOFED_SOURCE, "none", .programs = ON_HOST_IN, .stand = NODE},
};

static const struct row itself_off[] = {
	{"so it is when it comes back as this machine", {.from = NODE}, BH_REASON_POLICY, "default", .programs = ON_TO, .is_returned = true},
	{"it is judged as any", {.from = CLIENT, .to = CLIENT}, BH_REASON_POLICY, "default", .programs = ON_WORKLOAD},
};

static const struct row nobodys[] = {
	{"an allowed packet", {}, BH_REASON_UNKNOWN_ENDPOINT, "none", .programs = ON_WORKLOAD},
	{"ARP", {ARP}, BH_REASON_UNKNOWN_ENDPOINT, "none", FAMILY_V4, ON_WORKLOAD},
	{"garbage", {.ihl = 4}, BH_REASON_MALFORMED, "none", FAMILY_V4, ON_WORKLOAD},
	{"a NIC needs no entry", {}, BH_REASON_NONE, "all", .programs = ON_HOST},
};
/* clang-format on */

static void run(void **state, const struct row *rows, size_t count, uint32_t builtins_off)
{
	struct rig *rig = *state;

	rig_policy(rig, rules);
	rig_builtins_off(rig, builtins_off);
	table_run(rig, rows, count);
	rig_builtins_off(rig, 0);
}

static void nobody_sends_from_anothers_address(void **state)
{
	run(state, sources, COUNT(sources), 0);
}

static void arp_is_for_own_addresses(void **state)
{
	run(state, arp, COUNT(arp), 0);
	run(state, arp_off, COUNT(arp_off), OFF(ARP));
}

static void neighbours_are_found_on_the_link_only(void **state)
{
	run(state, nd, COUNT(nd), 0);
	run(state, nd_off, COUNT(nd_off), OFF(ND));
}

static void no_workload_speaks_for_anothers_link_local_address(void **state)
{
	struct rig *rig = *state;

	rig->is_link_local_known = true;
	run(state, nd_known, COUNT(nd_known), 0);
	rig->source_flags = BH_SOURCE_LINK_ONLY;
	run(state, link_only, COUNT(link_only), 0);
	rig->source_flags = 0;
	rig->is_link_local_known = false;
}

static void what_a_route_takes_in_is_this_machines(void **state)
{
	struct rig *rig = *state;

	assert_null(prefix_parse("2001:db8:9::/64", &rig->routed.prefix, NULL));
	run(state, routed, COUNT(routed), 0);
	assert_null(prefix_parse("2000::/3", &rig->routed.prefix, NULL));
	rig->routed.flags = BH_LOCAL_ANYONE;
	run(state, routed_all, COUNT(routed_all), 0);
	rig->routed = (struct local_prefix){};
}

static void this_machine_is_a_dhcp_client(void **state)
{
	run(state, dhcp, COUNT(dhcp), 0);
	run(state, dhcp_off, COUNT(dhcp_off), OFF(DHCP));
}

static void this_machine_reaches_its_workloads(void **state)
{
	run(state, own_host, COUNT(own_host), 0);
	run(state, own_host_off, COUNT(own_host_off), OFF(HOST));
}

static void a_workload_reaches_itself(void **state)
{
	run(state, itself, COUNT(itself), 0);
	run(state, itself_off, COUNT(itself_off), OFF(SELF));
}

static void an_interface_that_nobody_registered_passes_nothing(void **state)
{
	struct rig *rig = *state;

	rig->is_unknown = true;
	run(state, nobodys, COUNT(nobodys), 0);
	rig->is_unknown = false;
}

/* A connection of the workload, opened by it or to it, and then its address is taken away. */
static void open_and_move(struct rig *rig, bool is_v6, bool is_opener)
{
	enum end own = is_opener ? CLIENT : SERVER;
	const struct packet_spec last = {.is_v6 = is_v6, .flags = "A", .seq = 1, .ack = 1};
	enum program out = is_opener ? PROGRAM_FROM : PROGRAM_TO;

	rig_forget(rig);
	rig_stand(rig, own);
	rig_open_web(rig, out, &last);
	rig_bump(rig);
	assert_true(rig_run(rig, "goes on in the next generation", out, &last).is_passed);
	rig_stand(rig, OTHER);
	rig_bump(rig);
}

static void an_address_that_was_taken_away_keeps_no_connection(void **state)
{
	struct rig *rig = *state;

	rig_policy(rig, "    - {name: web, from: client, to: server, services: tcp/443}\n");
	for (int i = 0; i < 4; i++) {
		bool is_v6 = i & 1, is_opener = i & 2;
		const struct packet_spec forth = {
			.is_v6 = is_v6, .flags = "PA", .seq = 1, .ack = 1, .payload = 9};
		struct packet_spec back = rig_answer(is_v6);
		struct outcome o;

		back.flags = "PA";
		back.seq = 1;
		back.payload = 9;
		open_and_move(rig, is_v6, is_opener);
		o = rig_run(rig, "it sends from it", PROGRAM_FROM, is_opener ? &forth : &back);
		assert_int_equal(o.reason, BH_REASON_SPOOFED_SOURCE);
		open_and_move(rig, is_v6, is_opener);
		o = rig_run(rig, "is sent to it", PROGRAM_TO, is_opener ? &back : &forth);
		assert_int_equal(o.reason, BH_REASON_NO_CONNECTION);
	}
}

/* As a transparent proxy does: its answers are for an address that isn't this machine's. */
static void what_this_machine_opens_is_no_transit(void **state)
{
	struct rig *rig = *state;

	rig_policy(rig, "    - {name: web, from: client, to: server, services: tcp/443}\n");
	for (int i = 0; i < 4; i++) {
		const struct packet_spec syn = {.is_v6 = i & 1};
		const struct packet_spec answer = rig_answer(i & 1);
		enum program in = i & 2 ? PROGRAM_HOST_IN : PROGRAM_XDP_IN;
		struct packet_spec later = answer;
		struct seen_connection c;

		rig_forget(rig);
		rig_stand(rig, NODE);
		assert_true(rig_run(rig, "opens", PROGRAM_HOST_OUT, &syn).is_passed);
		assert_int_not_equal(rig_run(rig, "is answered", in, &answer).rule, BH_RULE_NONE);
		assert_int_equal(rig_connection(rig, &syn, BH_ENDPOINT_HOST, &c), 0);
		assert_int_equal(c.conn.line.state, BH_CONN_OPENING);
		later.flags = "A";
		later.seq = 1;
		assert_int_not_equal(rig_run(rig, "goes on", in, &later).rule, BH_RULE_NONE);
	}
}

/* Programs at hooks are all there is meanwhile. */
static void without_the_rest(struct rig *rig, void play(struct rig *rig))
{
	const struct bpf_map *maps[PROGRAM_HALVES] = {rig->dp->skel->maps.bh_rest_xdp,
						      rig->dp->skel->maps.bh_rest_tc};
	const uint32_t key = 0;

	for (int i = 0; i < PROGRAM_HALVES; i++)
		assert_int_equal(bpf_map_delete_elem(bpf_map__fd(maps[i]), &key), 0);
	play(rig);
	for (int i = 0; i < PROGRAM_HALVES; i++)
		assert_int_equal(bpf_map_update_elem(bpf_map__fd(maps[i]), &key, &rig->dp->rests[i],
						     BPF_ANY),
				 0);
}

static void pass_through(struct rig *rig)
{
	static const enum program hooks[] = {PROGRAM_XDP_IN, PROGRAM_HOST_IN, PROGRAM_HOST_OUT};
	static const struct packet_spec packets[] = {{.flags = "A", .seq = 1, .ack = 1},
						     {.proto = IPPROTO_UDP}};

	for (size_t i = 0; i < COUNT(hooks) * COUNT(packets) * 2; i++) {
		struct packet_spec spec = packets[i / 2 % COUNT(packets)];
		enum program program = hooks[i / 2 / COUNT(packets)];
		const char *place = table_place("transit", i & 1, program);
		struct frame frame;

		spec.is_v6 = i & 1;
		frame = packet_build(&spec);
		rig_stand(rig, NODE);
		assert_row(place, rig_run_frame(rig, place, program, &frame).is_passed);
		rig_stand(rig, program_is_ingress(program) ? SERVER : CLIENT);
		rig_repeat(rig, program, &frame, 1);
		assert_row(place, !rig_passes(rig, place, program, &frame));
	}
}

static void what_passes_through_is_known_at_the_first_look(void **state)
{
	struct rig *rig = *state;

	rig_policy(rig, "    - {name: all, from: any, to: any, services: any}\n");
	rig_forget(rig);
	rig->is_forwarded = true;
	without_the_rest(rig, pass_through);
	rig->is_forwarded = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_sends_from_anothers_address),
		cmocka_unit_test(arp_is_for_own_addresses),
		cmocka_unit_test(neighbours_are_found_on_the_link_only),
		cmocka_unit_test(no_workload_speaks_for_anothers_link_local_address),
		cmocka_unit_test(what_a_route_takes_in_is_this_machines),
		cmocka_unit_test(this_machine_is_a_dhcp_client),
		cmocka_unit_test(this_machine_reaches_its_workloads),
		cmocka_unit_test(a_workload_reaches_itself),
		cmocka_unit_test(an_interface_that_nobody_registered_passes_nothing),
		cmocka_unit_test(an_address_that_was_taken_away_keeps_no_connection),
		cmocka_unit_test(what_this_machine_opens_is_no_transit),
		cmocka_unit_test(what_passes_through_is_known_at_the_first_look),
	};

	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
