/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* ICMP errors: they are let through when the packet they quote is of a connection that is alive. */
#ifndef BPF_ICMP_ERROR_H
#define BPF_ICMP_ERROR_H

#include "connection.h"

/* Whether a connection that is known may have anything sent about it. */
static __always_inline bool is_silenced(const struct packet *p, const struct bh_conn *conn)
{
	const struct bh_policy *policy;
	const struct bh_identity *src, *dst;
	__u32 slot = p->slot;

	if (!p->is_agent_down || conn->rule == BH_BUILTIN_FAILSAFE)
		return false;
	policy = bpf_map_lookup_elem(&bh_policies, &slot);
	if (!policy)
		return true;
	src = identity_of(policy, identify(&p->quote.src, slot));
	dst = identity_of(policy, identify(&p->quote.dst, slot));
	return !src || !dst || ((src->flags | dst->flags) & BH_IDENTITY_DOWN_CLOSED);
}

/* Whether the error is about a connection of this endpoint that the policy in force allows. */
static __always_inline bool is_related(struct packet *p)
{
	const struct quote *quote = &p->quote;
	struct hit hit;
	__u8 sender;

	/* The error goes to whom it is about: the sender of what it quotes. */
	if (!p->has_quote || !addr_equal(&quote->src, &p->dst))
		return false;
	conn_key_begin(p, quote->proto);
	sender = conn_key_ends(&p->key, &quote->src, &quote->dst, quote->sport, quote->dport);
	hit = conn_find(p, sender, true);
	return hit.at.conn && is_of_generation(p, &hit) && is_in_time(&hit) &&
	       !is_silenced(p, hit.at.conn);
}

#endif
