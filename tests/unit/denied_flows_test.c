/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/flows/denied_flows.h"

#include <arpa/inet.h>

#include <linux/if_ether.h>

#include <bulkhead/reason.h>
#include <bulkhead/verdict.h>

#include "tests/test.h"
#include "util/address.h"

static struct bh_event make_event(uint16_t sport)
{
	struct bh_event event = {
		.time_ns = 5,
		.sport = htons(sport),
		.dport = htons(5432),
		.proto = 6,
		.tcp_flags = 2,
		.length = 60,
		.ethertype = htons(ETH_P_IP),
		.verdict = BH_VERDICT_DENY,
		.reason = BH_REASON_POLICY,
	};

	assert_null(addr_parse("10.0.0.10", &event.src));
	assert_null(addr_parse("10.0.32.10", &event.dst));
	return event;
}

static void packets_that_are_alike_are_added_up(void **state)
{
	struct bh_event event = make_event(1000);
	struct denied_flows d = {};

	(void)state;
	denied_flows_add(&d, &event);
	event.time_ns = 9;
	event.length = 100;
	event.tcp_flags = 4;
	denied_flows_add(&d, &event);
	assert_int_equal(d.list.count, 1);
	assert_int_equal(d.list.items[0].first.time_ns, 5);
	assert_int_equal(d.list.items[0].last_ns, 9);
	assert_int_equal(d.list.items[0].packets, 2);
	assert_int_equal(d.list.items[0].bytes, 160);
	assert_int_equal(d.list.items[0].tcp_flags, 6);
	event.reason = BH_REASON_NO_CONNECTION;
	denied_flows_add(&d, &event);
	assert_int_equal(d.list.count, 2);
	assert_int_equal(d.packets, 3);
	denied_flows_release(&d);
	assert_int_equal(d.packets, 0);
}

static void what_passed_or_has_no_addresses_has_no_line(void **state)
{
	struct bh_event audited = make_event(1), arp = make_event(2), logged = make_event(3);
	struct bh_event unread = make_event(4), rejected = make_event(5);
	struct denied_flows d = {};

	(void)state;
	audited.verdict = BH_VERDICT_AUDIT;
	arp.ethertype = htons(ETH_P_ARP);
	logged.reason = BH_REASON_NONE;
	unread.src = unread.dst = (struct bh_addr){};
	denied_flows_add(&d, &audited);
	denied_flows_add(&d, &arp);
	denied_flows_add(&d, &logged);
	denied_flows_add(&d, &unread);
	assert_int_equal(d.packets, 0);
	rejected.verdict = BH_VERDICT_REJECT;
	denied_flows_add(&d, &rejected);
	assert_int_equal(d.packets, 1);
	denied_flows_release(&d);
}

static void there_are_no_more_of_them_than_it_says(void **state)
{
	struct denied_flows d = {};

	(void)state;
	for (int i = 0; i < 2 * DENIED_FLOWS_MAX; i++) {
		struct bh_event event = make_event((uint16_t)i);

		denied_flows_add(&d, &event);
	}
	assert_int_equal(d.list.count, DENIED_FLOWS_MAX);
	assert_int_equal(d.packets, DENIED_FLOWS_MAX);
	denied_flows_release(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_that_are_alike_are_added_up),
		cmocka_unit_test(what_passed_or_has_no_addresses_has_no_line),
		cmocka_unit_test(there_are_no_more_of_them_than_it_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
