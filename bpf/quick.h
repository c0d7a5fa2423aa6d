/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What most packets are: whole and plain TCP or UDP, of a connection that is established and was
 * decided by the policy in force.  They pass here, in registers, and leave behind what they would
 * on the whole way (path.h).  Whatever is in any doubt takes that: nothing is denied here.
 */
#ifndef BPF_QUICK_H
#define BPF_QUICK_H

#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include "clock.h"
#include "conn_table.h"
#include "connection.h"
#include "endpoint.h"
#include "epoch.h"
#include "in_force.h"
#include "parse.h"
#include "report.h"

/* Which packet, of which hook. */
struct quick_packet {
	const void *start, *end;
	__u32 length; /* of the frame, with what isn't between them */
	__u32 ifindex;
	enum bh_direction direction;
	bool is_host;
	bool is_xdp;
	bool is_local_origin; /* as in struct packet, as is the next */
	bool is_returned;
};

/* What becomes of it. */
enum quick_fate {
	QUICK_NOT, /* it takes the whole way, and nothing has happened yet */
	QUICK_PASS,
	QUICK_DROP,
	QUICK_AGAIN,  /* quick_second() says */
	QUICK_OPENER, /* opener_judge() says */
};

/* What it says of itself. */
struct quick_facts {
	__u64 src[2], dst[2]; /* struct bh_addr */
	__be16 sport, dport;
	__u32 seq_end, ack; /* TCP; host order */
	__u32 l4_len;
	__u8 proto;
	__u8 tcp_flags;
	bool is_opening; /* TCP: it can be of no connection that is established */
};

/* --- facts --- */

/* Two words as they lie in memory, one behind the other. */
static __always_inline __u64 two_words(__be32 first, __be32 second)
{
	union {
		__be32 word[2];
		__u64 both;
	} u = {{first, second}};

	return u.both;
}

/* Nothing that parse() or judge() take a second look at: see is_bad_source(), is_bad_destination().
 */
static __always_inline bool is_plain_v4(__be32 addr)
{
	__u32 first = bpf_ntohl(addr) >> 24;

	return first && first != 127 && first < 224;
}

static __always_inline bool is_plain_v6(const __u64 addr[2])
{
	return addr[0] && bpf_be64_to_cpu(addr[0]) >> 56 != 0xff;
}

static __always_inline const void *quick_ipv4(const struct quick_packet *p, const void *at,
					      struct quick_facts *ret)
{
	const struct iphdr *ip = at;
	__u32 total;

	if ((const void *)(ip + 1) > p->end)
		return NULL;
	total = bpf_ntohs(ip->tot_len);
	if (*(const __u8 *)at != 0x45 || total < sizeof(*ip) || total > p->length - ETH_HLEN)
		return NULL;
	if (ip->frag_off & bpf_htons(IPV4_FRAGMENT_OFFSET | IPV4_MORE_FRAGMENTS))
		return NULL;
	if (!is_plain_v4(ip->saddr) || !is_plain_v4(ip->daddr))
		return NULL;
	ret->src[0] = ret->dst[0] = 0;
	ret->src[1] = two_words(bpf_htonl(0xffff), ip->saddr);
	ret->dst[1] = two_words(bpf_htonl(0xffff), ip->daddr);
	ret->proto = ip->protocol;
	ret->l4_len = total - sizeof(*ip);
	return ip + 1;
}

static __always_inline const void *quick_ipv6(const struct quick_packet *p, const void *at,
					      struct quick_facts *ret)
{
	const struct ipv6hdr *ip = at;

	if ((const void *)(ip + 1) > p->end || ip->version != 6)
		return NULL;
	ret->l4_len = bpf_ntohs(ip->payload_len);
	if (!ret->l4_len || ret->l4_len > p->length - ETH_HLEN - sizeof(*ip))
		return NULL;
	ret->src[0] = two_words(ip->saddr.in6_u.u6_addr32[0], ip->saddr.in6_u.u6_addr32[1]);
	ret->src[1] = two_words(ip->saddr.in6_u.u6_addr32[2], ip->saddr.in6_u.u6_addr32[3]);
	ret->dst[0] = two_words(ip->daddr.in6_u.u6_addr32[0], ip->daddr.in6_u.u6_addr32[1]);
	ret->dst[1] = two_words(ip->daddr.in6_u.u6_addr32[2], ip->daddr.in6_u.u6_addr32[3]);
	if (!is_plain_v6(ret->src) || !is_plain_v6(ret->dst))
		return NULL;
	ret->proto = ip->nexthdr;
	return ip + 1;
}

/* Nothing that ends a connection, and what opens one only by itself. */
static __always_inline bool quick_tcp(const struct quick_packet *p, const void *at,
				      struct quick_facts *ret)
{
	const struct tcphdr *tcp = at;
	__u32 header;

	if ((const void *)(tcp + 1) > p->end)
		return false;
	header = tcp->doff * 4;
	ret->tcp_flags = ((const __u8 *)tcp)[13];
	ret->is_opening = ret->tcp_flags & TCP_SYN;
	if (header < sizeof(*tcp) || header > ret->l4_len || ret->tcp_flags & (TCP_FIN | TCP_RST) ||
	    (ret->is_opening && (ret->tcp_flags & TCP_ACK)))
		return false;
	ret->sport = tcp->source;
	ret->dport = tcp->dest;
	ret->seq_end = bpf_ntohl(tcp->seq) + ret->l4_len - header + ret->is_opening;
	ret->ack = bpf_ntohl(tcp->ack_seq);
	return true;
}

/* This machine's DHCP has a built-in rule. */
static __always_inline bool is_dhcp_port(__be16 port)
{
	return port == bpf_htons(DHCP_SERVER) || port == bpf_htons(DHCP_CLIENT) ||
	       port == bpf_htons(DHCP6_SERVER) || port == bpf_htons(DHCP6_CLIENT);
}

static __always_inline bool quick_udp(const struct quick_packet *p, const void *at,
				      struct quick_facts *ret)
{
	const struct udphdr *udp = at;
	__u32 len;

	if ((const void *)(udp + 1) > p->end)
		return false;
	len = bpf_ntohs(udp->len);
	if (len < sizeof(*udp) || len > ret->l4_len || (p->is_host && is_dhcp_port(udp->dest)))
		return false;
	ret->sport = udp->source;
	ret->dport = udp->dest;
	return true;
}

static __always_inline bool quick_parse(const struct quick_packet *p, struct quick_facts *ret)
{
	const struct ethhdr *eth = p->start;
	const void *at = eth + 1;

	if (at > p->end ||
	    (p->is_host && p->direction == BH_INGRESS && is_answer_mac(eth->h_source)))
		return false;
	if (eth->h_proto == bpf_htons(ETH_P_IP))
		at = quick_ipv4(p, at, ret);
	else if (eth->h_proto == bpf_htons(ETH_P_IPV6))
		at = quick_ipv6(p, at, ret);
	else
		return false;
	if (!at)
		return false;
	/* A workload to itself: there is a built-in rule. */
	if (ret->src[0] == ret->dst[0] && ret->src[1] == ret->dst[1])
		return false;
	if (ret->proto == IPPROTO_TCP)
		return quick_tcp(p, at, ret);
	return ret->proto == IPPROTO_UDP && quick_udp(p, at, ret);
}

/* --- connection --- */

/* struct bh_conn_key. */
struct quick_key {
	__u64 pair[BH_CONN_KEY_WORDS / 2];
};

/* As memcmp() of the bytes. */
static __always_inline bool is_first(const __u64 a[2], const __u64 b[2])
{
	if (a[0] != b[0])
		return bpf_be64_to_cpu(a[0]) < bpf_be64_to_cpu(b[0]);
	return bpf_be64_to_cpu(a[1]) < bpf_be64_to_cpu(b[1]);
}

static __always_inline __u64 last_words(__be16 first, __be16 second, __u16 endpoint, __u8 proto)
{
	union {
		struct {
			__be16 port[2];
			__u16 endpoint;
			__u8 proto;
			__u8 is_used;
		} part;
		__u64 both;
	} u = {{{first, second}, endpoint, proto, 1}};

	return u.both;
}

/* As conn_key_ends() orders them; returns which end sent the packet.  Ends of one address are for
 * quick_parse() to refuse. */
static __always_inline __u64 quick_key(struct quick_key *key, const struct quick_facts *f,
				       __u16 endpoint)
{
	__u64 sender = !is_first(f->src, f->dst);

	key->pair[0] = sender ? f->dst[0] : f->src[0];
	key->pair[1] = sender ? f->dst[1] : f->src[1];
	key->pair[2] = sender ? f->src[0] : f->dst[0];
	key->pair[3] = sender ? f->src[1] : f->dst[1];
	key->pair[4] = last_words(sender ? f->dport : f->sport, sender ? f->sport : f->dport,
				  endpoint, f->proto);
	return sender;
}

/* Looked for only where nearly all are. */
static __always_inline bool quick_find(const struct quick_key *key, struct hit *ret)
{
	const struct bh_conn_setup *setup = conn_setup();
	__u64 hash;

	if (!setup)
		return false;
	hash = keyed_hash_of_pairs(setup, key->pair);
	return conn_read(key->pair, home_of(hash), ret) ||
	       conn_read(key->pair, other_home_of(hash), ret);
}

/* Established, and what was decided for it holds in its generation. */
static __always_inline bool is_quick(const struct hit *hit, const struct in_force *f, __u64 now)
{
	const struct bh_conn *conn = hit->conn;

	return hit->state == BH_CONN_ESTABLISHED && !hit->until_s && !f->is_agent_down &&
	       conn->rule != BH_BUILTIN_DOWN && conn->is_settled &&
	       !is_expired(conn, BH_TICKS(now));
}

static __always_inline bool is_of_quick_generation(const struct quick_key *key,
						   const struct hit *hit, const struct in_force *f)
{
	if (hit->generation == f->generation)
		return true;
	return !f->is_reverted && holds_still(key->pair, hit->generation, f->generation);
}

static __always_inline void quick_note(struct bh_conn *conn, const struct quick_facts *f,
				       __u32 length, __u32 now, bool is_reply)
{
	if (f->proto == IPPROTO_TCP)
		tcp_note(conn, is_reply, f->tcp_flags, f->seq_end, f->ack);
	if (is_keeping(f->proto, is_reply))
		conn_touch(conn, now);
	conn_count(&conn->half[is_reply], length);
}

/* BH_ENDPOINT_UNKNOWN: it may be known nevertheless. */
static __always_inline __u32 quick_endpoint(const struct quick_packet *p)
{
	const struct bh_endpoint *endpoint;

	if (p->is_host)
		return BH_ENDPOINT_HOST;
	endpoint = endpoint_at(p->ifindex);
	if (!endpoint || endpoint->kind != BH_ENDPOINT_WORKLOAD)
		return BH_ENDPOINT_UNKNOWN;
	return endpoint->id;
}

static __always_inline bool quick_judge(const struct quick_packet *p,
					const struct quick_facts *facts, const struct in_force *f,
					__u64 now)
{
	__u32 endpoint = quick_endpoint(p);
	struct quick_key key;
	struct hit hit = {};
	__u64 sender, is_reply;

	if (endpoint == BH_ENDPOINT_UNKNOWN)
		return false;
	sender = quick_key(&key, facts, endpoint);
	if (!quick_find(&key, &hit) || !is_of_quick_generation(&key, &hit, f) ||
	    !is_quick(&hit, f, now))
		return false;
	is_reply = sender ^ hit.opener;
	/* Or the compiler compares again wherever it matters. */
	asm volatile("" : "+r"(is_reply));
	/* Each end's packets come from its own side of the endpoint. */
	if ((hit.direction ^ p->direction) != is_reply)
		return false;

	quick_note(hit.conn, facts, p->length, BH_TICKS(now), is_reply & 1);
	count_endpoint(endpoint, p->direction, false, p->length);
	count_rule(hit.conn->rule, f->policy->rule, f->policy->rules, p->length);
	return true;
}

#endif
