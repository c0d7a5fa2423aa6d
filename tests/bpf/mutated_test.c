/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Packets with random faults.  XDP and tc, each with state of its own, say the same of each; and
 * what passes is read here, by other means, and found to be allowed.
 * BULKHEAD_MUTATED_SECONDS and BULKHEAD_MUTATED_SEED make a longer or another run.
 */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <stdio.h>

#include "tests/bpf/rig.h"
#include "util/clock.h"

#define SECONDS      3
#define ROUND        1000 /* packets between two times that everything is forgotten */
#define FAULTS_MAX   4
#define HEADER_BYTES 120 /* where faults are */
#define PORT         443
#define UDP          .proto = IPPROTO_UDP
#define PIECE        .is_fragment = true, .fragment_id = 7

static const char rules[] =
	"    - {name: web, from: client, to: server, services: [tcp/443, udp/443]}\n";

/* clang-format off */
static const struct packet_spec seeds[] = {
	{}, {.dport = 444}, {.flags = "A"}, {.flags = "SA", .payload = 30}, {.vlans = 1}, {.vlans = 2, UDP},
	{UDP, .payload = 20}, {UDP, .option_words = 5}, {UDP, .option_words = 10, .dport = 444},
	{UDP, .option_words = 2, .options = "\x83\x07\x04\x0a\x4d\x00\x02"},
	{.extensions = "HDAD", .is_v6 = true}, {.extensions = "FD", .is_v6 = true, UDP}, {.extensions = "R", .is_v6 = true},
	{UDP, PIECE, .payload = 64}, {UDP, PIECE, .payload = 64, .offset = 9}, {UDP, PIECE, .payload = 9, .offset = 17, .is_last = true},
	{.proto = IPPROTO_SCTP}, {.proto = PROTO_GRE, .payload = 40}, {.proto = IPPROTO_IPIP, .payload = 40},
	{.icmp = ICMP_ECHO_REQUEST, .id = 7}, {.icmp = ICMP_ECHO_ANSWER, .id = 7},
	{.icmp = ICMP_UNREACHABLE, .quoted = &(const struct packet_spec){.from = SERVER, .to = CLIENT, .sport = 443, .dport = SPEC_SPORT}},
	{.icmp = ICMP_TYPE, .type = 135, .target = "fd77:2::1", .is_v6 = true}, {.icmp = ICMP_TYPE, .type = 136, .target = "fd77:1::1", .is_v6 = true},
	{.ethertype = ETH_P_ARP}, {.from = OTHER}, {.from = SERVER, .to = CLIENT}, {.to = GROUP}, {.from = NOBODY, .to = EVERYONE, UDP, .sport = 67, .dport = 68},
};
/* clang-format on */

static uint64_t random_state;

static uint32_t pick(uint32_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 32) % below;
}

static void add_fault(struct frame *f)
{
	static const uint8_t odd[] = {0, 1, 4, 5, 6, 17, 41, 44, 45, 51, 58, 59, 60, 64, 127, 255};
	size_t at = 12 + pick((uint32_t)(f->len < HEADER_BYTES ? f->len : HEADER_BYTES) - 12);

	switch (pick(6)) {
	case 0:
		f->bytes[at] ^= (uint8_t)(1u << pick(8));
		break;
	case 1:
		f->bytes[at] = odd[pick(COUNT(odd))];
		break;
	case 2:
		f->bytes[at] = (uint8_t)pick(256);
		break;
	case 3: /* the length goes on saying what it said */
		f->len -= pick((uint32_t)(f->len - ETH_HLEN));
		break;
	case 4:
		f->bytes[at] = (uint8_t)(f->bytes[at] + 1 - 2 * pick(2));
		break;
	case 5: /* bytes from elsewhere in it */
		memmove(f->bytes + at, f->bytes + ETH_HLEN, f->len - at < 8 ? f->len - at : 8);
		break;
	}
}

static struct frame make(void)
{
	struct packet_spec spec = seeds[pick(COUNT(seeds))];
	struct frame f;
	uint32_t faults;

	if (!spec.extensions && !spec.target && spec.ethertype != ETH_P_ARP && !spec.quoted)
		spec.is_v6 = pick(2);
	f = packet_build(&spec);
	faults = pick(FAULTS_MAX + 1);
	for (uint32_t i = 0; i < faults && f.len > ETH_HLEN + 1; i++)
		add_fault(&f);
	return f;
}

/* --- reading, by other means --- */

struct reading {
	const uint8_t *at, *end;
	bool is_v6, is_tail;
	struct bh_addr src, dst;
	uint8_t proto;
};

static unsigned int get16(const uint8_t *at)
{
	return (unsigned int)at[0] << 8 | at[1];
}

static bool read_ipv4(struct reading *r)
{
	size_t header = (r->at[0] & 15u) * 4u, total;

	if (r->end - r->at < 20 || r->at[0] >> 4 != 4 || header < 20)
		return false;
	total = get16(r->at + 2);
	if (total < header || total > (size_t)(r->end - r->at))
		return false;
	r->src = r->dst = (struct bh_addr){.word = {0, 0, htonl(0xffff), 0}};
	memcpy(&r->src.word[3], r->at + 12, 4);
	memcpy(&r->dst.word[3], r->at + 16, 4);
	r->proto = r->at[9];
	r->is_tail = get16(r->at + 6) & 0x1fff;
	r->end = r->at + total;
	r->at += header;
	return true;
}

static bool read_ipv6(struct reading *r)
{
	size_t len;

	if (r->end - r->at < 40 || r->at[0] >> 4 != 6)
		return false;
	len = get16(r->at + 4);
	if (len + 40 > (size_t)(r->end - r->at))
		return false;
	memcpy(&r->src, r->at + 8, 16);
	memcpy(&r->dst, r->at + 24, 16);
	r->proto = r->at[6];
	r->is_v6 = true;
	r->at += 40;
	r->end = r->at + len;
	while (!r->is_tail &&
	       (r->proto == 0 || r->proto == 60 || r->proto == 44 || r->proto == 51)) {
		size_t step;

		if (r->end - r->at < 8)
			return false;
		step = r->proto == 44 ? 8 : r->proto == 51 ? r->at[1] * 4u + 8 : r->at[1] * 8u + 8;
		if (r->proto == 44)
			r->is_tail = get16(r->at + 2) & 0xfff8;
		r->proto = r->at[0];
		if (step > (size_t)(r->end - r->at))
			return false;
		r->at += step;
	}
	return true;
}

/* False for what is no IP packet, or none that can be read. */
static bool read_frame(const struct frame *f, struct reading *r)
{
	const uint8_t *type = f->bytes + 12;
	unsigned int ethertype = get16(type);

	*r = (struct reading){.end = f->bytes + f->len};
	for (int i = 0; i < 2 && (ethertype == ETH_P_8021Q || ethertype == ETH_P_8021AD); i++) {
		type += 4;
		if (type + 2 > r->end)
			return false;
		ethertype = get16(type);
	}
	r->at = type + 2;
	if (r->at >= r->end)
		return false;
	if (ethertype == ETH_P_IP)
		return read_ipv4(r);
	return ethertype == ETH_P_IPV6 && read_ipv6(r);
}

static bool is_group(const struct reading *r)
{
	const uint8_t *dst = (const uint8_t *)&r->dst;

	return r->is_v6 ? dst[0] == 0xff : dst[12] >> 4 == 14 || r->dst.word[3] == UINT32_MAX;
}

static bool is_named(const struct reading *r)
{
	if (r->is_v6 && r->proto == IPPROTO_ICMPV6)
		return r->at[0] >= 130 && r->at[0] <= 143; /* neighbours and listeners */
	if (r->proto != IPPROTO_UDP)
		return false;
	return r->is_v6 ? get16(r->at) == 547 && get16(r->at + 2) == 546
			: get16(r->at) == 67 && get16(r->at + 2) == 68;
}

static bool is_error(const struct reading *r)
{
	if (r->proto != (r->is_v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP))
		return false;
	return r->is_v6 ? r->at[0] >= 1 && r->at[0] <= 4
			: r->at[0] == 3 || r->at[0] == 11 || r->at[0] == 12;
}

/* Whether a NIC of SERVER may let it in. */
static bool may_pass(const struct frame *f)
{
	struct bh_addr server, client;
	struct reading r;

	if (!read_frame(f, &r))
		return false;
	server = end_addr(SERVER, r.is_v6);
	client = end_addr(CLIENT, r.is_v6);
	if (memcmp(&r.dst, &server, sizeof(server)) &&
	    (!is_group(&r) || memcmp(&r.src, &client, sizeof(client))))
		return true; /* for another machine, or between two of no zone */
	if (r.is_tail)
		return true; /* its first has passed */
	if (r.end - r.at < 8)
		return false;
	if (is_named(&r) || is_error(&r))
		return true;
	return (r.proto == IPPROTO_TCP || r.proto == IPPROTO_UDP) && get16(r.at + 2) == PORT &&
	       !memcmp(&r.src, &client, sizeof(client));
}

static bool is_arp(const struct frame *f)
{
	for (size_t at = 12; at + 2 <= f->len && at <= 20; at += 4) {
		unsigned int ethertype = get16(f->bytes + at);

		if (ethertype == ETH_P_ARP)
			return f->len >= at + 2 + 28;
		if (ethertype != ETH_P_8021Q && ethertype != ETH_P_8021AD)
			return false;
	}
	return false;
}

static void fail_with(const char *what, const struct frame *f, uint64_t packet)
{
	fprintf(stderr, "packet %ju, %zu bytes: ", (uintmax_t)packet, f->len);
	for (size_t i = 0; i < f->len; i++)
		fprintf(stderr, "%02x", f->bytes[i]);
	fputc('\n', stderr);
	fail_msg("%s", what);
}

/* The reason, NONE if it passed. */
static enum bh_reason run(struct rig *rig, enum program program, const struct frame *f)
{
	bool is_passed = rig_passes(rig, "a mutated packet", program, f);
	size_t events = rig_consume(rig);

	assert_true(is_passed ? events <= 1 : events == 1);
	return is_passed ? BH_REASON_NONE : (enum bh_reason)rig->event.reason;
}

static uint64_t number_of(const char *variable, uint64_t otherwise)
{
	const char *value = getenv(variable);

	return value ? strtoull(value, NULL, 10) : otherwise;
}

static void begin(struct rig *rig, enum program program)
{
	const struct packet_spec first = {};
	struct frame f = packet_build(&first);

	rig_policy(rig, rules);
	rig_stand(rig, SERVER);
	rig_repeat(rig, program, &f, 1);
	rig_consume(rig);
}

static void both_kinds_of_program_agree_and_pass_only_what_is_allowed(void **state)
{
	static const enum program programs[] = {PROGRAM_XDP_IN, PROGRAM_HOST_IN};
	struct rig *rigs[] = {rig_new(0), rig_new(0)};
	uint64_t end = clock_monotonic_ns() +
		       number_of("BULKHEAD_MUTATED_SECONDS", SECONDS) * UINT64_C(1000000000);
	uint64_t packets = 0, passed = 0;

	(void)state;
	random_state = number_of("BULKHEAD_MUTATED_SEED", 1) * UINT64_C(0x9e3779b97f4a7c15) | 1;
	for (size_t i = 0; i < COUNT(rigs); i++)
		begin(rigs[i], programs[i]);
	for (; clock_monotonic_ns() < end; packets++) {
		struct frame f = make();
		enum bh_reason reasons[COUNT(rigs)];

		for (size_t i = 0; packets % ROUND == 0 && i < COUNT(rigs); i++)
			rig_forget(rigs[i]);
		if (!rig_can_run(PROGRAM_HOST_IN, &f))
			continue;
		for (size_t i = 0; i < COUNT(rigs); i++)
			reasons[i] = run(rigs[i], programs[i], &f);
		if (reasons[0] != reasons[1])
			fail_with("XDP and tc disagree", &f, packets);
		if (!reasons[0] && !may_pass(&f) && !is_arp(&f))
			fail_with("it passes", &f, packets);
		passed += !reasons[0];
	}
	fprintf(stderr, "%ju packets, %ju passed\n", (uintmax_t)packets, (uintmax_t)passed);
	assert_true(passed > 0 && passed < packets);
	for (size_t i = 0; i < COUNT(rigs); i++)
		rig_free(rigs[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_kinds_of_program_agree_and_pass_only_what_is_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
