/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>

#include "agent/flows/zone_pairs.h"
#include "agent/flows/zone_traffic.h"
#include "tests/test.h"

/* --- pairs --- */

static void each_pair_of_zones_is_counted_by_itself(void **state)
{
	struct zone_pairs pairs = {};

	(void)state;
	zone_pairs_add(&pairs, "dmz", "data", BH_VERDICT_DENY);
	zone_pairs_add(&pairs, "data", "dmz", BH_VERDICT_DENY);
	zone_pairs_add(&pairs, "dmz", "data", BH_VERDICT_DENY);
	zone_pairs_add(&pairs, "dmz", "data", BH_VERDICT_AUDIT);
	zone_pairs_add(&pairs, NULL, "data", BH_VERDICT_DENY);
	zone_pairs_add(&pairs, "dmzd", "ata", BH_VERDICT_DENY);
	zone_pairs_add(&pairs, "dmz", "data", 200); /* no verdict: from the kernel's memory */
	assert_int_equal(pairs.list.count, 4);
	assert_string_equal(pairs.list.items[0].from, "dmz");
	assert_string_equal(pairs.list.items[0].to, "data");
	assert_int_equal(pairs.list.items[0].events[BH_VERDICT_DENY], 2);
	assert_int_equal(pairs.list.items[0].events[BH_VERDICT_AUDIT], 1);
	assert_int_equal(pairs.list.items[1].events[BH_VERDICT_DENY], 1);
	assert_string_equal(pairs.list.items[2].from, "");
	zone_pairs_release(&pairs);
}

static void pairs_without_a_place_are_counted_together(void **state)
{
	struct zone_pairs pairs = {};
	char name[16];

	(void)state;
	for (size_t i = 0; i < ZONE_PAIRS_MAX + 10; i++) {
		snprintf(name, sizeof(name), "z%zu", i);
		zone_pairs_add(&pairs, name, "data", BH_VERDICT_DENY);
	}
	zone_pairs_add(&pairs, "z0", "data", BH_VERDICT_DENY);
	assert_int_equal(pairs.list.count, ZONE_PAIRS_MAX + 1);
	assert_int_equal(pairs.list.items[0].events[BH_VERDICT_DENY], 2);
	assert_string_equal(pairs.list.items[ZONE_PAIRS_MAX].from, ZONE_PAIRS_OTHER);
	assert_int_equal(pairs.list.items[ZONE_PAIRS_MAX].events[BH_VERDICT_DENY], 10);
	zone_pairs_release(&pairs);
}

/* --- traffic --- */

static void add(struct zone_traffic *traffic, uint16_t id, const char *zone, uint64_t passed)
{
	const struct bh_endpoint_count now = {
		.passed[0] = {.packets = passed, .bytes = passed * 10},
		.dropped[1] = {.packets = 2 * passed, .bytes = passed * 20},
	};

	zone_traffic_add(traffic, id, BH_ENDPOINT_WORKLOAD, zone, &now);
}

static void a_zone_is_the_sum_of_its_endpoints(void **state)
{
	struct zone_traffic traffic = {};
	const struct zone_total *total;

	(void)state;
	add(&traffic, 1, "data", 5);
	add(&traffic, 2, "data", 7);
	add(&traffic, 3, "dmz", 100);
	add(&traffic, 1, "data", 6);
	add(&traffic, 1, "data", 6);
	assert_int_equal(traffic.list.count, 2);
	total = &traffic.list.items[0];
	assert_string_equal(total->zone, "data");
	assert_int_equal(total->count.passed[0].packets, 13);
	assert_int_equal(total->count.passed[0].bytes, 130);
	assert_int_equal(total->count.passed[1].packets, 0);
	assert_int_equal(total->count.dropped[1].packets, 26);
	zone_traffic_release(&traffic);
}

static void an_id_that_begins_anew_takes_nothing_away(void **state)
{
	struct zone_traffic traffic = {};

	(void)state;
	add(&traffic, 1, "data", 500);
	add(&traffic, 1, "data", 3); /* another endpoint got the id */
	add(&traffic, 1, "dmz", 4);  /* and moved to another zone */
	assert_int_equal(traffic.list.items[0].count.passed[0].packets, 503);
	assert_int_equal(traffic.list.items[0].count.passed[0].bytes, 5030);
	assert_int_equal(traffic.list.items[1].count.passed[0].packets, 1);
	zone_traffic_release(&traffic);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_pair_of_zones_is_counted_by_itself),
		cmocka_unit_test(pairs_without_a_place_are_counted_together),
		cmocka_unit_test(a_zone_is_the_sum_of_its_endpoints),
		cmocka_unit_test(an_id_that_begins_anew_takes_nothing_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
