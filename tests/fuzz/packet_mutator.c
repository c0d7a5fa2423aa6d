/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Makes inputs of the packet fuzzer out of packets that mean something, replies, and faults. */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <string.h>

#include "datapath/crafted.h"
#include "tests/fuzz/packet_input.h"

#define HEADER_BYTES 120 /* where faults are */

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

#define UDP   .proto = IPPROTO_UDP
#define BACK  .from = SERVER, .to = CLIENT
#define REPLY BACK, .sport = 443, .dport = SPEC_SPORT
#define PIECE .is_fragment = true, .fragment_id = 7
#define HELLO .payload = 40, .begin = {0x16, 3, 1, 0, 32, 1}

/* clang-format off */
static const struct packet_spec packets[] = {
	{}, {}, {.dport = 8443}, {.dport = 444}, {.dport = 22}, {.dport = 79}, {.from = OUTSIDER, .dport = 8443},
	{REPLY, .flags = "SA", .ack = 1}, {.flags = "A", .seq = 1, .ack = 1}, {.flags = "PA", .seq = 1, .ack = 1, HELLO},
	{.flags = "PA", .seq = 1, .ack = 1, .payload = 3, .begin = {0x16, 3, 3}}, {.flags = "PA", .seq = 4, .ack = 1, .payload = 30, .begin = {0, 24, 1}},
	{.dport = 8443, .flags = "A", .seq = 1, .ack = 1}, {.dport = 8443, .flags = "PA", .seq = 1, .ack = 1, HELLO}, {.dport = 8443, .flags = "PA", .seq = 1, .ack = 1, .payload = 9},
	{REPLY, .flags = "A", .seq = 1, .ack = 41}, {REPLY, .flags = "RA", .ack = 1}, {.flags = "R", .seq = 1}, {.flags = "FA", .seq = 1, .ack = 1}, {REPLY, .flags = "FA", .seq = 1, .ack = 2},
	{.vlans = 1}, {.vlans = 2, UDP}, {.vlans = 1, .is_priority_tag = true},
	{UDP, .payload = 20}, {UDP, REPLY, .payload = 20}, {UDP, .dport = 53}, {UDP, .dport = 79, .payload = 90}, {UDP, .option_words = 5}, {UDP, .option_words = 10, .dport = 79},
	{UDP, .option_words = 2, .options = "\x83\x07\x04\x0a\x4d\x00\x02"},
	{.extensions = "HDAD", .is_v6 = true}, {.extensions = "FD", .is_v6 = true, UDP}, {.extensions = "R", .is_v6 = true},
	{UDP, PIECE, .payload = 64}, {UDP, PIECE, .payload = 64, .offset = 9}, {UDP, PIECE, .payload = 9, .offset = 17, .is_last = true},
	{.proto = IPPROTO_SCTP}, {.proto = IPPROTO_SCTP, .dport = 79}, {.proto = PROTO_GRE, .payload = 40}, {.proto = PROTO_GRE, BACK, .payload = 40}, {.proto = IPPROTO_IPIP, .payload = 40},
	{.icmp = ICMP_ECHO_REQUEST, .id = 7}, {.icmp = ICMP_ECHO_ANSWER, BACK, .id = 7}, {.icmp = ICMP_TYPE, .type = 13},
	{.icmp = ICMP_UNREACHABLE, .quoted = &(const struct packet_spec){REPLY}}, {.icmp = ICMP_UNREACHABLE, .from = OUTSIDER, .quoted = &(const struct packet_spec){REPLY, UDP}},
	{.icmp = ICMP_TIME_EXCEEDED, BACK, .quoted = &(const struct packet_spec){}}, {.icmp = ICMP_UNREACHABLE, .quoted = &(const struct packet_spec){.icmp = ICMP_ECHO_ANSWER, BACK, .id = 7}},
	{.icmp = ICMP_UNREACHABLE, .is_v6 = true, .quoted = &(const struct packet_spec){REPLY, .is_v6 = true}}, {.icmp = ICMP_UNREACHABLE, BACK, .is_v6 = true, .quoted = &(const struct packet_spec){UDP, .is_v6 = true}},
	{.icmp = ICMP_TIME_EXCEEDED, .is_v6 = true, .quoted = &(const struct packet_spec){UDP, REPLY, .is_v6 = true, PIECE}}, {.icmp = ICMP_UNREACHABLE, .is_v6 = true, .quoted = &(const struct packet_spec){.icmp = ICMP_ECHO_ANSWER, BACK, .is_v6 = true, .id = 7}},
	{.icmp = ICMP_TYPE, BACK, .type = 136, .target = "fd77:2::1", .is_v6 = true}, {.icmp = ICMP_TYPE, BACK, .type = 135, .target = "fe80::1", .is_v6 = true},
	{.icmp = ICMP_TYPE, .type = 135, .target = "fd77:2::1", .is_v6 = true}, {.icmp = ICMP_TYPE, .type = 136, .target = "fd77:1::1", .is_v6 = true},
	{.ethertype = ETH_P_ARP}, {.ethertype = ETH_P_ARP, BACK, .is_arp_reply = true}, {.from = OTHER}, {BACK}, {.to = GROUP, UDP}, {.to = NODE}, {.from = WATCHED}, {.from = LOOSE, UDP}, {.to = OUTSIDER},
	{.from = NOBODY, .to = EVERYONE, UDP, .sport = 67, .dport = 68},
};
/* clang-format on */

/* A record of the input, by its place. */
struct place {
	uint8_t *head;
	uint8_t *bytes;
	size_t len;
};

struct places {
	struct place of[INPUT_RECORDS];
	size_t count;
	size_t end; /* of the last, in the input */
};

static uint64_t random_state;

static uint32_t pick(uint32_t below)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(random_state >> 33) % below;
}

static struct places places_of(uint8_t *data, size_t size)
{
	struct places p = {.end = INPUT_HEAD_LEN};

	while (p.count < INPUT_RECORDS && size > p.end + INPUT_RECORD_LEN) {
		struct place *at = &p.of[p.count++];

		at->head = data + p.end;
		at->bytes = at->head + INPUT_RECORD_LEN;
		at->len = (at->head[3] | (size_t)at->head[4] << 8) % (INPUT_PACKET_MAX + 1);
		p.end += INPUT_RECORD_LEN;
		if (at->len > size - p.end)
			at->len = size - p.end;
		p.end += at->len;
	}
	return p;
}

/* --- one packet --- */

static void swap(uint8_t *a, uint8_t *b, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		uint8_t byte = a[i];

		a[i] = b[i];
		b[i] = byte;
	}
}

static void put32(uint8_t *at, uint32_t value)
{
	value = htonl(value);
	memcpy(at, &value, sizeof(value));
}

static uint32_t get32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return ntohl(value);
}

static void answer_tcp(uint8_t *tcp)
{
	static const uint8_t flags[] = {0x12, 0x10, 0x18, 0x11, 0x14, 0x04};
	uint32_t seq = get32(tcp + 4), next = seq + (tcp[13] & 2 ? 1 : pick(50));

	put32(tcp + 4, get32(tcp + 8));
	put32(tcp + 8, next);
	tcp[13] = tcp[13] == 2 ? flags[0] : flags[pick(COUNT(flags))];
}

/* As its receiver would answer it. */
static void turn(struct place *p)
{
	bool is_v6 = p->bytes[12] == 0x86;
	uint8_t *ip = p->bytes + ETH_HLEN, *payload = ip + (is_v6 ? 40 : 20);
	uint8_t proto;

	if (p->len < ETH_HLEN + 40 + 20)
		return;
	proto = is_v6 ? ip[6] : ip[9];
	if (is_v6)
		swap(ip + 8, ip + 24, 16);
	else
		swap(ip + 12, ip + 16, 4);
	if (proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == IPPROTO_SCTP)
		swap(payload, payload + 2, 2);
	if (proto == IPPROTO_TCP)
		answer_tcp(payload);
	if (proto == IPPROTO_ICMP)
		payload[0] ^= 8;
	if (proto == IPPROTO_ICMPV6)
		payload[0] ^= 1;
	p->head[0] ^= INPUT_EGRESS;
}

static void fix_lengths(struct place *p)
{
	uint8_t *ip = p->bytes + ETH_HLEN;
	size_t len = p->len - ETH_HLEN;

	if (p->len < ETH_HLEN + 40)
		return;
	if (p->bytes[12] == 0x86) {
		ip[4] = (uint8_t)((len - 40) >> 8);
		ip[5] = (uint8_t)(len - 40);
	} else {
		ip[2] = (uint8_t)(len >> 8);
		ip[3] = (uint8_t)len;
	}
}

static void add_fault(struct place *p)
{
	static const uint8_t odd[] = {0, 1, 4, 5, 6, 17, 41, 44, 45, 51, 58, 59, 60, 64, 127, 255};
	size_t at;

	if (p->len <= ETH_HLEN)
		return;
	at = 12 + pick((uint32_t)(p->len < HEADER_BYTES ? p->len : HEADER_BYTES) - 12);
	switch (pick(5)) {
	case 0:
		p->bytes[at] ^= (uint8_t)(1u << pick(8));
		break;
	case 1:
		p->bytes[at] = odd[pick(COUNT(odd))];
		break;
	case 2:
		p->bytes[at] = (uint8_t)pick(256);
		break;
	case 3:
		p->bytes[at] = (uint8_t)(p->bytes[at] + 1 - 2 * pick(2));
		break;
	case 4:
		fix_lengths(p);
		break;
	}
}

static void change_record(struct place *p)
{
	switch (pick(4)) {
	case 0:
		p->head[0] ^= (uint8_t)(1u << pick(8));
		break;
	case 1:
		p->head[1] = (uint8_t)pick(8);
		break;
	case 2:
		p->head[2] = (uint8_t)pick(256);
		break;
	case 3:
		turn(p);
		break;
	}
}

/* --- the input --- */

/* Room for one more record at the end; its bytes are to be filled in. */
static bool add_record(struct places *p, uint8_t *data, size_t max_size, size_t len)
{
	struct place *at = &p->of[p->count];

	if (p->count == INPUT_RECORDS || p->end + INPUT_RECORD_LEN + len > max_size)
		return false;
	*at = (struct place){data + p->end, data + p->end + INPUT_RECORD_LEN, len};
	memset(at->head, 0, INPUT_RECORD_LEN);
	at->head[1] = (uint8_t)(pick(2) ? pick(8) : 0);
	at->head[3] = (uint8_t)len;
	at->head[4] = (uint8_t)(len >> 8);
	p->count++;
	p->end += INPUT_RECORD_LEN + len;
	return true;
}

static bool add_packet(struct places *p, uint8_t *data, size_t max_size)
{
	struct packet_spec spec = packets[pick(COUNT(packets))];
	struct frame f;

	if (!spec.extensions && !spec.target && spec.ethertype != ETH_P_ARP && !spec.quoted)
		spec.is_v6 = pick(2);
	f = packet_build(&spec);
	if (!add_record(p, data, max_size, f.len))
		return false;
	memcpy(p->of[p->count - 1].bytes, f.bytes, f.len);
	if (spec.from == SERVER)
		p->of[p->count - 1].head[0] = INPUT_EGRESS;
	if (!pick(6))
		change_record(&p->of[p->count - 1]);
	return true;
}

static bool add_copy(struct places *p, uint8_t *data, size_t max_size, bool is_turned)
{
	const struct place from = p->of[p->count ? pick((uint32_t)p->count) : 0];
	struct place *at = &p->of[p->count];

	if (!p->count || !add_record(p, data, max_size, from.len))
		return false;
	memcpy(at->bytes, from.bytes, from.len);
	at->head[0] = from.head[0] & ~(INPUT_FLIP | INPUT_BUMP);
	if (!pick(4))
		at->head[0] ^= INPUT_CHANGE;
	if (!pick(6))
		change_record(at);
	if (is_turned)
		turn(at);
	return true;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	struct places p;

	random_state = seed;
	if (size < INPUT_HEAD_LEN || max_size < INPUT_HEAD_LEN) {
		memset(data, 0, INPUT_HEAD_LEN);
		return INPUT_HEAD_LEN;
	}
	p = places_of(data, size);
	switch (p.count ? pick(10) : 0) {
	case 0:
	case 1:
		return add_packet(&p, data, max_size) ? p.end
						      : LLVMFuzzerMutate(data, size, max_size);
	case 2:
	case 3:
		return add_copy(&p, data, max_size, true) ? p.end : size;
	case 4:
		return add_copy(&p, data, max_size, false) ? p.end : size;
	case 5:
		data[pick(INPUT_HEAD_LEN)] = (uint8_t)pick(256);
		return size;
	case 6:
		change_record(&p.of[pick((uint32_t)p.count)]);
		return size;
	case 7:
		return LLVMFuzzerMutate(data, size, max_size);
	}
	add_fault(&p.of[pick((uint32_t)p.count)]);
	return size;
}
