/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/in.h>

#include "tests/bpf/table.h"
#include "util/clock.h"

/* clang-format off */
static const char rules[] =
	"    - {name: web, from: client, to: server, services: tcp/443}\n"
	"    - {name: logged, from: client, to: server, services: [tcp/9000, udp/9000, icmp/echo-request, icmp6/echo-request], log: true}\n"
	"    - {name: no-telnet, from: any, to: any, services: tcp/23, action: deny}\n"
	"    - {name: no-tftp, from: any, to: any, services: udp/69, action: deny}\n";
/* clang-format on */

/* How much of a packet was understood. */
enum depth {
	DEPTH_FRAME,     /* it is no IP */
	DEPTH_ADDRESSES, /* no ports */
	DEPTH_PORTS,
};

static bool is_icmp(const struct packet_spec *spec)
{
	return packet_proto(spec) == (spec->is_v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
}

static void check_hook(const struct rig *rig, const struct visit *v)
{
	const struct bh_event *e = &v->outcome.event;
	static uint64_t last_ns;
	uint16_t endpoint = program_is_host(v->program) ? BH_ENDPOINT_HOST : RIG_ENDPOINT;

	if (rig->is_unknown)
		endpoint = BH_ENDPOINT_UNKNOWN;
	assert_row(v->place, v->outcome.events == 1);
	assert_row(v->place, e->time_ns > last_ns && e->time_ns <= clock_monotonic_ns());
	last_ns = e->time_ns;
	assert_row(v->place, e->length == v->length);
	assert_row(v->place, e->ifindex == RIG_IFINDEX);
	assert_row(v->place, e->endpoint == endpoint);
	assert_row(v->place,
		   e->direction == (program_is_ingress(v->program) ? BH_INGRESS : BH_EGRESS));
	assert_row(v->place, e->is_xdp == (v->program == PROGRAM_XDP_IN));
	assert_row(v->place, e->reason == v->row->reason);
	assert_row(v->place, e->verdict == (v->row->reason ? BH_VERDICT_DENY : e->verdict));
	assert_row_string(v->place, rig_rule_name(rig, e->rule), v->row->rule);
	assert_row(v->place, e->generation == datapath_generation(rig->dp));
}

static uint32_t identity(const struct rig *rig, const struct bh_addr *a)
{
	return rig->compiled ? image_identity(&rig->compiled->image, a) : 0;
}

static void check_ends(const struct rig *rig, const struct visit *v, enum depth depth)
{
	const struct bh_event *e = &v->outcome.event;
	const struct bh_addr none = {}, src = packet_src(&v->packet), dst = packet_dst(&v->packet);
	bool is_known = depth > DEPTH_FRAME;

	assert_row(v->place, !addr_cmp(&e->src, is_known ? &src : &none));
	assert_row(v->place, !addr_cmp(&e->dst, is_known ? &dst : &none));
	assert_row(v->place, e->src_identity == (is_known ? identity(rig, &src) : 0));
	assert_row(v->place, e->dst_identity == (is_known ? identity(rig, &dst) : 0));
}

static void check_headers(const struct visit *v, enum depth depth)
{
	const struct bh_event *e = &v->outcome.event;
	const struct packet_spec *spec = &v->packet;
	uint16_t family = spec->is_v6 ? ETH_P_IPV6 : ETH_P_IP;
	uint16_t ethertype = spec->ethertype ? spec->ethertype : family;
	bool has_ip = depth > DEPTH_FRAME && ethertype == family, has_ports = depth == DEPTH_PORTS;
	bool has_icmp = has_ports && is_icmp(spec);
	uint8_t flags = packet_tcp_flags(spec->flags ? spec->flags : "S");

	if (packet_proto(spec) != IPPROTO_TCP)
		flags = 0;
	assert_row(v->place, e->ethertype == htons(ethertype));
	assert_row(v->place, e->proto == (has_ip ? packet_proto(spec) : 0));
	assert_row(v->place, e->sport == (has_ports ? htons(packet_sport(spec)) : 0));
	assert_row(v->place, e->dport == (has_ports ? htons(packet_dport(spec)) : 0));
	assert_row(v->place, e->tcp_flags == (has_ports ? flags : 0));
	assert_row(v->place, e->icmp_type == (has_icmp ? packet_icmp_type(spec) : 0));
	assert_row(v->place, e->icmp_code == (has_icmp ? spec->code : 0));
}

static void check_whole(const struct rig *rig, const struct visit *v)
{
	check_hook(rig, v);
	check_ends(rig, v, DEPTH_PORTS);
	check_headers(v, DEPTH_PORTS);
}

static void check_without_ports(const struct rig *rig, const struct visit *v)
{
	check_hook(rig, v);
	check_ends(rig, v, DEPTH_ADDRESSES);
	check_headers(v, DEPTH_ADDRESSES);
}

static void check_frame(const struct rig *rig, const struct visit *v)
{
	check_hook(rig, v);
	check_ends(rig, v, DEPTH_FRAME);
	check_headers(v, DEPTH_FRAME);
}

/* clang-format off */
static const struct row whole[] = {
	{"denied by default", {.dport = 444, .sport = 1234}, BH_REASON_POLICY, "default"},
	{"denied by a rule", {.from = OTHER, .dport = 23}, BH_REASON_POLICY, "no-telnet"},
	{"denied from a stranger", {.from = OUTSIDER}, BH_REASON_POLICY, "default"},
	{"denied to a stranger", {.to = OUTSIDER, .payload = 99}, BH_REASON_POLICY, "default"},
	{"in two VLANs", {.dport = 444, .vlans = 2}, BH_REASON_POLICY, "default", .programs = ON_XDP},
	{"behind IP options", {.dport = 444, .option_words = 3}, BH_REASON_POLICY, "default", FAMILY_V4},
	{"behind extension headers", {.dport = 444, .extensions = "HD"}, BH_REASON_POLICY, "default", FAMILY_V6},
	{"a SYN with more flags", {.dport = 444, .flags = "SEC"}, BH_REASON_POLICY, "default"},
	{"UDP", {.proto = IPPROTO_UDP, .dport = 69, .payload = 5}, BH_REASON_POLICY, "no-tftp"},
	{"SCTP", {.proto = IPPROTO_SCTP, .dport = 2905}, BH_REASON_POLICY, "default"},
	{"a protocol without ports", {.proto = PROTO_GRE, .payload = 8}, BH_REASON_POLICY, "default"},
	{"ping", {.from = OTHER, .icmp = ICMP_ECHO_REQUEST, .id = 77}, BH_REASON_POLICY, "default"},
	{"another ICMP type, with a code", {.icmp = ICMP_TYPE, .type = 42, .code = 9}, BH_REASON_POLICY, "default"},
	{"an error about nothing", {.icmp = ICMP_UNREACHABLE, .code = 3}, BH_REASON_ICMP_UNRELATED, "default"},
	{"an answer to no ping", {.icmp = ICMP_ECHO_ANSWER, .id = 78}, BH_REASON_NO_CONNECTION, "none"},
	{"a bare ACK", {.flags = "A"}, BH_REASON_NO_CONNECTION, "none"},
	{"a lone RST", {.flags = "RA", .dport = 444}, BH_REASON_NO_CONNECTION, "none"},
	{"a spoofed source", {.from = OTHER, .dport = 444}, BH_REASON_SPOOFED_SOURCE, "none", .programs = ON_FROM, .stand = CLIENT},
	{"a source that nobody has", {.from = LOOPBACK}, BH_REASON_SPOOFED_SOURCE, "none"},
	{"the machine's own address, from outside", {.from = SERVER}, BH_REASON_SPOOFED_SOURCE, "none", .programs = ON_HOST_IN},
};

static const struct row without_ports[] = {
	{"half a TCP header", {.cut = 10, .ip_len_add = -10}, BH_REASON_MALFORMED, "none"},
	{"half a UDP header", {.proto = IPPROTO_UDP, .cut = 4, .ip_len_add = -4}, BH_REASON_MALFORMED, "none"},
	{"half an ICMP header", {.icmp = ICMP_ECHO_REQUEST, .cut = 4, .ip_len_add = -4}, BH_REASON_MALFORMED, "none"},
	{"a tail without its head", {.is_fragment = true, .offset = 100, .is_last = true, .payload = 64}, BH_REASON_FRAGMENT, "none"},
};

static const struct row frames[] = {
	{"another ethertype", {.ethertype = 0x88cc}, BH_REASON_UNSUPPORTED, "none"},
	{"a wrong version", {.version = 5}, BH_REASON_MALFORMED, "none"},
};

static const struct row arp[] = {
	{"ARP that is turned off", {.ethertype = ETH_P_ARP}, BH_REASON_NEIGHBOUR, "none", FAMILY_V4},
};

static const struct row unknown[] = {
	{"an interface that nobody registered", {}, BH_REASON_UNKNOWN_ENDPOINT, "none", .programs = ON_WORKLOAD},
};

static const struct row before_policy[] = {
	{"before there is a policy", {}, BH_REASON_NO_POLICY, "none"},
};

static const struct row reported[] = {
	{"allowed by a rule that logs", {.dport = 9000}, BH_REASON_NONE, "logged", .is_reported = true},
	{"UDP by a rule that logs", {.proto = IPPROTO_UDP, .dport = 9000}, BH_REASON_NONE, "logged", .is_reported = true},
	{"ping by a rule that logs", {.icmp = ICMP_ECHO_REQUEST, .id = 5}, BH_REASON_NONE, "logged", .is_reported = true},
	{"audited by default", {.from = OUTSIDER, .to = WATCHED}, BH_REASON_NONE, "default", .is_reported = true},
	{"a denial, audited", {.from = OUTSIDER, .to = WATCHED, .dport = 23}, BH_REASON_NONE, "no-telnet", .is_reported = true},
};
/* clang-format on */

static void an_event_says_everything_about_its_packet(void **state)
{
	struct rig *rig = *state;

	rig_policy(rig, rules);
	table_each(rig, whole, COUNT(whole), check_whole);
	table_each(rig, without_ports, COUNT(without_ports), check_without_ports);
	table_each(rig, frames, COUNT(frames), check_frame);
	table_each(rig, reported, COUNT(reported), check_whole);

	rig_builtins_off(rig, 1u << BH_BUILTIN_ARP);
	table_each(rig, arp, COUNT(arp), check_without_ports);
	rig_builtins_off(rig, 0);

	rig->is_unknown = true;
	table_each(rig, unknown, COUNT(unknown), check_whole);
	rig->is_unknown = false;

	rig_no_policy(rig);
	table_each(rig, before_policy, COUNT(before_policy), check_whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_event_says_everything_about_its_packet),
	};

	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
