/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The connection table: lookup, create, promote, refresh, decide again, cut. */
#ifndef BPF_CONNECTION_H
#define BPF_CONNECTION_H

#include <linux/errno.h>

#include <bulkhead/builtin.h>
#include <bulkhead/connection.h>

#include "builtin.h"
#include "decide.h"
#include "maps.h"
#include "tcp.h"

/* A known connection, seen from a packet. */
struct hit {
	struct bh_conn *conn;
	bool is_embryonic;
	bool is_reply;
};

/* Negative, zero or positive, as memcmp() of the bytes. */
static __always_inline int addr_compare(const struct bh_addr *a, const struct bh_addr *b)
{
	for (int i = 0; i < 4; i++) {
		__u32 x = bpf_ntohl(a->word[i]), y = bpf_ntohl(b->word[i]);

		if (x != y)
			return x < y ? -1 : 1;
	}
	return 0;
}

/* Orders the ends of a key; returns which of them, 0 or 1, is the source. */
static __always_inline __u8 conn_key_ends(struct bh_conn_key *key, const struct bh_addr *src,
					  const struct bh_addr *dst, __be16 sport, __be16 dport)
{
	int order = addr_compare(src, dst);

	if (!order)
		order = bpf_ntohs(sport) < bpf_ntohs(dport) ? -1 : 1;
	if (order < 0) {
		key->addr[0] = *src;
		key->addr[1] = *dst;
		key->port[0] = sport;
		key->port[1] = dport;
		return 0;
	}
	key->addr[0] = *dst;
	key->addr[1] = *src;
	key->port[0] = dport;
	key->port[1] = sport;
	return 1;
}

/* The key of the packet's connection; returns which end sent the packet. */
static __always_inline __u8 conn_key(const struct packet *p, struct bh_conn_key *key)
{
	key->endpoint = p->endpoint;
	key->proto = p->proto;
	key->pad = 0;
	return conn_key_ends(key, &p->src, &p->dst, p->sport, p->dport);
}

static __always_inline void conn_delete(const struct bh_conn_key *key, bool is_embryonic)
{
	if (is_embryonic)
		bpf_map_delete_elem(&bh_embryonic, key);
	else
		bpf_map_delete_elem(&bh_conns, key);
}

/* NULL conn if there is none, or none that is still alive. */
static __always_inline struct hit conn_find(const struct packet *p, const struct bh_conn_key *key,
					    __u8 sender)
{
	struct hit hit = {.conn = bpf_map_lookup_elem(&bh_conns, key)};

	if (!hit.conn) {
		hit.conn = bpf_map_lookup_elem(&bh_embryonic, key);
		hit.is_embryonic = true;
	}
	if (!hit.conn)
		return hit;
	/*
	 * seen_ns may be newer than our clock reading when another CPU is faster.  A packet that
	 * refreshes the entry between this check and the deletion loses it: it was silent for the
	 * whole timeout, and its next packet is judged as any new one.
	 */
	if ((__s64)(p->now - hit.conn->seen_ns) > (__s64)(hit.conn->timeout_s * NS_PER_S)) {
		conn_delete(key, hit.is_embryonic);
		hit.conn = NULL;
		return hit;
	}
	hit.is_reply = sender != hit.conn->opener;
	return hit;
}

/*
 * Both directions are seen now.  If there is no room, or another CPU was first, the entry stays, or
 * is, where a flood may displace it: worse service, never a wrong verdict.
 */
static __always_inline struct bh_conn *conn_promote(const struct bh_conn_key *key,
						    struct bh_conn *conn)
{
	struct bh_conn *promoted;

	bpf_map_update_elem(&bh_conns, key, conn, BPF_NOEXIST);
	promoted = bpf_map_lookup_elem(&bh_conns, key);
	if (!promoted)
		return conn;
	bpf_map_delete_elem(&bh_embryonic, key);
	return promoted;
}

static __always_inline void conn_count(struct bh_conn_half *half, const struct packet *p)
{
	__sync_fetch_and_add(&half->packets, 1);
	__sync_fetch_and_add(&half->bytes, p->length);
}

static __always_inline void plain_establish(struct bh_conn *conn, const struct packet *p)
{
	if (p->proto == IPPROTO_UDP)
		conn_set_state(conn, BH_CONN_ESTABLISHED, BH_TIMEOUT_UDP_ESTABLISHED);
	else if (is_icmp(p))
		conn_set_state(conn, BH_CONN_ESTABLISHED, BH_TIMEOUT_ICMP);
	else
		conn_set_state(conn, BH_CONN_ESTABLISHED, BH_TIMEOUT_OTHER_ESTABLISHED);
}

/*
 * Protocols other than TCP: an answer establishes.  Echo requests both ways with id 0 share a key,
 * and only the first asker's is known: the other's request is none of its answers.
 */
static __always_inline enum step plain_step(struct bh_conn *conn, const struct packet *p,
					    bool is_reply)
{
	if (is_icmp(p) && is_echo_answer(p) != is_reply)
		return STEP_STRAY;
	if (is_reply && conn->state == BH_CONN_NEW)
		plain_establish(conn, p);
	return STEP_PASS;
}

/* Answers alone don't keep UDP alive: its opener may be gone, and nobody would say so. */
static __always_inline bool is_keeping(const struct packet *p, bool is_reply)
{
	return !is_reply || p->proto != IPPROTO_UDP;
}

static __always_inline enum bh_timeout timeout_of_new(const struct packet *p)
{
	if (p->proto == IPPROTO_TCP)
		return BH_TIMEOUT_TCP_NEW;
	if (p->proto == IPPROTO_UDP)
		return BH_TIMEOUT_UDP_NEW;
	return is_icmp(p) ? BH_TIMEOUT_ICMP : BH_TIMEOUT_OTHER_NEW;
}

static __always_inline void take_decision(struct packet *p, const struct decision *decision,
					  bool is_reply)
{
	p->rule = BH_CELL_RULE(decision->cell);
	p->verdict = BH_CELL_VERDICT(decision->cell);
	p->until_s = decision->until_s;
	p->src_identity = is_reply ? decision->dst_identity : decision->src_identity;
	p->dst_identity = is_reply ? decision->src_identity : decision->dst_identity;
}

/* Whether the tables decide by this rule, and not the programs by themselves. */
static __always_inline bool is_of_policy(__u32 rule)
{
	return rule >= BH_RULE_FIRST || rule == BH_BUILTIN_DEFAULT || rule == BH_BUILTIN_FAILSAFE ||
	       rule == BH_BUILTIN_DOWN;
}

static __always_inline bool is_in_time(const struct bh_conn *conn)
{
	return !conn->until_s || wall_s() < conn->until_s;
}

/*
 * Whether what was decided for the connection still holds: for this policy, at this time.  Where
 * the agent is down, and a zone has something to say of that, nothing holds for long.
 */
static __always_inline bool is_up_to_date(const struct packet *p, const struct bh_conn *conn)
{
	if (conn->generation != p->generation || p->is_agent_down || conn->rule == BH_BUILTIN_DOWN)
		return false;
	return is_in_time(conn);
}

/*
 * The opener's question is asked again.  What a built-in rule allowed stays allowed while the rule
 * is on.
 */
static __always_inline enum bh_reason conn_decide_again(struct packet *p, const struct hit *hit)
{
	struct bh_conn *conn = hit->conn;
	struct decision decision;
	struct question question;
	enum bh_reason reason;

	if (!is_of_policy(conn->rule)) {
		conn->generation = p->generation;
		return is_builtin_on(p, conn->rule) ? BH_REASON_NONE : BH_REASON_REVOKED;
	}
	if (hit->is_reply)
		question_of_reply(&question, p);
	else
		question_of_packet(&question, p);
	ask(p, &question, &decision);
	take_decision(p, &decision, hit->is_reply);
	reason = reason_of(&decision, BH_REASON_REVOKED);
	if (reason)
		return reason;

	p->is_reported = p->verdict == BH_VERDICT_AUDIT && conn->verdict != BH_VERDICT_AUDIT;
	/* A requirement that is new is one for new connections. */
	if (!(decision.cell & BH_CELL_TLS))
		hello_end(conn);
	/* Two CPUs may both do this: they write the same. */
	conn->rule = p->rule;
	conn->verdict = p->verdict;
	conn->src_identity = decision.src_identity;
	conn->dst_identity = decision.dst_identity;
	conn->until_s = decision.until_s;
	conn->generation = p->generation;
	return BH_REASON_NONE;
}

/* Builds the entry of a connection that was just allowed. */
static __always_inline void conn_fill(struct bh_conn *conn, const struct packet *p, __u8 sender,
				      bool is_reply)
{
	conn->created_ns = p->now;
	conn->seen_ns = p->now;
	conn->until_s = p->until_s;
	conn->generation = p->generation;
	conn->rule = p->rule;
	conn->src_identity = is_reply ? p->dst_identity : p->src_identity;
	conn->dst_identity = is_reply ? p->src_identity : p->dst_identity;
	conn->verdict = p->verdict;
	conn->opener = is_reply ? !sender : sender;
	conn->direction = is_reply ? !p->direction : p->direction;
}

/* What failsafe keeps open passes also without an entry. */
static __always_inline enum bh_reason reason_of_full(const struct packet *p)
{
	return p->rule == BH_BUILTIN_FAILSAFE ? BH_REASON_NONE : BH_REASON_TABLE_FULL;
}

static __always_inline enum bh_reason conn_create(struct packet *p, const struct bh_conn_key *key,
						  __u8 sender)
{
	struct bh_conn conn = {};

	conn_fill(&conn, p, sender, false);
	conn_set_state(&conn, BH_CONN_NEW, timeout_of_new(p));
	conn.half[0].packets = 1;
	conn.half[0].bytes = p->length;
	if (p->proto == IPPROTO_TCP)
		tcp_note(&conn.half[0], p);
	if (p->is_tls_required)
		hello_begin(&conn, p);
	if (bpf_map_update_elem(&bh_embryonic, key, &conn, BPF_ANY))
		return reason_of_full(p);
	return BH_REASON_NONE;
}

/* A connection older than the agent, seen in the middle: both directions are taken as seen. */
static __always_inline enum bh_reason conn_adopt(struct packet *p, const struct bh_conn_key *key,
						 __u8 sender, bool is_reply)
{
	struct bh_conn conn = {};
	struct bh_conn_half *half = &conn.half[is_reply ? 1 : 0];
	int err;

	conn_fill(&conn, p, sender, is_reply);
	half->packets = 1;
	half->bytes = p->length;
	if (p->proto == IPPROTO_TCP) {
		conn_set_state(&conn, BH_CONN_ESTABLISHED, BH_TIMEOUT_TCP_ESTABLISHED);
		tcp_note(half, p);
	} else {
		plain_establish(&conn, p);
	}
	err = bpf_map_update_elem(&bh_conns, key, &conn, BPF_NOEXIST);
	return err && err != -EEXIST ? reason_of_full(p) : BH_REASON_NONE;
}

#endif
