/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "datapath/crafted.h"

#include <arpa/inet.h>
#include <assert.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <string.h>

#define PAYLOAD 16 /* in place of the header of a protocol that is only a number here */

/* clang-format off */
static const struct {
	const char *v4, *v6;
} ends[ENDS] = {
	[CLIENT]     = {"10.77.1.1",       "fd77:1::1"},
	[SERVER]     = {"10.77.2.1",       "fd77:2::1"},
	[OTHER]      = {"10.77.1.9",       "fd77:1::9"},
	[OUTSIDER]   = {"192.0.2.1",       "2001:db8::1"},
	[WATCHED]    = {"10.77.3.1",       "fd77:3::1"},
	[LOOSE]      = {"10.77.4.1",       "fd77:4::1"},
	[NODE]       = {"10.77.9.1",       "fd77:9::1"},
	[GROUP]      = {"239.1.1.1",       "ff15::1"},
	[EVERYONE]   = {"255.255.255.255", "ff02::1"},
	[NOBODY]     = {"0.0.0.0",         "::"},
	[LOOPBACK]   = {"127.0.0.1",       "::1"},
	[LINK_LOCAL] = {"169.254.0.1",     "fe80::1"},
};

static const struct {
	uint8_t v4, v6;
} icmp_types[] = {
	[ICMP_ECHO_REQUEST]  = {8, 128},
	[ICMP_ECHO_ANSWER]   = {0, 129},
	[ICMP_UNREACHABLE]   = {3, 1},
	[ICMP_TIME_EXCEEDED] = {11, 3},
	[ICMP_BAD_PARAMETER] = {12, 4},
};
/* clang-format on */

static struct bh_addr addr_of(const char *text)
{
	struct bh_addr addr = {.word = {0, 0, htonl(0xffff), 0}};
	bool is_v6 = strchr(text, ':');
	int parsed = inet_pton(is_v6 ? AF_INET6 : AF_INET, text,
			       is_v6 ? (void *)&addr : (void *)&addr.word[3]);

	assert(parsed == 1);
	return addr;
}

struct bh_addr end_addr(enum end end, bool is_v6)
{
	return addr_of(is_v6 ? ends[end].v6 : ends[end].v4);
}

struct bh_addr packet_src(const struct packet_spec *spec)
{
	if (spec->src_addr)
		return *spec->src_addr;
	return spec->src ? addr_of(spec->src)
			 : end_addr(spec->from ? spec->from : CLIENT, spec->is_v6);
}

struct bh_addr packet_dst(const struct packet_spec *spec)
{
	if (spec->dst_addr)
		return *spec->dst_addr;
	return spec->dst ? addr_of(spec->dst) : end_addr(spec->to ? spec->to : SERVER, spec->is_v6);
}

uint8_t packet_proto(const struct packet_spec *spec)
{
	if (spec->icmp)
		return spec->is_v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	return spec->proto || spec->has_proto_0 ? spec->proto : IPPROTO_TCP;
}

static bool is_icmp(const struct packet_spec *spec)
{
	return packet_proto(spec) == (spec->is_v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
}

uint8_t packet_icmp_type(const struct packet_spec *spec)
{
	if (!spec->icmp || spec->icmp == ICMP_TYPE)
		return spec->type;
	return spec->is_v6 ? icmp_types[spec->icmp].v6 : icmp_types[spec->icmp].v4;
}

static bool has_ports(const struct packet_spec *spec)
{
	uint8_t proto = packet_proto(spec);

	return proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == IPPROTO_SCTP;
}

uint16_t packet_sport(const struct packet_spec *spec)
{
	if (has_ports(spec))
		return spec->sport ? spec->sport : SPEC_SPORT;
	return spec->icmp == ICMP_ECHO_REQUEST ? spec->id : 0;
}

uint16_t packet_dport(const struct packet_spec *spec)
{
	if (has_ports(spec))
		return spec->dport || spec->has_port_0 ? spec->dport : SPEC_DPORT;
	return spec->icmp == ICMP_ECHO_ANSWER ? spec->id : 0;
}

uint8_t packet_tcp_flags(const char *letters)
{
	static const char all[] = "FSRPAUEC";
	uint8_t flags = 0;

	for (; letters && *letters; letters++) {
		const char *at = strchr(all, *letters);

		assert(at);
		flags |= (uint8_t)(1u << (at - all));
	}
	return flags;
}

/* --- services --- */

static struct packet_spec to_port(uint8_t proto, uint16_t port)
{
	return (struct packet_spec){.proto = proto, .dport = port, .has_port_0 = !port};
}

/* Only an echo request has an id that counts. */
static struct packet_spec of_icmp(uint8_t echo, uint16_t number)
{
	uint8_t type = (uint8_t)(number >> 8);

	return (struct packet_spec){
		.icmp = type == echo ? ICMP_ECHO_REQUEST : ICMP_TYPE,
		.type = type,
		.code = (uint8_t)number,
	};
}

struct packet_spec packet_to_service(enum bh_service_table table, uint16_t number)
{
	switch (table) {
	case BH_SERVICE_TCP:
		return to_port(IPPROTO_TCP, number);
	case BH_SERVICE_UDP:
		return to_port(IPPROTO_UDP, number);
	case BH_SERVICE_SCTP:
		return to_port(IPPROTO_SCTP, number);
	case BH_SERVICE_ICMP:
		return of_icmp(icmp_types[ICMP_ECHO_REQUEST].v4, number);
	case BH_SERVICE_ICMP6:
		return of_icmp(icmp_types[ICMP_ECHO_REQUEST].v6, number);
	case BH_SERVICE_PROTO:
		return (struct packet_spec){
			.proto = (uint8_t)number,
			.has_proto_0 = !number,
			.payload = PAYLOAD,
		};
	case BH_SERVICE_TABLES:
		break;
	}
	assert(!"a table of services");
	return (struct packet_spec){};
}

/* --- bytes --- */

static void put(struct frame *f, const void *bytes, size_t len)
{
	assert(f->len + len <= FRAME_MAX);
	memcpy(f->bytes + f->len, bytes, len);
	f->len += len;
}

static void put_zeros(struct frame *f, size_t len)
{
	assert(f->len + len <= FRAME_MAX);
	memset(f->bytes + f->len, 0, len);
	f->len += len;
}

static void put8(struct frame *f, unsigned int value)
{
	uint8_t byte = (uint8_t)value;

	put(f, &byte, 1);
}

static void put16(struct frame *f, unsigned int value)
{
	uint16_t bytes = htons((uint16_t)value);

	put(f, &bytes, 2);
}

static void put32(struct frame *f, uint32_t value)
{
	uint32_t bytes = htonl(value);

	put(f, &bytes, 4);
}

/* --- transport --- */

static void put_tcp(struct frame *f, const struct packet_spec *spec)
{
	put16(f, packet_sport(spec));
	put16(f, packet_dport(spec));
	put32(f, spec->seq);
	put32(f, spec->ack);
	put8(f, (spec->doff ? spec->doff : 5u) << 4);
	put8(f, packet_tcp_flags(spec->flags ? spec->flags : "S"));
	put16(f, 65535);
	put32(f, 0);
}

static void put_udp(struct frame *f, const struct packet_spec *spec)
{
	put16(f, packet_sport(spec));
	put16(f, packet_dport(spec));
	put16(f, (unsigned int)(8 + spec->payload + spec->udp_len_add));
	put16(f, 0);
}

static void put_sctp(struct frame *f, const struct packet_spec *spec)
{
	put16(f, packet_sport(spec));
	put16(f, packet_dport(spec));
	put32(f, 1);
	put32(f, 0);
}

static void put_ip(struct frame *f, const struct packet_spec *spec);

static void put_icmp(struct frame *f, const struct packet_spec *spec)
{
	put8(f, packet_icmp_type(spec));
	put8(f, spec->code);
	put16(f, 0);
	put16(f, spec->id);
	put16(f, 1);
	if (spec->target) {
		struct bh_addr target = addr_of(spec->target);

		put(f, &target, sizeof(target));
	}
	if (spec->quoted) {
		struct frame quoted = {.len = 0};

		put_ip(&quoted, spec->quoted);
		put(f, quoted.bytes, spec->quoted_len ? spec->quoted_len : quoted.len);
	}
}

static void put_transport(struct frame *f, const struct packet_spec *spec)
{
	uint8_t proto = packet_proto(spec);

	if (spec->offset)
		return;
	if (is_icmp(spec))
		put_icmp(f, spec);
	else if (proto == IPPROTO_TCP)
		put_tcp(f, spec);
	else if (proto == IPPROTO_UDP)
		put_udp(f, spec);
	else if (proto == IPPROTO_SCTP)
		put_sctp(f, spec);
}

static void put_body(struct frame *f, const struct packet_spec *spec)
{
	size_t begin = spec->payload < sizeof(spec->begin) ? spec->payload : sizeof(spec->begin);

	put_transport(f, spec);
	put(f, spec->begin, begin);
	put_zeros(f, spec->payload - begin);
}

/* --- IP --- */

static void put_ipv4(struct frame *f, const struct packet_spec *spec)
{
	unsigned int header = 20 + 4u * spec->option_words;
	unsigned int fragment = spec->is_fragment ? spec->offset | (spec->is_last ? 0 : 0x2000) : 0;
	struct bh_addr src = packet_src(spec), dst = packet_dst(spec);
	size_t start = f->len;
	uint16_t total;

	put8(f, (spec->version ? spec->version : 4u) << 4 | (spec->ihl ? spec->ihl : header / 4));
	put8(f, spec->traffic_class);
	put16(f, 0);
	put16(f, spec->fragment_id);
	put16(f, fragment | (spec->has_df ? 0x4000u : 0));
	put8(f, spec->hop_limit ? spec->hop_limit : 64);
	put8(f, packet_proto(spec));
	put16(f, 0);
	put(f, &src.word[3], 4);
	put(f, &dst.word[3], 4);
	if (spec->options)
		put(f, spec->options, 4u * spec->option_words);
	for (int i = 0; !spec->options && i < spec->option_words; i++)
		put32(f, 0x01010101); /* four times "no operation" */
	put_body(f, spec);
	total = htons((uint16_t)((int)(f->len - start) + spec->ip_len_add));
	memcpy(f->bytes + start + 2, &total, sizeof(total));
}

static uint8_t extension_proto(char letter)
{
	switch (letter) {
	case 'H':
		return IPPROTO_HOPOPTS;
	case 'D':
		return IPPROTO_DSTOPTS;
	case 'R':
		return IPPROTO_ROUTING;
	case 'A':
		return IPPROTO_AH;
	case 'M':
		return IPPROTO_MH;
	case 'F':
		return IPPROTO_FRAGMENT;
	}
	assert(letter == 'S');
	return 140; /* Shim6, RFC 5533 */
}

static void put_extension(struct frame *f, const struct packet_spec *spec, char letter,
			  uint8_t next)
{
	put8(f, next);
	if (letter == 'F') {
		put8(f, 0);
		put16(f, (unsigned int)spec->offset << 3 | (spec->is_fragment && !spec->is_last));
		put32(f, spec->fragment_id);
	} else if (letter == 'A') {
		put8(f, spec->extension_len ? spec->extension_len : 4); /* 24 bytes */
		put_zeros(f, 22);
	} else {
		put8(f, spec->extension_len ? spec->extension_len : 1); /* 16 bytes */
		put_zeros(f, 14);
	}
}

static void put_extensions(struct frame *f, const struct packet_spec *spec, const char *letters)
{
	for (; *letters; letters++)
		put_extension(f, spec, *letters,
			      letters[1] ? extension_proto(letters[1]) : packet_proto(spec));
}

static void put_ipv6(struct frame *f, const struct packet_spec *spec)
{
	const char *given = spec->extensions ? spec->extensions : "";
	const char *letters = spec->is_fragment && !strchr(given, 'F') ? "F" : given;
	uint8_t type = packet_icmp_type(spec);
	bool is_nd = is_icmp(spec) && type >= 133 && type <= 137;
	struct bh_addr src = packet_src(spec), dst = packet_dst(spec);
	size_t start = f->len;
	uint16_t len;

	put32(f, (spec->version ? spec->version : 6u) << 28 | (uint32_t)spec->traffic_class << 20);
	put16(f, 0);
	put8(f, *letters ? extension_proto(*letters) : packet_proto(spec));
	put8(f, spec->hop_limit ? spec->hop_limit : is_nd ? 255 : 64);
	put(f, &src, sizeof(src));
	put(f, &dst, sizeof(dst));
	put_extensions(f, spec, letters);
	put_body(f, spec);
	len = htons((uint16_t)((int)(f->len - start) - 40 + spec->ip_len_add));
	memcpy(f->bytes + start + 4, &len, sizeof(len));
}

static void put_ip(struct frame *f, const struct packet_spec *spec)
{
	if (spec->is_v6)
		put_ipv6(f, spec);
	else
		put_ipv4(f, spec);
}

static void put_arp(struct frame *f, const struct packet_spec *spec)
{
	struct bh_addr sender = packet_src(spec), target = packet_dst(spec);

	put16(f, spec->arp_hardware ? spec->arp_hardware : 1);
	put16(f, ETH_P_IP);
	put8(f, ETH_ALEN);
	put8(f, 4);
	put16(f, spec->arp_operation ? spec->arp_operation : spec->is_arp_reply ? 2 : 1);
	put_zeros(f, ETH_ALEN);
	put(f, &sender.word[3], 4);
	put_zeros(f, ETH_ALEN);
	put(f, &target.word[3], 4);
}

static void put_ethernet(struct frame *f, const struct packet_spec *spec)
{
	static const uint8_t macs[2 * ETH_ALEN] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1};

	put(f, macs, sizeof(macs));
	if (spec->is_group_mac)
		memset(f->bytes, 0xff, ETH_ALEN);
	for (int i = 0; i < spec->vlans; i++) {
		put16(f, i + 1 < spec->vlans ? ETH_P_8021AD : ETH_P_8021Q);
		put16(f, spec->is_priority_tag ? 0xe000 : spec->vlan_id ? spec->vlan_id : 42);
	}
	put16(f, spec->ethertype ? spec->ethertype : spec->is_v6 ? ETH_P_IPV6 : ETH_P_IP);
}

struct frame packet_build(const struct packet_spec *spec)
{
	struct frame f = {.len = 0};

	put_ethernet(&f, spec);
	if (spec->ethertype == ETH_P_ARP)
		put_arp(&f, spec);
	else
		put_ip(&f, spec);
	put_zeros(&f, spec->padding);
	assert(spec->cut < f.len);
	f.len -= spec->cut;
	return f;
}
