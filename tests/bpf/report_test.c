/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/in.h>

#include "tests/bpf/table.h"
#include "util/clock.h"

#define RATE 3 /* events a second of the rig that limits them */

/* clang-format off */
static const char rules[] =
	"    - {name: web, from: client, to: server, services: tcp/443}\n"
	"    - {name: logged, from: client, to: server, services: [tcp/9000, udp/9000, icmp/echo-request, icmp6/echo-request], log: true}\n"
	"    - {name: no-telnet, from: any, to: any, services: tcp/23, action: deny}\n"
	"    - {name: no-tftp, from: any, to: any, services: udp/69, action: deny}\n";
/* clang-format on */

/* --- the fields of an event --- */

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

/* --- the books --- */

static struct bh_books books_of(struct rig *rig, enum bh_verdict verdict)
{
	struct bh_books books[BH_VERDICT_COUNT];

	assert_int_equal(datapath_read_books(rig->dp, books), 0);
	for (int i = 0; i < BH_VERDICT_COUNT; i++)
		assert_int_equal(books[i].produced,
				 books[i].delivered + books[i].suppressed + books[i].lost);
	return books[verdict];
}

static struct bh_books books_since(struct rig *rig, enum bh_verdict verdict, struct bh_books then)
{
	struct bh_books now = books_of(rig, verdict);

	return (struct bh_books){now.produced - then.produced, now.delivered - then.delivered,
				 now.suppressed - then.suppressed, now.lost - then.lost};
}

static uint64_t drops(struct rig *rig)
{
	struct bh_count counts[BH_REASON_COUNT];
	uint64_t packets = 0;

	assert_int_equal(datapath_read_drops(rig->dp, counts), 0);
	for (int i = 0; i < BH_REASON_COUNT; i++)
		packets += counts[i].packets;
	return packets;
}

/* Reading takes some hundred at a time. */
static uint64_t consume_all(struct rig *rig)
{
	uint64_t all = 0;
	size_t n;

	do {
		n = rig_consume(rig);
		all += n;
	} while (n);
	return all;
}

struct burst {
	const char *name;
	struct packet_spec packet;
	enum bh_verdict verdict; /* whose books they go to */
};

/* clang-format off */
static const struct burst bursts[] = {
	{"denied by default", {.dport = 444}, BH_VERDICT_DENY},
	{"denied by a rule", {.dport = 23}, BH_VERDICT_DENY},
	{"denied before any rule", {.flags = "A"}, BH_VERDICT_DENY},
	{"denied from a stranger", {.from = OUTSIDER}, BH_VERDICT_DENY},
	{"denied for another reason", {.icmp = ICMP_UNREACHABLE}, BH_VERDICT_DENY},
	{"audited, of no connection", {.from = OUTSIDER, .to = WATCHED, .icmp = ICMP_TYPE, .type = 42}, BH_VERDICT_AUDIT},
};
/* clang-format on */

/* Who is where for the packet, and its frame. */
static struct frame prepare(struct rig *rig, const struct packet_spec *given, bool is_v6,
			    enum program program)
{
	struct packet_spec spec = *given;

	spec.is_v6 = is_v6;
	if (program_is_ingress(program))
		rig_stand(rig, spec.to ? spec.to : SERVER);
	else
		rig_stand(rig, spec.from ? spec.from : CLIENT);
	return packet_build(&spec);
}

static void suppresses(struct rig *rig, const struct burst *burst, bool is_v6, enum program program)
{
	const char *place = table_place(burst->name, is_v6, program);
	struct frame frame = prepare(rig, &burst->packet, is_v6, program);
	struct bh_books then = books_of(rig, burst->verdict), seen;
	uint64_t dropped = drops(rig);

	rig_age(rig, 2);
	rig_repeat(rig, program, &frame, 10);
	seen = books_since(rig, burst->verdict, then);
	assert_row(place, seen.produced == 10);
	assert_row(place, seen.delivered == RATE);
	assert_row(place, seen.suppressed == 10 - RATE);
	assert_row(place, consume_all(rig) == RATE);
	assert_row(place, drops(rig) - dropped == (burst->verdict == BH_VERDICT_DENY ? 10 : 0));
}

static void events_over_the_rate_are_suppressed_and_counted(void **state)
{
	struct rig *rig = rig_new(RATE);

	(void)state;
	rig_policy(rig, rules);
	for (size_t i = 0; i < COUNT(bursts); i++) {
		for (enum program program = 0; program < PROGRAMS; program++) {
			for (int is_v6 = 0; is_v6 < 2; is_v6++)
				suppresses(rig, &bursts[i], is_v6, program);
		}
	}
	rig_free(rig);
}

/* One burst after another within a second: each has its own rate. */
static void each_source_rule_and_reason_has_its_own_rate(void **state)
{
	struct rig *rig = rig_new(RATE);
	struct bh_books then, seen;

	(void)state;
	rig_policy(rig, rules);
	then = books_of(rig, BH_VERDICT_DENY);
	for (int is_v6 = 0; is_v6 < 2; is_v6++) {
		for (size_t i = 0; bursts[i].verdict == BH_VERDICT_DENY; i++) {
			struct frame frame = prepare(rig, &bursts[i].packet, is_v6, PROGRAM_TO);

			rig_repeat(rig, PROGRAM_TO, &frame, 10);
		}
	}
	/* Both families of a workload are one identity. */
	seen = books_since(rig, BH_VERDICT_DENY, then);
	assert_int_equal(seen.produced, 100);
	assert_int_equal(seen.delivered, 5 * RATE);
	assert_int_equal(seen.suppressed, 100 - 5 * RATE);
	assert_int_equal(consume_all(rig), 5 * RATE);
	rig_free(rig);
}

static void overflows(struct rig *rig, bool is_v6, enum program program)
{
	static const struct packet_spec denied = {.dport = 444};
	const uint64_t room = BH_RING_BYTES / (sizeof(struct bh_event) + 8);
	const char *place = table_place("a full ring", is_v6, program);
	struct frame frame = prepare(rig, &denied, is_v6, program);
	struct bh_books then = books_of(rig, BH_VERDICT_DENY), seen;
	uint64_t dropped = drops(rig), packets = room + 5000;

	rig_repeat(rig, program, &frame, (int)packets);
	seen = books_since(rig, BH_VERDICT_DENY, then);
	assert_row(place, drops(rig) - dropped == packets);
	assert_row(place, seen.produced == packets);
	assert_row(place, seen.suppressed == 0);
	assert_row(place, seen.lost >= 5000 && seen.lost <= 5002);
	assert_row(place, consume_all(rig) == seen.delivered);

	/* There is room again. */
	then = books_of(rig, BH_VERDICT_DENY);
	rig_repeat(rig, program, &frame, 1);
	assert_row(place, books_since(rig, BH_VERDICT_DENY, then).delivered == 1);
	assert_row(place, consume_all(rig) == 1);
}

static void what_a_full_ring_has_no_room_for_is_counted_as_lost(void **state)
{
	struct rig *rig = *state;

	rig_policy(rig, rules);
	consume_all(rig);
	for (enum program program = 0; program < PROGRAMS; program++) {
		for (int is_v6 = 0; is_v6 < 2; is_v6++)
			overflows(rig, is_v6, program);
	}
}

/* --- once per connection --- */

/* clang-format off */
static const struct burst connections[] = {
	{"logged, TCP", {.dport = 9000}, BH_VERDICT_ALLOW},
	{"logged, UDP", {.proto = IPPROTO_UDP, .dport = 9000}, BH_VERDICT_ALLOW},
	{"logged, ping", {.icmp = ICMP_ECHO_REQUEST, .id = 5}, BH_VERDICT_ALLOW},
	{"audited, TCP", {.from = OUTSIDER, .to = WATCHED}, BH_VERDICT_AUDIT},
	{"audited, UDP", {.from = OUTSIDER, .to = WATCHED, .proto = IPPROTO_UDP}, BH_VERDICT_AUDIT},
	{"audited, ping", {.from = OUTSIDER, .to = WATCHED, .icmp = ICMP_ECHO_REQUEST, .id = 5}, BH_VERDICT_AUDIT},
	{"audited, by a rule", {.from = OUTSIDER, .to = WATCHED, .dport = 23}, BH_VERDICT_AUDIT},
	{"audited, without ports", {.from = OUTSIDER, .to = WATCHED, .proto = PROTO_GRE}, BH_VERDICT_AUDIT},
};
/* clang-format on */

static struct packet_spec answer_to(const struct packet_spec *spec)
{
	struct packet_spec answer = *spec;

	answer.from = spec->to ? spec->to : SERVER;
	answer.to = spec->from ? spec->from : CLIENT;
	answer.flags = "SA";
	answer.ack = 1;
	if (spec->icmp)
		answer.icmp = ICMP_ECHO_ANSWER;
	else if (packet_proto(spec) != PROTO_GRE) {
		answer.sport = packet_dport(spec);
		answer.dport = packet_sport(spec);
	}
	return answer;
}

/* Where the answers of what a program sees come by. */
static enum program opposite(enum program program)
{
	switch (program) {
	case PROGRAM_XDP_IN:
	case PROGRAM_HOST_IN:
		return PROGRAM_HOST_OUT;
	case PROGRAM_HOST_OUT:
		return PROGRAM_XDP_IN;
	case PROGRAM_FROM:
		return PROGRAM_TO;
	case PROGRAM_TO:
	case PROGRAMS:
		break;
	}
	return PROGRAM_FROM;
}

static void reports_once(struct rig *rig, const struct burst *c, bool is_v6, enum program program)
{
	const char *place = table_place(c->name, is_v6, program);
	struct packet_spec forth = c->packet, back;
	struct bh_books then = books_of(rig, c->verdict);
	struct outcome outcome;

	prepare(rig, &forth, is_v6, program);
	forth.is_v6 = is_v6;
	back = answer_to(&forth);
	rig_forget(rig);
	outcome = rig_run(rig, place, program, &forth);
	assert_row(place, outcome.events == 1 && outcome.event.verdict == c->verdict);
	assert_row(place, rig_run(rig, place, program, &forth).events == 0);
	assert_row(place, rig_run(rig, place, opposite(program), &back).events == 0);
	assert_row(place, rig_run(rig, place, program, &forth).events == 0);
	/* Decided again, and nothing changed: that is no news. */
	rig_bump(rig);
	assert_row(place, rig_run(rig, place, program, &forth).events == 0);
	assert_row(place, rig_run(rig, place, opposite(program), &back).events == 0);
	assert_row(place, books_since(rig, c->verdict, then).produced == 1);
	/* The same ends, another connection. */
	rig_forget(rig);
	assert_row(place, rig_run(rig, place, program, &forth).events == 1);
}

static void audited_and_logged_connections_are_reported_once(void **state)
{
	struct rig *rig = *state;

	rig_policy(rig, rules);
	for (size_t i = 0; i < COUNT(connections); i++) {
		for (enum program program = 0; program < PROGRAMS; program++) {
			for (int is_v6 = 0; is_v6 < 2; is_v6++)
				reports_once(rig, &connections[i], is_v6, program);
		}
	}
}

/* An allowed connection that the next policy only audits. */
static void a_connection_that_becomes_audited_is_reported_once(void **state)
{
	static const char open[] = "    - {name: open, from: any, to: watch, services: tcp/443}\n";
	static const char closed[] =
		"    - {name: other, from: any, to: watch, services: tcp/80}\n";
	struct packet_spec packet = {.from = OUTSIDER, .to = WATCHED};
	struct rig *rig = *state;

	for (int is_v6 = 0; is_v6 < 2; is_v6++) {
		const char *place = table_place("audited later", is_v6, PROGRAM_TO);
		struct outcome outcome;

		packet.is_v6 = is_v6;
		rig_policy(rig, open);
		prepare(rig, &packet, is_v6, PROGRAM_TO);
		rig_forget(rig);
		assert_row(place, rig_run(rig, place, PROGRAM_TO, &packet).events == 0);
		rig_policy(rig, closed);
		outcome = rig_run(rig, place, PROGRAM_TO, &packet);
		assert_row(place, outcome.is_passed && outcome.events == 1);
		assert_row(place, outcome.event.verdict == BH_VERDICT_AUDIT);
		assert_row(place, rig_run(rig, place, PROGRAM_TO, &packet).events == 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_event_says_everything_about_its_packet),
		cmocka_unit_test(events_over_the_rate_are_suppressed_and_counted),
		cmocka_unit_test(each_source_rule_and_reason_has_its_own_rate),
		cmocka_unit_test(what_a_full_ring_has_no_room_for_is_counted_as_lost),
		cmocka_unit_test(audited_and_logged_connections_are_reported_once),
		cmocka_unit_test(a_connection_that_becomes_audited_is_reported_once),
	};

	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
