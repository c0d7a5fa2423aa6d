/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What becomes of packets when a table has no room left (CT-15, FR-07), and what `status` says. */
#include <netinet/in.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/fragment_bucket.h"
#include "bulkhead.skel.h"
#include "datapath/internal.h"
#include "tests/bpf/rig.h"
#include "util/clock.h"
#include "util/mem.h"

#define BATCH    4096
#define NS_PER_S UINT64_C(1000000000)
#define DAYS_2   (2 * 86400 * NS_PER_S)
#define UDP      .proto = IPPROTO_UDP
#define PIECE    .is_fragment = true, .payload = 64

static const char rules[] =
	"    - {name: web, from: client, to: server, services: [tcp/443, udp/443]}\n";

static const struct datapath_config small = {.conn_lines = 4 * BH_CONN_GROUP_LINES};

/* Keys that no packet has, as many as go in; values are zeros, but for the first word: @when. */
static uint64_t fill(const struct bpf_map *map, uint64_t when)
{
	size_t key_size = bpf_map__key_size(map), value_size = bpf_map__value_size(map);
	_free_ char *keys = xcalloc(BATCH, key_size);
	_free_ char *values = xcalloc(BATCH, value_size);
	uint64_t done = 0;
	__u32 count = BATCH;

	while (count == BATCH && done < 2 * (uint64_t)bpf_map__max_entries(map)) {
		for (uint32_t i = 0; i < BATCH; i++) {
			uint32_t number = (uint32_t)done + i + 1000000;

			memcpy(keys + i * key_size, &number, sizeof(number));
			memcpy(values + i * value_size, &when,
			       value_size < sizeof(when) ? value_size : sizeof(when));
		}
		bpf_map_update_batch(bpf_map__fd(map), keys, values, &count, NULL);
		done += count;
	}
	return done;
}

static struct table_fill fill_of(struct rig *rig, const char *name)
{
	struct table_fill tables[32];
	size_t count = datapath_tables(rig->dp, tables, COUNT(tables));

	for (size_t i = 0; i < count; i++) {
		if (!strcmp(tables[i].name, name))
			return tables[i];
	}
	fail_msg("no table '%s'", name);
	return (struct table_fill){};
}

static void play_at(struct rig *rig, enum program in, enum program out, bool is_v6, uint16_t sport)
{
	const struct packet_spec steps[] = {
		{.sport = sport, .flags = "S", .seq = 100, .is_v6 = is_v6},
		{.from = SERVER,
		 .to = CLIENT,
		 .sport = SPEC_DPORT,
		 .dport = sport,
		 .flags = "SA",
		 .seq = 500,
		 .ack = 101,
		 .is_v6 = is_v6},
		{.sport = sport, .flags = "A", .seq = 101, .ack = 501, .is_v6 = is_v6},
	};

	assert_true(rig_run(rig, "SYN", in, &steps[0]).is_passed);
	assert_true(rig_run(rig, "answer", out, &steps[1]).is_passed);
	assert_true(rig_run(rig, "ACK", in, &steps[2]).is_passed);
}

static void play(struct rig *rig, bool is_v6, uint16_t sport)
{
	play_at(rig, PROGRAM_TO, PROGRAM_FROM, is_v6, sport);
}

/* Rows of ports that nobody else uses: handshakes, until the endpoint's share is full. */
static uint32_t fill_share(struct rig *rig, uint32_t count)
{
	struct seen_connection c;
	uint32_t settled = 0;

	for (uint32_t i = 0; i < count; i++) {
		const struct packet_spec opener = {.sport = (uint16_t)(10000 + i)};

		play(rig, false, opener.sport);
		assert_int_equal(rig_connection(rig, &opener, RIG_ENDPOINT, &c), 0);
		settled += !c.is_embryonic;
	}
	return settled;
}

static struct bh_conn_setup setup_of(const struct rig *rig)
{
	struct bh_conn_setup setup;
	const __u32 key = 0;

	bpf_map_lookup_elem(bpf_map__fd(rig->dp->skel->maps.bh_conn_setup), &key, &setup);
	return setup;
}

static uint64_t events_of(struct rig *rig, uint32_t rule)
{
	struct bh_tally events;

	assert_int_equal(
		datapath_read_rule_events(rig->dp, datapath_slot(rig->dp), rule, 1, &events), 0);
	return books_of_tally(&events).produced;
}

/* Those that are there stay; new ones work, where a flood may displace them; nothing opens. */
static void a_full_share_displaces_no_connection(void **state)
{
	struct rig *rig = rig_new_config(&small);
	const struct packet_spec old = {.sport = 10000, .flags = "A"};
	const struct packet_spec new = {.sport = 2222, .flags = "A"};
	const struct packet_spec denied = {.dport = 444}, orphan = {.sport = 3333, .flags = "A"};
	uint32_t room = setup_of(rig).settled_shared;
	struct seen_connection c;

	(void)state;
	rig_policy(rig, rules);
	assert_int_equal(fill_share(rig, room), room);
	play(rig, false, 2222);

	assert_true(rig_run(rig, "old", PROGRAM_TO, &old).is_passed);
	assert_int_equal(rig_connection(rig, &new, RIG_ENDPOINT, &c), 0);
	assert_true(c.is_embryonic);
	assert_int_equal(c.conn.line.state, BH_CONN_ESTABLISHED);
	assert_true(rig_run(rig, "data", PROGRAM_TO, &new).is_passed);
	assert_int_equal(rig_run(rig, "denied", PROGRAM_TO, &denied).reason, BH_REASON_POLICY);
	rig_adopt(rig, true);
	assert_int_equal(rig_run(rig, "CT-15 adopted", PROGRAM_TO, &orphan).reason,
			 BH_REASON_TABLE_FULL);

	assert_int_equal(events_of(rig, BH_RULE_FIRST), 1);
	assert_int_equal(events_of(rig, BH_BUILTIN_DEFAULT), 1);

	assert_int_equal(datapath_sweep(rig->dp, clock_monotonic_ns()), 0);
	assert_int_equal(fill_of(rig, "bh_conns").used, room);
	assert_int_equal(fill_of(rig, "bh_embryonic").used, 1);
	assert_int_equal(datapath_sweep(rig->dp, clock_monotonic_ns() + DAYS_2), room + 1);
	assert_int_equal(fill_of(rig, "bh_conns").used, 0);
	assert_true(rig_run(rig, "CT-15 room again", PROGRAM_TO, &orphan).is_passed);
	rig_free(rig);
}

/* Each packet of a connection that wants to settle looks into one bucket for those that ended. */
static void what_expired_gives_way_without_an_agent(void **state)
{
	struct rig *rig = rig_new_config(&small);
	const struct packet_spec new = {.sport = 2222, .flags = "A", .seq = 101, .ack = 501};
	uint32_t room = setup_of(rig).settled_shared;
	struct seen_connection c;

	(void)state;
	rig_policy(rig, rules);
	assert_int_equal(fill_share(rig, room), room);
	rig_age(rig, 2 * 43200);
	play(rig, false, 2222);
	for (int i = 0; i < BH_CONN_GROUP_BUCKETS; i++)
		assert_true(rig_run(rig, "data", PROGRAM_TO, &new).is_passed);
	assert_int_equal(rig_connection(rig, &new, RIG_ENDPOINT, &c), 0);
	assert_false(c.is_embryonic);
	rig_free(rig);
}

/* Whatever one endpoint takes, the others' own shares are theirs. */
static void nobody_takes_anothers_share(void **state)
{
	struct rig *rig = rig_new_config(&small);
	struct bh_conn_setup setup = setup_of(rig);
	struct seen_connection c;

	(void)state;
	rig_policy(rig, rules);
	fill_share(rig, setup.settled_shared);
	for (uint32_t i = 0; i < 2 * setup.settled_each; i++) {
		const struct packet_spec opener = {.sport = (uint16_t)(10000 + i)};

		play_at(rig, PROGRAM_XDP_IN, PROGRAM_HOST_OUT, false, opener.sport);
		assert_int_equal(rig_connection(rig, &opener, BH_ENDPOINT_HOST, &c), 0);
		assert_int_equal(c.is_embryonic, i >= setup.settled_each);
	}
	rig_free(rig);
}

/* Only what nobody answered is displaced, the oldest first, and nothing of other endpoints. */
static void a_flood_displaces_no_connection(void **state)
{
	struct rig *rig = rig_new_config(&small);
	const struct packet_spec data = {.sport = 1111, .flags = "PA", .seq = 101, .ack = 501};
	const struct packet_spec other = {.sport = 1112, .flags = "S", .seq = 100};
	uint32_t room = setup_of(rig).embryonic_each * BH_CONN_WAYS;
	struct seen_connection c;

	(void)state;
	rig_policy(rig, rules);
	play(rig, false, 1111);
	assert_true(rig_run(rig, "another endpoint", PROGRAM_XDP_IN, &other).is_passed);
	for (uint32_t i = 0; i < 70000; i++) {
		struct packet_spec syn = {.sport = (uint16_t)(1 + i % 65535), .seq = i};
		struct frame f;

		syn.sport += syn.sport == 1111;
		syn.is_v6 = i >= 65535;
		f = packet_build(&syn);
		assert_true(rig_passes(rig, "CT-06 a flood", PROGRAM_TO, &f));
	}
	assert_true(rig_run(rig, "data", PROGRAM_TO, &data).is_passed);
	assert_int_equal(rig_connection(rig, &other, BH_ENDPOINT_HOST, &c), 0);
	datapath_sweep(rig->dp, clock_monotonic_ns());
	assert_int_equal(fill_of(rig, "bh_conns").used, 1);
	assert_int_equal(fill_of(rig, "bh_embryonic").used, room + 1);
	rig_free(rig);
}

/* As when workloads come: who was not answered yet lies where its endpoint's part was. */
static void new_parts_lose_nobody(void **state)
{
	static const struct datapath_config roomy = {.conn_lines = 64 * BH_CONN_GROUP_LINES};
	struct rig *rig = rig_new_config(&roomy);
	struct bh_conn_setup before = setup_of(rig), after;

	(void)state;
	rig_policy(rig, rules);
	for (uint16_t i = 0; i < 100; i++) {
		const struct packet_spec opener = {.sport = 1000 + i, .is_v6 = i % 2};

		assert_true(rig_run(rig, "opens", PROGRAM_TO, &opener).is_passed);
	}
	assert_int_equal(connections_join(rig->dp, 4 * RIG_ENDPOINT), 0);
	after = setup_of(rig);
	assert_int_equal(after.embryonic_each, before.embryonic_each / 4);
	assert_int_equal(after.embryonic_before, before.embryonic_each);
	for (uint16_t i = 0; i < 200; i++)
		play(rig, i % 2, 1000 + i);

	assert_int_equal(datapath_sweep(rig->dp, clock_monotonic_ns()), 0);
	assert_int_equal(fill_of(rig, "bh_embryonic").used, 0);
	assert_int_equal(fill_of(rig, "bh_conns").used, 200);
	assert_int_equal(setup_of(rig).embryonic_before, before.embryonic_each);
	assert_int_equal(datapath_sweep(rig->dp, clock_monotonic_ns() + 61 * NS_PER_S), 0);
	assert_int_equal(setup_of(rig).embryonic_before, after.embryonic_each);
	rig_free(rig);
}

static void a_flood_of_fragments_costs_only_fragments(void **state)
{
	struct rig *rig = rig_new_config(&small);
	const struct packet_spec first = {UDP, PIECE, .fragment_id = 7};
	const struct packet_spec tail = {UDP, PIECE, .fragment_id = 7, .offset = 9};
	uint32_t capacity = setup_of(rig).fragments_each * BH_FRAGMENT_WAYS;

	(void)state;
	rig_policy(rig, rules);
	assert_true(rig_run(rig, "FR-07 first", PROGRAM_TO, &first).is_passed);
	assert_true(rig_run(rig, "FR-07 another endpoint's", PROGRAM_XDP_IN, &first).is_passed);
	for (uint32_t i = 0; i < 20 * capacity; i++) {
		const struct packet_spec piece = {UDP, PIECE, .fragment_id = 100 + i};
		struct frame f = packet_build(&piece);

		assert_true(rig_passes(rig, "FR-07 a flood", PROGRAM_TO, &f));
	}
	assert_int_equal(rig_run(rig, "FR-07 displaced", PROGRAM_TO, &tail).reason,
			 BH_REASON_FRAGMENT);
	assert_true(rig_run(rig, "FR-07 again", PROGRAM_TO, &first).is_passed);
	assert_true(rig_run(rig, "FR-07 its tail", PROGRAM_TO, &tail).is_passed);
	assert_true(rig_run(rig, "FR-07 another endpoint's tail", PROGRAM_XDP_IN, &tail).is_passed);
	datapath_sweep(rig->dp, clock_monotonic_ns());
	assert_in_range(fill_of(rig, "bh_fragments").used, capacity / 2, capacity + 1);
	datapath_sweep(rig->dp, clock_monotonic_ns() + DAYS_2);
	assert_int_equal(fill_of(rig, "bh_fragments").used, 0);
	rig_free(rig);
}

/* Every place is somebody else's, who is over the rate. */
static void occupy_limiters(const struct rig *rig)
{
	const __u64 tick = clock_monotonic_ns() >> BH_LIMITER_TICK_SHIFT & BH_LIMITER_TICK_MAX;
	const __u64 other = (UINT64_MAX << BH_LIMITER_KIND_SHIFT) | tick << BH_LIMITER_COUNT_BITS |
			    BH_LIMITER_COUNT_MAX;
	const struct bh_limiter_line line = {
		.way = {other, other, other, other, other, other, other, other}};
	int fd = bpf_map__fd(rig->dp->skel->maps.bh_limiters);

	for (__u32 at = 0; at < BH_LIMITER_LINES; at++)
		assert_int_equal(bpf_map_update_elem(fd, &at, &line, BPF_ANY), 0);
}

static void a_full_limiter_changes_no_verdict_and_loses_no_book(void **state)
{
	struct rig *limited = rig_new(10);
	const struct packet_spec denied = {.dport = 444};

	(void)state;
	rig_policy(limited, rules);
	occupy_limiters(limited);
	for (int i = 0; i < 9; i++) /* rig_run() checks the books */
		assert_int_equal(rig_run(limited, "limited", PROGRAM_TO, &denied).reason,
				 BH_REASON_POLICY);
	rig_free(limited);
}

/* Whoever has no room is nobody, and passes nothing. */
static void an_endpoint_too_many_is_unknown(void **state)
{
	struct rig *rig = *state;
	const struct bpf_map *map = rig->dp->skel->maps.bh_endpoints;
	const struct packet_spec allowed = {};
	const __u32 ifindex = RIG_IFINDEX;

	rig_policy(rig, rules);
	bpf_map_delete_elem(bpf_map__fd(map), &ifindex);
	fill(map, 0);
	rig->is_unknown = true;
	assert_int_equal(rig_run(rig, "full", PROGRAM_TO, &allowed).reason,
			 BH_REASON_UNKNOWN_ENDPOINT);
	assert_int_equal(fill_of(rig, "bh_endpoints").used, fill_of(rig, "bh_endpoints").capacity);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_share_displaces_no_connection),
		cmocka_unit_test(what_expired_gives_way_without_an_agent),
		cmocka_unit_test(nobody_takes_anothers_share),
		cmocka_unit_test(a_flood_displaces_no_connection),
		cmocka_unit_test(new_parts_lose_nobody),
		cmocka_unit_test(a_flood_of_fragments_costs_only_fragments),
		cmocka_unit_test(a_full_limiter_changes_no_verdict_and_loses_no_book),
		cmocka_unit_test(an_endpoint_too_many_is_unknown),
	};

	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
