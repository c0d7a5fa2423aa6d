/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A position in one packet that can't leave it.  XDP and tc share all parsing through it. */
#ifndef BPF_CURSOR_H
#define BPF_CURSOR_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_helpers.h>

/*
 * Kept as an offset, in a map, and made a pointer afresh for each header: so the verifier forgets
 * which way led there, and sees one state where there were hundreds.
 */
struct cursor {
	void *start;
	void *end;
	volatile __u32 *offset; /* bytes stepped over; in map memory */
	void *ctx;              /* the program's, which global functions take */
	bool is_xdp;
};

static __always_inline struct cursor cursor_of_xdp(struct xdp_md *ctx, volatile __u32 *offset)
{
	return (struct cursor){
		.start = (void *)(long)ctx->data,
		.end = (void *)(long)ctx->data_end,
		.offset = offset,
		.ctx = ctx,
		.is_xdp = true,
	};
}

static __always_inline struct cursor cursor_of_skb(struct __sk_buff *skb, volatile __u32 *offset)
{
	return (struct cursor){
		.start = (void *)(long)skb->data,
		.end = (void *)(long)skb->data_end,
		.offset = offset,
		.ctx = skb,
	};
}

#define CURSOR_OFFSET_MAX 0x3fff /* nothing that far in is a header */

/* The next @len bytes, stepped over; NULL if the packet, or what may be headers, is shorter. */
static __always_inline void *cursor_take(struct cursor *c, __u32 len)
{
	__u32 offset = *c->offset;
	void *header;

	if (offset > CURSOR_OFFSET_MAX)
		return NULL;
	header = c->start + offset;
	if (header + len > c->end)
		return NULL;
	*c->offset = offset + len;
	return header;
}

#define CURSOR_TAKE(c, type) ((type *)cursor_take((c), sizeof(type)))

#endif
