/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Fronts: addresses and ports that stand for others, as a Service's do.  What a workload sends to
 * one is decided when it is known who gets it.
 */
#ifndef BULKHEAD_FRONT_H
#define BULKHEAD_FRONT_H

#include <bulkhead/address.h>
#include <bulkhead/limits.h>

/*
 * Key of bh_fronts.  Address :: stands for every address of this machine; port and protocol 0 for
 * any piece of a datagram, which doesn't say its port.
 */
struct bh_front {
	struct bh_addr addr;
	__be16 port;
	__u8 proto;
	__u8 pad;
};

/* Value of bh_fronts: how what is sent there is decided. */
enum bh_front_kind {
	BH_FRONT_NONE,     /* it is no front */
	BH_FRONT_BEHIND,   /* by the program at netfilter's hooks, when it is known who gets it */
	BH_FRONT_BACKENDS, /* at the workload's endpoint: whoever may get it must be allowed to */
};

struct bh_backend {
	struct bh_addr addr;
	__be16 port;
	__u16 pad;
};

/*
 * Value of bh_backends.  Its key is the front, but for every address of this machine it is 0.0.0.0
 * or ::, as the backends are of one family.  A front without any, or with more than there is room
 * for, has no such value, and is denied.
 */
struct bh_backends {
	__u32 count;
	struct bh_backend of[BH_BACKENDS_MAX];
};

/* Key of the trie of who has an address; the value is a struct bh_endpoint. */
struct bh_owner_key {
	__u32 prefix_len; /* 0..128, in bits */
	struct bh_addr addr;
};

_Static_assert(sizeof(struct bh_front) == 20, "a front has no holes");
_Static_assert(sizeof(struct bh_backend) == 20, "nor has a backend");
/* With its key and what a hash table adds (80 bytes) the kernel gives it a power of two of them. */
_Static_assert(sizeof(struct bh_backends) + 24 + 56 <= 2048, "a front's backends take 2 KiB");
_Static_assert(sizeof(struct bh_owner_key) == 20, "LPM key: length, then 16 bytes");

#endif
