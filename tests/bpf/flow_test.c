/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The flow log: every way a connection ends is told, and what is told is all that was carried. */
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bulkhead.skel.h"
#include "tests/bpf/rig.h"
#include "util/clock.h"

#define INTERVAL_S 60
#define NS_PER_S   UINT64_C(1000000000)
#define SENDERS    2
#define RACE_NS    UINT64_C(3000000000)
#define PORTS      24
#define FLOWS_MAX  64

static const char rules[] =
	"    - {name: web, from: client, to: server, services: [tcp/443, udp/443]}\n";

#define assert_row_int(name, seen, wanted)                                                         \
	do {                                                                                       \
		uintmax_t seen_ = (seen), wanted_ = (wanted);                                      \
		if (seen_ != wanted_)                                                              \
			fail_msg("%s: %s is %ju, wanted %ju", (name), #seen, seen_, wanted_);      \
	} while (0)

struct told {
	struct bh_flow flows[FLOWS_MAX]; /* the first ones */
	size_t count;
	uint64_t packets, bytes; /* of all */
};

static void note(const struct bh_flow *flow, void *user)
{
	struct told *told = user;

	if (told->count < FLOWS_MAX)
		told->flows[told->count] = *flow;
	told->count++;
	told->packets += flow->packets[0] + flow->packets[1];
	told->bytes += flow->bytes[0] + flow->bytes[1];
}

static struct told read_all(const struct rig *rig)
{
	struct told told = {};

	while (datapath_flows_read(rig->dp, note, &told))
		datapath_flows_done(rig->dp);
	return told;
}

static void begin(struct rig *rig)
{
	rig_policy(rig, rules);
	rig_forget(rig);
	rig_stand(rig, SERVER);
	read_all(rig);
}

/* '>' from the opener, '<' from the other end. */
static void send_one(struct rig *rig, char way, const char *flags, uint32_t payload)
{
	struct packet_spec spec = {
		.sport = 30000,
		.dport = 443,
		.flags = flags,
		.seq = flags && flags[0] == 'S' ? 100 : 101,
		.ack = 101,
		.payload = payload,
		.proto = flags ? 0 : IPPROTO_UDP,
	};

	if (way == '<') {
		spec.from = SERVER;
		spec.to = CLIENT;
		spec.sport = 443;
		spec.dport = 30000;
	}
	rig_run(rig, flags ? flags : "UDP", way == '<' ? PROGRAM_FROM : PROGRAM_TO, &spec);
}

static void shake_hands(struct rig *rig)
{
	send_one(rig, '>', "S", 0);
	send_one(rig, '<', "SA", 0);
	send_one(rig, '>', "A", 0);
}

static void sweep_after(const struct rig *rig, uint32_t seconds)
{
	assert_true(datapath_sweep(rig->dp, clock_monotonic_ns() + seconds * NS_PER_S) >= 0);
}

/* --- every end --- */

static void expire(struct rig *rig)
{
	rig_age(rig, 43200);
	sweep_after(rig, 0);
}

static void expire_by_packet(struct rig *rig)
{
	rig_age(rig, 43200);
	send_one(rig, '>', "A", 0);
}

static void close_both(struct rig *rig)
{
	send_one(rig, '>', "FA", 0);
	send_one(rig, '<', "FA", 0);
	rig_age(rig, 10);
	sweep_after(rig, 0);
}

static void reopen(struct rig *rig)
{
	send_one(rig, '>', "FA", 0);
	send_one(rig, '<', "FA", 0);
	send_one(rig, '>', "S", 0);
}

static void end_by_policy(struct rig *rig)
{
	rig_policy(rig, "    - {name: web, from: client, to: server, services: tcp/80}\n");
	send_one(rig, '>', "A", 0);
}

static void go_on(struct rig *rig)
{
	sweep_after(rig, INTERVAL_S + 1);
}

/* clang-format off */
static const struct {
	const char *name;
	void (*end)(struct rig *rig);
	enum bh_flow_why why;
	uint64_t packets[2];
} ends[] = {
	{"silent for long", expire, BH_FLOW_EXPIRED, {2, 1}},
	{"found silent by a packet", expire_by_packet, BH_FLOW_EXPIRED, {2, 1}},
	{"closed by both", close_both, BH_FLOW_CLOSED, {3, 2}},
	{"opened again", reopen, BH_FLOW_CLOSED, {3, 2}},
	{"revoked", end_by_policy, BH_FLOW_REVOKED, {2, 1}},
	{"goes on", go_on, BH_FLOW_ONGOING, {2, 1}},
};
/* clang-format on */

static void every_end_is_told_with_what_was_carried(void **state)
{
	struct rig *rig = *state;

	for (size_t i = 0; i < COUNT(ends); i++) {
		struct told told;

		begin(rig);
		shake_hands(rig);
		ends[i].end(rig);
		told = read_all(rig);
		assert_row_int(ends[i].name, told.count, 1);
		assert_row_int(ends[i].name, told.flows[0].why, ends[i].why);
		assert_row_int(ends[i].name, told.flows[0].packets[0], ends[i].packets[0]);
		assert_row_int(ends[i].name, told.flows[0].packets[1], ends[i].packets[1]);
		assert_row_int(ends[i].name, told.flows[0].key.endpoint, RIG_ENDPOINT);
		assert_row_int(ends[i].name, told.flows[0].verdict, BH_VERDICT_ALLOW);
		assert_row_int(ends[i].name, told.flows[0].tcp_flags[1] & 0x12, 0x12);
		assert_row_string(ends[i].name, rig_rule_name(rig, told.flows[0].rule), "web");
	}
}

/* A bucketful that nobody answered at a time: whoever begins then displaces the oldest. */
static void share_one_bucket(const struct rig *rig)
{
	int fd = bpf_map__fd(rig->dp->skel->maps.bh_conn_setup);
	struct bh_conn_setup setup;
	const __u32 zero = 0;

	assert_int_equal(bpf_map_lookup_elem(fd, &zero, &setup), 0);
	setup.embryonic_each = setup.embryonic_before = 1;
	assert_int_equal(bpf_map_update_elem(fd, &zero, &setup, BPF_ANY), 0);
}

/* The @number-th of those that nobody answers. */
static struct frame opener_of(int number)
{
	const struct packet_spec spec = {.proto = number % 2 ? IPPROTO_UDP : IPPROTO_TCP,
					 .sport = (uint16_t)(20000 + number)};

	return packet_build(&spec);
}

static void who_is_displaced_is_told(void **state)
{
	struct rig *rig = *state;
	struct told told;

	begin(rig);
	share_one_bucket(rig);
	for (int i = 0; i <= BH_CONN_WAYS; i++) {
		struct frame f = opener_of(i);

		assert_true(rig_passes(rig, "opens", PROGRAM_TO, &f));
	}
	told = read_all(rig);
	assert_int_equal(connections_share(rig->dp), 0);
	assert_int_equal(told.count, 1);
	assert_int_equal(told.flows[0].why, BH_FLOW_DISPLACED);
	assert_int_equal(told.flows[0].packets[0], 1);
	assert_int_equal(told.flows[0].key.proto, IPPROTO_TCP);
}

static void cleartext_where_tls_is_due_is_told(void **state)
{
	struct rig *rig = *state;
	struct told told;

	begin(rig);
	rig_policy(rig, "    - {name: web, from: client, to: server, services: tcp/443, "
			"require: tls}\n");
	shake_hands(rig);
	send_one(rig, '>', "PA", 100);
	rig_age(rig, 60);
	sweep_after(rig, 0);
	told = read_all(rig);
	assert_int_equal(told.count, 1);
	assert_int_equal(told.flows[0].why, BH_FLOW_PLAINTEXT);
	assert_int_equal(told.packets, 3);
}

/* --- what settles --- */

/* The line that the connection is in, of those behind or before that in which it settles. */
static uint32_t line_of(const struct rig *rig, uint32_t first, uint32_t last)
{
	size_t size;
	const struct bh_conn *lines = rig_share(rig->dp->skel->maps.bh_conns, &size);
	uint32_t line = first;

	while (line < last && !lines[line].ip_version)
		line++;
	assert_true(line < last);
	munmap((void *)(uintptr_t)lines, size);
	return line;
}

static struct bh_conn conn_in(const struct rig *rig, uint32_t line)
{
	struct bh_conn conn;
	int fd = bpf_map__fd(rig->dp->skel->maps.bh_conns);

	assert_int_equal(bpf_map_lookup_elem(fd, &line, &conn), 0);
	return conn;
}

static void put_conn(const struct rig *rig, uint32_t line, const struct bh_conn *conn)
{
	int fd = bpf_map__fd(rig->dp->skel->maps.bh_conns);

	assert_int_equal(bpf_map_update_elem(fd, &line, conn, BPF_ANY), 0);
}

/* Though it is not answered, it stays for long. */
static void keep(const struct rig *rig, uint32_t line)
{
	struct bh_conn conn = conn_in(rig, line);

	conn.timeout = BH_TIMEOUT_TCP_ESTABLISHED;
	put_conn(rig, line, &conn);
}

/* In a line that has none; as by a CPU that is slower than the one which took the connection away.
 */
static void count_late(const struct rig *rig, uint32_t line)
{
	struct bh_conn conn = conn_in(rig, line);

	assert_int_equal(conn.ip_version, 0);
	conn.counted[0] += BH_COUNTED_ONE(77);
	put_conn(rig, line, &conn);
}

/* What was told goes along, and so is told once; what is counted where it was is told as late. */
static void what_settles_is_told_once(void **state)
{
	struct rig *rig = *state;
	struct told told;
	uint32_t line;

	begin(rig);
	send_one(rig, '>', "S", 0);
	line = line_of(rig, RIG_CONN_LINES, BH_CONN_ALL_OF(RIG_CONN_LINES));
	keep(rig, line);
	sweep_after(rig, INTERVAL_S + 1);
	assert_int_equal(read_all(rig).packets, 1);
	send_one(rig, '<', "SA", 0);
	send_one(rig, '>', "A", 0);
	line_of(rig, 0, RIG_CONN_LINES);
	count_late(rig, line);
	sweep_after(rig, 0);
	told = read_all(rig);
	assert_int_equal(told.count, 1);
	assert_int_equal(told.flows[0].why, BH_FLOW_LATE);
	assert_int_equal(told.flows[0].packets[0], 1);
	assert_int_equal(told.flows[0].bytes[0], 77);
	expire(rig);
	told = read_all(rig);
	assert_int_equal(told.count, 1);
	assert_int_equal(told.flows[0].why, BH_FLOW_EXPIRED);
	assert_int_equal(told.flows[0].packets[0], 1);
	assert_int_equal(told.flows[0].packets[1], 1);
}

/* --- what goes on --- */

static void each_record_has_what_came_since_the_one_before(void **state)
{
	struct rig *rig = *state;
	struct told told;

	begin(rig);
	send_one(rig, '>', NULL, 10);
	send_one(rig, '<', NULL, 20);
	sweep_after(rig, 1);
	assert_int_equal(read_all(rig).count, 0); /* not yet */
	sweep_after(rig, INTERVAL_S + 1);
	sweep_after(rig, INTERVAL_S + 1); /* nothing came in between */
	send_one(rig, '>', NULL, 30);
	sweep_after(rig, 2 * INTERVAL_S + 2);
	rig_age(rig, 180);
	sweep_after(rig, 0);

	told = read_all(rig);
	assert_int_equal(told.count, 3);
	assert_int_equal(told.flows[0].why, BH_FLOW_ONGOING);
	assert_int_equal(told.flows[0].packets[0], 1);
	assert_int_equal(told.flows[0].packets[1], 1);
	assert_int_equal(told.flows[0].bytes[1] - told.flows[0].bytes[0], 10);
	assert_int_equal(told.flows[0].since, told.flows[0].created);
	assert_int_equal(told.flows[1].why, BH_FLOW_ONGOING);
	assert_int_equal(told.flows[1].packets[0], 1);
	assert_int_equal(told.flows[1].packets[1], 0);
	assert_int_equal(told.flows[1].bytes[1], 0);
	assert_int_equal(told.flows[1].created, told.flows[0].created);
	assert_int_equal(told.flows[2].why, BH_FLOW_EXPIRED);
	assert_int_equal(told.flows[2].packets[0] + told.flows[2].packets[1], 0);
	for (int i = 1; i < 3; i++) {
		assert_int_equal(told.flows[i].line, told.flows[0].line);
		assert_int_equal(told.flows[i].stamp, told.flows[0].stamp);
	}
}

static void what_is_counted_after_the_end_is_told_as_late(void **state)
{
	struct rig *rig = *state;
	struct bh_conn line;
	struct told told;

	begin(rig);
	shake_hands(rig);
	expire(rig);
	told = read_all(rig);
	assert_int_equal(told.count, 1);
	line = conn_in(rig, told.flows[0].line);
	line.counted[1] += BH_COUNTED_ONE(77);
	put_conn(rig, told.flows[0].line, &line);
	sweep_after(rig, 0);
	sweep_after(rig, 0);
	told = read_all(rig);
	assert_int_equal(told.count, 1);
	assert_int_equal(told.flows[0].why, BH_FLOW_LATE);
	assert_int_equal(told.flows[0].packets[0], 0);
	assert_int_equal(told.flows[0].packets[1], 1);
	assert_int_equal(told.flows[0].bytes[1], 77);
	assert_int_equal(told.flows[0].key.ip_version, 4);

	/* Before the line is taken again: of the old connection still. */
	line.counted[1] += BH_COUNTED_ONE(0);
	put_conn(rig, told.flows[0].line, &line);
	shake_hands(rig);
	told = read_all(rig);
	assert_int_equal(told.count, 1);
	assert_int_equal(told.flows[0].why, BH_FLOW_LATE);
	assert_int_equal(told.packets, 1);
	expire(rig);
	assert_int_equal(read_all(rig).packets, 3);
}

static void what_was_read_but_not_done_with_is_read_again(void **state)
{
	struct rig *rig = *state;
	struct told told = {};

	begin(rig);
	shake_hands(rig);
	go_on(rig);
	assert_int_equal(datapath_flows_read(rig->dp, note, &told), 1);
	assert_int_equal(datapath_flows_open(rig->dp), 0);
	assert_int_equal(datapath_flows_read(rig->dp, note, &told), 1);
	datapath_flows_done(rig->dp);
	assert_int_equal(datapath_flows_read(rig->dp, note, &told), 0);
	assert_memory_equal(&told.flows[0], &told.flows[1], sizeof(told.flows[0]));
}

static void what_finds_the_ring_full_is_booked_as_lost(void **state)
{
	const struct packet_spec denied = {.dport = 444};
	struct frame frames[BH_CONN_WAYS + 1];
	const int sent = BH_FLOW_RING_BYTES / (int)sizeof(struct bh_flow) + BH_CONN_WAYS;
	struct bh_flow_books before, after;
	struct rig *rig = *state;
	struct told told;

	begin(rig);
	rig_run(rig, "who is where", PROGRAM_TO, &denied);
	share_one_bucket(rig);
	for (size_t i = 0; i < COUNT(frames); i++)
		frames[i] = opener_of((int)i);
	assert_int_equal(datapath_read_flow_books(rig->dp, &before), 0);
	for (int i = 0; i < sent; i++)
		assert_true(rig_passes(rig, "opens", PROGRAM_TO, &frames[i % COUNT(frames)]));
	assert_int_equal(datapath_read_flow_books(rig->dp, &after), 0);
	told = read_all(rig);
	assert_int_equal(connections_share(rig->dp), 0);
	assert_true(after.lost > before.lost);
	assert_int_equal(after.told - before.told, told.count);
	/* The last ones still have their places. */
	assert_int_equal(told.packets + after.lost_packets - before.lost_packets,
			 sent - BH_CONN_WAYS);
}

/* --- two CPUs --- */

struct sender {
	struct rig *rig;
	pthread_t thread;
	const bool *is_over;
	const struct frame *frames; /* PORTS * COUNT(kinds) */
	unsigned int cpu;
	uint32_t seed;
	uint64_t packets, bytes; /* that passed */
};

static const struct {
	const char *flags;
	bool is_back;
} kinds[] = {
	{"S", false}, {"SA", true}, {"A", false}, {"PA", true}, {"FA", false}, {"FA", true},
};

static uint32_t draw(struct sender *s, uint32_t below)
{
	s->seed = s->seed * 1664525 + 1013904223;
	return (s->seed >> 8) % below;
}

static void *send_all(void *user)
{
	struct sender *s = user;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(s->cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
	while (!__atomic_load_n(s->is_over, __ATOMIC_ACQUIRE)) {
		uint32_t kind = draw(s, COUNT(kinds));
		const struct frame *frame = &s->frames[draw(s, PORTS) * COUNT(kinds) + kind];
		const struct program_input in = {
			.bytes = frame->bytes, .len = frame->len, .times = 1};
		enum program program = kinds[kind].is_back ? PROGRAM_FROM : PROGRAM_TO;
		int returned;

		if (program_run(s->rig->dp, program, &in, &returned))
			abort();
		if (!program_passes(program, returned))
			continue;
		s->packets++;
		s->bytes += frame->len;
	}
	return NULL;
}

static struct frame *build_frames(void)
{
	struct frame *frames = test_calloc(PORTS * COUNT(kinds), sizeof(*frames));

	for (uint16_t port = 0; port < PORTS; port++) {
		for (size_t kind = 0; kind < COUNT(kinds); kind++) {
			bool is_back = kinds[kind].is_back;
			const struct packet_spec spec = {
				.from = is_back ? SERVER : CLIENT,
				.to = is_back ? CLIENT : SERVER,
				.sport = is_back ? 443 : 30000 + port,
				.dport = is_back ? 30000 + port : 443,
				.flags = kinds[kind].flags,
				.seq = kinds[kind].flags[0] == 'S' ? 100 : 101,
				.ack = 101,
				.payload = kinds[kind].flags[0] == 'P' ? port * 7 : 0,
			};

			frames[port * COUNT(kinds) + kind] = packet_build(&spec);
		}
	}
	return frames;
}

/* Revokes and allows, expires and tells, as fast as it goes. */
static void disturb(struct rig *rig, struct told *told)
{
	uint64_t end = clock_monotonic_ns() + RACE_NS;

	for (uint32_t i = 0; clock_monotonic_ns() < end; i++) {
		rig_policy(
			rig,
			i % 4 ? rules
			      : "    - {name: none, from: client, to: server, services: tcp/1}\n");
		datapath_sweep(rig->dp, clock_monotonic_ns() + (i % 3 * 30000) * NS_PER_S);
		rig_consume(rig);
		while (datapath_flows_read(rig->dp, note, told))
			datapath_flows_done(rig->dp);
	}
}

static void two_cpus_lose_nothing_and_tell_nothing_twice(void **state)
{
	struct rig *rig = *state;
	const struct packet_spec first = {.dport = 444};
	struct frame *frames = build_frames();
	struct sender senders[SENDERS];
	struct bh_flow_books before, after;
	struct told told = {};
	bool is_over = false;

	begin(rig);
	rig_run(rig, "who is where", PROGRAM_TO, &first);
	assert_int_equal(datapath_read_flow_books(rig->dp, &before), 0);
	for (unsigned int i = 0; i < SENDERS; i++) {
		senders[i] = (struct sender){
			.rig = rig, .is_over = &is_over, .frames = frames, .cpu = i, .seed = i + 1};
		assert_int_equal(pthread_create(&senders[i].thread, NULL, send_all, &senders[i]),
				 0);
	}
	disturb(rig, &told);
	__atomic_store_n(&is_over, true, __ATOMIC_RELEASE);
	for (int i = 0; i < SENDERS; i++)
		pthread_join(senders[i].thread, NULL);
	sweep_after(rig, 100000);
	sweep_after(rig, 100000);
	while (datapath_flows_read(rig->dp, note, &told))
		datapath_flows_done(rig->dp);
	assert_int_equal(datapath_read_flow_books(rig->dp, &after), 0);
	print_message("%zu records, %ju packets\n", told.count, (uintmax_t)told.packets);
	assert_int_equal(after.told - before.told, told.count);
	assert_int_equal(after.lost, before.lost);
	assert_int_equal(told.packets, senders[0].packets + senders[1].packets);
	assert_int_equal(told.bytes, senders[0].bytes + senders[1].bytes);
	assert_true(told.packets > 1000);
	test_free(frames);
}

static int setup(void **state)
{
	const struct datapath_config config = {
		.conn_lines = RIG_CONN_LINES,
		.flow_interval_s = INTERVAL_S,
	};
	struct rig *rig = rig_new_config(&config);

	assert_int_equal(datapath_flows_open(rig->dp), 0);
	*state = rig;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_end_is_told_with_what_was_carried),
		cmocka_unit_test(who_is_displaced_is_told),
		cmocka_unit_test(cleartext_where_tls_is_due_is_told),
		cmocka_unit_test(what_settles_is_told_once),
		cmocka_unit_test(each_record_has_what_came_since_the_one_before),
		cmocka_unit_test(what_is_counted_after_the_end_is_told_as_late),
		cmocka_unit_test(what_was_read_but_not_done_with_is_read_again),
		cmocka_unit_test(what_finds_the_ring_full_is_booked_as_lost),
		cmocka_unit_test(two_cpus_lose_nothing_and_tell_nothing_twice),
	};

	return cmocka_run_group_tests(tests, setup, rig_teardown);
}
