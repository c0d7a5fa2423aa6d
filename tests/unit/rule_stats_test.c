/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/metrics/rule_stats.h"

#include <bulkhead/limits.h>

#include "tests/test.h"
#include "util/cleanup.h"

/* A policy of rules with these one-letter names. */
struct letters {
	struct policy policy;
	char names[8][2];
};

static void set_letters(struct letters *l, const char *letters)
{
	*l = (struct letters){};
	for (size_t i = 0; letters[i]; i++) {
		l->names[i][0] = letters[i];
		vec_push(&l->policy.rules, (struct rule){.name = l->names[i]});
	}
}

static void count(struct rule_stats *rs, uint32_t rule, uint64_t packets, uint64_t now_ns)
{
	struct rule_count counts[BH_RULE_FIRST + 8] = {};

	counts[rule] = (struct rule_count){.packets = packets, .bytes = packets * 10};
	rule_stats_sample(rs, 0, counts, COUNT(counts), now_ns);
}

static void totals_go_with_the_name(void **state)
{
	struct rule_stats rs = {};
	struct letters before, after;

	(void)state;
	set_letters(&before, "ab");
	set_letters(&after, "xb");
	rule_stats_move(&rs, NULL, &before.policy);
	count(&rs, BH_RULE_FIRST + 1, 5, 100);
	rule_stats_move(&rs, &before.policy, &after.policy);
	assert_int_equal(rule_stats_total(&rs, BH_RULE_FIRST).packets, 0);
	assert_int_equal(rule_stats_total(&rs, BH_RULE_FIRST + 1).packets, 5);
	count(&rs, BH_RULE_FIRST + 1, 2, 200);
	assert_int_equal(rule_stats_total(&rs, BH_RULE_FIRST + 1).packets, 7);
	assert_int_equal(rule_stats_total(&rs, BH_RULE_FIRST + 1).bytes, 70);
	rule_stats_release(&rs);
	vec_release(&before.policy.rules);
	vec_release(&after.policy.rules);
}

static void a_policy_that_comes_back_is_not_counted_twice(void **state)
{
	const struct rule_count parked[BH_RULE_FIRST + 1] = {[BH_RULE_FIRST] = {5, 50}};
	struct rule_stats rs = {};
	struct letters before, after;

	(void)state;
	set_letters(&before, "a");
	set_letters(&after, "ax");
	rule_stats_move(&rs, NULL, &before.policy);
	count(&rs, BH_RULE_FIRST, 5, 100);
	rule_stats_move(&rs, &before.policy, &after.policy);
	count(&rs, BH_RULE_FIRST, 2, 200);
	rule_stats_move(&rs, &after.policy, &before.policy);
	rule_stats_resume(&rs, parked, COUNT(parked));
	assert_int_equal(rule_stats_total(&rs, BH_RULE_FIRST).packets, 7);
	count(&rs, BH_RULE_FIRST, 6, 300);
	assert_int_equal(rule_stats_total(&rs, BH_RULE_FIRST).packets, 8);
	assert_int_equal(rule_stats_total(&rs, BH_RULE_FIRST).bytes, 80);
	rule_stats_move(&rs, &before.policy, &after.policy);
	assert_int_equal(rule_stats_total(&rs, BH_RULE_FIRST).packets, 8);
	rule_stats_release(&rs);
	vec_release(&before.policy.rules);
	vec_release(&after.policy.rules);
}

static void a_rule_that_moves_keeps_its_total(void **state)
{
	struct rule_stats rs = {};
	struct letters before, after;

	(void)state;
	set_letters(&before, "ab");
	set_letters(&after, "bca");
	rule_stats_move(&rs, NULL, &before.policy);
	count(&rs, BH_RULE_FIRST, 3, 100);
	rule_stats_move(&rs, &before.policy, &after.policy);
	assert_int_equal(rule_stats_total(&rs, BH_RULE_FIRST + 2).packets, 3);
	assert_int_equal(rule_stats_last_hit(&rs, BH_RULE_FIRST + 2), 100);
	assert_int_equal(rule_stats_total(&rs, BH_RULE_FIRST).packets, 0);
	rule_stats_release(&rs);
	vec_release(&before.policy.rules);
	vec_release(&after.policy.rules);
}

static void built_in_rules_stay(void **state)
{
	struct rule_stats rs = {};
	struct letters none;

	(void)state;
	set_letters(&none, "");
	rule_stats_move(&rs, NULL, &none.policy);
	count(&rs, 0, 4, 100);
	rule_stats_move(&rs, &none.policy, &none.policy);
	count(&rs, 0, 1, 200);
	assert_int_equal(rule_stats_total(&rs, 0).packets, 5);
	assert_int_equal(rule_stats_total(&rs, BH_RULE_FIRST).packets, 0);
	rule_stats_release(&rs);
}

static void only_growth_is_a_hit(void **state)
{
	struct rule_stats rs = {};
	struct letters one;

	(void)state;
	set_letters(&one, "a");
	rule_stats_move(&rs, NULL, &one.policy);
	assert_int_equal(rule_stats_last_hit(&rs, BH_RULE_FIRST), 0);
	count(&rs, BH_RULE_FIRST, 1, 100);
	count(&rs, BH_RULE_FIRST, 1, 200);
	assert_int_equal(rule_stats_last_hit(&rs, BH_RULE_FIRST), 100);
	count(&rs, BH_RULE_FIRST, 2, 300);
	assert_int_equal(rule_stats_last_hit(&rs, BH_RULE_FIRST), 300);
	rule_stats_release(&rs);
	vec_release(&one.policy.rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(totals_go_with_the_name),
		cmocka_unit_test(a_policy_that_comes_back_is_not_counted_twice),
		cmocka_unit_test(a_rule_that_moves_keeps_its_total),
		cmocka_unit_test(built_in_rules_stay),
		cmocka_unit_test(only_growth_is_a_hit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
