/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Classes -> cell: what the policy in force says of one connection. */
#ifndef BPF_DECIDE_H
#define BPF_DECIDE_H

#include <bulkhead/builtin.h>

#include "identify.h"
#include "transport.h"

/* A connection as the policy is asked about it: who opens it, to whom, for which service. */
struct question {
	struct bh_addr src;
	struct bh_addr dst;
	__u32 table; /* enum bh_service_table */
	__u32 number;
};

struct decision {
	__u32 cell;
	__u32 src_identity;
	__u32 dst_identity;
	__u32 flags;   /* BH_IDENTITY_* of both ends */
	__u64 until_s; /* on the wall: when it changes; 0: not before the policy does */
};

static __always_inline __u32 grid_get(const struct bh_grid *grid, __u32 row, __u32 column)
{
	__u32 at = row * grid->stride + column / BH_BLOCK_ENTRIES;
	__u32 line = grid->line + at / BH_LINE_ENTRIES;
	struct bh_directory_line *directory;
	struct bh_block *block;
	__u32 number;

	if (row >= grid->rows || column >= grid->columns)
		return 0;
	directory = bpf_map_lookup_elem(&bh_directory, &line);
	if (!directory)
		return 0;
	number = grid->block + directory->block[at % BH_LINE_ENTRIES];
	block = bpf_map_lookup_elem(&bh_blocks, &number);
	if (!block)
		return 0;
	return block->value[column % BH_BLOCK_ENTRIES];
}

/* Where the word of a place in a grid is: the pair grid is the first one of a slot. */
static __always_inline volatile __u64 *known_at(__u32 slot, __u32 grid, __u32 row, __u32 column)
{
	__u32 at = BH_KNOWN_AT(row, column);
	__u32 number = (slot * 2 + grid) * BH_KNOWN_LINES + at / BH_KNOWN_LINE_ENTRIES;
	struct bh_known_line *line = bpf_map_lookup_elem(&bh_known, &number);

	return line ? &line->word[at % BH_KNOWN_LINE_ENTRIES] : NULL;
}

static __always_inline __u32 row_of(const struct bh_policy *policy, __u32 src, __u32 dst)
{
	volatile __u64 *known = known_at(policy->slot, 0, src, dst);
	__u64 pair = BH_KNOWN_PAIR(src, dst), word;
	__u32 row;

	if (!known || (src | dst) >= BH_KNOWN_CLASSES)
		return grid_get(&policy->pairs, src, dst);
	word = *known;
	if (!((word ^ pair) >> 23))
		return BH_KNOWN_ROW(word);
	row = grid_get(&policy->pairs, src, dst);
	if (BH_KNOWN_ROW(row) == row)
		*known = pair | row;
	return row;
}

static __always_inline __u32 cell_at(const struct bh_policy *policy, __u32 row, __u32 class)
{
	volatile __u64 *known = known_at(policy->slot, 1, row, class);
	__u64 place = BH_KNOWN_PLACE(row, class), word;
	__u32 cell;

	if (!known || row >= BH_KNOWN_ROWS || class >= BH_KNOWN_SERVICES)
		return grid_get(&policy->cells, row, class);
	word = *known;
	if (!((word ^ place) >> 32))
		return BH_KNOWN_CELL(word);
	cell = grid_get(&policy->cells, row, class);
	*known = place | cell;
	return cell;
}

static __always_inline __u32 service_class(const struct bh_policy *policy, __u32 table,
					   __u32 number)
{
	__u32 at = policy->slot * BH_SERVICE_LINES + table * BH_SERVICE_TABLE_LINES +
		   number / BH_SERVICE_LINE_ENTRIES;
	struct bh_service_line *line = bpf_map_lookup_elem(&bh_services, &at);

	return line ? line->class[number % BH_SERVICE_LINE_ENTRIES] : 0;
}

/* Of a place in the pair grid, for a service.  Global, of numbers only: verified once. */
__noinline __u32 cell_of(__u32 slot, __u32 src, __u32 dst, __u32 table, __u32 number)
{
	const struct bh_policy *policy = bpf_map_lookup_elem(&bh_policies, &slot);

	if (!policy)
		return 0;
	return cell_at(policy, row_of(policy, src, dst), service_class(policy, table, number));
}

/* The time on the wall in seconds, as far as the agent has told it. */
static __always_inline __u64 wall_s(void)
{
	const struct bh_control *control = control_here();

	if (!control)
		return 0;
	return (bpf_ktime_get_boot_ns() + *(volatile const __u64 *)&control->wall_offset_ns) /
	       NS_PER_S;
}

/* The cell that holds at present, of one that changes when rules expire. */
static __always_inline __u32 cell_of_now(__u32 slot, __u32 cell, __u64 *ret_until_s)
{
	__u64 now_s = wall_s();

	for (int i = 0; i < BH_LATER_MAX; i++) {
		__u32 at = slot * (BH_LATER_ENTRIES / BH_SLOTS) + BH_CELL_LATER_AT(cell);
		const struct bh_later *later = bpf_map_lookup_elem(&bh_later, &at);

		if (!later)
			return 0;
		if (now_s < later->until_s) {
			*ret_until_s = later->until_s;
			return later->cell;
		}
		cell = later->next;
		if (!(cell & BH_CELL_LATER))
			return cell;
	}
	return 0;
}

/* The cell that holds at present, below until when: in seconds, which 32 bits are enough for.
 * Global: what it has on the stack is on nobody else's. */
__noinline __u64 cell_and_until(__u32 slot, __u32 cell)
{
	__u64 until_s = 0;

	cell = cell_of_now(slot, cell, &until_s);
	return until_s << 32 | cell;
}

/*
 * What is missing anywhere reads as 0, which is "denied by default": a broken table can only be too
 * strict.  Not inlined: it is asked in many places, and verified once.
 */
static __noinline int decide(__u32 slot, const struct question *q, struct decision *ret)
{
	const struct bh_policy *policy = bpf_map_lookup_elem(&bh_policies, &slot);
	const struct bh_identity *src, *dst;
	__u64 now;

	__builtin_memset(ret, 0, sizeof(*ret));
	if (!policy)
		return -1;
	ret->src_identity = identify(&q->src, slot);
	ret->dst_identity = identify(&q->dst, slot);
	src = identity_of(policy, ret->src_identity);
	dst = identity_of(policy, ret->dst_identity);
	if (!src || !dst)
		return -1;
	ret->flags = src->flags | dst->flags;
	ret->cell = cell_of(slot, src->row, dst->column, q->table, q->number);
	if (ret->cell & BH_CELL_LATER) {
		now = cell_and_until(slot, ret->cell);
		ret->cell = (__u32)now;
		ret->until_s = now >> 32;
	}
	return 0;
}

/* Which service a protocol's packet asks for; @dport and the ICMP type are the first packet's. */
static __always_inline void question_of_service(struct question *q, __u8 proto, bool is_v6,
						__be16 dport, __u32 icmp)
{
	q->number = bpf_ntohs(dport);
	if (proto == IPPROTO_TCP) {
		q->table = BH_SERVICE_TCP;
	} else if (proto == IPPROTO_UDP) {
		q->table = BH_SERVICE_UDP;
	} else if (proto == IPPROTO_SCTP) {
		q->table = BH_SERVICE_SCTP;
	} else if (proto == IPPROTO_ICMP && !is_v6) {
		q->table = BH_SERVICE_ICMP;
		q->number = icmp;
	} else if (proto == IPPROTO_ICMPV6 && is_v6) {
		q->table = BH_SERVICE_ICMP6;
		q->number = icmp;
	} else {
		q->table = BH_SERVICE_PROTO;
		q->number = proto;
	}
}

static __always_inline __u32 echo_number(const struct packet *p)
{
	return (p->is_v6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO_REQUEST) << 8;
}

/* The packet itself, as if it opened a connection.  An ICMP tail with a connection is an echo's. */
static __always_inline void question_of_packet(struct question *q, const struct packet *p)
{
	__u32 icmp = p->fragment == FRAGMENT_LATER ? echo_number(p)
						   : p->icmp_type << 8 | p->icmp_code;

	q->src = p->src;
	q->dst = p->dst;
	question_of_service(q, p->proto, p->is_v6, p->dport, icmp);
}

/* The connection that the packet would be a reply of. */
static __always_inline void question_of_reply(struct question *q, const struct packet *p)
{
	q->src = p->dst;
	q->dst = p->src;
	question_of_service(q, p->proto, p->is_v6, p->sport, echo_number(p));
}

/* What the ends' zones say of it while the agent is down.  Nothing stands above what failsafe keeps
 * open. */
static __always_inline void heed_agent_down(const struct packet *p, struct decision *decision)
{
	if (!p->is_agent_down || BH_CELL_RULE(decision->cell) == BH_BUILTIN_FAILSAFE)
		return;
	if (decision->flags & BH_IDENTITY_DOWN_CLOSED)
		decision->cell = BH_CELL(BH_BUILTIN_DOWN, BH_VERDICT_DENY, 0);
	else if ((decision->flags & BH_IDENTITY_DOWN_OPEN) &&
		 !BH_VERDICT_PASSES(BH_CELL_VERDICT(decision->cell)))
		decision->cell = BH_CELL(BH_BUILTIN_DOWN, BH_VERDICT_AUDIT, BH_CELL_DENIED);
}

/* What is decided for the packet: by the rules, or, while the agent is down, instead of them. */
static __always_inline void ask(const struct packet *p, const struct question *q,
				struct decision *ret)
{
	decide(p->slot, q, ret);
	heed_agent_down(p, ret);
}

static __always_inline void take_decision(struct packet *p, const struct decision *decision,
					  bool is_reply)
{
	p->rule = BH_CELL_RULE(decision->cell);
	p->verdict = BH_CELL_VERDICT(decision->cell);
	p->until_s = decision->until_s;
	p->src_identity = is_reply ? decision->dst_identity : decision->src_identity;
	p->dst_identity = is_reply ? decision->src_identity : decision->dst_identity;
}

/* The packet's connection, which it opens, or answers; takes it over, and returns the cell.
 * Global: verified once. */
__noinline __u32 decide_ends(int is_reply)
{
	struct packet *p = packet_here();
	struct decision decision;
	struct question question;

	if (!p)
		return 0;
	if (is_reply)
		question_of_reply(&question, p);
	else
		question_of_packet(&question, p);
	ask(p, &question, &decision);
	take_decision(p, &decision, !!is_reply);
	return decision.cell;
}

/* Why a connection that was asked for so may not be. */
static __always_inline enum bh_reason reason_of(__u32 cell, enum bh_reason otherwise)
{
	if (BH_VERDICT_PASSES(BH_CELL_VERDICT(cell)))
		return BH_REASON_NONE;
	return BH_CELL_RULE(cell) == BH_BUILTIN_DOWN ? BH_REASON_AGENT_DOWN : otherwise;
}

#endif
