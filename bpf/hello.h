/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Rules that require TLS: a connection's opener says a ClientHello first, or it is cut. */
#ifndef BPF_HELLO_H
#define BPF_HELLO_H

#include <bulkhead/connection.h>

#include "config.h"
#include "conn_line.h"
#include "transport.h"

/* What a packet of a known connection means for it. */
enum step {
	STEP_PASS,
	STEP_REOPEN, /* the old connection is over; judge this as the first packet of a new one */
	STEP_STRAY,  /* fits no state: no part of the connection */
	STEP_UNREAD, /* not decided: first read the payload, then ask again */
	STEP_SAID,   /* passes, and no hello is awaited any more */
	STEP_CUT,    /* no TLS, and the connection is over */
};

/*
 * The bytes that tell a ClientHello, at the top of a word (RFC 8446, 5.1 and 4): content type, the
 * record's version and length, then the handshake's type.
 */
#define HELLO_BYTES       6
#define HELLO_FIXED       0x1603000000010000ull
#define HELLO_FIXED_MASK  0xffff000000ff0000ull /* without the version's end, and the length */
#define HELLO_MASK        0xffffffffffff0000ull
#define HELLO_VERSION_AT  40 /* bits below: the version's last byte */
#define HELLO_VERSION_MAX 4
#define HELLO_LENGTH_AT   24
#define HELLO_LENGTH_MIN  4      /* a handshake's header */
#define HELLO_LENGTH_MAX  0x4000 /* RFC 8446, 5.1; RFC 5246, 6.2.1 */

/* In place of the bytes seen: the connection is cut.  A SYN may open it anew. */
#define HELLO_CUT 0xff

static __always_inline void conn_set_state(struct bh_conn *conn, enum bh_conn_state state,
					   enum bh_timeout timeout)
{
	conn->state = state;
	conn->timeout = timeout;
}

static __always_inline __u32 tcp_payload_len(const struct packet *p)
{
	return p->seq_end - p->seq - !!(p->tcp_flags & TCP_SYN) - !!(p->tcp_flags & TCP_FIN);
}

/* Takes the first bytes of the payload out of a parsed TCP packet.  Those that it lacks are zero.
 */
static __always_inline void hello_read(struct cursor *c, struct packet *p)
{
	__u64 hello = 0;

	*c->offset += p->l4_len - tcp_payload_len(p) - sizeof(struct tcphdr);
	for (int i = 0; i < HELLO_BYTES; i++) {
		__u8 *byte = cursor_take(c, 1);

		hello = hello << 8 | (byte ? *byte : 0);
	}
	p->hello = hello << (64 - 8 * HELLO_BYTES);
	p->has_hello = 1;
}

/* From the first packet of a connection on, which is a SYN without data.  Of an entry that is in no
 * line yet, or under the lock; as the next. */
static __always_inline void hello_begin(const struct conn_line *l, __u32 seq)
{
	l->conn->flags |= BH_CONN_UNSAID;
	l->rest->hello = 1;
	l->rest->hello_seq = seq + 1;
}

static __always_inline void hello_end(const struct conn_line *l)
{
	l->conn->flags &= ~BH_CONN_UNSAID;
	l->rest->hello = 0;
	if (l->conn->state == BH_CONN_HELLO)
		conn_set_state(l->conn, BH_CONN_ESTABLISHED, BH_TIMEOUT_TCP_ESTABLISHED);
}

/*
 * The entry stays for a while.  Without it, what is sent again would be adopted in the agent's
 * first seconds.
 */
static __always_inline void hello_cut(const struct conn_line *l)
{
	l->rest->hello = HELLO_CUT;
	conn_set_state(l->conn, BH_CONN_CLOSING, BH_TIMEOUT_TCP_OPENING);
}

/* Whatever its state is: that may be of a slower packet of the connection before in the line. */
static __always_inline bool is_hello_awaited(const struct conn_line *l)
{
	return l->conn->flags & BH_CONN_UNSAID;
}

/* Bytes of the hello, the first of them @at bytes into it; they may have been seen before. */
static __always_inline enum step hello_check(struct bh_conn_rest *rest, const struct packet *p,
					     __u32 at, __u32 len)
{
	__u32 count = len < HELLO_BYTES - at ? len : HELLO_BYTES - at;
	__u64 mask = HELLO_MASK & ~0ull << (64 - 8 * count) >> 8 * at;
	__u64 bytes = p->hello >> 8 * at & mask;
	__u8 version = bytes >> HELLO_VERSION_AT;
	__u16 length = bytes >> HELLO_LENGTH_AT;

	length |= rest->hello_length & ~(mask >> HELLO_LENGTH_AT);
	if ((bytes ^ HELLO_FIXED) & HELLO_FIXED_MASK & mask)
		return STEP_CUT;
	if ((mask >> HELLO_VERSION_AT & 1) && (!version || version > HELLO_VERSION_MAX))
		return STEP_CUT;
	/* While its last byte is to come, that counts as zero. */
	if (length > HELLO_LENGTH_MAX || (at + count == HELLO_BYTES && length < HELLO_LENGTH_MIN))
		return STEP_CUT;

	rest->hello_length = length;
	if (rest->hello <= at + count)
		rest->hello = at + count + 1;
	return STEP_PASS;
}

/*
 * What passes is what was found right, at the place where the other end, by its answer to the SYN,
 * will put it.  So nobody can show one stream here and another there: SYNs with other numbers, and
 * bytes before the first or after a gap, are no part of the connection.
 */
static __always_inline enum step hello_step_opener(const struct conn_line *l,
						   const struct packet *p)
{
	struct bh_conn_rest *rest = l->rest;
	bool is_syn = p->tcp_flags & TCP_SYN;
	__u32 len = tcp_payload_len(p), at = p->seq - rest->hello_seq, seen = rest->hello - 1;

	if (is_syn)
		return at == (__u32)-1 && !len ? STEP_PASS : STEP_STRAY;
	/* Keepalives may repeat a byte that was acknowledged (RFC 9293, 3.8.4): the SYN's. */
	if (!len || (len == 1 && at == (__u32)-1))
		return STEP_PASS;
	if (l->conn->state == BH_CONN_NEW)
		return STEP_STRAY;
	if (at >= HELLO_BYTES)
		return seen == HELLO_BYTES && (__s32)at > 0 ? STEP_PASS : STEP_STRAY;
	if (at > seen)
		return STEP_STRAY;
	return p->has_hello ? hello_check(rest, p, at, len) : STEP_UNREAD;
}

/* The other end has to wait.  Once it has the hello, no later copy of it can replace that. */
static __always_inline enum step hello_step_reply(const struct conn_line *l, const struct packet *p)
{
	const struct bh_conn_rest *rest = l->rest;
	__u32 len = tcp_payload_len(p), acked = p->ack - rest->hello_seq;
	bool is_ack = p->tcp_flags & TCP_ACK;

	if (p->tcp_flags & TCP_SYN) {
		if (!is_ack || acked)
			return STEP_STRAY;
		return len ? STEP_CUT : STEP_PASS;
	}
	if (is_ack && rest->hello > HELLO_BYTES && acked >= HELLO_BYTES &&
	    acked <= rest->seq_end[0] - rest->hello_seq)
		return STEP_SAID;
	if (!len || (len == 1 && p->seq + 1 == rest->seq_end[1]))
		return STEP_PASS;
	/* Nobody who can't see the traffic can have it cut. */
	return is_ack && acked < HELLO_BYTES && p->seq == rest->seq_end[1] ? STEP_CUT : STEP_STRAY;
}

static __always_inline enum step hello_step(const struct conn_line *l, const struct packet *p,
					    bool is_reply)
{
	if (l->rest->hello == HELLO_CUT)
		return STEP_STRAY;
	return is_reply ? hello_step_reply(l, p) : hello_step_opener(l, p);
}

#endif
