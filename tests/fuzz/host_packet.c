/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/fuzz/host_packet.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <sanitizer/asan_interface.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/fuzz/host_bpf/bpf/bpf_helpers.h"

#define ARENA_SIZE 8192
#define HEADROOM   (256 + 2) /* IP headers are aligned then */
#define HEAD_MIN   64        /* what drivers keep for themselves */
#define TAILROOM   256

struct host_packet host_packet;

static uint8_t *arena;

/* Whoever touches other bytes than these is stopped. */
static void fence(void)
{
	ASAN_POISON_MEMORY_REGION(arena, ARENA_SIZE);
	ASAN_UNPOISON_MEMORY_REGION(host_packet.start, host_packet.linear);
}

static void open_fence(void)
{
	ASAN_UNPOISON_MEMORY_REGION(arena, ARENA_SIZE);
}

void host_packet_put(const struct host_frame *frame)
{
	if (!arena)
		arena = mmap(NULL, ARENA_SIZE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	if (arena == MAP_FAILED)
		abort();
	open_fence();
	host_packet = (struct host_packet){
		.start = arena + HEADROOM,
		.len = frame->len,
		.linear = frame->linear,
		.room = frame->has_tailroom ? TAILROOM : 0,
	};
	memcpy(host_packet.start, frame->bytes, frame->len);
	fence();
}

void host_packet_get(struct host_frame *frame)
{
	open_fence();
	frame->len = host_packet.len;
	memcpy(frame->bytes, host_packet.start, frame->len);
	fence();
}

bool host_packet_is(const struct host_frame *frame)
{
	bool is_same;

	open_fence();
	is_same = host_packet.len == frame->len &&
		  !memcmp(host_packet.start, frame->bytes, frame->len);
	fence();
	return is_same;
}

/* --- XDP --- */

static void show_xdp(struct xdp_md *ctx)
{
	host_packet.linear = host_packet.len;
	fence();
	ctx->data = (__u32)(uintptr_t)host_packet.start;
	ctx->data_meta = ctx->data;
	ctx->data_end = ctx->data + (__u32)host_packet.len;
}

__u64 bpf_xdp_get_buff_len(struct xdp_md *ctx)
{
	return ctx->data_end - ctx->data;
}

int bpf_xdp_adjust_head(struct xdp_md *ctx, int change)
{
	uint8_t *start = host_packet.start + change;

	if (start < arena + HEAD_MIN || start + ETH_HLEN > host_packet.start + host_packet.len)
		return -EINVAL;
	host_packet.start = start;
	host_packet.len -= (size_t)change;
	show_xdp(ctx);
	return 0;
}

/* As of a driver that has no room for it. */
int bpf_xdp_adjust_meta(struct xdp_md *ctx, int change)
{
	(void)ctx;
	(void)change;
	return -EOPNOTSUPP;
}

int bpf_xdp_adjust_tail(struct xdp_md *ctx, int change)
{
	size_t len = host_packet.len + (size_t)change;

	if (change > (int)host_packet.room || (int)len < ETH_HLEN)
		return -EINVAL;
	open_fence();
	if (change > 0)
		memset(host_packet.start + host_packet.len, 0, (size_t)change);
	host_packet.room -= (size_t)change;
	host_packet.len = len;
	show_xdp(ctx);
	return 0;
}

/* --- tc --- */

static void show_skb(struct __sk_buff *skb)
{
	fence();
	skb->len = (__u32)host_packet.len;
	skb->data = (__u32)(uintptr_t)host_packet.start;
	skb->data_end = skb->data + (__u32)host_packet.linear;
}

int bpf_skb_pull_data(struct __sk_buff *skb, __u32 len)
{
	if (len > host_packet.len)
		return -ENOMEM;
	if (len > host_packet.linear)
		host_packet.linear = len;
	show_skb(skb);
	return 0;
}

static bool is_inside(__u32 offset, __u32 len)
{
	return (size_t)offset + len <= host_packet.len;
}

int bpf_skb_load_bytes(const struct __sk_buff *skb, __u32 offset, void *to, __u32 len)
{
	(void)skb;
	if (!is_inside(offset, len)) {
		memset(to, 0, len);
		return -EFAULT;
	}
	open_fence();
	memcpy(to, host_packet.start + offset, len);
	fence();
	return 0;
}

int bpf_skb_store_bytes(struct __sk_buff *skb, __u32 offset, const void *from, __u32 len,
			__u64 flags)
{
	(void)flags;
	if (!is_inside(offset, len))
		return -EFAULT;
	if (offset + len > host_packet.linear)
		host_packet.linear = offset + len;
	open_fence();
	memcpy(host_packet.start + offset, from, len);
	show_skb(skb);
	return 0;
}

int bpf_skb_change_tail(struct __sk_buff *skb, __u32 len, __u64 flags)
{
	if (flags || len < ETH_HLEN || len > HOST_FRAME_MAX)
		return -EINVAL;
	open_fence();
	if (len > host_packet.len)
		memset(host_packet.start + host_packet.len, 0, len - host_packet.len);
	host_packet.len = len;
	host_packet.linear = len;
	show_skb(skb);
	return 0;
}
