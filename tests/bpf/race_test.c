/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Two CPUs send packets of the same connections while policies are swapped, addresses change hands,
 * and the table is swept: no verdict is of what was not in force, and the table stays true to
 * itself.
 */
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/conn_lock.h"
#include "bulkhead.skel.h"
#include "tests/bpf/rig.h"
#include "util/clock.h"

#define SENDERS   2
#define RACE_NS   UINT64_C(3000000000)
#define SWAPS_MIN 3  /* an emulated machine takes longer for them */
#define PORTS     40 /* of the client, for each of the */
#define DAYS_2    (2 * UINT64_C(86400000000000))
#define EXACT     30000
#define IS_SHOWN  64 /* faults that are counted, at most */
#define MOVE_US   200
#define MOVES_MIN 100 /* as does a busy one */

/* Which of the two policies allow the service. */
static const struct {
	uint16_t port;
	bool is_allowed[2];
} asked[] = {
	{443, {true, true}},
	{1000, {true, false}},
	{2000, {false, true}},
	{444, {false, false}},
};

static const char *const rules[] = {
	"    - {name: web, from: client, to: server, services: [tcp/443, tcp/1000]}\n",
	"    - {name: web, from: client, to: server, services: [tcp/443, tcp/2000]}\n",
};

/* What a connection's packets look like, in any order. */
static const struct {
	const char *flags;
	bool is_back;
} kinds[] = {
	{"S", false}, {"SA", true},  {"A", false}, {"PA", false},
	{"PA", true}, {"FA", false}, {"FA", true}, {"R", false},
};

#define OPEN_KINDS 5 /* the first ones: a connection that nobody ends */
#define DATA_KIND  3 /* and the next: data from either end */

struct race {
	struct rig *rig;
	int which[BH_SLOTS]; /* policy in each slot */
	__u64 moves;         /* of the client's address: odd while it moves */
	bool is_over;
	struct frame frames[COUNT(asked)][PORTS][COUNT(kinds)];
};

struct sender {
	struct race *race;
	pthread_t thread;
	unsigned int cpu;
	uint32_t seed;
	uint64_t sent, passed, faults;
};

static uint32_t draw(struct sender *s, uint32_t below)
{
	s->seed = s->seed * 1664525 + 1013904223;
	return (s->seed >> 8) % below;
}

static void build_frames(struct race *race)
{
	for (size_t i = 0; i < COUNT(asked); i++) {
		for (uint16_t j = 0; j < PORTS; j++) {
			for (size_t k = 0; k < COUNT(kinds); k++) {
				uint16_t client = 30000 + j, server = asked[i].port;
				bool is_back = kinds[k].is_back;
				struct packet_spec spec = {
					.from = is_back ? SERVER : CLIENT,
					.to = is_back ? CLIENT : SERVER,
					.sport = is_back ? server : client,
					.dport = is_back ? client : server,
					.flags = kinds[k].flags,
					.seq = kinds[k].flags[0] == 'S' ? 100 : 101,
					.ack = 101,
				};

				race->frames[i][j][k] = packet_build(&spec);
			}
		}
	}
}

static void stay_on(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static bool send_frame(struct sender *s, const struct frame *frame, bool is_back)
{
	const struct program_input in = {.bytes = frame->bytes, .len = frame->len, .times = 1};
	enum program program = is_back ? PROGRAM_FROM : PROGRAM_TO;
	int returned;

	if (program_run(s->race->rig->dp, program, &in, &returned))
		s->faults++;
	s->sent++;
	return program_passes(program, returned);
}

/* A packet of one kind, sent while a word may change; what it was before and after. */
struct
try {
	size_t service, kind;
	bool is_passed;
	__u64 word[2];
};

typedef bool (*try_is_right)(const struct race *race, const struct try *t);

/* Of the first services and kinds, until the race is over. */
static void send_until_over(struct sender *s, const __u64 *word, const uint32_t of[2],
			    try_is_right is_right)
{
	struct race *race = s->race;

	stay_on(s->cpu);
	while (!__atomic_load_n(&race->is_over, __ATOMIC_ACQUIRE)) {
		struct try t = {.service = draw(s, of[0])};
		const struct frame *frame;

		t.kind = draw(s, of[1]);
		frame = &race->frames[t.service][draw(s, PORTS)][t.kind];
		t.word[0] = __atomic_load_n(word, __ATOMIC_SEQ_CST);
		t.is_passed = send_frame(s, frame, kinds[t.kind].is_back);
		t.word[1] = __atomic_load_n(word, __ATOMIC_SEQ_CST);
		s->passed += t.is_passed;
		if (!is_right(race, &t) && s->faults < IS_SHOWN)
			s->faults++;
	}
}

/* By what was in force all the time that the packet took. */
static bool is_right(const struct race *race, const struct try *t)
{
	const bool *is_allowed = asked[t->service].is_allowed;
	bool is_steady = t->word[0] == t->word[1];
	int now = race->which[BH_ACTIVE_SLOT(t->word[0])];

	if (!is_allowed[0] && !is_allowed[1])
		return !t->is_passed;
	if (is_steady && !is_allowed[now])
		return !t->is_passed;
	if (is_allowed[0] && is_allowed[1] && !strcmp(kinds[t->kind].flags, "S"))
		return t->is_passed;
	return true;
}

static void *send_all(void *user)
{
	static const uint32_t of[] = {COUNT(asked), COUNT(kinds)};
	struct sender *s = user;

	send_until_over(s, &s->race->rig->dp->tables.control->active, of, is_right);
	return NULL;
}

/* --- what is true of the table whenever nobody writes it --- */

struct census {
	uint32_t used, settled, strays, twins, misplaced;
};

static bool is_same_key(const struct bh_conn *line, const struct bh_conn_rest *rest,
			const struct bh_conn *other, const struct bh_conn_rest *other_rest)
{
	struct bh_conn_key key, other_key;

	bh_conn_key_of(line, rest, &key);
	bh_conn_key_of(other, other_rest, &other_key);
	return !memcmp(&key, &other_key, sizeof(key));
}

static struct census take_census(const struct rig *rig)
{
	size_t line_size, rest_size, tag_size;
	struct bh_conn *lines = rig_share(rig->dp->skel->maps.bh_conns, &line_size);
	struct bh_conn_rest *rests = rig_share(rig->dp->skel->maps.bh_conn_rests, &rest_size);
	struct bh_conn_tags *tags = rig_share(rig->dp->skel->maps.bh_conn_tags, &tag_size);
	struct census census = {};

	for (uint32_t i = 0; i < line_size / sizeof(*lines); i++) {
		bool has_tag = tags[i / BH_CONN_WAYS].tag[i % BH_CONN_WAYS];
		bool is_settled = lines[i].flags & BH_CONN_SETTLED;

		census.strays += has_tag != !!lines[i].ip_version || (lines[i].stamp & 1);
		if (!lines[i].ip_version)
			continue;
		census.used++;
		census.settled += is_settled;
		census.misplaced += is_settled != (i < RIG_CONN_LINES);
		for (uint32_t j = 0; j < i; j++)
			census.twins += is_same_key(&lines[i], &rests[i], &lines[j], &rests[j]);
	}
	munmap(lines, line_size);
	munmap(rests, rest_size);
	munmap(tags, tag_size);
	return census;
}

static void check_table(const struct rig *rig)
{
	const __u32 endpoint = RIG_ENDPOINT, zero = 0;
	struct census census = take_census(rig);
	struct conn_share share;
	struct conn_room room;

	bpf_map_lookup_elem(bpf_map__fd(rig->dp->skel->maps.bh_shares), &endpoint, &share);
	bpf_map_lookup_elem(bpf_map__fd(rig->dp->skel->maps.bh_room), &zero, &room);
	assert_int_equal(census.strays, 0);
	assert_int_equal(census.twins, 0);
	assert_int_equal(census.misplaced, 0);
	assert_int_equal(census.settled, share.settled);
	assert_int_equal(census.settled, room.settled);
}

/* --- the races --- */

static void start(struct race *race, struct sender senders[static SENDERS], void *(*fn)(void *))
{
	for (unsigned int i = 0; i < SENDERS; i++) {
		senders[i] = (struct sender){.race = race, .cpu = i, .seed = i + 1};
		assert_int_equal(pthread_create(&senders[i].thread, NULL, fn, &senders[i]), 0);
	}
}

static void stop(struct race *race, struct sender senders[static SENDERS])
{
	__atomic_store_n(&race->is_over, true, __ATOMIC_RELEASE);
	for (int i = 0; i < SENDERS; i++)
		pthread_join(senders[i].thread, NULL);
}

static void put_in_force(struct race *race, int which)
{
	uint32_t idle = !datapath_slot(race->rig->dp);

	race->which[datapath_generation(race->rig->dp) ? idle : 0] = which;
	rig_policy(race->rig, rules[which]);
}

static struct race *race_new(struct rig *rig)
{
	const struct packet_spec first = {.dport = 444};
	struct race *race = test_calloc(1, sizeof(*race));

	race->rig = rig;
	build_frames(race);
	put_in_force(race, 0);
	while (rig_consume(rig))
		;
	rig_run(rig, "who is where", PROGRAM_TO, &first);
	rig_forget(rig);
	return race;
}

static void no_verdict_is_of_a_policy_that_is_not_in_force(void **state)
{
	struct race *race = race_new(*state);
	struct sender senders[SENDERS];
	uint64_t end = clock_monotonic_ns() + RACE_NS;
	int swaps = 0;

	start(race, senders, send_all);
	while (clock_monotonic_ns() < end || swaps < SWAPS_MIN) {
		put_in_force(race, ++swaps & 1);
		rig_bump(race->rig);
		datapath_sweep(race->rig->dp, clock_monotonic_ns() + (swaps % 8 ? 0 : DAYS_2));
		rig_consume(race->rig);
	}
	stop(race, senders);
	print_message("%d swaps, %d + %d packets\n", swaps, (int)senders[0].sent,
		      (int)senders[1].sent);
	for (int i = 0; i < SENDERS; i++) {
		assert_int_equal(senders[i].faults, 0);
		assert_true(senders[i].passed > 0);
	}
	check_table(race->rig);
	test_free(race);
}

/* Nobody has the address every other time: then nothing passes, and else whatever opens does. */
static bool is_right_of_who_moves(const struct race *race, const struct try *t)
{
	bool is_nobody = t->word[0] / 2 % 2;

	(void)race;
	if (t->word[0] != t->word[1] || t->word[0] % 2)
		return true;
	return is_nobody ? !t->is_passed : t->is_passed || strcmp(kinds[t->kind].flags, "S") != 0;
}

static void *send_of_one_service(void *user)
{
	static const uint32_t of[] = {1, OPEN_KINDS};
	struct sender *s = user;

	send_until_over(s, &s->race->moves, of, is_right_of_who_moves);
	return NULL;
}

static void move_client(struct race *race, uint32_t identity)
{
	const struct bh_addr addr = end_addr(CLIENT, false);

	__atomic_add_fetch(&race->moves, 1, __ATOMIC_SEQ_CST);
	assert_int_equal(datapath_set_identity(race->rig->dp, &addr, identity, true), 0);
	__atomic_add_fetch(&race->moves, 1, __ATOMIC_SEQ_CST);
}

static void no_verdict_is_of_who_had_the_address_before(void **state)
{
	struct race *race = race_new(*state);
	const struct bh_addr client = end_addr(CLIENT, false);
	uint32_t identity = image_identity(&race->rig->compiled->image, &client);
	uint64_t end = clock_monotonic_ns() + RACE_NS / 2;
	struct sender senders[SENDERS];

	start(race, senders, send_of_one_service);
	while (clock_monotonic_ns() < end || race->moves <= MOVES_MIN) {
		move_client(race, 0);
		usleep(MOVE_US);
		move_client(race, identity);
		usleep(MOVE_US);
		rig_consume(race->rig);
	}
	stop(race, senders);
	print_message("%d moves, %d + %d packets\n", (int)race->moves / 2, (int)senders[0].sent,
		      (int)senders[1].sent);
	for (int i = 0; i < SENDERS; i++) {
		assert_int_equal(senders[i].faults, 0);
		assert_true(senders[i].passed > 0);
	}
	check_table(race->rig);
	test_free(race);
}

static void *send_exactly(void *user)
{
	struct sender *s = user;

	stay_on(s->cpu);
	for (int i = 0; i < EXACT; i++)
		s->passed += send_frame(s, &s->race->frames[0][0][DATA_KIND + s->cpu], s->cpu);
	return NULL;
}

static struct connection connection_of(const struct race *race)
{
	const struct packet_spec opener = {.sport = 30000};
	struct seen_connection c;

	assert_int_equal(rig_connection(race->rig, &opener, RIG_ENDPOINT, &c), 0);
	return c.conn;
}

static void open_one(struct race *race)
{
	struct sender sender = {.race = race};

	for (int kind = 0; kind < 3; kind++)
		assert_true(send_frame(&sender, &race->frames[0][0][kind], kinds[kind].is_back));
}

/* Both ends of one connection, each on its own CPU. */
static void send_both_ways(struct race *race)
{
	struct sender senders[SENDERS];

	for (unsigned int i = 0; i < SENDERS; i++) {
		senders[i] = (struct sender){.race = race, .cpu = i};
		assert_int_equal(
			pthread_create(&senders[i].thread, NULL, send_exactly, &senders[i]), 0);
	}
	stop(race, senders);
	for (int i = 0; i < SENDERS; i++)
		assert_int_equal(senders[i].passed, EXACT);
}

static void no_packet_is_left_uncounted(void **state)
{
	struct race *race = race_new(*state);
	struct connection c;

	open_one(race);
	c = connection_of(race);
	assert_int_equal(c.packets[0] + c.packets[1], 3);
	send_both_ways(race);
	c = connection_of(race);
	assert_int_equal(c.packets[0], EXACT + 2);
	assert_int_equal(c.packets[1], EXACT + 1);
	test_free(race);
}

/* --- settling --- */

#define SETTLED_TIMES 25 /* each port's connection */

/* A handshake that lacks its end; then each CPU sends two packets, of which the first one to come
 * completes it. */
static const uint8_t ends_of_handshake[SENDERS][2] = {{2, 3}, {3, 4}};

struct settling {
	struct race *race;
	uint32_t round; /* of the connections, from 1 */
	uint32_t done;  /* senders, in all rounds */
};

struct settler {
	struct settling *settling;
	pthread_t thread;
	struct sender sender;
};

static const struct frame *frame_of_round(const struct race *race, uint32_t round, uint8_t kind)
{
	return &race->frames[0][round % PORTS][kind];
}

static void *settle_all(void *user)
{
	struct settler *s = user;
	struct settling *at = s->settling;

	stay_on(s->sender.cpu);
	for (uint32_t round = 1; round <= PORTS * SETTLED_TIMES; round++) {
		while (__atomic_load_n(&at->round, __ATOMIC_ACQUIRE) < round)
			sched_yield();
		for (size_t i = 0; i < 2; i++) {
			uint8_t kind = ends_of_handshake[s->sender.cpu][i];

			s->sender.passed += send_frame(&s->sender,
						       frame_of_round(at->race, round, kind),
						       kinds[kind].is_back);
		}
		__atomic_add_fetch(&at->done, 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

static void begin_round(struct settling *at, uint32_t round)
{
	struct sender opener = {.race = at->race};

	if (round % PORTS == 0)
		datapath_sweep(at->race->rig->dp, clock_monotonic_ns() + DAYS_2);
	for (uint8_t kind = 0; kind < 2; kind++)
		assert_true(send_frame(&opener, frame_of_round(at->race, round, kind),
				       kinds[kind].is_back));
	__atomic_store_n(&at->round, round, __ATOMIC_RELEASE);
}

static void end_round(const struct settling *at, uint32_t round)
{
	const struct packet_spec opener = {.sport = (uint16_t)(30000 + round % PORTS)};
	struct seen_connection c;

	while (__atomic_load_n(&at->done, __ATOMIC_ACQUIRE) < SENDERS * round)
		sched_yield();
	assert_int_equal(rig_connection(at->race->rig, &opener, RIG_ENDPOINT, &c), 0);
	assert_false(c.is_embryonic);
	assert_int_equal(c.conn.line.state, BH_CONN_ESTABLISHED);
}

static void nothing_is_refused_while_a_connection_settles(void **state)
{
	struct settling at = {.race = race_new(*state)};
	struct settler settlers[SENDERS];

	for (unsigned int i = 0; i < SENDERS; i++) {
		settlers[i] = (struct settler){.settling = &at,
					       .sender = {.race = at.race, .cpu = i}};
		assert_int_equal(
			pthread_create(&settlers[i].thread, NULL, settle_all, &settlers[i]), 0);
	}
	for (uint32_t round = 1; round <= PORTS * SETTLED_TIMES; round++) {
		begin_round(&at, round);
		end_round(&at, round);
	}
	for (unsigned int i = 0; i < SENDERS; i++) {
		pthread_join(settlers[i].thread, NULL);
		assert_int_equal(settlers[i].sender.passed, 2 * PORTS * SETTLED_TIMES);
	}
	check_table(at.race->rig);
	test_free(at.race);
}

/* --- counters that run over --- */

/* Both counters of both halves are set where half of what is sent brings them over. */
static void count_to_the_brink(const struct race *race)
{
	const uint64_t packets = BH_COUNTED_PACKETS(BH_CARRY_OF_PACKETS) - EXACT / 2;
	size_t size;
	struct bh_conn *lines = rig_share(race->rig->dp->skel->maps.bh_conns, &size);

	for (size_t i = 0; i < size / sizeof(*lines); i++) {
		for (int half = 0; half < 2 && lines[i].ip_version; half++)
			lines[i].counted[half] += (packets << BH_COUNTED_SHIFT) +
						  BH_CARRY_OF_BYTES - EXACT;
	}
	munmap(lines, size);
}

static void what_runs_over_is_carried(void **state)
{
	struct race *race = race_new(*state);
	struct connection before, after;

	open_one(race);
	count_to_the_brink(race);
	before = connection_of(race);
	for (int i = 0; i < 2; i++)
		assert_int_equal(before.line.counted[i] & BH_CARRY, 0);
	send_both_ways(race);
	after = connection_of(race);
	for (int i = 0; i < 2; i++) {
		size_t length = race->frames[0][0][DATA_KIND + i].len;

		assert_int_equal(after.packets[i], before.packets[i] + EXACT);
		assert_int_equal(after.bytes[i], before.bytes[i] + EXACT * length);
		assert_true(after.packets[i] > BH_COUNTED_PACKETS(BH_CARRY_OF_PACKETS));
		assert_true(after.bytes[i] > BH_CARRY_OF_BYTES);
		assert_int_equal(after.line.counted[i] & BH_CARRY, 0);
	}
	test_free(race);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_verdict_is_of_a_policy_that_is_not_in_force),
		cmocka_unit_test(no_verdict_is_of_who_had_the_address_before),
		cmocka_unit_test(no_packet_is_left_uncounted),
		cmocka_unit_test(nothing_is_refused_while_a_connection_settles),
		cmocka_unit_test(what_runs_over_is_carried),
	};

	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
