/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What became of each rule's events: of those that have places for them, and of those that don't.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bulkhead.skel.h"
#include "tests/bpf/table.h"
#include "util/mem.h"

#define RULES      200 /* on several pages */
#define FIRST_PORT 2000
#define ROOM       (BH_RULE_FIRST + RULES)

static const enum program programs[] = {PROGRAM_XDP_IN, PROGRAM_HOST_IN, PROGRAM_TO};

/* One of three denies, one allows and logs, one only allows. */
static bool is_eventful(uint32_t i)
{
	return i % 3 != 2;
}

static void put_in_force(struct rig *rig)
{
	static const char *const more[] = {"action: deny", "log: true", "action: allow"};
	static struct text rules;

	text_release(&rules);
	rules = (struct text)TEXT_INIT;
	for (uint32_t i = 0; i < RULES; i++)
		text_addf(&rules,
			  "    - {name: r%u, from: client, to: server, services: tcp/%u, %s}\n", i,
			  FIRST_PORT + i, more[i % COUNT(more)]);
	rig_policy(rig, rules.buf);
}

static void read_events(struct rig *rig, uint32_t slot, struct bh_tally *ret)
{
	assert_int_equal(datapath_read_rule_events(rig->dp, slot, 0, ROOM, ret), 0);
}

/* A packet for each of the rules. */
static void send_round(struct rig *rig, enum program program, bool is_v6)
{
	rig_stand(rig, SERVER);
	for (uint32_t i = 0; i < RULES; i++) {
		const struct packet_spec spec = {.dport = (uint16_t)(FIRST_PORT + i),
						 .sport = (uint16_t)(1000 + program),
						 .is_v6 = is_v6};
		const struct frame frame = packet_build(&spec);

		rig_repeat(rig, program, &frame, 1);
		assert_int_equal(rig_consume(rig), is_eventful(i));
	}
}

static void send_all(struct rig *rig)
{
	rig_forget(rig);
	for (size_t i = 0; i < COUNT(programs); i++) {
		send_round(rig, programs[i], false);
		send_round(rig, programs[i], true);
	}
}

static void assert_sent(struct rig *rig, uint32_t slot, uint64_t rounds)
{
	struct bh_tally events[ROOM], part[2];

	read_events(rig, slot, events);
	for (uint32_t i = 0; i < RULES; i++) {
		const struct bh_tally *t = &events[BH_RULE_FIRST + i];

		assert_int_equal(t->delivered, is_eventful(i) ? 2 * COUNT(programs) * rounds : 0);
		assert_int_equal(t->suppressed + t->lost, 0);
	}
	assert_int_equal(datapath_read_rule_events(rig->dp, slot, ROOM - 3, 2, part), 0);
	assert_memory_equal(part, events + ROOM - 3, sizeof(part));
}

static void each_rule_has_its_own_in_both_slots(void **state)
{
	struct rig *rig = *state;

	for (int i = 0; i < 2; i++) {
		put_in_force(rig);
		assert_sent(rig, datapath_slot(rig->dp), 0);
		send_all(rig);
	}
	assert_sent(rig, 0, 1);
	assert_sent(rig, 1, 1);
	put_in_force(rig);
	assert_sent(rig, datapath_slot(rig->dp), 0);
	assert_sent(rig, !datapath_slot(rig->dp), 1);
}

static int rare_pages(struct rig *rig)
{
	_keys_ struct keys keys = {};

	assert_int_equal(
		keys_read(bpf_map__fd(rig->dp->skel->maps.bh_rare_events), sizeof(uint32_t), &keys),
		0);
	return (int)keys.count;
}

/* As where a policy has more than there are places. */
static void take_places(struct rig *rig)
{
	const struct bh_policy *policy = tables_header(&rig->dp->tables, datapath_slot(rig->dp));
	const struct bh_event_places none = {};

	for (uint32_t i = 1; i * BH_RULE_PAGE < policy->rules; i += 2) {
		uint32_t page = policy->rule / BH_RULE_PAGE + i;

		assert_int_equal(
			bpf_map_update_elem(bpf_map__fd(rig->dp->skel->maps.bh_event_places), &page,
					    &none, BPF_ANY),
			0);
	}
}

static void a_rule_without_a_place_has_its_own_all_the_same(void **state)
{
	struct rig *rig = *state;
	uint32_t slot;

	put_in_force(rig);
	slot = datapath_slot(rig->dp);
	take_places(rig);
	send_all(rig);
	assert_int_equal(rare_pages(rig), 2);
	assert_sent(rig, slot, 1);
	put_in_force(rig);
	assert_sent(rig, slot, 1);
	put_in_force(rig);
	assert_int_equal(rare_pages(rig), 0);
	assert_sent(rig, slot, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_rule_has_its_own_in_both_slots),
		cmocka_unit_test(a_rule_without_a_place_has_its_own_all_the_same),
	};

	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
