/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* In place of libbpf's header: the programs as functions of this machine, maps as host_map.h has
 * them. */
#ifndef HOST_BPF_HELPERS_H
#define HOST_BPF_HELPERS_H

#include <linux/bpf.h>
#include <linux/types.h>

#include "tests/fuzz/host_map.h"

#define SEC(name)          __attribute__((used))
#define __uint(name, val)  int(*name)[val]
#define __type(name, val)  __typeof__(val) *name
#define __array(name, val) __typeof__(val) *name[]

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif
#ifndef __noinline
#define __noinline __attribute__((noinline))
#endif

/* What a definition in BTF style says is in its types: so its map is made when it is first used. */
#define HOST_MAP(map)                                                                              \
	(&(const struct host_map){                                                                 \
		.definition = (map),                                                               \
		.type = sizeof(*(map)->type) / sizeof(int),                                        \
		.max_entries = sizeof(*(map)->max_entries) / sizeof(int),                          \
		.key_size = sizeof(*(map)->key),                                                   \
		.value_size = sizeof(*(map)->value),                                               \
	})

#define bpf_map_lookup_elem(map, key) host_map_lookup(HOST_MAP(map), (key))
#define bpf_map_delete_elem(map, key) host_map_delete(HOST_MAP(map), (key))
#define bpf_map_update_elem(map, key, value, flags)                                                \
	host_map_update(HOST_MAP(map), (key), (value), (flags))

void bpf_spin_lock(struct bpf_spin_lock *lock);
void bpf_spin_unlock(struct bpf_spin_lock *lock);

/* Who calls is over, as in the kernel. */
#define bpf_tail_call(ctx, programs, at) return host_tail_call(ctx, programs)
int host_tail_call(void *ctx, const void *programs);

__u64 bpf_ktime_get_ns(void);
__u64 bpf_ktime_get_boot_ns(void);
__u64 bpf_jiffies64(void);
__u32 bpf_get_smp_processor_id(void);
__u32 bpf_get_prandom_u32(void);

void *bpf_ringbuf_reserve(void *ring, __u64 size, __u64 flags);
void bpf_ringbuf_submit(void *record, __u64 flags);
long bpf_ringbuf_output(void *ring, void *data, __u64 size, __u64 flags);
void bpf_ringbuf_discard(void *record, __u64 flags);
__u64 bpf_ringbuf_query(void *ring, __u64 flags);

__s64 bpf_csum_diff(__be32 *from, __u32 from_size, __be32 *to, __u32 to_size, __wsum seed);

__u64 bpf_xdp_get_buff_len(struct xdp_md *ctx);
int bpf_xdp_adjust_head(struct xdp_md *ctx, int change);
int bpf_xdp_adjust_tail(struct xdp_md *ctx, int change);
int bpf_xdp_adjust_meta(struct xdp_md *ctx, int change);

int bpf_skb_pull_data(struct __sk_buff *skb, __u32 len);
int bpf_skb_load_bytes(const struct __sk_buff *skb, __u32 offset, void *to, __u32 len);
int bpf_skb_store_bytes(struct __sk_buff *skb, __u32 offset, const void *from, __u32 len,
			__u64 flags);
int bpf_skb_change_tail(struct __sk_buff *skb, __u32 len, __u64 flags);
int bpf_redirect(__u32 ifindex, __u64 flags);

#define barrier_var(var) asm volatile("" : "+r"(var))

#endif
