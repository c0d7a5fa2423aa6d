/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "datapath/frame.h"

#include <arpa/inet.h>
#include <assert.h>
#include <linux/if_ether.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <string.h>

#define BODY      20 /* bytes behind the IP header: enough for any header */
#define HOP_LIMIT 64

uint8_t first_packet_proto(const struct first_packet *p)
{
	switch (p->table) {
	case BH_SERVICE_TCP:
		return IPPROTO_TCP;
	case BH_SERVICE_UDP:
		return IPPROTO_UDP;
	case BH_SERVICE_SCTP:
		return IPPROTO_SCTP;
	case BH_SERVICE_ICMP:
		return IPPROTO_ICMP;
	case BH_SERVICE_ICMP6:
		return IPPROTO_ICMPV6;
	case BH_SERVICE_PROTO:
		return (uint8_t)p->number;
	case BH_SERVICE_TABLES:
		break;
	}
	assert(!"a table of services");
	return 0;
}

static bool has_ports(const struct first_packet *p)
{
	return p->table == BH_SERVICE_TCP || p->table == BH_SERVICE_UDP ||
	       p->table == BH_SERVICE_SCTP;
}

static bool is_echo(const struct first_packet *p)
{
	return (p->table == BH_SERVICE_ICMP && p->number >> 8 == ICMP_ECHO) ||
	       (p->table == BH_SERVICE_ICMP6 && p->number >> 8 == ICMP6_ECHO_REQUEST);
}

uint16_t first_packet_sport(const struct first_packet *p)
{
	return has_ports(p) || is_echo(p) ? p->sport : 0;
}

uint16_t first_packet_dport(const struct first_packet *p)
{
	return has_ports(p) ? p->number : 0;
}

static void put(struct first_frame *f, const void *bytes, size_t len)
{
	assert(f->len + len <= sizeof(f->bytes));
	memcpy(f->bytes + f->len, bytes, len);
	f->len += len;
}

static void put_ethernet(struct first_frame *f, bool is_v6)
{
	const struct ethhdr eth = {
		.h_dest = {2, 0, 0, 0, 0, 2},
		.h_source = {2, 0, 0, 0, 0, 1},
		.h_proto = htons(is_v6 ? ETH_P_IPV6 : ETH_P_IP),
	};

	put(f, &eth, sizeof(eth));
}

static void put_ip(struct first_frame *f, const struct first_packet *p)
{
	struct iphdr v4 = {
		.version = 4,
		.ihl = sizeof(v4) / 4,
		.tot_len = htons(sizeof(v4) + BODY),
		.ttl = HOP_LIMIT,
		.protocol = first_packet_proto(p),
		.saddr = p->src.word[3],
		.daddr = p->dst.word[3],
	};
	struct ip6_hdr v6 = {};

	if (!p->is_v6) {
		put(f, &v4, sizeof(v4));
		return;
	}
	v6.ip6_flow = htonl(6u << 28);
	v6.ip6_plen = htons(BODY);
	v6.ip6_nxt = first_packet_proto(p);
	v6.ip6_hlim = HOP_LIMIT;
	memcpy(&v6.ip6_src, &p->src, sizeof(v6.ip6_src));
	memcpy(&v6.ip6_dst, &p->dst, sizeof(v6.ip6_dst));
	put(f, &v6, sizeof(v6));
}

/* SCTP has its ports where UDP has them; its other fields may be zero. */
static void put_body(struct first_frame *f, const struct first_packet *p)
{
	const uint16_t sport = htons(p->sport), dport = htons(p->number);
	union {
		uint8_t bytes[BODY];
		struct tcphdr tcp;
		struct udphdr udp;
		struct icmphdr icmp; /* ICMPv6 begins alike */
	} body = {};

	if (p->table == BH_SERVICE_TCP) {
		body.tcp.source = sport;
		body.tcp.dest = dport;
		body.tcp.doff = sizeof(body.tcp) / 4;
		body.tcp.syn = 1;
	} else if (has_ports(p)) {
		body.udp.source = sport;
		body.udp.dest = dport;
		body.udp.len = p->table == BH_SERVICE_UDP ? htons(BODY) : 0;
	} else if (p->table != BH_SERVICE_PROTO) {
		body.icmp.type = (uint8_t)(p->number >> 8);
		body.icmp.code = (uint8_t)p->number;
		body.icmp.un.echo.id = sport;
	}
	put(f, &body, sizeof(body));
}

struct first_frame first_frame_build(const struct first_packet *p)
{
	struct first_frame f = {.len = 0};

	put_ethernet(&f, p->is_v6);
	put_ip(&f, p);
	put_body(&f, p);
	return f;
}
