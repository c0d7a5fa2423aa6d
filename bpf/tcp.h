/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* TCP flags -> state of a connection.  Enough that only a handshake opens and no lone RST closes.
 */
#ifndef BPF_TCP_H
#define BPF_TCP_H

#include <bulkhead/connection.h>

#include "hello.h"
#include "transport.h"

/* How far an acknowledgement of a SYN may lie behind its data (a SYN may carry some, RFC 7413). */
#define SYN_DATA_MAX 65536

static __always_inline bool tcp_is_opening(__u8 flags)
{
	return (flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) == TCP_SYN;
}

/*
 * Races between CPUs may lose one of two updates: then a number stays behind by a segment, until
 * the next one.  The worst that comes of it is an RST that doesn't shorten the timeout.
 */
static __always_inline void tcp_note_ack(struct bh_conn *conn, bool is_reply, __u32 ack)
{
	if ((__s32)(ack - conn->ack[is_reply]) > 0)
		conn->ack[is_reply] = ack;
}

static __always_inline void tcp_note(const struct conn_line *l, const struct packet *p,
				     bool is_reply)
{
	__u8 before = l->conn->tcp_flags[is_reply], all = before | p->tcp_flags;

	if (all != before)
		l->conn->tcp_flags[is_reply] = all;
	if (l->conn->state != BH_CONN_ESTABLISHED &&
	    (!before || (__s32)(p->seq_end - l->rest->seq_end[is_reply]) > 0))
		l->rest->seq_end[is_reply] = p->seq_end;
	if (!(p->tcp_flags & TCP_ACK))
		return;
	if (before & TCP_ACK)
		tcp_note_ack(l->conn, is_reply, p->ack);
	else
		l->conn->ack[is_reply] = p->ack;
}

/* Only the next byte that the other end waits for proves that the sender sees the traffic (RFC
 * 5961, 3). */
static __always_inline bool is_valid_reset(const struct conn_line *l, const struct packet *p,
					   bool is_reply)
{
	if (l->conn->state == BH_CONN_NEW && (p->tcp_flags & TCP_ACK))
		return p->ack == l->rest->seq_end[!is_reply];
	return (l->conn->tcp_flags[!is_reply] & TCP_ACK) && p->seq == l->conn->ack[!is_reply];
}

/* Before an answer: the opener may repeat its SYN, the other end may accept, refuse or challenge.
 */
static __always_inline enum step tcp_step_new(const struct conn_line *l, const struct packet *p,
					      bool is_reply)
{
	if (!is_reply)
		return tcp_is_opening(p->tcp_flags) ? STEP_PASS : STEP_STRAY;
	if (tcp_is_opening(p->tcp_flags)) {
		/* Simultaneous open (RFC 9293, 3.5). */
		conn_set_state(l->conn, BH_CONN_OPENING, BH_TIMEOUT_TCP_OPENING);
		return STEP_PASS;
	}
	if (!(p->tcp_flags & TCP_ACK))
		return STEP_STRAY;
	if (p->tcp_flags & TCP_SYN) {
		if (l->rest->seq_end[0] - p->ack >= SYN_DATA_MAX)
			return STEP_STRAY;
		conn_set_state(l->conn, BH_CONN_OPENING, BH_TIMEOUT_TCP_OPENING);
	}
	return STEP_PASS;
}

/* The opener has acknowledged the other end's SYN. */
static __always_inline void tcp_establish(const struct conn_line *l)
{
	if (is_hello_awaited(l))
		conn_set_state(l->conn, BH_CONN_HELLO, BH_TIMEOUT_TCP_OPENING);
	else
		conn_set_state(l->conn, BH_CONN_ESTABLISHED, BH_TIMEOUT_TCP_ESTABLISHED);
}

static __always_inline enum step tcp_step(const struct conn_line *l, const struct packet *p,
					  bool is_reply)
{
	struct bh_conn *conn = l->conn;
	enum step step = STEP_PASS, said = STEP_PASS;

	if (conn->state == BH_CONN_CLOSING && tcp_is_opening(p->tcp_flags))
		return STEP_REOPEN;
	if (p->tcp_flags & TCP_RST) {
		if (is_valid_reset(l, p, is_reply))
			conn_set_state(conn, BH_CONN_CLOSING, BH_TIMEOUT_TCP_CLOSING);
		return STEP_PASS;
	}

	if (is_hello_awaited(l))
		said = hello_step(l, p, is_reply);
	if (said != STEP_PASS && said != STEP_SAID)
		return said;
	if (conn->state == BH_CONN_NEW)
		step = tcp_step_new(l, p, is_reply);
	else if (conn->state == BH_CONN_OPENING && (p->tcp_flags & TCP_ACK) && !is_reply)
		tcp_establish(l);
	if (step != STEP_PASS)
		return step;

	tcp_note(l, p, is_reply);
	if (conn->tcp_flags[0] & conn->tcp_flags[1] & TCP_FIN)
		conn_set_state(conn, BH_CONN_CLOSING, BH_TIMEOUT_TCP_CLOSING);
	return said;
}

#endif
