/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Makes the packet of the next flow and tail-calls the program that is measured, or a no-op. */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "plan.h"

char _license[] SEC("license") = "Dual BSD/GPL";

struct bench_plan plan;

/* One slot that every call names: the kernel makes a jump of it.  An array takes programs of one
 * kind only; those for packets in several buffers are a kind. */
struct target {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
};

struct target bench_xdp SEC(".maps");
struct target bench_xdp_frags SEC(".maps");
struct target bench_tc SEC(".maps");

static __always_inline void turn_to_next_flow(void)
{
	plan.client += plan.step;
	if (plan.client >= plan.clients)
		plan.client -= plan.clients;
	if (++plan.turn == plan.clients) {
		plan.turn = 0;
		plan.port++;
	}
	if (++plan.at == plan.flows) {
		plan.at = 0;
		plan.turn = 0;
		plan.client = 0;
		plan.port = plan.first_port;
	}
}

static __always_inline void write_port(void *data, void *end, __u32 at, __u32 port)
{
	__be16 *place = data + (at & (PLAN_FRAME_MAX - 1));

	if ((void *)(place + 1) <= end)
		*place = bpf_htons(port);
}

static __always_inline void write_flow(void *data, void *end)
{
	__be32 *place = data + (plan.address_at & (PLAN_FRAME_MAX - 1));
	__u32 service = plan.service + (plan.client & plan.service_mask);

	if ((void *)(place + 1) <= end)
		*place = bpf_htonl(plan.base + (plan.client << (plan.shift & 31)));
	write_port(data, end, plan.client_port_at, plan.port);
	write_port(data, end, plan.service_port_at, service);
	turn_to_next_flow();
}

SEC("xdp")
int wrap_xdp(struct xdp_md *ctx)
{
	write_flow((void *)(long)ctx->data, (void *)(long)ctx->data_end);
	bpf_tail_call_static(ctx, &bench_xdp, 0);
	return XDP_ABORTED;
}

SEC("xdp.frags")
int wrap_xdp_frags(struct xdp_md *ctx)
{
	write_flow((void *)(long)ctx->data, (void *)(long)ctx->data_end);
	bpf_tail_call_static(ctx, &bench_xdp_frags, 0);
	return XDP_ABORTED;
}

/* All packets of a test run are the same buffer: what programs note in it is taken back. */
SEC("tc")
int wrap_tc(struct __sk_buff *skb)
{
	skb->mark = 0;
	skb->cb[0] = 0;
	skb->cb[1] = 0;
	skb->cb[2] = 0;
	skb->cb[3] = 0;
	skb->cb[4] = 0;
	write_flow((void *)(long)skb->data, (void *)(long)skb->data_end);
	bpf_tail_call_static(skb, &bench_tc, 0);
	return TC_ACT_STOLEN;
}

/* Frames that really leave. */
SEC("xdp")
int send_xdp(struct xdp_md *ctx)
{
	write_flow((void *)(long)ctx->data, (void *)(long)ctx->data_end);
	return bpf_redirect(plan.out, 0);
}

SEC("xdp")
int drop_xdp(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_DROP;
}

SEC("tc")
int drop_tc(struct __sk_buff *skb)
{
	(void)skb;
	return TC_ACT_SHOT;
}

SEC("xdp")
int noop_xdp(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}

SEC("xdp.frags")
int noop_xdp_frags(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}

SEC("tc")
int noop_tc(struct __sk_buff *skb)
{
	(void)skb;
	return TC_ACT_UNSPEC;
}
