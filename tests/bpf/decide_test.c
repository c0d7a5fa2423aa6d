/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <netinet/in.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bulkhead.skel.h"
#include "tests/bpf/table.h"

/* clang-format off */
static const char rules[] =
	"    - {name: web, from: client, to: server, services: [tcp/443, tcp/8000-8099]}\n"
	"    - {name: dns, from: front, to: back, services: udp/53}\n"
	"    - {name: ping, from: front, to: server, services: [icmp/echo-request, icmp6/echo-request]}\n"
	"    - {name: time, from: client, to: server, services: [icmp/13, icmp6/200/1]}\n"
	"    - {name: signal, from: client, to: server, services: sctp/2905}\n"
	"    - {name: tunnel, from: client, to: server, services: proto/47}\n"
	"    - {name: partner, from: {cidr: 192.0.2.0/28}, to: server, services: tcp/22}\n"
	"    - {name: partner6, from: {cidr: '2001:db8::/124', except: ['2001:db8::2']}, to: server, services: tcp/22}\n"
	"    - {name: all, from: {labels: {app: c}}, to: watch, services: any}\n"
	"    - {name: no-telnet, from: any, to: any, services: tcp/23, action: deny}\n"
	"    - {name: telnet, from: client, to: server, services: tcp/23}\n"
	"    - {name: logged, from: client, to: server, services: tcp/9000, log: true}\n"
	"    - {name: edges, from: client, to: server, services: [tcp/0, tcp/65535, udp/1-65535]}\n"
	"    - {name: news, from: client, to: {cidr: 239.0.0.0/8}, services: udp/5000}\n"
	"    - {name: news6, from: client, to: {cidr: 'ff15::/16'}, services: udp/5000}\n"
	"    - {name: to-host, from: client, to: host, services: tcp/443}\n";

static const struct row rows[] = {
	{"a rule's service", {}, BH_REASON_NONE, "web"},
	{"the other way round", {.from = SERVER, .to = CLIENT}, BH_REASON_POLICY, "default"},
	{"another port", {.dport = 444}, BH_REASON_POLICY, "default"},
	{"the port as source", {.sport = 443, .dport = 40000}, BH_REASON_POLICY, "default"},
	{"the port of another protocol", {.proto = IPPROTO_SCTP}, BH_REASON_POLICY, "default"},
	{"another member of the zone", {.from = OTHER}, BH_REASON_POLICY, "default"},
	{"a stranger", {.from = OUTSIDER}, BH_REASON_POLICY, "default"},
	{"within a zone", {.from = OTHER, .to = CLIENT}, BH_REASON_POLICY, "default"},
	{"to a stranger", {.to = OUTSIDER}, BH_REASON_POLICY, "default"},

	{"below a range", {.dport = 7999}, BH_REASON_POLICY, "default"},
	{"first of a range", {.dport = 8000}, BH_REASON_NONE, "web"},
	{"last of a range", {.dport = 8099}, BH_REASON_NONE, "web"},
	{"above a range", {.dport = 8100}, BH_REASON_POLICY, "default"},
	{"port 0", {.has_port_0 = true}, BH_REASON_NONE, "edges"},
	{"port 1", {.dport = 1}, BH_REASON_POLICY, "default"},
	{"port 65534", {.dport = 65534}, BH_REASON_POLICY, "default"},
	{"port 65535", {.dport = 65535}, BH_REASON_NONE, "edges"},
	{"UDP port 0", {.proto = IPPROTO_UDP, .has_port_0 = true}, BH_REASON_POLICY, "default"},
	{"UDP port 1", {.proto = IPPROTO_UDP, .dport = 1}, BH_REASON_NONE, "edges"},
	{"UDP port 65535", {.proto = IPPROTO_UDP, .dport = 65535}, BH_REASON_NONE, "edges"},

	{"zone to zone", {.from = OTHER, .proto = IPPROTO_UDP, .dport = 53}, BH_REASON_NONE, "dns"},
	{"first in file order", {.proto = IPPROTO_UDP, .dport = 53}, BH_REASON_NONE, "dns"},
	{"SCTP", {.proto = IPPROTO_SCTP, .dport = 2905}, BH_REASON_NONE, "signal"},
	{"SCTP's port over TCP", {.dport = 2905}, BH_REASON_POLICY, "default"},
	{"a protocol", {.proto = PROTO_GRE, .payload = 8}, BH_REASON_NONE, "tunnel"},
	{"a protocol without any bytes", {.proto = PROTO_GRE}, BH_REASON_NONE, "tunnel"},
	{"another protocol", {.proto = IPPROTO_ESP, .payload = 16}, BH_REASON_POLICY, "default"},
	{"UDP-Lite is not UDP", {.proto = IPPROTO_UDPLITE, .payload = 16}, BH_REASON_POLICY, "default"},
	{"DCCP has no ports here", {.proto = IPPROTO_DCCP, .payload = 16}, BH_REASON_POLICY, "default"},
	{"IP in IP", {.proto = IPPROTO_IPIP, .payload = 20}, BH_REASON_POLICY, "default"},
	{"IPv6 in IP", {.proto = IPPROTO_IPV6, .payload = 40}, BH_REASON_POLICY, "default"},

	{"ping", {.icmp = ICMP_ECHO_REQUEST, .id = 7}, BH_REASON_NONE, "ping"},
	{"ping the other way", {.from = SERVER, .to = CLIENT, .icmp = ICMP_ECHO_REQUEST, .id = 7}, BH_REASON_POLICY, "default"},
	{"ping from a stranger", {.from = OUTSIDER, .icmp = ICMP_ECHO_REQUEST}, BH_REASON_POLICY, "default"},
	{"an answer to no ping", {.from = SERVER, .to = CLIENT, .icmp = ICMP_ECHO_ANSWER, .id = 7}, BH_REASON_NO_CONNECTION, "none"},
	{"every code of a type", {.icmp = ICMP_TYPE, .type = 13, .code = 5}, BH_REASON_NONE, "time", FAMILY_V4},
	{"another ICMP type", {.icmp = ICMP_TYPE, .type = 17}, BH_REASON_POLICY, "default", FAMILY_V4},
	{"ICMP redirect", {.icmp = ICMP_TYPE, .type = 5}, BH_REASON_POLICY, "default", FAMILY_V4},
	{"one code of a type", {.icmp = ICMP_TYPE, .type = 200, .code = 1}, BH_REASON_NONE, "time", FAMILY_V6},
	{"another code of it", {.icmp = ICMP_TYPE, .type = 200, .code = 2}, BH_REASON_POLICY, "default", FAMILY_V6},
	{"IPv4's ping type in IPv6", {.icmp = ICMP_TYPE, .type = 8}, BH_REASON_POLICY, "default", FAMILY_V6},
	{"ICMP over IPv6", {.proto = IPPROTO_ICMP, .payload = 8}, BH_REASON_POLICY, "default", FAMILY_V6},
	{"ICMPv6 over IPv4", {.proto = IPPROTO_ICMPV6, .payload = 8}, BH_REASON_POLICY, "default", FAMILY_V4},

	{"first address of a cidr", {.src = "192.0.2.0", .dport = 22}, BH_REASON_NONE, "partner", FAMILY_V4, ON_HOST_IN | ON_TO},
	{"last address of a cidr", {.src = "192.0.2.15", .dport = 22}, BH_REASON_NONE, "partner", FAMILY_V4, ON_HOST_IN | ON_TO},
	{"first address behind it", {.src = "192.0.2.16", .dport = 22}, BH_REASON_POLICY, "default", FAMILY_V4, ON_HOST_IN | ON_TO},
	{"last address before it", {.src = "192.0.1.255", .dport = 22}, BH_REASON_POLICY, "default", FAMILY_V4, ON_HOST_IN | ON_TO},
	{"last of an IPv6 cidr", {.src = "2001:db8::f", .dport = 22}, BH_REASON_NONE, "partner6", FAMILY_V6, ON_HOST_IN | ON_TO},
	{"behind an IPv6 cidr", {.src = "2001:db8::10", .dport = 22}, BH_REASON_POLICY, "default", FAMILY_V6, ON_HOST_IN | ON_TO},
	{"its exception", {.src = "2001:db8::2", .dport = 22}, BH_REASON_POLICY, "default", FAMILY_V6, ON_HOST_IN | ON_TO},
	{"beside its exception", {.src = "2001:db8::3", .dport = 22}, BH_REASON_NONE, "partner6", FAMILY_V6, ON_HOST_IN | ON_TO},

	{"deny beats allow", {.dport = 23}, BH_REASON_POLICY, "no-telnet"},
	{"any service", {.to = WATCHED, .proto = IPPROTO_UDP, .dport = 9}, BH_REASON_NONE, "all"},
	{"any protocol", {.to = WATCHED, .proto = IPPROTO_ESP, .payload = 8}, BH_REASON_NONE, "all"},
	{"any ICMP", {.to = WATCHED, .icmp = ICMP_TYPE, .type = 42}, BH_REASON_NONE, "all"},
	{"a logged rule", {.dport = 9000}, BH_REASON_NONE, "logged", .is_reported = true},

	{"denied where one end audits", {.from = OTHER, .to = WATCHED, .dport = 80}, BH_REASON_POLICY, "default"},
	{"denied where both ends audit", {.from = WATCHED, .to = WATCHED, .dport = 80}, BH_REASON_NONE, "default", .programs = ON(PROGRAM_HOST_OUT), .is_reported = true},
	{"denied by a rule, audited", {.from = OUTSIDER, .to = WATCHED, .dport = 23}, BH_REASON_NONE, "no-telnet", .is_reported = true},
	{"audited by default", {.from = OUTSIDER, .to = WATCHED}, BH_REASON_NONE, "default", .is_reported = true},
	{"denied where the mode is off", {.from = OUTSIDER, .to = LOOSE}, BH_REASON_NONE, "default"},
	{"audited where the other is off", {.from = LOOSE, .to = WATCHED}, BH_REASON_NONE, "default", .is_reported = true},
	{"enforced where the other is off", {.from = LOOSE, .to = SERVER}, BH_REASON_POLICY, "default"},
	{"outside to outside", {.from = OUTSIDER, .to = NODE}, BH_REASON_NONE, "default"},
	{"to the host by its name", {.to = NODE}, BH_REASON_NONE, "to-host"},
	{"to the host, another port", {.to = NODE, .dport = 444}, BH_REASON_POLICY, "default"},

	{"to a group", {.to = GROUP, .proto = IPPROTO_UDP, .dport = 5000}, BH_REASON_NONE, NULL, .programs = ON_TO | ON_FROM | ON(PROGRAM_HOST_OUT)},
	{"a group reaches the machine", {.to = GROUP, .proto = IPPROTO_UDP, .dport = 5000}, BH_REASON_NONE, NULL, .programs = ON_HOST_IN, .stand = SERVER},
	{"multicast is judged", {.to = GROUP, .proto = IPPROTO_UDP, .dport = 5001}, BH_REASON_POLICY, "default", .programs = ON_HOST_IN, .stand = SERVER},
	{"broadcast is judged", {.to = EVERYONE, .proto = IPPROTO_UDP, .dport = 5000}, BH_REASON_POLICY, "default", .programs = ON_HOST_IN, .stand = SERVER},
	{"a workload's multicast is judged", {.to = EVERYONE, .proto = IPPROTO_UDP, .dport = 5000}, BH_REASON_POLICY, "default", .programs = ON_FROM},

	{"transit passes, whatever it is", {.from = OUTSIDER, .dport = 23}, BH_REASON_NONE, "none", .programs = ON_HOST_IN, .stand = NODE},
	{"transit of a bare ACK", {.flags = "A", .dport = 23}, BH_REASON_NONE, "none", .programs = ON_HOST_IN, .stand = NODE},
	{"transit of a tail", {.is_fragment = true, .offset = 100, .is_last = true, .payload = 8}, BH_REASON_NONE, "none", .programs = ON_HOST, .stand = NODE, .is_forwarded = true},
	{"transit leaves, too", {.from = OUTSIDER, .dport = 23}, BH_REASON_NONE, "none", .programs = ON(PROGRAM_HOST_OUT), .stand = NODE, .is_forwarded = true},
	{"what the machine made is no transit", {.from = OUTSIDER, .dport = 23}, BH_REASON_POLICY, "no-telnet", .programs = ON(PROGRAM_HOST_OUT), .stand = NODE},
	{"with its address it is no transit", {.from = NODE, .dport = 23}, BH_REASON_POLICY, "no-telnet", .programs = ON(PROGRAM_HOST_OUT), .stand = NODE, .is_forwarded = true},
};
/* clang-format on */

static void programs_decide_as_the_policy_says(void **state)
{
	struct rig *rig = *state;

	rig_policy(rig, rules);
	table_run(rig, rows, COUNT(rows));
}

/* clang-format off */
static const struct row without_policy[] = {
	{"an allowed service", {}, BH_REASON_NO_POLICY, "none"},
	{"ping", {.icmp = ICMP_ECHO_REQUEST}, BH_REASON_NO_POLICY, "none"},
	{"ARP", {.ethertype = 0x0806}, BH_REASON_NO_POLICY, "none", FAMILY_V4},
	{"transit", {}, BH_REASON_NO_POLICY, "none", .programs = ON_HOST_IN, .stand = NODE},
	{"what can't be parsed", {.ethertype = 0x88cc}, BH_REASON_NO_POLICY, "none"},
};
/* clang-format on */

static void nothing_passes_before_there_is_a_policy(void **state)
{
	struct rig *rig = *state;

	rig_no_policy(rig);
	table_run(rig, without_policy, COUNT(without_policy));
}

/* A header with no generation's worth of tables behind it: too strict, never too wide. */
static void empty_tables_deny(void **state)
{
	static const struct row row[] = {{"a SYN", {}, BH_REASON_POLICY}};
	struct rig *rig = *state;
	struct bh_policy header;
	__u32 slot;

	rig_policy(rig, rules);
	slot = datapath_slot(rig->dp);
	header = *tables_header(&rig->dp->tables, slot);
	header = (struct bh_policy){.slot = slot, .rule = header.rule, .rules = header.rules};
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(rig->dp->skel->maps.bh_policies), &slot,
					     &header, BPF_ANY),
			 0);
	table_run(rig, row, COUNT(row));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(programs_decide_as_the_policy_says),
		cmocka_unit_test(nothing_passes_before_there_is_a_policy),
		cmocka_unit_test(empty_tables_deny),
	};

	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
