/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What ties the fragments of a datagram together, as keys and values of bh_fragments. */
#ifndef BPF_FRAGMENT_KEY_H
#define BPF_FRAGMENT_KEY_H

#include <bulkhead/address.h>

struct fragment_key {
	struct bh_addr src;
	struct bh_addr dst;
	__be32 id; /* IPv4: 16 bits of it */
	__u16 endpoint;
	__u8 proto;     /* IPv6: the fragment header's next header */
	__u8 direction; /* enum bh_direction: each hook sees a datagram once */
};

struct fragment_ports {
	__u64 seen_ns;
	__be16 sport;
	__be16 dport;
	__u16 end;  /* of the first fragment: others begin there or behind it */
	__u8 proto; /* IPv6: behind all extension headers */
	__u8 pad;
};

_Static_assert(sizeof(struct fragment_key) == 40, "fragment key has no holes");
_Static_assert(sizeof(struct fragment_ports) == 16, "fragment value has no holes");

#endif
