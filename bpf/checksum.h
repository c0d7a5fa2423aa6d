/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The Internet checksum (RFC 1071), of what is in memory, not in packets. */
#ifndef BPF_CHECKSUM_H
#define BPF_CHECKSUM_H

#include <bpf/bpf_helpers.h>

#include "packet.h"

/* What TCP and ICMPv6 add to their sum (RFC 9293, 3.1; RFC 8200, 8.1). */
struct pseudo_header {
	struct bh_addr src;
	struct bh_addr dst;
	__be32 len;
	__be32 proto;
};

/* @len is a multiple of 4. */
static __always_inline __u32 checksum_add(__u32 sum, const void *bytes, __u32 len)
{
	return bpf_csum_diff(NULL, 0, (__be32 *)bytes, len, sum);
}

/* One for both families: the 0xffff of an IPv4 address in our form is a zero of this sum. */
static __always_inline __u32 checksum_pseudo(const struct bh_addr *src, const struct bh_addr *dst,
					     __u32 len, __u8 proto)
{
	struct pseudo_header header = {
		.src = *src,
		.dst = *dst,
		.len = bpf_htonl(len),
		.proto = bpf_htonl(proto),
	};

	return checksum_add(0, &header, sizeof(header));
}

static __always_inline __u16 checksum_fold(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

#endif
