/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/bpf/rig.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bulkhead.skel.h"
#include "datapath/trial.h"

#define RULES_MAX 64 /* that are looked at */

/* All counters that one packet may move. */
struct snapshot {
	struct bh_count drops[BH_REASON_COUNT];
	struct books books[BH_VERDICT_COUNT];
	struct bh_endpoint_count endpoint, host;
	struct bh_count rules[RULES_MAX];
};

/* Who is where, before the packet comes. */
static void take_place(struct rig *rig, enum program program)
{
	const struct bpf_map *sources = rig->dp->skel->maps.bh_sources;
	const struct bh_endpoint workload = {
		.id = RIG_ENDPOINT,
		.kind = BH_ENDPOINT_WORKLOAD,
		.flags = rig->is_link_local_known ? 0 : BH_ENDPOINT_FREE_LINK_LOCAL,
	};
	enum end host = program_is_host(program) ? rig->stand : NODE;
	const struct bh_addr v4 = end_addr(host, false), v6 = end_addr(host, true);
	const struct local_prefix local[] = {
		{.prefix = prefix_of_addr(&v4)},
		{.prefix = prefix_of_addr(&v6)},
		rig->routed,
	};
	size_t locals = COUNT(local) - !rig->routed.prefix.len;
	struct keys keys;

	assert_int_equal(datapath_set_local(rig->dp, local, locals), 0);
	rig_set_workload(rig, rig->is_unknown ? NULL : &workload);

	assert_int_equal(keys_read(bpf_map__fd(sources), sizeof(struct bh_source_key), &keys), 0);
	for (size_t i = 0; i < keys.count; i++)
		bpf_map_delete_elem(bpf_map__fd(sources), KEY_AT(&keys, i));
	keys_release(&keys);
	for (int i = 0; i < 2; i++) {
		const struct bh_source_key key = {
			.prefix_len = BH_SOURCE_ENDPOINT_BITS + 128,
			.endpoint = RIG_ENDPOINT,
			.addr = end_addr(rig->stand, i),
		};

		bpf_map_update_elem(bpf_map__fd(sources), &key, &rig->source_flags, BPF_ANY);
	}
}

bool rig_can_run(enum program program, const struct frame *frame)
{
	return trial_can_send(program, frame);
}

/* -errno, or what the program returned. */
static int run(struct rig *rig, enum program program, const struct frame *frame, int count)
{
	const struct program_input in = {
		.bytes = frame->bytes,
		.len = frame->len,
		.is_forwarded = rig->is_forwarded,
		.is_returned = rig->is_returned,
		.times = count,
	};
	int returned, err = program_run(rig->dp, program, &in, &returned);

	return err ? err : returned;
}

bool rig_passes(struct rig *rig, const char *name, enum program program, const struct frame *frame)
{
	int pass = program == PROGRAM_XDP_IN ? XDP_PASS : TC_ACT_UNSPEC;
	int drop = program == PROGRAM_XDP_IN ? XDP_DROP : TC_ACT_SHOT;
	int returned = run(rig, program, frame, 1);

	if (returned != pass && returned != drop && !program_answers(program, returned))
		fail_msg("%s: returned %d", name, returned);
	return returned == pass;
}

struct packet_spec rig_answer(bool is_v6)
{
	return (struct packet_spec){
		.is_v6 = is_v6,
		.from = SERVER,
		.to = CLIENT,
		.sport = SPEC_DPORT,
		.dport = SPEC_SPORT,
		.flags = "SA",
		.ack = 1,
	};
}

void rig_open_web(struct rig *rig, enum program forth, const struct packet_spec *last)
{
	enum program back = forth == PROGRAM_TO ? PROGRAM_FROM : PROGRAM_TO;
	const struct packet_spec syn = {.is_v6 = last->is_v6};
	const struct packet_spec answer = rig_answer(last->is_v6);

	assert_true(rig_run(rig, "opens", forth, &syn).is_passed);
	assert_true(rig_run(rig, "is answered", back, &answer).is_passed);
	assert_true(rig_run(rig, "goes on", forth, last).is_passed);
}

void rig_repeat(struct rig *rig, enum program program, const struct frame *frame, int count)
{
	take_place(rig, program);
	assert_true(run(rig, program, frame, count) >= -1);
}

size_t rig_consume(struct rig *rig)
{
	rig->events = 0;
	assert_true(datapath_events_consume(rig->dp) >= 0);
	return rig->events;
}

static void take_snapshot(struct rig *rig, struct snapshot *ret)
{
	uint32_t slot = datapath_slot(rig->dp),
		 rules = tables_header(&rig->dp->tables, slot)->rules;

	memset(ret, 0, sizeof(*ret));
	assert_int_equal(datapath_read_drops(rig->dp, ret->drops), 0);
	assert_int_equal(datapath_read_books(rig->dp, ret->books), 0);
	assert_int_equal(datapath_read_endpoint(rig->dp, RIG_ENDPOINT, &ret->endpoint), 0);
	assert_int_equal(datapath_read_endpoint(rig->dp, BH_ENDPOINT_HOST, &ret->host), 0);
	assert_int_equal(datapath_read_rules(rig->dp, slot, 0,
					     rules < RULES_MAX ? rules : RULES_MAX, ret->rules),
			 0);
}

/* Whether the one packet was counted there; anything but once or not at all fails. */
static bool is_counted(const char *name, struct bh_count before, struct bh_count after, size_t len)
{
	uint64_t packets = after.packets - before.packets, bytes = after.bytes - before.bytes;

	if (packets > 1 || bytes != packets * len)
		fail_msg("%s: counted %d packets, %d bytes of %d", name, (int)packets, (int)bytes,
			 (int)len);
	return packets;
}

static void check_endpoint(const char *name, enum program program,
			   const struct bh_endpoint_count *before,
			   const struct bh_endpoint_count *after, bool is_passed)
{
	enum bh_direction direction = program_is_ingress(program) ? BH_INGRESS : BH_EGRESS;

	assert_row(name, after->passed[direction].packets - before->passed[direction].packets ==
				 is_passed);
	assert_row(name, after->dropped[direction].packets - before->dropped[direction].packets ==
				 !is_passed);
	assert_row(name, !memcmp(&after->passed[!direction], &before->passed[!direction],
				 sizeof(struct bh_count)));
	assert_row(name, !memcmp(&after->dropped[!direction], &before->dropped[!direction],
				 sizeof(struct bh_count)));
}

/* Counts of who was not there don't move. */
static void check_endpoints(const struct rig *rig, const char *name, enum program program,
			    const struct snapshot snapshots[2], bool is_passed)
{
	const struct snapshot *before = &snapshots[0], *after = &snapshots[1];

	if (program_is_host(program))
		check_endpoint(name, program, &before->host, &after->host, is_passed);
	else
		assert_row(name, !memcmp(&before->host, &after->host, sizeof(before->host)));
	if (!program_is_host(program) && !rig->is_unknown)
		check_endpoint(name, program, &before->endpoint, &after->endpoint, is_passed);
	else
		assert_row(name,
			   !memcmp(&before->endpoint, &after->endpoint, sizeof(before->endpoint)));
}

static void check_books(const char *name, const struct snapshot *before,
			const struct snapshot *after, const struct outcome *outcome)
{
	uint64_t produced = 0;

	for (int i = 0; i < BH_VERDICT_COUNT; i++) {
		const struct books *b = &after->books[i];

		produced += b->produced - before->books[i].produced;
		assert_row(name, b->produced == b->delivered + b->suppressed + b->lost);
	}
	assert_row(name, produced == outcome->events);
	assert_row(name, outcome->is_passed ? produced <= 1 : produced == 1);
	if (!outcome->is_passed)
		assert_row(name, after->books[outcome->event.verdict].produced ==
					 before->books[outcome->event.verdict].produced + 1);
}

static void check_event(const char *name, enum program program, const struct outcome *outcome,
			size_t len)
{
	const struct bh_event *e = &outcome->event;

	if (!outcome->events)
		return;
	assert_row(name, BH_VERDICT_PASSES(e->verdict) == outcome->is_passed);
	assert_row(name, e->verdict != BH_VERDICT_REJECT || e->reason == BH_REASON_POLICY ||
				 e->reason == BH_REASON_REVOKED);
	assert_row(name, e->reason == outcome->reason);
	assert_row(name, e->rule == outcome->rule);
	assert_row(name, e->length == len);
	assert_row(name, e->ifindex == RIG_IFINDEX);
	assert_row(name, e->direction == (program_is_ingress(program) ? BH_INGRESS : BH_EGRESS));
	assert_row(name, e->is_xdp == (program == PROGRAM_XDP_IN));
}

static void find_counts(const char *name, const struct snapshot snapshots[2], size_t len,
			struct outcome *outcome)
{
	int reasons = 0, rules = 0;

	for (int i = 0; i < BH_REASON_COUNT; i++) {
		if (!is_counted(name, snapshots[0].drops[i], snapshots[1].drops[i], len))
			continue;
		outcome->reason = (enum bh_reason)i;
		reasons++;
	}
	for (uint32_t i = 0; i < RULES_MAX; i++) {
		if (!is_counted(name, snapshots[0].rules[i], snapshots[1].rules[i], len))
			continue;
		outcome->rule = i;
		rules++;
	}
	assert_row(name, reasons == !outcome->is_passed);
	assert_row(name, rules <= 1);
}

struct outcome rig_run_frame(struct rig *rig, const char *name, enum program program,
			     const struct frame *frame)
{
	struct outcome outcome = {.rule = BH_RULE_NONE};
	struct snapshot snapshots[2];

	take_place(rig, program);
	rig_consume(rig);
	take_snapshot(rig, &snapshots[0]);
	outcome.is_passed = rig_passes(rig, name, program, frame);
	take_snapshot(rig, &snapshots[1]);

	outcome.events = rig_consume(rig);
	outcome.event = rig->event;
	find_counts(name, snapshots, frame->len, &outcome);
	check_endpoints(rig, name, program, snapshots, outcome.is_passed);
	check_books(name, &snapshots[0], &snapshots[1], &outcome);
	check_event(name, program, &outcome, frame->len);
	return outcome;
}

struct outcome rig_run(struct rig *rig, const char *name, enum program program,
		       const struct packet_spec *spec)
{
	struct frame frame = packet_build(spec);

	return rig_run_frame(rig, name, program, &frame);
}
