/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What ties the fragments of a datagram together, as bh_fragments holds it. */
#ifndef BPF_FRAGMENT_BUCKET_H
#define BPF_FRAGMENT_BUCKET_H

#include <linux/bpf.h>

#include <bulkhead/address.h>
#include <bulkhead/limits.h>

struct fragment_key {
	struct bh_addr src;
	struct bh_addr dst;
	__be32 id; /* IPv4: 16 bits of it */
	__u16 endpoint;
	__u8 proto;     /* IPv6: the fragment header's next header */
	__u8 direction; /* enum bh_direction: each hook sees a datagram once */
} __attribute__((aligned(8)));

struct fragment_entry {
	struct fragment_key key;
	__u64 seen_ns; /* 0: free */
	__be16 sport;
	__be16 dport;
	__u16 end;  /* of the first fragment: others begin there or behind it */
	__u8 proto; /* IPv6: behind all extension headers */
	__u8 pad;
};

struct fragment_bucket {
	struct bpf_spin_lock lock;
	__u32 next; /* the entry that is displaced next, modulo their number */
	struct fragment_entry entry[BH_FRAGMENT_WAYS];
};

_Static_assert(sizeof(struct fragment_key) == 40, "fragment key has no holes");
_Static_assert(sizeof(struct fragment_entry) == 56, "fragment entry has no holes");

#endif
