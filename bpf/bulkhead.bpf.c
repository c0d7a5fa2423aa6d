/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Entry points, nothing else.  One object, so that all programs share the maps. */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_helpers.h>

#include "clock.h"
#include "path.h"
#include "quick_open.h"
#include "reject_skb.h"
#include "reject_xdp.h"
#include "sweep.h"

char _license[] SEC("license") = "Dual BSD/GPL";

/* The only way to the payload is from here: admit() has no packet at hand. */
static __always_inline int fate_of_packet(struct cursor *c, struct packet *p)
{
	int fate = admit(parse(c, p));

	if (fate == FATE_UNREAD) {
		hello_read(c, p);
		fate = admit(BH_REASON_NONE);
	}
	if (p->is_event_due)
		report_bytes(c, p);
	return fate;
}

/* In several buffers, headers are taken from the first alone: what is cut there is malformed. */
static __always_inline __u32 xdp_length(struct xdp_md *ctx)
{
	if (bh_has_xdp_frags)
		return bpf_xdp_get_buff_len(ctx);
	return ctx->data_end - ctx->data;
}

/*
 * Between the quick way and the whole one: so that nothing is kept in registers that the verifier
 * learned on the one, and it looks at the other only once.
 */
static __always_inline void forget(void)
{
	asm volatile("" ::: "memory");
}

static __always_inline struct quick_packet quick_xdp(struct xdp_md *ctx, __u32 length)
{
	return (struct quick_packet){
		.start = (void *)(long)ctx->data,
		.end = (void *)(long)ctx->data_end,
		.length = length,
		.direction = BH_INGRESS,
		.is_host = true,
		.xdp = ctx,
	};
}

/* Global, for its stack is not the whole way's. */
__noinline int quick_second_xdp(struct xdp_md *ctx)
{
	const struct quick_packet q = quick_xdp(ctx, xdp_length(ctx));

	return quick_fate_of(&q, true);
}

/*
 * Nearly all packets end at a first look, and the programs at hooks are no more than that: what it
 * is of, and whether it is a machine's, is known where each is compiled.  The others go on in one
 * program for all hooks of a kind.  Where they can't, they are dropped.
 */
static __always_inline bool look_again(enum quick_fate first, enum bh_direction direction,
				       bool is_host)
{
	struct opener *o = opener_here();

	if (!o)
		return false;
	o->first = first;
	o->direction = direction;
	o->is_host = is_host;
	return true;
}

static __always_inline enum quick_fate second_fate_xdp(struct xdp_md *ctx, const struct opener *o)
{
	int fate = o->first;

	if (fate == QUICK_AGAIN)
		fate = quick_second_xdp(ctx);
	return fate == QUICK_OPENER ? opener_judge() : fate;
}

/* What a NIC of this machine receives. */
SEC("xdp")
int bh_xdp_in(struct xdp_md *ctx)
{
	/* Hardly any packet needs more than one buffer, and to ask is a call. */
	const struct quick_packet q = quick_xdp(ctx, ctx->data_end - ctx->data);
	enum quick_fate fate = quick_fate_of(&q, false);

	if (fate == QUICK_PASS)
		return XDP_PASS;
	if (fate == QUICK_DROP)
		return XDP_DROP;
	if (look_again(fate, BH_INGRESS, true))
		bpf_tail_call(ctx, &bh_rest_xdp, 0);
	return XDP_DROP;
}

SEC("xdp")
int bh_xdp_rest(struct xdp_md *ctx)
{
	const struct opener *o = opener_here();
	struct packet *p;
	struct cursor c;

	if (!o)
		return XDP_DROP;
	switch (second_fate_xdp(ctx, o)) {
	case QUICK_PASS:
		return XDP_PASS;
	case QUICK_DROP:
		return XDP_DROP;
	case QUICK_AGAIN:
	case QUICK_OPENER:
	case QUICK_NOT:
		break;
	}
	forget();
	p = packet_begin(xdp_length(ctx), ctx->ingress_ifindex, BH_INGRESS);
	if (!p)
		return XDP_DROP;
	p->is_host = 1;
	p->is_xdp = 1;
	c = cursor_of_xdp(ctx, &p->offset);
	switch (fate_of_packet(&c, p)) {
	case FATE_PASS:
		return XDP_PASS;
	case FATE_REJECT:
		return reject_xdp(ctx);
	}
	return XDP_DROP;
}

/* A pull also unshares the buffer, and most packets have their headers in place already. */
static __always_inline void pull_headers(struct __sk_buff *skb)
{
	__u32 max = skb->protocol == bpf_htons(ETH_P_IP) ? BH_MAX_HEADER_BYTES_V4
							 : BH_MAX_HEADER_BYTES;
	__u32 len = skb->len < max ? skb->len : max;

	if ((void *)(long)skb->data + len > (void *)(long)skb->data_end)
		bpf_skb_pull_data(skb, len);
}

/* Whether another of our programs just made it; others on its way need not know. */
static __always_inline bool take_answer_mark(struct __sk_buff *skb)
{
	if (!bh_answer_mark || skb->mark != bh_answer_mark)
		return false;
	skb->mark = 0;
	return true;
}

static __always_inline struct quick_packet quick_skb(struct __sk_buff *skb,
						     enum bh_direction direction, bool is_host)
{
	return (struct quick_packet){
		.start = (void *)(long)skb->data,
		.end = (void *)(long)skb->data_end,
		.length = skb->len,
		.direction = direction,
		.is_host = is_host,
		.skb = skb,
	};
}

/* As quick_second_xdp(). */
__noinline int quick_second_skb(struct __sk_buff *skb, int direction, int is_host)
{
	const struct quick_packet q = quick_skb(skb, direction, is_host);

	return quick_fate_of(&q, true);
}

/* Whatever isn't told by the bytes alone takes the whole way. */
static __always_inline enum quick_fate first_fate_skb(struct __sk_buff *skb,
						      enum bh_direction direction, bool is_host)
{
	const struct quick_packet q = quick_skb(skb, direction, is_host);

	if (unlikely(skb->vlan_present))
		return held(QUICK_NOT);
	/* Most have no mark, and ours is not 0 where there is one. */
	if (unlikely(skb->mark && skb->mark == bh_answer_mark))
		return held(QUICK_NOT);
	return quick_fate_of(&q, false);
}

static __always_inline int admit_skb(struct __sk_buff *skb, enum bh_direction direction,
				     bool is_host)
{
	enum quick_fate fate = first_fate_skb(skb, direction, is_host);

	if (fate == QUICK_PASS)
		return TC_ACT_UNSPEC;
	if (fate == QUICK_DROP)
		return TC_ACT_SHOT;
	if (look_again(fate, direction, is_host))
		bpf_tail_call(skb, &bh_rest_tc, 0);
	return TC_ACT_SHOT;
}

static __always_inline enum quick_fate second_fate_skb(struct __sk_buff *skb,
						       const struct opener *o)
{
	int fate = o->first;

	if (fate == QUICK_AGAIN)
		fate = quick_second_skb(skb, o->direction, o->is_host);
	return fate == QUICK_OPENER ? opener_judge() : fate;
}

SEC("tc")
int bh_tc_rest(struct __sk_buff *skb)
{
	const struct opener *o = opener_here();
	struct packet *p;
	struct cursor c;

	if (!o)
		return TC_ACT_SHOT;
	switch (second_fate_skb(skb, o)) {
	case QUICK_PASS:
		return TC_ACT_UNSPEC;
	case QUICK_DROP:
		return TC_ACT_SHOT;
	case QUICK_AGAIN:
	case QUICK_OPENER:
	case QUICK_NOT:
		break;
	}
	forget();
	p = packet_begin(skb->len, skb->ifindex, o->direction);
	if (!p)
		return TC_ACT_SHOT;
	p->is_host = o->is_host;
	p->is_local_origin = !skb->ingress_ifindex;
	p->is_returned = skb->ingress_ifindex == skb->ifindex;
	p->is_answer = take_answer_mark(skb);
	p->is_gso = skb->gso_size != 0;
	/* The outermost tag isn't in the bytes: the device, or the kernel, took it off. */
	if (skb->vlan_present)
		packet_add_tag(p, skb->vlan_tci);
	pull_headers(skb);
	c = cursor_of_skb(skb, &p->offset);
	switch (fate_of_packet(&c, p)) {
	case FATE_PASS:
		return TC_ACT_UNSPEC;
	case FATE_REJECT:
		return reject_skb(skb);
	}
	return TC_ACT_SHOT;
}

/*
 * Sends what bh_xdp_in answered where the NIC can't (xdp_send()).  The tag is no proof against
 * those who run XDP programs of their own, and needs to be none: who forged one would get his own
 * packet back, which bh_xdp_in had let through.
 */
SEC("tc")
int bh_tc_answer(struct __sk_buff *skb)
{
	const __u64 *tag = (void *)(long)skb->data_meta;

	if ((void *)(tag + 1) > (void *)(long)skb->data)
		return TC_ACT_UNSPEC;
	return answer_skb(skb, *tag);
}

/* The same as bh_xdp_in, for a NIC that takes no XDP program. */
SEC("tc")
int bh_tc_host_in(struct __sk_buff *skb)
{
	return admit_skb(skb, BH_INGRESS, true);
}

/* What leaves by a NIC of this machine. */
SEC("tc")
int bh_tc_host_out(struct __sk_buff *skb)
{
	return admit_skb(skb, BH_EGRESS, true);
}

/* What a workload sends: it arrives at the host side of its veth. */
SEC("tc")
int bh_tc_from(struct __sk_buff *skb)
{
	return admit_skb(skb, BH_EGRESS, false);
}

/* What is sent to a workload. */
SEC("tc")
int bh_tc_to(struct __sk_buff *skb)
{
	return admit_skb(skb, BH_INGRESS, false);
}

/* On no hook, as the one below: the agent runs them by themselves. */
SEC("tc")
int bh_sweep_lines(struct __sk_buff *skb __attribute__((unused)))
{
	sweep_some();
	return TC_ACT_OK;
}

SEC("tc")
int bh_read_clock(struct __sk_buff *skb __attribute__((unused)))
{
	clock_compare();
	return TC_ACT_OK;
}
