/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Whatever the packets are, the programs, compiled for this machine, touch nothing but them, change
 * none that passes, keep exact books, decide the same as XDP and as tc, and let through only what
 * the reference evaluator allows.
 */
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bulkhead/builtin.h>
#include <bulkhead/vlan.h>

#include "tests/fuzz/packet_input.h"
#include "tests/fuzz/packet_reading.h"
#include "tests/fuzz/packet_world.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What one side made of a packet. */
struct outcome {
	enum host_fate fate;
	enum bh_reason reason;
	bool is_rejected, has_event;
	struct host_frame frame;
	struct host_totals totals; /* since the beginning */
	struct host_lane lane;
};

/* One input on its way. */
struct run {
	struct input_head head;
	struct outcome sides[SIDES];
	struct reading passed[INPUT_RECORDS];
	size_t passed_count;
};

static void fail_with(const char *what)
{
	fprintf(stderr, "== %s\n", what);
	abort();
}

static void check(bool is_so, const char *what)
{
	if (!is_so)
		fail_with(what);
}

/* --- one side --- */

static enum host_hook hook_of(const struct run *run, const struct input_record *r,
			      unsigned int side)
{
	if (!run->head.is_host)
		return r->is_egress ? HOST_TC_FROM : HOST_TC_TO;
	if (r->is_egress)
		return HOST_TC_OUT;
	return side == SIDE_XDP ? HOST_XDP_IN : HOST_TC_IN;
}

static uint64_t sum_books(const struct host_totals *t, bool is_dropped)
{
	uint64_t sum = 0;

	for (int i = 0; i < BH_VERDICT_COUNT; i++) {
		if (BH_VERDICT_PASSES(i) != is_dropped)
			sum += t->books[i].produced;
	}
	return sum;
}

/* A packet is counted once, under one reason; an event of it is in the books once. */
static void check_books(const struct host_totals *before, const struct outcome *o)
{
	const struct host_totals *now = &o->totals;
	uint64_t dropped = o->fate != HOST_PASSED, delivered = 0;

	check(now->all_drops - before->all_drops == dropped, "drops are not counted once");
	check(now->passed - before->passed == !dropped && now->dropped - before->dropped == dropped,
	      "the endpoint's packets are not counted once");
	check(sum_books(now, true) == now->all_drops, "not every drop is in the books");
	check(sum_books(now, false) - sum_books(before, false) <= !dropped,
	      "an event that passed is not in the books once");
	for (int i = 0; i < BH_VERDICT_COUNT; i++) {
		const struct host_books *b = &now->books[i];

		check(b->produced == b->delivered + b->suppressed + b->lost, "books don't balance");
		delivered += b->delivered;
	}
	check(delivered == o->lane.count, "the books have other events than the lane");
	check(now->books[BH_VERDICT_REJECT].produced ==
		      now->rejects.answered + now->rejects.suppressed + now->rejects.silent,
	      "a rejected packet is not accounted for");
}

static void run_side(struct run *run, const struct input_record *r, unsigned int side)
{
	struct host_config config = run->head.config;
	struct outcome *o = &run->sides[side];
	struct host_totals before = o->totals;

	/* One of both sides at a time knows the quick way: it must make no difference. */
	config.is_quick = (side == SIDE_XDP) == run->head.is_xdp_quick;
	host_configure(&config);
	world_choose(side);
	host_lane = o->lane;
	o->frame = r->frame;
	if (side == SIDE_XDP) {
		o->frame.linear = o->frame.len;
		o->frame.is_stripped = false;
	}
	o->fate = host_run(hook_of(run, r, side), &o->frame);
	o->has_event = host_lane.count != o->lane.count;
	o->lane = host_lane;
	host_read_totals(&o->totals);
	o->reason = BH_REASON_NONE;
	o->is_rejected = o->totals.books[BH_VERDICT_REJECT].produced !=
			 before.books[BH_VERDICT_REJECT].produced;
	for (int i = 0; i < BH_REASON_COUNT; i++) {
		if (o->totals.drops[i] != before.drops[i])
			o->reason = (enum bh_reason)i;
	}
	check_books(&before, o);
}

/* --- both sides --- */

static void check_same_event(const struct run *run, const struct input_record *r)
{
	struct bh_event a = run->sides[SIDE_XDP].lane.last, b = run->sides[SIDE_TC].lane.last;

	check(run->sides[SIDE_XDP].lane.count == run->sides[SIDE_TC].lane.count,
	      "one side has events that the other has not");
	if (!run->sides[SIDE_XDP].has_event)
		return;
	b.is_xdp = a.is_xdp;
	if (r->frame.is_stripped)
		b.length = a.length;
	check(!memcmp(&a, &b, sizeof(a)), "events of both sides differ");
}

static void check_same(const struct run *run, const struct input_record *r)
{
	const struct outcome *a = &run->sides[SIDE_XDP], *b = &run->sides[SIDE_TC];

	check((a->fate == HOST_PASSED) == (b->fate == HOST_PASSED), "one side passes it");
	check(a->reason == b->reason, "both sides have other reasons");
	check_same_event(run, r);
	check(a->fate == b->fate, "one side answers");
	check(a->totals.rules == b->totals.rules, "sides have counted other rules");
	check(a->totals.connections == b->totals.connections,
	      "connections are not what they are on the other side");
	if (a->fate == HOST_ANSWERED && !r->frame.is_stripped)
		check(a->frame.len == b->frame.len &&
			      !memcmp(a->frame.bytes, b->frame.bytes, a->frame.len),
		      "answers differ");
}

/* --- what the policy says --- */

static bool is_dhcp(const struct run *run, const struct reading *p)
{
	uint16_t low = p->sport < p->dport ? p->sport : p->dport;
	uint16_t high = p->sport < p->dport ? p->dport : p->sport;

	return run->head.is_host && p->proto == IPPROTO_UDP &&
	       ((low == 67 && high == 68) || (low == 546 && high == 547));
}

static bool is_group(const struct bh_addr *a)
{
	const uint8_t *bytes = (const uint8_t *)a;

	return addr_is_v4(a) ? bytes[12] >> 4 == 14 || a->word[3] == UINT32_MAX : bytes[0] == 0xff;
}

/* Only passing through a NIC: no end of it is here. */
static bool is_transit(const struct run *run, const struct input_record *r, const struct reading *p)
{
	if (!run->head.is_host)
		return false;
	if (r->is_egress)
		return !r->frame.is_local_origin && !world_is_local(&p->question.src);
	return !world_is_local(&p->question.dst) && !is_group(&p->question.dst);
}

/* Let through for its tag, whatever is in it. */
static bool is_unseen(const struct run *run, const struct reading *p)
{
	return p->is_tagged && run->head.config.vlan == BH_VLAN_PASS;
}

/* Whether it is for other rules than the policy's to say. */
static bool is_exempt(const struct run *run, const struct input_record *r, const struct reading *p)
{
	bool is_own_host = !run->head.is_host && !r->is_egress && r->frame.is_local_origin &&
			   world_is_local(&p->question.src);

	if (!p->is_plain || is_unseen(run, p) || run->head.switches.is_beating ||
	    run->head.switches.is_adopting)
		return true;
	return is_transit(run, r, p) || is_own_host || is_dhcp(run, p) || reading_is_neighbour(p) ||
	       !addr_cmp(&p->question.src, &p->question.dst);
}

static bool is_allowed(const struct reference_question *q)
{
	return BH_VERDICT_PASSES(world_decide(q).verdict);
}

static bool is_known(const struct run *run, const struct reading *p)
{
	for (size_t i = 0; i < run->passed_count; i++) {
		if (reading_may_belong(&run->passed[i], p))
			return true;
	}
	return false;
}

static bool is_opening(const struct reading *p)
{
	if (p->proto == IPPROTO_TCP)
		return (p->tcp_flags & (READ_SYN | READ_ACK | READ_RST | READ_FIN)) == READ_SYN;
	return !reading_is_echo_answer(p);
}

/* What failsafe keeps open goes on without a connection. */
static bool is_failsafe(const struct reading *p)
{
	return p->proto == IPPROTO_TCP && (world_decide(&p->question).rule == BH_BUILTIN_FAILSAFE ||
					   world_decide(&p->reverse).rule == BH_BUILTIN_FAILSAFE);
}

static void check_passed(const struct run *run, const struct reading *p)
{
	bool has_stateless = reading_is_error(p) && run->passed_count;

	if (has_stateless || is_failsafe(p))
		return;
	if (is_opening(p) && is_allowed(&p->question))
		return;
	check(is_known(run, p), "it passes, and opens nothing that the policy allows");
	/* Pieces and options tell less than what the connection is known by. */
	check(is_allowed(&p->question) || is_allowed(&p->reverse),
	      "it passes, and no end of it may open the connection");
}

/* Nobody sends from another's address, whatever the policy and the agent say. */
static void check_source(const struct run *run, const struct input_record *r,
			 const struct reading *p)
{
	const struct bh_addr *src = &p->question.src;

	if (!p->is_plain || is_unseen(run, p) || is_dhcp(run, p) || reading_is_neighbour(p))
		return;
	if (run->head.is_host)
		check(r->is_egress || !world_is_local(src), "it came from outside, and is local");
	else
		check(!r->is_egress || world_is_workload(src), "the source is another's");
}

static void check_policy(struct run *run, const struct input_record *r)
{
	const struct outcome *o = &run->sides[SIDE_TC];
	struct reading p = reading_of(&r->frame);
	struct reference_answer answer;

	if (o->fate == HOST_PASSED) {
		check(world_has_policy(), "it passes without a policy");
		check_source(run, r, &p);
		if (!is_exempt(run, r, &p))
			check_passed(run, &p);
		run->passed[run->passed_count++] = p;
	} else if (o->reason == BH_REASON_POLICY && p.is_plain && !run->head.switches.is_beating) {
		answer = world_decide(&p.question);
		check(!BH_VERDICT_PASSES(answer.verdict), "it is denied, and the policy allows it");
		check((answer.verdict == BH_VERDICT_REJECT) == o->is_rejected,
		      "it is denied otherwise than the policy says");
	}
}

static void change_address(const struct input_record *r)
{
	struct reading p = reading_of(&r->frame);

	world_change(r->is_of_source ? &p.question.src : NULL);
}

static void run_record(struct run *run, const struct input_record *r)
{
	host_now_ns += r->step_ns;
	if (r->is_flip || r->is_bump)
		world_flip(r->is_flip);
	if (r->is_change)
		change_address(r);
	for (unsigned int side = 0; side < SIDES; side++)
		run_side(run, r, side);
	check_same(run, r);
	check_policy(run, r);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	world_make();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	static struct run run;
	struct input_record record;

	memset(&run, 0, sizeof(run));
	if (!input_head(&in, &run.head))
		return 0;
	world_begin(&run.head.switches);
	for (unsigned int side = 0; side < SIDES; side++)
		run.sides[side].lane.room = run.head.lane_room;
	for (int i = 0; i < INPUT_RECORDS && input_record(&in, &record); i++)
		run_record(&run, &record);
	return 0;
}
