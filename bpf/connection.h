/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What packets do to connections: create, adopt, refresh, decide again. */
#ifndef BPF_CONNECTION_H
#define BPF_CONNECTION_H

#include <linux/errno.h>

#include <bulkhead/builtin.h>
#include <bulkhead/connection.h>

#include "backends.h"
#include "builtin.h"
#include "conn_enter.h"
#include "decide.h"
#include "epoch.h"
#include "ports.h"
#include "tcp.h"

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

/* All but the ends of p->key. */
static __always_inline void conn_key_begin(struct packet *p, __u8 proto)
{
	p->key.endpoint = p->endpoint;
	p->key.proto = proto;
	p->key.ip_version = p->is_v6 ? 6 : 4;
}

/* The key of the packet's connection; returns which end sent the packet. */
static __always_inline __u8 conn_key(struct packet *p)
{
	conn_key_begin(p, p->proto);
	return conn_key_ends(&p->key, &p->src, &p->dst, p->sport, p->dport);
}

/* Most packets come in a tick that is noted already; then other CPUs keep the line. */
static __always_inline void conn_touch(struct bh_conn *conn, __u32 now)
{
	if (conn->seen != now)
		conn->seen = now;
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
static __always_inline bool is_keeping(__u8 proto, bool is_reply)
{
	return !is_reply || proto != IPPROTO_UDP;
}

static __always_inline enum bh_timeout timeout_of_new(const struct packet *p)
{
	if (p->proto == IPPROTO_TCP)
		return BH_TIMEOUT_TCP_NEW;
	if (p->proto == IPPROTO_UDP)
		return BH_TIMEOUT_UDP_NEW;
	return is_icmp(p) ? BH_TIMEOUT_ICMP : BH_TIMEOUT_OTHER_NEW;
}

/* Whether the tables decide by this rule, and not the programs by themselves. */
static __always_inline bool is_of_policy(__u32 rule)
{
	return rule >= BH_RULE_FIRST || rule == BH_BUILTIN_DEFAULT || rule == BH_BUILTIN_FAILSAFE ||
	       rule == BH_BUILTIN_DOWN;
}

static __always_inline bool is_in_time(const struct hit *hit)
{
	return !hit->until_s || wall_s() < hit->until_s;
}

/* By p->key. */
static __always_inline bool is_of_generation(const struct packet *p, const struct hit *hit)
{
	if (hit->generation == p->generation)
		return true;
	return !p->is_reverted &&
	       holds_still((const __u64 *)&p->key, hit->generation, p->generation);
}

/*
 * Whether what was decided for the connection still holds: for this policy, at this time.  Where
 * the agent is down, and a zone has something to say of that, nothing holds for long.
 */
static __always_inline bool is_up_to_date(const struct packet *p, const struct hit *hit)
{
	if (!is_of_generation(p, hit) || p->is_agent_down || hit->at.conn->rule == BH_BUILTIN_DOWN)
		return false;
	return is_in_time(hit);
}

/*
 * A TLS hello is awaited of the connection from now on, or no longer.  Nobody whose packet is
 * slower than the end of one connection takes the requirement from the next.
 */
static __always_inline void conn_await_hello(const struct hit *hit, bool is_awaited, __u32 seq)
{
	struct conn_lock *lock = lock_of(hit->line);

	if (!lock)
		return;
	bpf_spin_lock(&lock->lock);
	if (hit->at.conn->stamp == hit->stamp) {
		if (is_awaited)
			hello_begin(&hit->at, seq);
		else
			hello_end(&hit->at);
	}
	bpf_spin_unlock(&lock->lock);
}

/*
 * The opener's question is asked again.  What a built-in rule allowed stays allowed while the rule
 * is on.
 */
static __always_inline enum bh_reason conn_decide_again(struct packet *p, const struct hit *hit)
{
	enum bh_front_kind front = front_opened(p, hit->is_reply);
	const struct bh_conn *conn = hit->at.conn;
	enum bh_reason reason;
	__u32 cell;

	if (front != BH_FRONT_BACKENDS && !is_of_policy(conn->rule)) {
		p->rule = conn->rule;
		p->verdict = hit->verdict;
		p->until_s = 0;
		conn_stamp_decision(p, hit);
		if (!is_builtin_on(p, conn->rule) || (conn->rule == BH_BUILTIN_FRONT && !front))
			return BH_REASON_REVOKED;
		return BH_REASON_NONE;
	}
	cell = front == BH_FRONT_BACKENDS ? (__u32)decide_backends(hit->is_reply)
					  : decide_ends(hit->is_reply);
	reason = reason_of(cell, BH_REASON_REVOKED);
	/* An earlier start decided here what is now decided behind. */
	if (reason && front == BH_FRONT_BEHIND) {
		pass_by_builtin(p, BH_BUILTIN_FRONT);
		p->until_s = 0;
		conn_stamp_decision(p, hit);
		return BH_REASON_NONE;
	}
	if (reason)
		return reason;

	p->is_reported = p->verdict == BH_VERDICT_AUDIT && hit->verdict != BH_VERDICT_AUDIT;
	/* A requirement that is new is one for new connections. */
	if (!(cell & BH_CELL_TLS) && is_hello_awaited(&hit->at))
		conn_await_hello(hit, false, 0);
	conn_stamp_decision(p, hit);
	return BH_REASON_NONE;
}

static __always_inline void conn_note_ports(const struct packet *p, const struct bh_conn *conn)
{
	const __be16 *port = p->key.port;

	ports_note((struct port_use){p->endpoint, conn->direction, conn->opener ? port[0] : port[1],
				     p->key.proto},
		   conn->opener ? port[1] : port[0]);
}

/* Begins the entry of a connection that was just allowed. */
static __always_inline struct conn_line conn_begin(struct packet *p, __u8 sender, bool is_reply)
{
	const struct line_key key = line_key_of((const __u64 *)&p->key);
	struct conn_line entry = {&p->entry.conn, &p->entry.rest};
	struct bh_conn *conn = entry.conn;

	__builtin_memset(&p->entry, 0, sizeof(p->entry));
	line_put_key(&entry, &key);
	entry.rest->created = BH_TICKS(p->now);
	entry.rest->until_s = p->until_s;
	conn->seen = BH_TICKS(p->now);
	conn->flags = p->until_s ? BH_CONN_TIMED : 0;
	conn->generation = p->generation;
	conn->rule = p->rule;
	conn->verdict = p->verdict;
	conn->opener = is_reply ? !sender : sender;
	conn->direction = is_reply ? !p->direction : p->direction;
	conn->counted[is_reply] = BH_COUNTED_ONE((__u64)p->length);
	conn_note_ports(p, conn);
	return entry;
}

/* What failsafe keeps open passes also without an entry. */
static __always_inline enum bh_reason reason_of_full(const struct packet *p)
{
	return p->rule == BH_BUILTIN_FAILSAFE ? BH_REASON_NONE : BH_REASON_TABLE_FULL;
}

/* Another CPU may have been first, with a packet of the same connection, which may have ended
 * since. Returns enum bh_reason; global, as conn_adopt(): verified once. */
__noinline int conn_end(int sender)
{
	struct packet *p = packet_here();
	int err = -EEXIST;
	struct hit hit;

	if (!p)
		return BH_REASON_TABLE_FULL;
	if (!is_answerable(p))
		return BH_REASON_NONE;
	for (int i = 0; i < ENTER_TRIES && err == -EEXIST; i++) {
		err = conn_enter();
		if (err != -EEXIST)
			break;
		hit = conn_find(p, sender, true);
		if (!hit.at.conn)
			continue;
		conn_count(hit.at.conn, hit.line, hit.is_reply, p->length);
		return BH_REASON_NONE;
	}
	return err && err != -EEXIST ? reason_of_full(p) : BH_REASON_NONE;
}

static __always_inline enum bh_reason conn_create(struct packet *p, __u8 sender)
{
	struct conn_line entry;

	entry = conn_begin(p, sender, false);
	conn_set_state(entry.conn, BH_CONN_NEW, timeout_of_new(p));
	if (p->proto == IPPROTO_TCP)
		tcp_note(&entry, p, false);
	if (p->is_tls_required)
		hello_begin(&entry, p->seq);
	return conn_end(sender);
}

/* A connection older than the agent, seen in the middle: both directions are taken as seen. */
__noinline int conn_adopt(int sender, int is_reply)
{
	struct packet *p = packet_here();
	struct conn_line entry;

	if (!p)
		return BH_REASON_TABLE_FULL;
	entry = conn_begin(p, sender, !!is_reply);
	entry.conn->flags |= BH_CONN_SETTLED;
	if (p->proto == IPPROTO_TCP) {
		conn_set_state(entry.conn, BH_CONN_ESTABLISHED, BH_TIMEOUT_TCP_ESTABLISHED);
		tcp_note(&entry, p, !!is_reply);
	} else {
		plain_establish(entry.conn, p);
	}
	return conn_end(sender);
}

#endif
