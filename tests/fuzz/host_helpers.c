/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <assert.h>
#include <linux/pkt_cls.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/host_bpf/bpf/bpf_helpers.h"
#include "tests/fuzz/host.h"

#define NS_PER_JIFFY    4000000
#define JIFFIES_AT_BOOT ((__u32)(-300 * 250)) /* as in the kernel: soon 32 bits overflow */

uint64_t host_now_ns;
uint64_t host_boot_ahead_ns;
struct host_lane host_lane;

__u64 bpf_ktime_get_ns(void)
{
	return host_now_ns;
}

__u64 bpf_ktime_get_boot_ns(void)
{
	return host_now_ns + host_boot_ahead_ns;
}

__u64 bpf_jiffies64(void)
{
	return JIFFIES_AT_BOOT + host_now_ns / NS_PER_JIFFY;
}

__u32 bpf_get_smp_processor_id(void)
{
	return 0;
}

/* The same in all worlds, or they would differ for no fault of theirs. */
__u32 bpf_get_prandom_u32(void)
{
	return (__u32)(host_now_ns * 2654435761u >> 7);
}

void bpf_spin_lock(struct bpf_spin_lock *lock)
{
	assert(!lock->val);
	lock->val = 1;
}

void bpf_spin_unlock(struct bpf_spin_lock *lock)
{
	assert(lock->val);
	lock->val = 0;
}

/* For events with their packets, which nobody wants here. */
void *bpf_ringbuf_reserve(void *ring, __u64 size, __u64 flags)
{
	(void)ring;
	(void)size;
	(void)flags;
	abort();
}

void bpf_ringbuf_submit(void *record, __u64 flags)
{
	(void)record;
	(void)flags;
	abort();
}

void bpf_ringbuf_discard(void *record, __u64 flags)
{
	(void)record;
	(void)flags;
	abort();
}

long bpf_ringbuf_output(void *ring, void *data, __u64 size, __u64 flags)
{
	(void)ring;
	(void)data;
	(void)size;
	assert(flags == BPF_RB_FORCE_WAKEUP);
	return 0;
}

__u64 bpf_ringbuf_query(void *ring, __u64 flags)
{
	(void)ring;
	assert(flags == BPF_RB_AVAIL_DATA);
	return 0;
}

static __u64 sum_of(const __be32 *words, __u32 size, __u32 flip)
{
	__u64 sum = 0;

	for (__u32 i = 0; i < size / sizeof(*words); i++)
		sum += words[i] ^ flip;
	return sum;
}

__s64 bpf_csum_diff(__be32 *from, __u32 from_size, __be32 *to, __u32 to_size, __wsum seed)
{
	__u64 sum = seed;

	assert(from_size % 4 == 0 && to_size % 4 == 0);
	sum += sum_of(from, from_size, ~0u) + sum_of(to, to_size, 0);
	while (sum >> 32)
		sum = (sum & 0xffffffff) + (sum >> 32);
	return (__s64)sum;
}

int bpf_redirect(__u32 ifindex, __u64 flags)
{
	assert(ifindex == HOST_IFINDEX && !(flags & ~(__u64)BPF_F_INGRESS));
	return TC_ACT_REDIRECT;
}
