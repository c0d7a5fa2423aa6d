/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Looks one address up, as our programs do, and nothing else. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>

#include <bpf/bpf_helpers.h>

#include "bpf/identify.h"

char _license[] SEC("license") = "Dual BSD/GPL";

__u32 slot;
__u32 identity; /* what was found the last time */

static __always_inline const void *header_of(const struct xdp_md *ctx, __u64 size)
{
	const void *at = (const void *)(long)ctx->data + ETH_HLEN;

	return at + size <= (const void *)(long)ctx->data_end ? at : NULL;
}

SEC("xdp.frags")
int lookup_v4(struct xdp_md *ctx)
{
	const struct iphdr *ip = header_of(ctx, sizeof(*ip));
	struct bh_addr a = {{0, 0, bpf_htonl(0xffff), 0}};

	if (ip)
		a.word[3] = ip->saddr;
	identity = identify(&a, slot);
	return XDP_PASS;
}

SEC("xdp.frags")
int lookup_v6(struct xdp_md *ctx)
{
	const struct ipv6hdr *ip = header_of(ctx, sizeof(*ip));
	struct bh_addr a = {};

	if (ip)
		__builtin_memcpy(&a, &ip->saddr, sizeof(a));
	identity = identify(&a, slot);
	return XDP_PASS;
}
