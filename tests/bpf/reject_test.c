/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <netinet/in.h>

#include "bulkhead.skel.h"
#include "tests/bpf/table.h"
#include "util/clock.h"

#define BROADCAST     "10.77.2.255"
#define BURST_PACKETS (BH_REJECT_BURST + 200)

/* clang-format off */
static const char rules[] =
	"    - {name: web, from: client, to: server, services: tcp/443}\n"
	"    - {name: no, from: any, to: any, services: [tcp/1-442, udp/1-65535, sctp/1-65535, icmp/echo-request, icmp6/echo-request, proto/47], action: reject}\n";

static const char all_rejected[] =
	"    - {name: no, from: any, to: any, services: any, action: reject}\n";
/* clang-format on */

/* One packet at one program, and what it came to. */
struct meeting {
	const char *place;
	enum program program;
	struct packet_spec spec;
	struct frame frame;
	struct program_output out;
	int returned;
	struct bh_rejects counted; /* what it added */
};

/* --- checksums and answers, computed in another way than the programs do --- */

static uint32_t sum_of(const uint8_t *bytes, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
	return sum;
}

static uint16_t folded(uint32_t sum)
{
	while (sum > UINT16_MAX)
		sum = sum % 0x10000 + sum / 0x10000;
	return (uint16_t)sum;
}

static void add(struct frame *f, const void *bytes, size_t len)
{
	assert_in_range(f->len + len, 0, FRAME_MAX);
	memcpy(f->bytes + f->len, bytes, len);
	f->len += len;
}

static void add_number(struct frame *f, uint64_t value, size_t len)
{
	for (size_t i = len; i > 0; i--) {
		uint8_t byte = (uint8_t)(value >> 8 * (i - 1));

		add(f, &byte, 1);
	}
}

static void set16(struct frame *f, size_t at, unsigned int value)
{
	f->bytes[at] = (uint8_t)(value >> 8);
	f->bytes[at + 1] = (uint8_t)value;
}

static size_t link_len(const struct packet_spec *spec)
{
	return ETH_HLEN + 4u * spec->vlans;
}

/* The IP header from the packet's destination to its source; checksum included. */
static void add_ip(struct frame *f, const struct packet_spec *spec, uint8_t proto, size_t len)
{
	struct bh_addr src = packet_dst(spec), dst = packet_src(spec);
	size_t start = f->len;

	if (spec->is_v6) {
		add_number(f, 0x60000000, 4);
		add_number(f, len, 2);
		add_number(f, proto, 1);
		add_number(f, 64, 1);
		add(f, &src, 16);
		add(f, &dst, 16);
		return;
	}
	add_number(f, 0x4500, 2);
	add_number(f, 20 + len, 2);
	add_number(f, 0x00004000, 4);
	add_number(f, 64, 1);
	add_number(f, proto, 1);
	add_number(f, 0, 2);
	add(f, &src.word[3], 4);
	add(f, &dst.word[3], 4);
	set16(f, start + 10, (uint16_t)~folded(sum_of(f->bytes + start, 20)));
}

static uint32_t pseudo_sum(const struct frame *f, const struct packet_spec *spec, size_t body,
			   uint8_t proto)
{
	size_t addresses = spec->is_v6 ? 32 : 8;

	if (!spec->is_v6 && proto == IPPROTO_ICMP)
		return 0;
	return sum_of(f->bytes + body - addresses, addresses) + (uint32_t)(f->len - body) + proto;
}

static void add_reset(struct frame *f, const struct packet_spec *spec)
{
	uint8_t flags = packet_tcp_flags(spec->flags ? spec->flags : "S");
	uint32_t len = spec->payload + (flags & 1) + (flags >> 1 & 1);

	add_number(f, packet_dport(spec), 2);
	add_number(f, packet_sport(spec), 2);
	add_number(f, flags & 0x10 ? spec->ack : 0, 4);
	add_number(f, flags & 0x10 ? 0 : spec->seq + len, 4);
	add_number(f, flags & 0x10 ? 0x5004 : 0x5014, 2);
	add_number(f, 0, 6);
}

static size_t quote_len(const struct meeting *m)
{
	size_t ip = m->frame.len - link_len(&m->spec) - m->spec.padding;
	size_t max = m->spec.is_v6 ? 128 : 20 + 4u * m->spec.option_words + 8;

	return ip < max ? ip : max;
}

static struct frame expected_answer(const struct meeting *m)
{
	const struct packet_spec *spec = &m->spec;
	bool is_tcp = packet_proto(spec) == IPPROTO_TCP;
	uint8_t icmp = spec->is_v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	uint8_t proto = is_tcp ? IPPROTO_TCP : icmp;
	size_t link = link_len(spec), body;
	struct frame f = {.len = 0};

	add(&f, m->frame.bytes + ETH_ALEN, ETH_ALEN);
	add(&f, m->frame.bytes, ETH_ALEN);
	add(&f, m->frame.bytes + 2 * ETH_ALEN, link - 2 * ETH_ALEN);
	add_ip(&f, spec, proto, is_tcp ? 20 : 8 + quote_len(m));
	body = f.len;
	if (is_tcp) {
		add_reset(&f, spec);
	} else {
		add_number(&f, spec->is_v6 ? 0x0101 : 0x030d, 2);
		add_number(&f, 0, 6);
		add(&f, m->frame.bytes + link, quote_len(m));
	}
	set16(&f, body + (is_tcp ? 16 : 2),
	      (uint16_t)~folded(pseudo_sum(&f, spec, body, proto) +
				sum_of(f.bytes + body, f.len - body)));
	return f;
}

/* --- meetings --- */

static struct bh_rejects rejects_of(struct rig *rig)
{
	struct bh_rejects rejects;

	assert_int_equal(datapath_read_rejects(rig->dp, &rejects), 0);
	return rejects;
}

static void stand(struct rig *rig, const struct packet_spec *spec, enum program program)
{
	if (program_is_ingress(program))
		rig_stand(rig, spec->to ? spec->to : SERVER);
	else
		rig_stand(rig, spec->from ? spec->from : CLIENT);
}

/* @input says what is special; rig_run_frame() has checked counters and event before. */
static void run(struct rig *rig, struct meeting *m, struct program_input input)
{
	struct bh_rejects before = rejects_of(rig), after;

	input.bytes = m->frame.bytes;
	input.len = m->frame.len;
	input.times = 1;
	input.out = &m->out;
	rig_consume(rig);
	assert_int_equal(program_run(rig->dp, m->program, &input, &m->returned), 0);
	rig_consume(rig);
	after = rejects_of(rig);
	m->counted = (struct bh_rejects){after.answered - before.answered,
					 after.suppressed - before.suppressed,
					 after.silent - before.silent};
}

static void meet(struct rig *rig, struct meeting *m, const char *name, bool is_v6)
{
	m->spec.is_v6 = is_v6;
	m->place = table_place(name, is_v6, m->program);
	m->frame = packet_build(&m->spec);
	stand(rig, &m->spec, m->program);
	rig_forget(rig);
	rig_run_frame(rig, m->place, m->program, &m->frame);
	run(rig, m, (struct program_input){.mark = 0});
}

/* What tells our programs, and nobody else, whose packet it is. */
static void check_secret(struct rig *rig, struct meeting *m)
{
	const struct bulkhead_bpf__rodata *secrets = rig->dp->skel->rodata;
	uint8_t *source = m->out.bytes + ETH_ALEN;
	uint32_t mark = m->program == PROGRAM_HOST_OUT ? 0 : secrets->bh_answer_mark;

	if (m->program != PROGRAM_XDP_IN)
		assert_row(m->place, m->out.mark == mark);
	if (m->program != PROGRAM_HOST_OUT)
		return;
	assert_row(m->place, !memcmp(source, secrets->bh_answer_mac, ETH_ALEN));
	memcpy(source, m->frame.bytes, ETH_ALEN);
}

static void check_answer(struct rig *rig, struct meeting *m)
{
	struct frame expected = expected_answer(m);
	struct seen_connection c;

	assert_row(m->place, rig->events == 1 && rig->event.verdict == BH_VERDICT_REJECT);
	assert_row(m->place, rig->event.reason == BH_REASON_POLICY);
	assert_row(m->place, program_answers(m->program, m->returned));
	assert_row(m->place, m->counted.answered == 1);
	assert_row(m->place, !m->counted.suppressed && !m->counted.silent);
	check_secret(rig, m);
	assert_row(m->place, m->out.len == expected.len);
	for (size_t i = 0; i < expected.len; i++) {
		if (m->out.bytes[i] != expected.bytes[i])
			fail_msg("%s: byte %zu is %02x, expected %02x", m->place, i,
				 m->out.bytes[i], expected.bytes[i]);
	}
	assert_row(m->place, rig_connection(rig, &m->spec, BH_ENDPOINT_HOST, &c));
	assert_row(m->place, rig_connection(rig, &m->spec, RIG_ENDPOINT, &c));
}

struct answer_case {
	const char *name;
	struct packet_spec packet;
	enum family family;
};

/* clang-format off */
static const struct answer_case answered[] = {
	{"SYN", {.dport = 23, .seq = 1000}},
	{"SYN, last number", {.dport = 23, .seq = UINT32_MAX}},
	{"SYN with data", {.dport = 23, .seq = 7, .payload = 100}},
	{"SYN, odd length", {.dport = 23, .seq = 7, .payload = 33}},
	{"SYN with options", {.dport = 23, .option_words = 3}, FAMILY_V4},
	{"SYN behind headers", {.dport = 23, .extensions = "HD"}, FAMILY_V6},
	{"SYN in padding", {.dport = 23, .padding = 30}},
	{"SYN with a tag", {.dport = 23, .seq = 5, .vlans = 1}},
	{"SYN with two tags", {.dport = 23, .seq = 5, .vlans = 2}},
	{"SYN, first fragment", {.dport = 23, .is_fragment = true, .payload = 4}, FAMILY_V4},
	{"from a stranger", {.from = OUTSIDER, .dport = 23}},
	{"UDP", {.proto = IPPROTO_UDP, .dport = 53}},
	{"UDP with data", {.proto = IPPROTO_UDP, .dport = 53, .payload = 500}},
	{"UDP, odd length", {.proto = IPPROTO_UDP, .dport = 53, .payload = 1}},
	{"UDP in padding", {.proto = IPPROTO_UDP, .dport = 53, .padding = 18}},
	{"UDP with options", {.proto = IPPROTO_UDP, .dport = 53, .option_words = 10, .payload = 20}, FAMILY_V4},
	{"UDP behind headers", {.proto = IPPROTO_UDP, .dport = 53, .extensions = "HDD", .payload = 200}, FAMILY_V6},
	{"UDP with two tags", {.proto = IPPROTO_UDP, .dport = 53, .vlans = 2}},
	{"UDP, first fragment", {.proto = IPPROTO_UDP, .dport = 53, .is_fragment = true, .payload = 64}},
	{"echo request", {.icmp = ICMP_ECHO_REQUEST, .id = 9, .payload = 56}},
	{"echo request, short", {.icmp = ICMP_ECHO_REQUEST, .id = 9}},
	{"SCTP", {.proto = IPPROTO_SCTP, .dport = 80, .payload = 20}},
	{"another protocol", {.proto = PROTO_GRE, .payload = 40}},
	{"another protocol, short", {.proto = PROTO_GRE, .payload = 3}},
	{"another protocol, empty", {.proto = PROTO_GRE}},
};
/* clang-format on */

static void every_program_answers_byte_for_byte(void **state)
{
	struct rig *rig = *state;

	rig_policy(rig, rules);
	for (size_t i = 0; i < COUNT(answered); i++) {
		for (enum program program = 0; program < PROGRAMS; program++) {
			for (int is_v6 = 0; is_v6 < 2; is_v6++) {
				struct meeting m = {.program = program, .spec = answered[i].packet};

				if (!family_has(answered[i].family, is_v6))
					continue;
				meet(rig, &m, answered[i].name, is_v6);
				check_answer(rig, &m);
			}
		}
	}
}

/* --- what is never answered --- */

/* clang-format off */
static const struct answer_case silent[] = {
	{"an error", {.icmp = ICMP_UNREACHABLE}},
	{"time exceeded", {.icmp = ICMP_TIME_EXCEEDED}},
	{"a bad parameter", {.icmp = ICMP_BAD_PARAMETER}},
	{"a redirect", {.icmp = ICMP_TYPE, .type = 5}, FAMILY_V4},
	{"a timestamp request", {.icmp = ICMP_TYPE, .type = 13}, FAMILY_V4},
	{"a node query", {.icmp = ICMP_TYPE, .type = 139}, FAMILY_V6},
	{"ICMP of the other family", {.proto = IPPROTO_ICMPV6, .payload = 8}, FAMILY_V4},
	{"ICMP of the other family", {.proto = IPPROTO_ICMP, .payload = 8}, FAMILY_V6},
	{"to a group", {.proto = IPPROTO_UDP, .to = GROUP}},
	{"to everyone", {.proto = IPPROTO_UDP, .to = EVERYONE}},
	{"to a network's broadcast address", {.dst = BROADCAST}, FAMILY_V4},
	{"to a network's broadcast address, UDP", {.dst = BROADCAST, .proto = IPPROTO_UDP}, FAMILY_V4},
};
/* clang-format on */

static void check_silence(struct rig *rig, const struct meeting *m)
{
	assert_row(m->place, rig->events == 1 && rig->event.verdict == BH_VERDICT_REJECT);
	assert_row(m->place, !program_answers(m->program, m->returned));
	assert_row(m->place, !program_passes(m->program, m->returned));
	assert_row(m->place, m->counted.silent == 1);
	assert_row(m->place, !m->counted.answered && !m->counted.suppressed);
	assert_row(m->place, m->out.len == m->frame.len);
	assert_row(m->place, !memcmp(m->out.bytes, m->frame.bytes, m->frame.len));
}

static void what_must_not_be_answered_is_rejected_in_silence(void **state)
{
	struct rig *rig = *state;

	rig_policy(rig, all_rejected);
	assert_null(prefix_parse(BROADCAST, &rig->routed.prefix, NULL));
	rig->routed.flags = BH_LOCAL_GROUP;
	for (size_t i = 0; i < COUNT(silent); i++) {
		for (enum program program = 0; program < PROGRAMS; program++) {
			for (int is_v6 = 0; is_v6 < 2; is_v6++) {
				struct meeting m = {.program = program, .spec = silent[i].packet};

				if (!family_has(silent[i].family, is_v6))
					continue;
				meet(rig, &m, silent[i].name, is_v6);
				check_silence(rig, &m);
			}
		}
	}
	rig->routed = (struct local_prefix){};
}

static void a_frame_to_more_than_one_is_not_answered(void **state)
{
	struct rig *rig = *state;

	rig_policy(rig, all_rejected);
	for (enum program program = 0; program < PROGRAMS; program++) {
		for (int is_v6 = 0; is_v6 < 2; is_v6++) {
			struct meeting m = {.program = program, .spec = {.is_v6 = is_v6}};

			m.place = table_place("group frame", is_v6, program);
			m.frame = packet_build(&m.spec);
			m.frame.bytes[0] |= 1;
			stand(rig, &m.spec, program);
			rig_run_frame(rig, m.place, program, &m.frame);
			run(rig, &m, (struct program_input){.mark = 0});
			check_silence(rig, &m);
		}
	}
}

/* Dropped before any rule is asked: these have a reason of their own, and the verdict deny. */
/* clang-format off */
static const struct row wrong[] = {
	{"reset", {.flags = "R"}, BH_REASON_NO_CONNECTION},
	{"reset with an acknowledgement", {.flags = "RA"}, BH_REASON_NO_CONNECTION},
	{"of no connection", {.flags = "A"}, BH_REASON_NO_CONNECTION},
	{"FIN of no connection", {.flags = "FA", .payload = 9}, BH_REASON_NO_CONNECTION},
	{"SYN and RST", {.flags = "SR"}, BH_REASON_NO_CONNECTION},
	{"answer to no echo", {.icmp = ICMP_ECHO_ANSWER}, BH_REASON_NO_CONNECTION},
	{"later fragment", {.proto = IPPROTO_UDP, .is_fragment = true, .offset = 8, .payload = 16}, BH_REASON_FRAGMENT},
	{"malformed", {.ip_len_add = 40}, BH_REASON_MALFORMED},
	{"short TCP", {.doff = 4}, BH_REASON_MALFORMED},
	{"spoofed", {.from = CLIENT}, BH_REASON_SPOOFED_SOURCE, .programs = ON_FROM, .stand = OTHER},
	{"spoofed on the wire", {.from = SERVER, .to = SERVER, .sport = 5}, BH_REASON_SPOOFED_SOURCE, .programs = ON_HOST_IN, .stand = SERVER},
	{"from nobody", {.proto = IPPROTO_UDP, .from = NOBODY}, BH_REASON_SPOOFED_SOURCE, .programs = ON_HOST_IN | ON_WORKLOAD, .stand = SERVER},
	{"from loopback", {.from = LOOPBACK}, BH_REASON_SPOOFED_SOURCE},
	{"from a group", {.from = GROUP}, BH_REASON_SPOOFED_SOURCE},
	{"from everyone", {.from = EVERYONE}, BH_REASON_SPOOFED_SOURCE},
};
/* clang-format on */

static void check_denied(const struct rig *rig, const struct visit *v)
{
	(void)rig;
	assert_row(v->place, v->outcome.event.verdict == BH_VERDICT_DENY);
}

static void what_is_wrong_in_itself_is_denied_in_silence(void **state)
{
	struct rig *rig = *state;
	struct bh_rejects before;

	rig_policy(rig, all_rejected);
	before = rejects_of(rig);
	table_each(rig, wrong, COUNT(wrong), check_denied);
	assert_int_equal(rejects_of(rig).answered, before.answered);
	assert_int_equal(rejects_of(rig).suppressed, before.suppressed);
	assert_int_equal(rejects_of(rig).silent, before.silent);
}

/* --- running connections --- */

/* clang-format off */
static const struct answer_case running[] = {
	{"acknowledgement", {.flags = "A", .seq = 2000, .ack = 77}},
	{"data", {.flags = "PA", .seq = 2000, .ack = 77, .payload = 400}},
	{"end with data", {.flags = "FA", .seq = 2000, .ack = 77, .payload = 5}},
	{"SYN again", {.flags = "S", .seq = 2000}},
};
/* clang-format on */

static void cuts(struct rig *rig, const struct answer_case *c, enum program program, bool is_v6)
{
	struct meeting m = {.program = program, .spec = c->packet};
	struct packet_spec opening = {.is_v6 = is_v6, .seq = 1999};
	struct frame expected;

	m.spec.is_v6 = is_v6;
	m.place = table_place(c->name, is_v6, program);
	m.frame = packet_build(&m.spec);
	rig_forget(rig);
	rig_policy(rig, rules);
	stand(rig, &m.spec, program);
	assert_row(m.place, rig_run(rig, m.place, program, &opening).reason == BH_REASON_NONE);
	rig_policy(rig, all_rejected);
	run(rig, &m, (struct program_input){.mark = 0});
	assert_row(m.place, rig->event.reason == BH_REASON_REVOKED);
	assert_row(m.place, rig->event.verdict == BH_VERDICT_REJECT);
	assert_row(m.place, program_answers(program, m.returned));
	assert_row(m.place, m.counted.answered == 1);
	check_secret(rig, &m);
	expected = expected_answer(&m);
	assert_row(m.place, m.out.len == expected.len);
	assert_row(m.place, !memcmp(m.out.bytes, expected.bytes, expected.len));
}

static void a_connection_that_becomes_rejected_is_cut_with_a_reset(void **state)
{
	for (size_t i = 0; i < COUNT(running); i++) {
		for (enum program program = 0; program < PROGRAMS; program++) {
			for (int is_v6 = 0; is_v6 < 2; is_v6++)
				cuts(*state, &running[i], program, is_v6);
		}
	}
}

/* Such a packet has a note that the sum over its TCP header is still to be added. */
static void a_reset_for_merged_segments_has_the_sum_of_its_addresses(void **state)
{
	struct rig *rig = *state;

	rig_policy(rig, all_rejected);
	for (enum program program = PROGRAM_HOST_IN; program < PROGRAMS; program++) {
		for (int is_v6 = 0; is_v6 < 2; is_v6++) {
			struct meeting m = {.program = program,
					    .spec = {.is_v6 = is_v6, .payload = 1000}};
			size_t body = is_v6 ? 54 : 34;
			struct frame expected;

			m.place = table_place("merged", is_v6, program);
			m.frame = packet_build(&m.spec);
			stand(rig, &m.spec, program);
			rig_run_frame(rig, m.place, program, &m.frame);
			run(rig, &m, (struct program_input){.gso_size = 500});
			assert_row(m.place, program_answers(program, m.returned));
			expected = expected_answer(&m);
			set16(&expected, body + 16,
			      folded(pseudo_sum(&expected, &m.spec, body, IPPROTO_TCP)));
			assert_row(m.place, m.out.len == expected.len);
			assert_row(m.place, !memcmp(m.out.bytes + 12, expected.bytes + 12,
						    expected.len - 12));
		}
	}
}

/* --- the answer on its way --- */

/* The program at the interface's other hook. */
static enum program next_of(enum program program)
{
	switch (program) {
	case PROGRAM_XDP_IN:
	case PROGRAM_HOST_IN:
		return PROGRAM_HOST_OUT;
	case PROGRAM_HOST_OUT:
		return PROGRAM_HOST_IN;
	case PROGRAM_FROM:
		return PROGRAM_TO;
	case PROGRAM_TO:
	case PROGRAMS:
		break;
	}
	return PROGRAM_FROM;
}

static void check_passes_unseen(struct rig *rig, const struct meeting *m, enum program next)
{
	struct program_output out;
	struct program_input in = {
		.bytes = m->out.bytes,
		.len = m->out.len,
		.mark = m->out.mark,
		.is_forwarded = true,
		.times = 1,
		.out = &out,
	};
	int returned;

	assert_int_equal(program_run(rig->dp, next, &in, &returned), 0);
	assert_row(m->place, program_passes(next, returned));
	assert_row(m->place, rig_consume(rig) == 0);
	assert_row(m->place, next == PROGRAM_XDP_IN || !out.mark);
	assert_row(m->place, out.len == m->out.len);
	assert_row(m->place, !memcmp(out.bytes, m->out.bytes, out.len));

	/* Without the secret it is any packet. */
	in.mark++;
	memcpy(out.bytes, m->out.bytes, m->out.len);
	out.bytes[2 * ETH_ALEN - 1] ^= 1;
	in.bytes = out.bytes;
	in.out = NULL;
	assert_int_equal(program_run(rig->dp, next, &in, &returned), 0);
	assert_row(m->place, !program_passes(next, returned));
	assert_row(m->place, rig_consume(rig) == 1);
}

static void the_next_program_lets_our_answers_through_and_no_others(void **state)
{
	struct rig *rig = *state;

	rig_policy(rig, all_rejected);
	for (enum program program = PROGRAM_HOST_IN; program < PROGRAMS; program++) {
		for (int i = 0; i < 4; i++) {
			struct meeting m = {.program = program,
					    .spec = {.proto = i / 2 ? IPPROTO_UDP : IPPROTO_TCP}};

			meet(rig, &m, "answer", i % 2);
			assert_row(m.place, program_answers(program, m.returned));
			check_passes_unseen(rig, &m, next_of(program));
			if (program == PROGRAM_HOST_OUT)
				check_passes_unseen(rig, &m, PROGRAM_XDP_IN);
		}
	}
}

/* --- the rate --- */

static void answers_have_a_rate(void **state)
{
	struct rig *rig = rig_new(0);
	struct meeting m = {.program = PROGRAM_XDP_IN, .spec = {.dport = 23}};
	struct bh_rejects rejects;
	uint64_t start, took_ms;

	(void)state;
	rig_policy(rig, rules);
	start = clock_monotonic_ns();
	meet(rig, &m, "burst", false);
	for (int i = 2; i < BURST_PACKETS; i++)
		run(rig, &m, (struct program_input){.mark = 0});
	took_ms = (clock_monotonic_ns() - start) / 1000000 + 1;
	rejects = rejects_of(rig);
	assert_int_equal(rejects.answered + rejects.suppressed, BURST_PACKETS);
	assert_int_equal(rejects.silent, 0);
	assert_true(rejects.answered >= BH_REJECT_BURST);
	assert_true(rejects.answered <= BH_REJECT_BURST + took_ms * BH_REJECT_RATE / 1000);
	assert_true(rejects.suppressed > 0);
	rig_free(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_program_answers_byte_for_byte),
		cmocka_unit_test(what_must_not_be_answered_is_rejected_in_silence),
		cmocka_unit_test(a_frame_to_more_than_one_is_not_answered),
		cmocka_unit_test(what_is_wrong_in_itself_is_denied_in_silence),
		cmocka_unit_test(a_connection_that_becomes_rejected_is_cut_with_a_reset),
		cmocka_unit_test(a_reset_for_merged_segments_has_the_sum_of_its_addresses),
		cmocka_unit_test(the_next_program_lets_our_answers_through_and_no_others),
		cmocka_unit_test(answers_have_a_rate),
	};

	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
