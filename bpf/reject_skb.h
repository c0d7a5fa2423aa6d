/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A rejected packet becomes its answer, in place, and goes back where it came from: tc. */
#ifndef BPF_REJECT_SKB_H
#define BPF_REJECT_SKB_H

#include "reject.h"

struct macs {
	__u8 dst[ETH_ALEN];
	__u8 src[ETH_ALEN];
};

/*
 * Segments that were merged (GRO), or are yet to be cut (GSO), have half a checksum, and a note for
 * the last one on the way to add the rest.  No helper removes the note.  It says where: an answer
 * has its transport header there, if the packet had no options.
 */
static __always_inline bool skb_can_answer(const struct packet *p)
{
	__u32 header = p->is_v6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr);

	return !p->is_gso || (p->proto == IPPROTO_TCP && p->ip_len - p->l4_len == header);
}

/* Whether the packet was on its way into this machine's stack: then its answer goes out. */
static __always_inline bool is_received(const struct packet *p)
{
	return p->is_host == (p->direction == BH_INGRESS);
}

/*
 * XDP programs see no mark, and run on what a NIC's stack gets if they are of the generic kind: so
 * such an answer has a secret for its source address.  No wire ever sees it.
 */
static __always_inline int skb_turn(struct __sk_buff *skb, const struct packet *p)
{
	struct macs macs, turned;
	int err = bpf_skb_load_bytes(skb, 0, &macs, sizeof(macs));

	if (err)
		return err;
	__builtin_memcpy(turned.dst, macs.src, ETH_ALEN);
	__builtin_memcpy(turned.src, macs.dst, ETH_ALEN);
	if (p->is_host && !is_received(p)) {
		for (int i = 0; i < ETH_ALEN; i++)
			turned.src[i] = bh_answer_mac[i];
	}
	return bpf_skb_store_bytes(skb, 0, &turned, sizeof(turned), 0);
}

/*
 * @len itself, if it is 1 to 256; of 0 it makes too much.  Before 6.8 the verifier doesn't learn
 * from a comparison with 0 that a length is more; drop with 6.6.
 */
static __always_inline __u32 positive(__u32 len)
{
	barrier_var(len);
	return ((len - 1) & 255) + 1;
}

static __always_inline bool skb_read(struct __sk_buff *skb, const struct packet *p,
				     struct answer *a)
{
	__u32 len = a->quote_len;

	if (!len)
		return true;
	len = positive(len);
	if (len > BH_REJECT_QUOTE_MAX)
		return false;
	return !bpf_skb_load_bytes(skb, p->ip_offset, answer_quote(p, a), len);
}

static __always_inline bool skb_write(struct __sk_buff *skb, const struct packet *p,
				      const struct answer *a)
{
	__u32 len = positive(a->len);

	if (len > sizeof(a->bytes) || bpf_skb_change_tail(skb, p->ip_offset + len, 0) ||
	    skb_turn(skb, p))
		return false;
	return !bpf_skb_store_bytes(skb, p->ip_offset, a->bytes, len, 0);
}

/* Global, so that it is verified once. */
__noinline int reject_skb(struct __sk_buff *skb)
{
	struct bh_rejects *rejects = rejects_here();
	struct packet *p = packet_here();
	struct answer *a;

	if (!rejects || !p)
		return TC_ACT_SHOT;
	a = answer_begin(p, rejects);
	if (!a)
		return TC_ACT_SHOT;
	if (!skb_can_answer(p) || !skb_read(skb, p, a) || !answer_build(p->is_gso) ||
	    !skb_write(skb, p, a)) {
		rejects->silent++;
		return TC_ACT_SHOT;
	}
	rejects->answered++;
	/* The stack gets none of it: where XDP is native, no program is there to take it off. */
	skb->mark = p->is_host && !is_received(p) ? 0 : bh_answer_mark;
	return bpf_redirect(skb->ifindex, is_received(p) ? 0 : BPF_F_INGRESS);
}

/*
 * Of a packet that bh_xdp_in gave @tag.  A note as above may be about more bytes than the answer
 * has: asking for the length that it has fails then, and such a packet must not go on.
 */
static __always_inline int answer_skb(struct __sk_buff *skb, __u64 tag)
{
	struct bh_rejects *rejects;

	if (!bh_answer_tag || tag != bh_answer_tag)
		return TC_ACT_UNSPEC;
	if (bpf_skb_change_tail(skb, skb->len, 0)) {
		rejects = rejects_here();
		if (rejects) {
			rejects->answered--;
			rejects->silent++;
		}
		return TC_ACT_SHOT;
	}
	skb->mark = bh_answer_mark;
	return bpf_redirect(skb->ifindex, 0);
}

#endif
