/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The transport header: ports, flags, types.  Of a first fragment or a whole packet only. */
#ifndef BPF_TRANSPORT_H
#define BPF_TRANSPORT_H

#include <linux/tcp.h>
#include <linux/udp.h>

#include "icmp.h"
#include "packet.h"

#define TCP_FIN 0x01 /* RFC 9293, 3.1: byte 13 of the header */
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

struct sctp_header {
	__be16 sport;
	__be16 dport;
	__be32 tag;
	__be32 checksum;
};

static __always_inline enum bh_reason parse_tcp(struct cursor *c, struct packet *p)
{
	struct tcphdr *tcp = CURSOR_TAKE(c, struct tcphdr);
	__u32 header;

	if (!tcp || p->l4_len < sizeof(*tcp))
		return BH_REASON_MALFORMED;
	header = tcp->doff * 4;
	if (header < sizeof(*tcp) || header > p->l4_len)
		return BH_REASON_MALFORMED;

	p->sport = tcp->source;
	p->dport = tcp->dest;
	p->tcp_flags = ((__u8 *)tcp)[13];
	p->seq = bpf_ntohl(tcp->seq);
	p->ack = bpf_ntohl(tcp->ack_seq);
	p->seq_end = p->seq + p->l4_len - header;
	if (p->tcp_flags & TCP_SYN)
		p->seq_end++;
	if (p->tcp_flags & TCP_FIN)
		p->seq_end++;
	return BH_REASON_NONE;
}

static __always_inline enum bh_reason parse_udp(struct cursor *c, struct packet *p)
{
	struct udphdr *udp = CURSOR_TAKE(c, struct udphdr);
	__u32 len;

	if (!udp || p->l4_len < sizeof(*udp))
		return BH_REASON_MALFORMED;
	len = bpf_ntohs(udp->len);
	/* The first of several fragments has less than the datagram's length says. */
	if (len < sizeof(*udp) || (len > p->l4_len && !p->fragment))
		return BH_REASON_MALFORMED;
	p->sport = udp->source;
	p->dport = udp->dest;
	return BH_REASON_NONE;
}

static __always_inline enum bh_reason parse_sctp(struct cursor *c, struct packet *p)
{
	struct sctp_header *sctp = CURSOR_TAKE(c, struct sctp_header);

	if (!sctp || p->l4_len < sizeof(*sctp))
		return BH_REASON_MALFORMED;
	p->sport = sctp->sport;
	p->dport = sctp->dport;
	return BH_REASON_NONE;
}

static __always_inline enum bh_reason parse_transport(struct cursor *c, struct packet *p)
{
	if (p->proto == IPPROTO_TCP)
		return parse_tcp(c, p);
	if (p->proto == IPPROTO_UDP)
		return parse_udp(c, p);
	if (p->proto == IPPROTO_SCTP)
		return parse_sctp(c, p);
	if (is_icmp(p))
		return parse_icmp(c, p);
	return BH_REASON_NONE;
}

#endif
