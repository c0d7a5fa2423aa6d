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
	__u32 length; /* of the frame, with what isn't between them; XDP's first look: of what is */
	__u32 ifindex;
	enum bh_direction direction;
	bool is_host;
	bool is_xdp;
	__u8 is_local_origin; /* as in struct packet, as is the next */
	__u8 is_returned;
};

/* What becomes of it. */
enum quick_fate {
	QUICK_NOT, /* it takes the whole way, and nothing has happened yet */
	QUICK_PASS,
	QUICK_DROP,
	QUICK_AGAIN,  /* who is thorough will know */
	QUICK_OPENER, /* opener_judge() says */
};

/* What it says of itself. */
struct quick_facts {
	__u64 src[2], dst[2]; /* struct bh_addr */
	__u32 ports;          /* two of 16 bits, as they lie in the header: source, destination */
	__u32 seq_end, ack;   /* TCP; host order */
	__u32 l3_len, l4_len;
	__u8 ip_version;
	__u8 proto;
	__u8 tcp_flags;
	bool is_opening; /* TCP: it can be of no connection that is established */
};

/* --- facts --- */

/*
 * Addresses are not looked at: those that parse() and judge() take exception to are in no
 * connection.  But one of IPv6 must not be taken for one of IPv4, see is_v4_in_disguise().
 */
static __always_inline const void *quick_ipv4(const struct quick_packet *p, const void *at,
					      struct quick_facts *ret)
{
	const struct iphdr *ip = at;

	if ((const void *)(ip + 1) > p->end)
		return NULL;
	ret->l3_len = bpf_ntohs(ip->tot_len);
	if (*(const __u8 *)at != 0x45 || ret->l3_len < sizeof(*ip))
		return NULL;
	if (ip->frag_off & bpf_htons(IPV4_FRAGMENT_OFFSET | IPV4_MORE_FRAGMENTS))
		return NULL;
	ret->src[0] = ret->dst[0] = 0;
	ret->src[1] = two_words(bpf_htonl(0xffff), ip->saddr);
	ret->dst[1] = two_words(bpf_htonl(0xffff), ip->daddr);
	ret->ip_version = 4;
	ret->proto = ip->protocol;
	ret->l4_len = ret->l3_len - sizeof(*ip);
	return ip + 1;
}

static __always_inline const void *quick_ipv6(const struct quick_packet *p, const void *at,
					      struct quick_facts *ret)
{
	const struct ipv6hdr *ip = at;

	if ((const void *)(ip + 1) > p->end || ip->version != 6)
		return NULL;
	ret->l4_len = bpf_ntohs(ip->payload_len);
	ret->l3_len = sizeof(*ip) + ret->l4_len;
	if (!ret->l4_len)
		return NULL;
	ret->src[0] = two_words(ip->saddr.in6_u.u6_addr32[0], ip->saddr.in6_u.u6_addr32[1]);
	ret->src[1] = two_words(ip->saddr.in6_u.u6_addr32[2], ip->saddr.in6_u.u6_addr32[3]);
	ret->dst[0] = two_words(ip->daddr.in6_u.u6_addr32[0], ip->daddr.in6_u.u6_addr32[1]);
	ret->dst[1] = two_words(ip->daddr.in6_u.u6_addr32[2], ip->daddr.in6_u.u6_addr32[3]);
	if (!(ret->src[0] | ret->dst[0]))
		return NULL;
	ret->ip_version = 6;
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
	ret->ports = *(const __u32 *)at;
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
	ret->ports = *(const __u32 *)at;
	return true;
}

static __always_inline bool quick_transport(const struct quick_packet *p, const void *at,
					    struct quick_facts *ret)
{
	/* A workload to itself: there is a built-in rule. */
	if (!at || (ret->src[1] == ret->dst[1] && ret->src[0] == ret->dst[0]))
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

/* What is known of the packet, and what is asked, where the programs are compiled. */
struct quick_look {
	bool is_v6;
	bool is_thorough; /* what few packets need: calls, for which the others would make room */
};

/* What decides of a line, in words that are loaded at once. */
struct quick_line {
	union {
		struct {
			__u32 stamp;
			__u32 generation;
		};
		__u64 version;
	};
	union {
		struct {
			__u32 seen;
			__u32 rule;
		};
		__u64 use;
	};
	union {
		struct {
			__u8 state;
			__u8 timeout;
			__u8 verdict;
			__u8 opener;
			__u8 direction;
			__u8 flags;
			__u8 tcp_flags[2];
		};
		__u64 standing;
	};
};

#define QUICK_LINE_AT offsetof(struct bh_conn, stamp)

_Static_assert(sizeof(struct quick_line) == offsetof(struct bh_conn, counted) - QUICK_LINE_AT &&
		       offsetof(struct quick_line, rule) + QUICK_LINE_AT ==
			       offsetof(struct bh_conn, rule) &&
		       offsetof(struct quick_line, flags) + QUICK_LINE_AT ==
			       offsetof(struct bh_conn, flags),
	       "a part of struct bh_conn");

/* All ones or zero: whether the bytes of @a come after those of @b.  Two words may be compared
 * without a branch, which nobody could foresee. */
static __always_inline __u64 is_after_v4(__u64 a, __u64 b)
{
	__u64 x = bpf_ntohl(a >> SECOND_HALF), y = bpf_ntohl(b >> SECOND_HALF);
	__u64 less = y - x;

	/* Or the compiler knows what is asked, and makes a branch of it. */
	asm volatile("" : "+r"(less));
	return (__s64)less >> 63;
}

static __always_inline __u64 is_after_v6(const __u64 a[2], const __u64 b[2])
{
	__u64 x = a[0], y = b[0], mask = 0;

	if (x == y) {
		x = a[1];
		y = b[1];
	}
	if (bpf_be64_to_cpu(x) > bpf_be64_to_cpu(y))
		mask = ~0ull;
	asm volatile("" : "+r"(mask));
	return mask;
}

static __always_inline void swap_if(__u64 mask, __u64 *a, __u64 *b)
{
	__u64 change = (*a ^ *b) & mask;

	*a ^= change;
	*b ^= change;
}

static __always_inline __u64 last_words(const struct quick_facts *f, __u32 ports, __u16 endpoint)
{
	union {
		struct {
			__u32 ports;
			__u16 endpoint;
			__u8 proto;
			__u8 ip_version;
		} part;
		__u64 both;
	} u = {{ports, endpoint, f->proto, f->ip_version}};

	return u.both;
}

/* As conn_key_ends() orders them; returns which end sent the packet.  Ends of one address are for
 * quick_transport() to refuse. */
static __always_inline __u64 quick_key(struct quick_key *key, const struct quick_facts *f,
				       __u16 endpoint, bool is_v6)
{
	__u64 mask = is_v6 ? is_after_v6(f->src, f->dst) : is_after_v4(f->src[1], f->dst[1]);
	__u32 turned = f->ports << 16 | f->ports >> 16;

	key->pair[0] = f->src[0];
	key->pair[1] = f->src[1];
	key->pair[2] = f->dst[0];
	key->pair[3] = f->dst[1];
	if (is_v6)
		swap_if(mask, &key->pair[0], &key->pair[2]);
	swap_if(mask, &key->pair[1], &key->pair[3]);
	key->pair[4] = last_words(f, f->ports ^ ((f->ports ^ turned) & mask), endpoint);
	return mask & 1;
}

/* As conn_read(). */
static __always_inline struct bh_conn *quick_read(const struct quick_key *key, bool is_v6,
						  __u32 line, struct quick_line *ret)
{
	const struct line_key parts = line_key_of(key->pair);
	const struct bh_conn_rest *rest = is_v6 ? rest_at(line) : NULL;
	struct bh_conn *conn = conn_at(line);
	const struct quick_line *from;

	if (!conn || (is_v6 && !rest))
		return NULL;
	from = (const void *)&conn->stamp;
	ret->version = READ_NOW(from->version);
	keep_order();
	if (!is_near_key(conn, &parts) || (is_v6 && !is_far_key(rest, &parts)))
		return NULL;
	ret->use = READ_NOW(from->use);
	ret->standing = READ_NOW(from->standing);
	keep_order();
	if (ret->stamp != READ_NOW(conn->stamp) || (ret->stamp & 1))
		return NULL;
	return conn;
}

/* At home, where nearly all are; who is @thorough looks elsewhere, too. */
static __always_inline struct bh_conn *quick_find(const struct bh_conn_secret *secret,
						  const struct quick_key *key,
						  const struct quick_look *look,
						  struct quick_line *ret)
{
	__u64 hash = keyed_hash_of(secret, key->pair, look->is_v6);
	__u32 line = look->is_thorough ? conn_line_of(hash) : home_of(hash);

	return line == LINE_NONE ? NULL : quick_read(key, look->is_v6, line, ret);
}

/* Established, and what was decided has no end to be looked at. */
static __always_inline bool is_quick(const struct quick_line *line, __u8 proto)
{
	const struct quick_line mask = {.state = 0xff, .timeout = 0xff, .flags = 0xff};
	const struct quick_line tcp = {.state = BH_CONN_ESTABLISHED,
				       .timeout = BH_TIMEOUT_TCP_ESTABLISHED,
				       .flags = BH_CONN_SETTLED};
	const struct quick_line udp = {.state = BH_CONN_ESTABLISHED,
				       .timeout = BH_TIMEOUT_UDP_ESTABLISHED,
				       .flags = BH_CONN_SETTLED};

	return (line->standing & mask.standing) ==
	       (proto == IPPROTO_TCP ? tcp.standing : udp.standing);
}

static __always_inline bool is_silent_for_long(__u32 seen, __u32 now, __u8 proto)
{
	__u32 timeout = proto == IPPROTO_TCP ? bh_timeouts[BH_TIMEOUT_TCP_ESTABLISHED]
					     : bh_timeouts[BH_TIMEOUT_UDP_ESTABLISHED];

	/* As in is_expired(). */
	return (__s32)(now - seen) > (__s32)BH_TICKS_OF_S(timeout);
}

/*
 * What holds still is said to be of this generation, so that the next packet need not ask again.
 * If the line has changed meanwhile, it is left alone.  If another packet is about to write what it
 * has decided anew, that is the same: nothing has changed for these ends since.
 */
static __always_inline void quick_renew(struct bh_conn *conn, const struct quick_line *line,
					__u32 generation)
{
	struct quick_line renewed = *line;
	__u64 *place = (void *)&conn->stamp;

	renewed.generation = generation;
	asm volatile("" ::"r"(__sync_val_compare_and_swap(place, line->version, renewed.version)));
}

/* Whether what was decided holds.  Of another generation only who is @thorough finds out. */
static __always_inline bool is_decided(const struct quick_key *key, struct bh_conn *conn,
				       const struct quick_line *line, const struct quick_look *look,
				       __u32 generation, bool is_reverted)
{
	if (line->generation == generation)
		return true;
	if (!look->is_thorough || is_reverted ||
	    !holds_still(key->pair, line->generation, generation))
		return false;
	quick_renew(conn, line, generation);
	return true;
}

/* TCP: that it acknowledges something is all there is to note. */
static __always_inline bool is_used_to(const struct quick_line *line, __u8 tcp_flags, bool is_reply)
{
	__u8 seen = is_reply ? line->tcp_flags[1] : line->tcp_flags[0];

	return (tcp_flags & TCP_ACK) && !(tcp_flags & ~seen);
}

static __always_inline void quick_note(struct bh_conn *conn, const struct quick_facts *f,
				       __u32 length, __u32 now, bool is_reply)
{
	if (f->proto == IPPROTO_TCP)
		tcp_note_ack(conn, is_reply, f->ack);
	if (is_keeping(f->proto, is_reply))
		conn_touch(conn, now);
	conn_add(conn, is_reply, length);
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

/* Of a packet that opens none by itself; QUICK_OPENER: nothing is known of its connection. */
static __always_inline enum quick_fate quick_judge(const struct quick_packet *p,
						   const struct bh_control *control,
						   const struct quick_facts *facts,
						   const struct quick_look *look)
{
	__u64 now = clock_coarse_ns(control), active, sender, is_reply;
	__u32 endpoint = quick_endpoint(p);
	struct quick_line line;
	struct quick_key key;
	struct bh_conn *conn;
	bool is_reverted;

	if (endpoint == BH_ENDPOINT_UNKNOWN)
		return QUICK_NOT;
	active = active_word(control, now, &is_reverted);
	if (!active || is_agent_down(control, BH_ACTIVE_SLOT(active), now))
		return QUICK_NOT;
	sender = quick_key(&key, facts, endpoint, look->is_v6);
	conn = quick_find(&control->secret, &key, look, &line);
	if (!conn)
		return look->is_thorough ? QUICK_OPENER : QUICK_AGAIN;
	if (!is_quick(&line, facts->proto) ||
	    is_silent_for_long(line.seen, BH_TICKS(now), facts->proto) ||
	    line.rule == BH_BUILTIN_DOWN)
		return QUICK_NOT;
	if (!is_decided(&key, conn, &line, look, BH_ACTIVE_GENERATION(active), is_reverted))
		return look->is_thorough ? QUICK_NOT : QUICK_AGAIN;
	is_reply = sender ^ line.opener;
	/* Or the compiler compares again wherever it matters. */
	asm volatile("" : "+r"(is_reply));
	/* Each end's packets come from its own side of the endpoint. */
	if ((line.direction ^ p->direction) != is_reply)
		return QUICK_NOT;
	if (facts->proto == IPPROTO_TCP && !is_used_to(&line, facts->tcp_flags, is_reply & 1))
		return QUICK_NOT;
	if (has_carry(conn, is_reply & 1))
		return QUICK_NOT;

	quick_note(conn, facts, p->length, BH_TICKS(now), is_reply & 1);
	count_rule(line.rule, BH_ACTIVE_SLOT(active) * bh_rules_each, bh_rules_each, p->length);
	count_endpoint(endpoint, p->direction, false, p->length);
	return QUICK_PASS;
}

#endif
