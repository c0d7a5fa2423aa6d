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
	enum bh_direction direction;
	bool is_host;
	const struct xdp_md *xdp; /* NULL: it is the other */
	const struct __sk_buff *skb;
};

/* What becomes of it. */
enum quick_fate {
	QUICK_NOT, /* it takes the whole way, and nothing has happened yet */
	QUICK_PASS,
	QUICK_DROP,
	QUICK_AGAIN,  /* who is thorough will know */
	QUICK_OPENER, /* opener_judge() says */
};

/* What it says of itself.  An address is that of its family. */
struct quick_facts {
	__be32 src_v4, dst_v4;
	__u64 src_v6[2], dst_v6[2];
	__u32 ports;        /* two of 16 bits, as they lie in the header: source, destination */
	__u32 seq_end, ack; /* TCP; host order */
	__u32 l3_len;
	__u8 tcp_flags;
	bool is_opening; /* TCP: it can be of no connection that is established */
};

/* What is known of the packet, and what is asked, where the programs are compiled. */
struct quick_look {
	bool is_v6;
	bool is_thorough; /* what few packets need: calls, for which the others would make room */
	__u8 proto;
};

/* In a register: or the compiler loads each of the few before each of many questions. */
static __always_inline enum quick_fate held(enum quick_fate fate)
{
	asm volatile("" : "+r"(fate));
	return fate;
}

static __always_inline __u32 quick_ifindex(const struct quick_packet *p)
{
	return p->xdp ? p->xdp->ingress_ifindex : p->skb->ifindex;
}

/* --- facts --- */

static __always_inline __u32 l3_header_of(const struct quick_look *look)
{
	return look->is_v6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr);
}

/*
 * Addresses are not looked at: those that parse() and judge() take exception to are in no
 * connection.  A workload's to itself are: there is a built-in rule.
 */
static __always_inline bool quick_ipv4(const struct iphdr *ip, struct quick_facts *ret)
{
	ret->l3_len = bpf_ntohs(ip->tot_len);
	if (*(const __u8 *)ip != 0x45 ||
	    ip->frag_off & bpf_htons(IPV4_FRAGMENT_OFFSET | IPV4_MORE_FRAGMENTS))
		return false;
	ret->src_v4 = ip->saddr;
	ret->dst_v4 = ip->daddr;
	return ret->src_v4 != ret->dst_v4;
}

/* The key says which family it is of: none of IPv6 is taken for one of IPv4, see
 * is_v4_in_disguise(). */
static __always_inline bool quick_ipv6(const struct ipv6hdr *ip, struct quick_facts *ret)
{
	ret->l3_len = sizeof(*ip) + bpf_ntohs(ip->payload_len);
	if (ip->version != 6)
		return false;
	ret->src_v6[0] = two_words(ip->saddr.in6_u.u6_addr32[0], ip->saddr.in6_u.u6_addr32[1]);
	ret->src_v6[1] = two_words(ip->saddr.in6_u.u6_addr32[2], ip->saddr.in6_u.u6_addr32[3]);
	ret->dst_v6[0] = two_words(ip->daddr.in6_u.u6_addr32[0], ip->daddr.in6_u.u6_addr32[1]);
	ret->dst_v6[1] = two_words(ip->daddr.in6_u.u6_addr32[2], ip->daddr.in6_u.u6_addr32[3]);
	return (ret->src_v6[0] | ret->dst_v6[0]) &&
	       (ret->src_v6[1] != ret->dst_v6[1] || ret->src_v6[0] != ret->dst_v6[0]);
}

/* Nothing that ends a connection, and what opens one only by itself. */
static __always_inline bool quick_tcp(const struct quick_packet *p, const struct tcphdr *tcp,
				      const struct quick_look *look, struct quick_facts *ret)
{
	__u32 header, handshake;

	if ((const void *)(tcp + 1) > p->end)
		return false;
	header = tcp->doff * 4;
	if (header < sizeof(*tcp) || l3_header_of(look) + header > ret->l3_len)
		return false;
	ret->tcp_flags = ((const __u8 *)tcp)[13];
	handshake = ret->tcp_flags & (TCP_SYN | TCP_ACK | TCP_FIN | TCP_RST);
	ret->is_opening = handshake != TCP_ACK;
	if (ret->is_opening && handshake != TCP_SYN)
		return false;
	ret->ports = *(const __u32 *)tcp;
	ret->ack = bpf_ntohl(tcp->ack_seq);
	if (ret->is_opening)
		ret->seq_end = bpf_ntohl(tcp->seq) + ret->l3_len - l3_header_of(look) - header + 1;
	return true;
}

/* This machine's DHCP has a built-in rule. */
static __always_inline bool is_dhcp_port(__be16 port)
{
	return port == bpf_htons(DHCP_SERVER) || port == bpf_htons(DHCP_CLIENT) ||
	       port == bpf_htons(DHCP6_SERVER) || port == bpf_htons(DHCP6_CLIENT);
}

static __always_inline bool quick_udp(const struct quick_packet *p, const struct udphdr *udp,
				      const struct quick_look *look, struct quick_facts *ret)
{
	__u32 len = bpf_ntohs(udp->len);

	if (len < sizeof(*udp) || l3_header_of(look) + len > ret->l3_len ||
	    (p->is_host && is_dhcp_port(udp->dest)))
		return false;
	ret->ports = *(const __u32 *)udp;
	return true;
}

/* --- connection --- */

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

/* All ones or zero: whether the bytes of @a come after those of @b.  It is asked without a branch,
 * which nobody could foresee. */
static __always_inline __u64 is_after_v4(__be32 a, __be32 b)
{
	__u64 less = (__u64)bpf_ntohl(b) - bpf_ntohl(a);

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

static __always_inline __u64 ends_key_v4(struct line_key *key, const struct quick_facts *f)
{
	__u64 mask = is_after_v4(f->src_v4, f->dst_v4);
	__u32 change = (f->src_v4 ^ f->dst_v4) & (__u32)mask;

	key->near[0] = two_words(f->src_v4 ^ change, f->dst_v4 ^ change);
	key->far[0] = key->far[1] = 0;
	key->far[2] = two_words(bpf_htonl(0xffff), bpf_htonl(0xffff));
	return mask;
}

static __always_inline __u64 ends_key_v6(struct line_key *key, const struct quick_facts *f)
{
	__u64 mask = is_after_v6(f->src_v6, f->dst_v6);
	__u64 first = (f->src_v6[0] ^ f->dst_v6[0]) & mask;
	__u64 last = (f->src_v6[1] ^ f->dst_v6[1]) & mask;

	*key = line_key_of((__u64[]){f->src_v6[0] ^ first, f->src_v6[1] ^ last,
				     f->dst_v6[0] ^ first, f->dst_v6[1] ^ last, 0});
	return mask;
}

/* Two ports, turned round where @mask has all ones. */
static __always_inline __u32 ports_in_order(__u32 ports, __u64 mask)
{
	return (ports | (__u64)ports << 32) >> (mask & 16);
}

static __always_inline __u64 last_words(__u32 ports, __u16 endpoint, const struct quick_look *look)
{
	union {
		struct {
			__u32 ports;
			__u16 endpoint;
			__u8 proto;
			__u8 ip_version;
		} part;
		__u64 both;
	} u = {{ports, endpoint, look->proto, look->is_v6 ? 6 : 4}};

	return u.both;
}

/* As conn_key_ends() orders them; returns which end sent the packet.  Ends of one address are none
 * that come here. */
static __always_inline __u64 quick_key(struct line_key *key, const struct quick_facts *f,
				       __u16 endpoint, const struct quick_look *look)
{
	__u64 mask = look->is_v6 ? ends_key_v6(key, f) : ends_key_v4(key, f);

	key->near[1] = last_words(ports_in_order(f->ports, mask), endpoint, look);
	return mask & 1;
}

/* As conn_read(). */
static __always_inline struct bh_conn *quick_read(const struct line_key *key, bool is_v6,
						  __u32 line, struct quick_line *ret)
{
	const struct bh_conn_rest *rest = is_v6 ? rest_at(line) : NULL;
	struct bh_conn *conn = conn_at(line);
	const struct quick_line *from;

	if (!conn || (is_v6 && !rest))
		return NULL;
	from = (const void *)&conn->stamp;
	ret->version = READ_NOW(from->version);
	keep_order();
	if (!is_near_key(conn, key) || (is_v6 && !is_far_key(rest, key)))
		return NULL;
	ret->use = READ_NOW(from->use);
	ret->standing = READ_NOW(from->standing);
	keep_order();
	if (ret->stamp != READ_NOW(conn->stamp) || (ret->stamp & 1))
		return NULL;
	return conn;
}

/* At home, where nearly all are; who is @thorough looks elsewhere, too. */
static __always_inline struct bh_conn *quick_find(const struct line_key *key, __u64 hash,
						  const struct quick_look *look,
						  struct quick_line *ret)
{
	__u32 line = home_of(hash);

	if (look->is_thorough) {
		line = settled_line_of(hash);
		if (line == LINE_NONE)
			return NULL;
	}
	return quick_read(key, look->is_v6, line, ret);
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
	__u32 timeout = proto == IPPROTO_TCP ? BH_TIMEOUT_TCP_ESTABLISHED
					     : BH_TIMEOUT_UDP_ESTABLISHED;

	/* As in is_expired(). */
	return (__s32)(now - seen) > (__s32)bh_timeouts[timeout];
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

	if (!bh_has_fetch)
		return;
	renewed.generation = generation;
	asm volatile("" ::"r"(__sync_val_compare_and_swap(place, line->version, renewed.version)));
}

/* Whether what was decided in another generation holds. */
static __always_inline bool is_decided_still(const struct line_key *key, struct bh_conn *conn,
					     const struct quick_line *line, __u32 generation)
{
	if (!line_holds_still(key, line->generation, generation))
		return false;
	quick_renew(conn, line, generation);
	return true;
}

/* TCP: that it acknowledges something is all there is to note. */
static __always_inline bool is_used_to(const struct quick_line *line, __u8 tcp_flags, bool is_reply)
{
	return !(tcp_flags & ~(is_reply ? line->tcp_flags[1] : line->tcp_flags[0]));
}

static __always_inline void quick_note(struct bh_conn *conn, const struct quick_facts *f,
				       __u8 proto, __u32 length, __u32 now, bool is_reply)
{
	if (proto == IPPROTO_TCP)
		tcp_note_ack(conn, is_reply, f->ack);
	if (is_keeping(proto, is_reply))
		conn_touch(conn, now);
	conn_add(conn, is_reply, length);
}

/* What is in force and how it is to be asked, as in struct in_force. */
struct quick_force {
	__u64 active;
	bool is_reverted;
};

/* False: the whole way knows.  Nearly always there is nothing to ask but the active word. */
static __always_inline bool quick_in_force(const struct bh_control *control, __u64 now,
					   struct quick_force *ret)
{
	*ret = (struct quick_force){.active = READ_NOW(control->active)};
	if (unlikely(READ_NOW(control->revert_at_ns) | READ_NOW(control->down_slots))) {
		ret->active = active_word(control, now, &ret->is_reverted);
		if (is_agent_down(control, BH_ACTIVE_SLOT(ret->active), now))
			return false;
	}
	return ret->active;
}

/* BH_ENDPOINT_UNKNOWN: it may be known nevertheless. */
static __always_inline __u32 quick_endpoint(const struct quick_packet *p)
{
	const struct bh_endpoint *endpoint;

	if (p->is_host)
		return BH_ENDPOINT_HOST;
	endpoint = endpoint_at(quick_ifindex(p));
	if (!endpoint || endpoint->kind != BH_ENDPOINT_WORKLOAD)
		return BH_ENDPOINT_UNKNOWN;
	return endpoint->id;
}

/* What is asked of each packet, once. */
struct quick_question {
	__u64 now;
	struct quick_force force;
	__u32 endpoint;
	struct line_key key;
	__u64 hash;   /* of the key */
	__u64 sender; /* which end of it sent the packet */
};

/* False: the whole way knows. */
static __always_inline bool quick_ask(const struct quick_packet *p,
				      const struct bh_control *control,
				      const struct quick_facts *facts,
				      const struct quick_look *look, struct quick_question *ret)
{
	ret->now = clock_coarse_ns(control);
	ret->endpoint = quick_endpoint(p);
	if (unlikely(ret->endpoint == BH_ENDPOINT_UNKNOWN ||
		     !quick_in_force(control, ret->now, &ret->force)))
		return false;
	ret->sender = quick_key(&ret->key, facts, ret->endpoint, look);
	ret->hash = keyed_hash_of(&control->secret, &ret->key, look->is_v6);
	return true;
}

/* Of a packet that opens none by itself; QUICK_OPENER: its connection is not known where it was
 * looked for. */
static __always_inline enum quick_fate quick_judge(const struct quick_packet *p,
						   const struct quick_question *q,
						   const struct quick_facts *facts,
						   const struct quick_look *look)
{
	__u32 generation = BH_ACTIVE_GENERATION(q->force.active);
	__u32 slot = BH_ACTIVE_SLOT(q->force.active), rules = bh_rules_each;
	struct quick_line line;
	struct bh_conn *conn;
	__u64 is_reply;

	conn = quick_find(&q->key, q->hash, look, &line);
	if (unlikely(!conn))
		return held(QUICK_OPENER);
	if (unlikely(!is_quick(&line, look->proto) ||
		     is_silent_for_long(line.seen, BH_TICKS(q->now), look->proto) ||
		     line.rule == BH_BUILTIN_DOWN))
		return held(QUICK_NOT);
	if (unlikely(line.generation != generation) &&
	    (q->force.is_reverted || !is_decided_still(&q->key, conn, &line, generation)))
		return held(QUICK_NOT);
	is_reply = (q->sender ^ line.opener) & 1;
	/* Or the compiler compares again wherever it matters. */
	asm volatile("" : "+r"(is_reply));
	/* Each end's packets come from its own side of the endpoint. */
	if (unlikely((is_reply ^ line.direction ^ p->direction) & 1))
		return held(QUICK_NOT);
	if (look->proto == IPPROTO_TCP &&
	    unlikely(!is_used_to(&line, facts->tcp_flags, is_reply & 1)))
		return held(QUICK_NOT);
	if (unlikely(has_carry(conn, is_reply & 1)))
		return held(QUICK_NOT);

	quick_note(conn, facts, look->proto, p->length, BH_TICKS(q->now), is_reply & 1);
	count_rule(line.rule, slot * rules, rules, p->length);
	count_endpoint(q->endpoint, p->direction, false, p->length);
	return QUICK_PASS;
}

#endif
