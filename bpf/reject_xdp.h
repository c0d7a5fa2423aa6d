/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A rejected packet becomes its answer, in place, and leaves by the NIC that it came from: XDP. */
#ifndef BPF_REJECT_XDP_H
#define BPF_REJECT_XDP_H

#include "reject.h"

#define IP_OFFSET_MASK 31 /* two VLAN tags at most */

/* What is copied, of which one is in the packet, that ends at @end. */
struct xdp_copy {
	__u8 *to;
	const __u8 *from;
	const __u8 *in_packet; /* either of them */
	const void *end;
	__u32 max; /* bytes that there is room for in the other */
};

/*
 * Words, as far as there are any, then bytes.  The length is in a map, and is read again for these:
 * so verifiers forget how many words there were.  False if the packet ends before, which parsing
 * has excluded.
 */
static __always_inline bool xdp_copy(const struct xdp_copy *c, const volatile __u32 *len)
{
	__u32 at = *len & ~3u, end;

	for (__u32 i = 0; i + 4 <= c->max && i < at; i += 4) {
		if ((const void *)(c->in_packet + i + 4) > c->end)
			return false;
		*(__u32 *)(c->to + i) = *(const __u32 *)(c->from + i);
	}
	end = *len;
	at = end & ~3u;
	/* What is compared is what is added: verifiers of 6.1 don't see the one by the other. */
	barrier_var(at);
	if (at > c->max - 4)
		return true;
	for (__u32 i = 0; i < 3 && at + i < end; i++) {
		if ((const void *)(c->in_packet + at + i + 1) > c->end)
			return false;
		(c->to + at)[i] = (c->from + at)[i];
	}
	return true;
}

static __always_inline bool xdp_read(struct xdp_md *ctx, __u32 offset, __u8 *to, const __u32 *len)
{
	const __u8 *from = (void *)(long)ctx->data + (offset & IP_OFFSET_MASK);
	const struct xdp_copy copy = {to, from, from, (void *)(long)ctx->data_end,
				      BH_REJECT_QUOTE_MAX};

	return xdp_copy(&copy, len);
}

static __always_inline bool xdp_write(struct xdp_md *ctx, __u32 offset, const struct answer *a)
{
	__u8 *to = (void *)(long)ctx->data + (offset & IP_OFFSET_MASK);
	const struct xdp_copy copy = {to, a->bytes, to, (void *)(long)ctx->data_end,
				      sizeof(a->bytes)};

	return xdp_copy(&copy, &a->len);
}

static __always_inline bool xdp_turn(struct xdp_md *ctx)
{
	struct ethhdr *eth = (void *)(long)ctx->data;
	__u8 sender[ETH_ALEN];

	if ((void *)(eth + 1) > (void *)(long)ctx->data_end)
		return false;
	__builtin_memcpy(sender, eth->h_source, ETH_ALEN);
	__builtin_memcpy(eth->h_source, eth->h_dest, ETH_ALEN);
	__builtin_memcpy(eth->h_dest, sender, ETH_ALEN);
	return true;
}

/* What stands in front of the IP header, and a bit more if there are no tags. */
struct link_headers {
	__u8 bytes[ETH_HLEN + BH_MAX_VLAN_TAGS * 4];
};

/* Behind the packet there may be no room, but in front of it there always is. */
static __always_inline bool xdp_resize(struct xdp_md *ctx, int change)
{
	struct link_headers *at, saved;

	if (!bpf_xdp_adjust_tail(ctx, change))
		return true;
	at = (void *)(long)ctx->data;
	if (change <= 0 || (void *)(at + 1) > (void *)(long)ctx->data_end)
		return false;
	saved = *at;
	if (bpf_xdp_adjust_head(ctx, -change))
		return false;
	at = (void *)(long)ctx->data;
	if ((void *)(at + 1) > (void *)(long)ctx->data_end)
		return false;
	*at = saved;
	return true;
}

static __always_inline bool xdp_answer(struct xdp_md *ctx, const struct packet *p, struct answer *a)
{
	int len;

	if (!xdp_read(ctx, p->ip_offset, answer_quote(p, a), &a->quote_len))
		return false;
	len = p->ip_offset + answer_build(false);
	if (!xdp_resize(ctx, len - (int)p->length))
		return false;
	return xdp_turn(ctx) && xdp_write(ctx, p->ip_offset, a);
}

/*
 * What an interface without XDP_TX passes is the answer, tagged for bh_tc_answer.  The stack, if
 * nobody takes it off before, sees a frame that is for the MAC address of somebody else.
 */
static __always_inline int xdp_send(struct xdp_md *ctx, const struct packet *p)
{
	const struct bh_endpoint *endpoint = bpf_map_lookup_elem(&bh_endpoints, &p->ifindex);
	__u64 *tag;

	if (!endpoint || !(endpoint->flags & BH_ENDPOINT_HAS_ANSWERER) || !bh_answer_tag ||
	    bpf_xdp_adjust_meta(ctx, -(int)sizeof(*tag)))
		return XDP_TX;
	tag = (void *)(long)ctx->data_meta;
	if ((void *)(tag + 1) > (void *)(long)ctx->data)
		return XDP_DROP;
	*tag = bh_answer_tag;
	return XDP_PASS;
}

/* Global, so that it is verified once, with packet pointers of its own. */
__noinline int reject_xdp(struct xdp_md *ctx)
{
	struct bh_rejects *rejects = rejects_here();
	struct packet *p = packet_here();
	struct answer *a;

	if (!rejects || !p)
		return XDP_DROP;
	a = answer_begin(p, rejects);
	if (!a)
		return XDP_DROP;
	if (!xdp_answer(ctx, p, a)) {
		rejects->silent++;
		return XDP_DROP;
	}
	rejects->answered++;
	return xdp_send(ctx, p);
}

#endif
