/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* ICMP errors: they are let through when the packet they quote is of a connection that is alive. */
#ifndef BPF_ICMP_ERROR_H
#define BPF_ICMP_ERROR_H

#include "connection.h"

/* Whether the error is about a connection of this endpoint that the policy in force allows. */
static __always_inline bool is_related(const struct packet *p)
{
	const struct quote *quote = &p->quote;
	struct bh_conn_key key = {.endpoint = p->endpoint, .proto = quote->proto};
	struct hit hit;
	__u8 sender;

	/* The error goes to whom it is about: the sender of what it quotes. */
	if (!p->has_quote || !addr_equal(&quote->src, &p->dst))
		return false;
	sender = conn_key_ends(&key, &quote->src, &quote->dst, quote->sport, quote->dport);
	hit = conn_find(p, &key, sender);
	return hit.conn && hit.conn->generation == p->generation;
}

#endif
