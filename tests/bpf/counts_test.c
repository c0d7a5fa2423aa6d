/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/bpf/fixture.h"

#include <netinet/in.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bulkhead.skel.h"
#include "datapath/loader.h"
#include "util/mem.h"

/* --- rules --- */

static void counts_are_summed_over_cpus_and_cleared(void **state)
{
	struct datapath *dp = shared;
	_free_ struct bh_count_page *cpus = xcalloc((size_t)dp->cpus, sizeof(*cpus));
	uint32_t rule = BH_RULE_FIRST, slot, key;
	struct bh_count counts[BH_RULE_FIRST + 1];

	(void)state;
	swap_to(dp, 10, rule);
	swap_to(dp, 20, rule);
	slot = datapath_slot(dp);
	key = (slot * (BH_RULE_ENTRIES / 2) + rule) / BH_RULE_PAGE;
	for (int i = 0; i < dp->cpus; i++)
		cpus[i].of[rule] = (struct bh_count){.packets = 1, .bytes = 100};
	bpf_map_update_elem(bpf_map__fd(dp->skel->maps.bh_rule_counts), &key, cpus, BPF_ANY);
	assert_int_equal(datapath_read_rules(dp, slot, 0, rule + 1, counts), 0);
	assert_int_equal(counts[rule].packets, dp->cpus);
	assert_int_equal(counts[rule].bytes, dp->cpus * 100);
	assert_int_equal(counts[0].packets, 0);
	swap_to(dp, 30, rule);
	assert_int_equal(datapath_read_rules(dp, slot, 0, rule + 1, counts), 0);
	assert_int_equal(counts[rule].packets, dp->cpus);
	swap_to(dp, 40, rule);
	assert_int_equal(datapath_read_rules(dp, slot, 0, rule + 1, counts), 0);
	assert_int_equal(counts[rule].packets, 0);
}

static void count_packets(const struct datapath *dp, uint32_t slot, uint32_t rule, uint64_t packets)
{
	_free_ struct bh_count_page *cpus = xcalloc((size_t)dp->cpus, sizeof(*cpus));
	uint32_t key = (slot * (BH_RULE_ENTRIES / 2) + rule) / BH_RULE_PAGE;

	cpus[0].of[rule % BH_RULE_PAGE] = (struct bh_count){.packets = packets};
	bpf_map_update_elem(bpf_map__fd(dp->skel->maps.bh_rule_counts), &key, cpus, BPF_ANY);
}

static uint64_t packets_of(struct datapath *dp, uint32_t slot, uint32_t rule)
{
	_free_ struct bh_count *counts = xcalloc(rule + 1, sizeof(*counts));

	assert_int_equal(datapath_read_rules(dp, slot, 0, rule + 1, counts), 0);
	return counts[rule].packets;
}

/* Each by itself: two policies of as many rules are swapped in, then it is tidied so often. */
static void counts_are_cleared_when_there_is_time_or_else_by_the_swap(void **state)
{
	const uint32_t rule = 40000;
	struct datapath *dp = shared;

	(void)state;
	for (int times = 0; times < 5; times++) {
		uint32_t idle;

		swap_to(dp, 10, rule);
		idle = datapath_slot(dp);
		swap_to(dp, 20, rule);
		for (uint32_t i = 0; i < rule; i += 100) {
			count_packets(dp, idle, i, 1);
			count_packets(dp, !idle, i, 2);
		}
		count_packets(dp, idle, rule, 1);
		for (int i = 0; i < times; i++)
			assert_int_equal(datapath_tidy(dp), i < 2);
		assert_int_equal(packets_of(dp, idle, rule), times < 3);
		assert_int_equal(packets_of(dp, idle, 100), times < 1);
		assert_int_equal(packets_of(dp, !idle, 100), 2);
		swap_to(dp, 30, BH_RULE_FIRST);
		assert_int_equal(datapath_slot(dp), idle);
		for (uint32_t i = 0; i < rule; i += 100)
			assert_int_equal(packets_of(dp, idle, i), 0);
		assert_int_equal(packets_of(dp, idle, rule), 0);
		assert_int_equal(packets_of(dp, !idle, 100), 2);
	}
}

static void a_restart_clears_what_was_not_cleared_before(void **state)
{
	const uint32_t rule = 20000;
	struct datapath *dp = open_at(PINS);
	uint32_t idle;

	(void)state;
	swap_to(dp, 10, rule);
	idle = datapath_slot(dp);
	swap_to(dp, 20, rule);
	assert_int_equal(datapath_tidy(dp), 1);
	count_packets(dp, idle, 1, 1);
	count_packets(dp, idle, rule, 1);
	datapath_free(dp);

	dp = open_at(PINS);
	swap_to(dp, 30, rule);
	assert_int_equal(datapath_slot(dp), idle);
	assert_int_equal(packets_of(dp, idle, 1), 0);
	assert_int_equal(packets_of(dp, idle, rule), 0);
	datapath_free(dp);
}

/* That is silent for ten seconds at most. */
static void add_connection(struct datapath *dp, uint32_t line, uint16_t port, uint64_t seen_ns)
{
	const struct bh_conn conn = {
		.port = {port, 0},
		.proto = IPPROTO_TCP,
		.ip_version = 4,
		.seen = BH_TICKS(seen_ns),
		.timeout = BH_TIMEOUT_TCP_CLOSING,
	};

	assert_int_equal(
		bpf_map_update_elem(bpf_map__fd(dp->skel->maps.bh_conns), &line, &conn, BPF_ANY),
		0);
}

static bool count_ports(const struct connection *conn, void *user)
{
	*(unsigned int *)user += conn->key.port[0];
	return true;
}

static bool count_one(const struct connection *conn, void *user)
{
	(void)conn;
	++*(unsigned int *)user;
	return false;
}

static void a_sweep_frees_what_expired(void **state)
{
	struct datapath *dp = shared;
	uint64_t second = 1000000000, now = 100 * second;
	unsigned int ports = 0, seen = 0;

	(void)state;
	add_connection(dp, 0, 1, now);
	add_connection(dp, 7, 2, now - 11 * second);
	add_connection(dp, 63, 4, now - 10 * second + second / 100);
	add_connection(dp, 64, 8, now - 9 * second);
	add_connection(dp, BH_CONN_LINES_ALL - 1, 16, now - 20 * second);
	assert_int_equal(datapath_each_connection(dp, count_ports, &ports), 0);
	assert_int_equal(ports, 1 + 2 + 4 + 8 + 16);
	assert_int_equal(datapath_each_connection(dp, count_one, &seen), 0);
	assert_int_equal(seen, 1);
	assert_int_equal(datapath_sweep(dp, now), 2);
	ports = 0;
	assert_int_equal(datapath_each_connection(dp, count_ports, &ports), 0);
	assert_int_equal(ports, 1 + 4 + 8);
	assert_int_equal(datapath_sweep(dp, 1000 * second), 3);
}

/* Half of what may settle is divided; one alone has it all, but for what the others may claim. */
static void endpoints_share_the_table(void **state)
{
	static const struct {
		const char *name;
		uint16_t ids[3];
		size_t count;
		uint32_t shares;
		uint32_t parts; /* of the embryonic lines */
	} rows[] = {
		{"the machine alone", {0}, 0, 1, 1},
		{"one workload", {1}, 1, 2, 2},
		{"three", {1, 2, 3}, 3, 4, 4},
		{"one is gone", {1, 2}, 2, 3, 4},
		{"another one", {1}, 1, 2, 4},
		{"ids with gaps", {9, 2}, 2, 10, 16},
		{"fewer, but not by far", {1, 4}, 2, 5, 16},
		{"a quarter", {1, 3}, 2, 4, 4},
	};
	struct datapath *dp = shared;
	int fd = bpf_map__fd(dp->skel->maps.bh_endpoints);
	uint32_t settled = BH_CONN_LINES / 16 * BH_CONN_SETTLED_PARTS;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct bh_conn_setup setup;
		const __u32 key = 0;

		for (__u32 j = 0; j < rows[i].count; j++) {
			struct bh_endpoint endpoint = {.id = rows[i].ids[j],
						       .kind = BH_ENDPOINT_WORKLOAD};

			bpf_map_update_elem(fd, &j, &endpoint, BPF_ANY);
		}
		assert_int_equal(connections_share(dp), 0);
		bpf_map_lookup_elem(bpf_map__fd(dp->skel->maps.bh_conn_setup), &key, &setup);
		assert_row(rows[i].name, setup.settled_each == settled / 2 / rows[i].shares);
		assert_row(rows[i].name,
			   setup.settled_shared + (rows[i].shares - 1) * setup.settled_each ==
				   settled);
		assert_row(rows[i].name,
			   setup.embryonic_each == (BH_CONN_LINES_ALL - BH_CONN_LINES) /
							   BH_CONN_WAYS / rows[i].parts);
		for (__u32 j = 0; j < rows[i].count; j++)
			bpf_map_delete_elem(fd, &j);
	}
}

static void count_event(const struct bh_event *event, const struct bh_event_packet *packet,
			void *user)
{
	(void)packet;
	if (event->verdict == BH_VERDICT_DENY && event->reason)
		++*(unsigned int *)user;
}

/* No policy is in force, so the packet is dropped whatever it is. */
static void a_drop_is_counted_and_reported(void **state)
{
	struct datapath *dp = shared;
	char frame[64] = {[12] = 0x08, [14] = 0x45, [17] = 50, [23] = 17};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame));
	struct bh_count drops[BH_REASON_COUNT];
	struct books books[BH_VERDICT_COUNT];
	unsigned int events = 0;
	uint64_t packets = 0;

	(void)state;
	dp->tables.control->active = 0;
	assert_int_equal(datapath_events_open(dp, count_event, &events), 0);
	assert_true(datapath_events_fd(dp) >= 0);
	assert_int_equal(bpf_prog_test_run_opts(loader_program(dp, PROGRAM_XDP_IN), &opts), 0);
	assert_int_equal(opts.retval, XDP_DROP);
	assert_int_equal(datapath_read_drops(dp, drops), 0);
	for (size_t i = 0; i < BH_REASON_COUNT; i++)
		packets += drops[i].packets;
	assert_int_equal(packets, 1);
	assert_int_equal(datapath_events_consume(dp), 1);
	assert_int_equal(events, 1);
	assert_int_equal(datapath_read_books(dp, books), 0);
	assert_int_equal(books[BH_VERDICT_DENY].produced, 1);
	assert_int_equal(books[BH_VERDICT_DENY].delivered, 1);
	datapath_events_close(dp);
}

static void tables_say_how_full_they_are(void **state)
{
	_datapath_ struct datapath *dp = open_at(NULL);
	struct table_fill tables[32];
	size_t count;
	unsigned int known = 0;

	(void)state;
	swap_to(dp, 10, BH_RULE_FIRST);
	count = datapath_tables(dp, tables, COUNT(tables));
	assert_in_range(count, 1, COUNT(tables));
	for (size_t i = 0; i < count; i++) {
		/* IPv4 prefixes of up to 16 bits take none. */
		if (!strcmp(tables[i].name, "bh_prefixes"))
			known += tables[i].used == 1;
		if (!strcmp(tables[i].name, "bh_blocks"))
			known += tables[i].bytes >= BH_BLOCKS * sizeof(struct bh_block) &&
				 tables[i].used == 4;
		if (!strcmp(tables[i].name, "bh_identities"))
			known += tables[i].used == 3;
	}
	assert_int_equal(known, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_are_summed_over_cpus_and_cleared),
		cmocka_unit_test(counts_are_cleared_when_there_is_time_or_else_by_the_swap),
		cmocka_unit_test_teardown(a_restart_clears_what_was_not_cleared_before, remove_all),
		cmocka_unit_test(a_sweep_frees_what_expired),
		cmocka_unit_test(endpoints_share_the_table),
		cmocka_unit_test(a_drop_is_counted_and_reported),
		cmocka_unit_test(tables_say_how_full_they_are),
	};

	return cmocka_run_group_tests(tests, open_shared, close_shared);
}
