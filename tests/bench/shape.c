/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/bench/shape.h"

#include <arpa/inet.h>
#include <assert.h>
#include <linux/if_ether.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <stddef.h>
#include <stdio.h>

#include "datapath/crafted.h"
#include "policy/load.h"
#include "util/mem.h"
#include "util/text.h"

#define CLIENT_BASE  0x0a000001u /* 10.0.0.1 */
#define CLIENT6_BASE 1u          /* fd10::1 */
#define SERVER       0x0a800001u /* 10.128.0.1 */
#define BEYOND       0x0a810001u /* 10.129.0.1: no zone's, and not this machine's */

#define OTHER_BASE 0x0a7f0000u /* 10.127.0.0: of the clients' zone */

#define CIDR_BITS      4 /* networks have up to so many addresses' bits */
#define CIDR_BITS_MANY 3 /* where so many would not fit into the clients' zone: */
#define CIDRS_MANY     500000

#define CLIENTS_MAX 300000 /* in a document */

#define SERVICE_MASK 15
#define OTHER_PORTS  2000 /* and up: of rules that no packet here meets */
#define MORE_PORTS   5000 /* and up, each second one: of rules for several ports */
#define DENIED_PORT  81
#define FIRST_PORT   2000 /* the clients' */
#define STEP         7919 /* a prime: the clients' turns are in no order */

#define PAYLOAD 12 /* of UDP: as long as TCP's header */

/* --- the policy --- */

/* Clients of one group are alike for the rules. */
static uint32_t groups_of(const struct shape *s)
{
	assert(s->rules && s->identities);
	return s->rules < s->identities ? s->rules : s->identities;
}

/* What client and group agree in, if it is the last bits of both numbers. */
static uint32_t service_mask(const struct shape *s)
{
	return groups_of(s) % (SERVICE_MASK + 1) ? 1 : SERVICE_MASK;
}

/* Networks of clients that are networks begin so many bits apart. */
static uint32_t shift_of(const struct shape *s)
{
	if (!s->cidrs_of)
		return 0;
	return s->addresses > CIDRS_MANY ? CIDR_BITS_MANY : CIDR_BITS;
}

/* Of a client's number, so that all lengths are there, among neighbours too. */
static uint32_t short_of_whole(const struct shape *s, uint32_t a)
{
	return s->cidrs_of ? a % (shift_of(s) + 1) : 0;
}

static void add_client(struct text *t, const struct shape *s, uint32_t client)
{
	text_addf(t, "    - {name: c%u, zone: clients, labels: {group: g%u}, addresses: [", client,
		  client % groups_of(s));
	for (uint32_t a = client; a < s->addresses; a += s->identities) {
		uint32_t less = short_of_whole(s, a), cut = ~0u << less;
		uint32_t v4 = (CLIENT_BASE + (a << shift_of(s))) & cut;
		uint32_t v6 = (CLIENT6_BASE + (a << shift_of(s))) & cut;

		text_add(t, a == client ? "" : ", ");
		if (s->cidrs_of != 6)
			text_addf(t, "%u.%u.%u.%u", v4 >> 24, v4 >> 16 & 255, v4 >> 8 & 255,
				  v4 & 255);
		if (s->cidrs_of == 4)
			text_addf(t, "/%u", 32 - less);
		if (s->cidrs_of == 6)
			text_addf(t, "'fd10::%x:%x/%u'", v6 >> 16, v6 & 0xffff, 128 - less);
		if (!s->cidrs_of)
			text_addf(t, ", 'fd10::%x:%x'", v6 >> 16, v6 & 0xffff);
	}
	text_add(t, "]}\n");
}

static void add_rule(struct text *t, const struct shape *s, uint32_t rule, bool is_changed)
{
	uint32_t groups = groups_of(s), group = rule % groups;
	uint32_t port = rule < groups ? SHAPE_SERVICE + (group & service_mask(s))
				      : OTHER_PORTS + rule / groups;

	if (is_changed)
		port = SHAPE_SERVICE + ((group + 1) & service_mask(s));

	text_addf(t,
		  "    - {name: r%u, from: {labels: {group: g%u}}, to: server, "
		  "services: [tcp/%u, udp/%u",
		  rule, group, port, port);
	for (uint32_t i = 1; i < s->ports; i++) {
		uint32_t more = MORE_PORTS + (rule / groups * s->ports + i) * 2;

		text_addf(t, ", tcp/%u, udp/%u", more, more);
	}
	text_add(t, "]}\n");
}

static void begin_document(struct text *t, uint32_t number)
{
	text_addf(t,
		  "---\napiVersion: bulkhead.dev/v1\nkind: ZonePolicy\nmetadata: {name: bench%u}\n"
		  "spec:\n",
		  number);
}

void shape_text(const struct shape *s, bool is_changed, struct text *out)
{
	begin_document(out, 0);
	text_add(out, "  zones:\n"
		      "    - {name: clients, cidrs: [10.0.0.0/9, 'fd10::/32']}\n"
		      "    - {name: servers, cidrs: [10.128.0.0/9, 'fd20::/32']}\n"
		      "  workloads:\n"
		      "    - {name: server, zone: servers, addresses: [10.128.0.1, 'fd20::1']}\n");
	for (uint32_t i = 0; i < s->identities; i++) {
		if (i % CLIENTS_MAX == CLIENTS_MAX - 1) {
			begin_document(out, i / CLIENTS_MAX + 1);
			text_add(out, "  workloads:\n");
		}
		add_client(out, s, i);
	}
	text_add(out, "  rules:\n");
	for (uint32_t i = 0; i < s->rules; i++)
		add_rule(out, s, i, is_changed && i == s->rules / 2);
}

struct policy *shape_read(const struct text *text)
{
	struct source source = {
		.name = xstrdup("bench"),
		.text = xstrndup(text->buf, text->len),
		.len = text->len,
	};
	_diags_ struct diags d = {};
	struct policy *p = NULL;

	if (!policy_load_sources(&source, 1, &d, &p))
		return p;
	diags_print(&d, stderr);
	exit(EXIT_FAILURE);
}

/* --- packets --- */

struct bh_addr shape_server(bool is_v6)
{
	if (is_v6)
		return (struct bh_addr){{htonl(0xfd200000), 0, 0, htonl(1)}};
	return (struct bh_addr){{0, 0, htonl(0xffff), htonl(SERVER)}};
}

static struct bh_addr beyond(bool is_v6)
{
	if (is_v6)
		return (struct bh_addr){{htonl(0xfd210000), 0, 0, htonl(1)}};
	return (struct bh_addr){{0, 0, htonl(0xffff), htonl(BEYOND)}};
}

struct bh_addr shape_other(uint32_t number)
{
	return (struct bh_addr){{0, 0, htonl(0xffff), htonl(OTHER_BASE + number)}};
}

static struct bh_addr first_client(bool is_v6)
{
	if (is_v6)
		return (struct bh_addr){{htonl(0xfd100000), 0, 0, htonl(CLIENT6_BASE)}};
	return (struct bh_addr){{0, 0, htonl(0xffff), htonl(CLIENT_BASE)}};
}

static size_t transport_at(bool is_v6)
{
	return ETH_HLEN + (is_v6 ? sizeof(struct ip6_hdr) : sizeof(struct iphdr));
}

static bool is_udp(enum shape_packet packet)
{
	return packet >= SHAPE_UDP;
}

static bool is_reply(enum shape_packet packet)
{
	return packet == SHAPE_SYN_ACK || packet == SHAPE_UDP_REPLY;
}

/* RFC 791, 3.1.  Right for client 0 only, but it is only asked for where packets are received. */
static void write_checksum(uint8_t *at)
{
	struct iphdr ip;
	uint16_t words[sizeof(ip) / 2];
	uint32_t sum = 0;

	memcpy(&ip, at, sizeof(ip));
	ip.check = 0;
	memcpy(words, &ip, sizeof(words));
	for (size_t i = 0; i < COUNT(words); i++)
		sum += words[i];
	sum = (sum & 0xffff) + (sum >> 16);
	ip.check = (uint16_t) ~(sum + (sum >> 16));
	memcpy(at, &ip, sizeof(ip));
}

static struct bh_addr destination(enum shape_packet packet, bool is_v6)
{
	if (packet == SHAPE_TRANSIT)
		return beyond(is_v6);
	return is_reply(packet) ? first_client(is_v6) : shape_server(is_v6);
}

/* Ports, and other clients' addresses, are for the plan to say. */
static struct packet_spec spec_of(enum shape_packet packet, bool is_v6)
{
	static const char *const flags[] = {
		[SHAPE_SYN_ACK] = "SA", [SHAPE_ACK] = "A", [SHAPE_TRANSIT] = "A"};
	bool is_ack = packet == SHAPE_ACK || packet == SHAPE_TRANSIT;

	if (is_udp(packet))
		return (struct packet_spec){
			.is_v6 = is_v6,
			.proto = IPPROTO_UDP,
			.payload = PAYLOAD,
		};
	return (struct packet_spec){
		.is_v6 = is_v6,
		.flags = packet < COUNT(flags) ? flags[packet] : NULL,
		.seq = is_ack,
		.ack = is_ack || packet == SHAPE_SYN_ACK,
	};
}

struct shape_frame shape_frame(enum shape_packet packet, bool is_v6)
{
	const struct bh_addr dst = destination(packet, is_v6);
	const struct bh_addr src = is_reply(packet) ? shape_server(is_v6) : first_client(is_v6);
	struct packet_spec spec = spec_of(packet, is_v6);
	struct shape_frame ret = {};
	struct frame frame;

	spec.src_addr = &src;
	spec.dst_addr = &dst;
	frame = packet_build(&spec);
	assert(frame.len <= sizeof(ret.bytes));
	memcpy(ret.bytes, frame.bytes, frame.len);
	ret.len = frame.len;
	if (!is_v6)
		write_checksum(ret.bytes + ETH_HLEN);
	return ret;
}

void shape_set_client(struct shape_frame *frame, uint32_t client)
{
	struct iphdr ip;

	memcpy(&ip, frame->bytes + ETH_HLEN, sizeof(ip));
	ip.saddr = htonl(CLIENT_BASE + client);
	memcpy(frame->bytes + ETH_HLEN, &ip, sizeof(ip));
	write_checksum(frame->bytes + ETH_HLEN);
}

/* The last word of an address. */
static uint32_t address_at(bool is_v6, bool is_source)
{
	if (is_v6)
		return ETH_HLEN + 12 +
		       (uint32_t)(is_source ? offsetof(struct ip6_hdr, ip6_src)
					    : offsetof(struct ip6_hdr, ip6_dst));
	return ETH_HLEN + (uint32_t)(is_source ? offsetof(struct iphdr, saddr)
					       : offsetof(struct iphdr, daddr));
}

struct bench_plan shape_plan(const struct shape *s, enum shape_packet packet, bool is_v6,
			     uint32_t flows)
{
	bool is_denied = packet == SHAPE_DENIED || packet == SHAPE_UDP_DENIED;
	uint32_t ports = (uint32_t)transport_at(is_v6);

	return (struct bench_plan){
		.flows = flows,
		.clients = s->addresses,
		.step = STEP % s->addresses,
		.first_port = FIRST_PORT,
		.port = FIRST_PORT,
		.service = is_denied ? DENIED_PORT : SHAPE_SERVICE,
		.service_mask = is_denied ? 0 : service_mask(s),
		.shift = shift_of(s),
		.base = is_v6 ? CLIENT6_BASE : CLIENT_BASE,
		.address_at = address_at(is_v6, !is_reply(packet)),
		.client_port_at = ports + (is_reply(packet) ? 2 : 0),
		.service_port_at = ports + (is_reply(packet) ? 0 : 2),
	};
}
