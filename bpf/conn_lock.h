/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What CPUs take turns at when they change the connection table. */
#ifndef BPF_CONN_LOCK_H
#define BPF_CONN_LOCK_H

#include <linux/bpf.h>

/* Of a group of buckets. */
struct conn_lock {
	struct bpf_spin_lock lock;
	__u8 pad[60]; /* locks of two groups share no cache line */
};

/* What an endpoint has of the table. */
struct conn_share {
	__u32 settled; /* now; guarded by bh_room.lock */
	__u32 pad[3];  /* what two endpoints have is rarely in one cache line */
};

/* Settled connections of all endpoints together. */
struct conn_room {
	struct bpf_spin_lock lock;
	__u32 settled;
	__u32 next; /* bucket to look for expired ones in; CPUs may race for it */
	__u32 pad;
};

_Static_assert(sizeof(struct conn_lock) == 64, "a lock is a cache line");

#endif
