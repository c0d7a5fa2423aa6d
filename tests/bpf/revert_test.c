/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A policy that nobody confirms: programs go back by themselves, and leave no mix of the two. */
#include <netinet/in.h>

#include "tests/bpf/table.h"
#include "util/clock.h"

#define HOUR_NS UINT64_C(3600000000000)
#define RULE(name, port)                                                                           \
	"    - {name: " name ", from: client, to: server, services: tcp/" port "}\n"

#define BEFORE RULE("web", "443") RULE("old", "22")
#define AFTER  RULE("new", "80") RULE("web", "443")

static const struct packet_spec ssh = {.dport = 22};
static const struct packet_spec web = {.dport = 443};
static const struct packet_spec http = {.dport = 80};

static struct outcome run(struct rig *rig, const char *name, const struct packet_spec *spec)
{
	return rig_run(rig, name, PROGRAM_TO, spec);
}

/* The policy before, and one on top of it for an hour. */
static void begin(struct rig *rig)
{
	rig_stand(rig, SERVER);
	rig->revert_at_ns = 0;
	rig_policy(rig, BEFORE);
	rig_forget(rig);
	rig->revert_at_ns = clock_monotonic_ns() + HOUR_NS;
	rig_policy(rig, AFTER);
	rig->revert_at_ns = 0;
}

/* The hour is over: it was so a nanosecond after the machine had started, however late that was. */
static void pass_time(struct rig *rig)
{
	rig->dp->tables.control->revert_at_ns = 1;
}

static void end(struct rig *rig)
{
	if (datapath_revert_at(rig->dp))
		assert_int_equal(datapath_revert(rig->dp), 0);
}

static void holds_until_the_deadline(void **state)
{
	struct rig *rig = *state;

	begin(rig);
	assert_true(run(rig, "the new policy allows it", &http).is_passed);
	assert_int_equal(run(rig, "only the old one does", &ssh).reason, BH_REASON_POLICY);
	end(rig);
}

static void programs_go_back_without_an_agent(void **state)
{
	struct rig *rig = *state;
	uint32_t generation, slot;
	struct outcome o;

	begin(rig);
	generation = datapath_generation(rig->dp);
	slot = datapath_slot(rig->dp);
	pass_time(rig);
	assert_true(run(rig, "the old policy allows it", &ssh).is_passed);
	o = run(rig, "only the new one does", &http);
	assert_int_equal(o.reason, BH_REASON_POLICY);
	assert_int_equal(o.event.generation, generation + 1);
	assert_int_equal(datapath_generation(rig->dp), generation + 1);
	assert_int_equal(datapath_slot(rig->dp), !slot);
	end(rig);
}

static void connections_are_decided_again(void **state)
{
	struct rig *rig = *state;
	struct outcome o;

	begin(rig);
	run(rig, "opened by the new policy", &http);
	run(rig, "opened by a rule of both", &web);
	pass_time(rig);
	o = run(rig, "what only the new one allowed is cut", &http);
	assert_int_equal(o.reason, BH_REASON_REVOKED);
	o = run(rig, "what both allow goes on", &web);
	assert_true(o.is_passed);
	assert_int_equal(o.rule, BH_RULE_FIRST);
	end(rig);
}

static void going_back_for_good_changes_nothing_more(void **state)
{
	struct rig *rig = *state;
	uint32_t generation;

	begin(rig);
	pass_time(rig);
	run(rig, "decided by programs that went back", &ssh);
	generation = datapath_generation(rig->dp);
	assert_int_equal(datapath_revert(rig->dp), 0);
	assert_int_equal(datapath_generation(rig->dp), generation);
	assert_int_equal(datapath_revert(rig->dp), -ENOENT);
	assert_int_equal(run(rig, "the old policy stays", &http).reason, BH_REASON_POLICY);
}

static void what_is_kept_stays(void **state)
{
	struct rig *rig = *state;
	uint32_t generation;

	begin(rig);
	generation = datapath_generation(rig->dp);
	assert_int_equal(datapath_keep(rig->dp), 0);
	assert_true(datapath_generation(rig->dp) > generation + 1);
	assert_int_equal(datapath_keep(rig->dp), -ENOENT);
	assert_true(run(rig, "the new policy allows it", &http).is_passed);
}

static void it_is_too_late_to_keep(void **state)
{
	struct rig *rig = *state;

	begin(rig);
	pass_time(rig);
	assert_int_equal(datapath_keep(rig->dp), -ETIME);
	assert_true(run(rig, "the old policy is in force", &ssh).is_passed);
	end(rig);
}

static void the_policy_before_is_left_alone(void **state)
{
	_text_ struct text why = TEXT_INIT;
	struct rig *rig = *state;
	struct datapath_swap swap;
	struct bh_count counts[BH_RULE_FIRST + 2], after[BH_RULE_FIRST + 2];

	begin(rig);
	end(rig);
	run(rig, "counted", &web);
	assert_int_equal(
		datapath_read_rules(rig->dp, datapath_slot(rig->dp), 0, COUNT(counts), counts), 0);
	assert_int_equal(datapath_try_policy(rig->dp, &rig->compiled->image,
					     clock_monotonic_ns() + HOUR_NS, &why, &swap),
			 0);
	assert_int_equal(datapath_tidy(rig->dp), 0);
	assert_int_equal(datapath_swap_policy(rig->dp, &rig->compiled->image, &why, &swap), -EBUSY);
	assert_int_equal(datapath_read_rules(rig->dp, !swap.slot, 0, COUNT(after), after), 0);
	assert_memory_equal(counts, after, sizeof(counts));
	assert_true(counts[BH_RULE_FIRST].packets > 0);
	end(rig);
}

static void an_address_that_moves_leaves_it_a_generation(void **state)
{
	struct bh_addr addr = end_addr(CLIENT, false);
	struct rig *rig = *state;
	uint32_t generation, identity;

	begin(rig);
	generation = datapath_generation(rig->dp);
	identity = image_identity(&rig->compiled->image, &addr);
	assert_int_equal(datapath_set_identity(rig->dp, &addr, identity, true), 0);
	assert_int_equal(datapath_generation(rig->dp), generation + 2);
	assert_true(run(rig, "the new policy stays", &http).is_passed);
	pass_time(rig);
	assert_int_equal(datapath_generation(rig->dp), generation + 3);
	assert_true(run(rig, "the old one is in force", &ssh).is_passed);
	end(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holds_until_the_deadline),
		cmocka_unit_test(programs_go_back_without_an_agent),
		cmocka_unit_test(connections_are_decided_again),
		cmocka_unit_test(going_back_for_good_changes_nothing_more),
		cmocka_unit_test(what_is_kept_stays),
		cmocka_unit_test(it_is_too_late_to_keep),
		cmocka_unit_test(the_policy_before_is_left_alone),
		cmocka_unit_test(an_address_that_moves_leaves_it_a_generation),
	};

	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
