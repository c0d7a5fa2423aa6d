/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What became of every event, on two CPUs under a flood, with a reader that is too slow; whom an
 * event wakes; and events that come with their packets.
 */
#include <poll.h>
#include <pthread.h>
#include <sched.h>

#include "datapath/program.h"
#include "tests/bpf/table.h"
#include "util/mem.h"

#define SENDERS 2
#define BURST   5000
#define BURSTS  12

/* clang-format off */
static const char rules[] =
	"    - {name: web, from: client, to: server, services: tcp/443}\n"
	"    - {name: no-telnet, from: any, to: any, services: tcp/23, action: deny}\n";

static const struct packet_spec denied[SENDERS] = {
	{.dport = 444}, /* by default */
	{.dport = 23},  /* by the rule */
};
/* clang-format on */

struct sender {
	struct rig *rig;
	pthread_t thread;
	int cpu;
	struct frame frame;
	bool is_failed;
};

static void *send_all(void *user)
{
	struct sender *s = user;
	const struct program_input in = {
		.bytes = s->frame.bytes, .len = s->frame.len, .times = BURST};
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(s->cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
	for (int i = 0; i < BURSTS; i++) {
		int returned;

		s->is_failed |= program_run(s->rig->dp, PROGRAM_TO, &in, &returned) != 0;
	}
	return NULL;
}

static void add(struct books *sum, const struct books *b)
{
	sum->produced += b->produced;
	sum->delivered += b->delivered;
	sum->suppressed += b->suppressed;
	sum->lost += b->lost;
}

static bool is_same(const struct books *a, const struct books *b)
{
	return a->produced == b->produced && a->delivered == b->delivered &&
	       a->suppressed == b->suppressed && a->lost == b->lost;
}

static bool is_balanced(const struct books *b)
{
	return b->produced == b->delivered + b->suppressed + b->lost;
}

/* By CPU, by reason and by verdict: one reading, so all of them come to the same. */
static struct books check_accounts(struct rig *rig)
{
	size_t count = datapath_cpus(rig->dp);
	_free_ struct accounts *cpus = xcalloc(count, sizeof(*cpus));
	struct books drops, by_cpu = {}, by_reason = {}, by_verdict = {}, b;
	struct accounts sum;

	assert_int_equal(datapath_read_accounts(rig->dp, &sum, cpus), 0);
	drops = accounts_of_drops(&sum);
	for (size_t i = 0; i < count; i++) {
		b = accounts_of_drops(&cpus[i]);
		assert_true(is_balanced(&b));
		add(&by_cpu, &b);
	}
	for (int r = 0; r < BH_REASON_COUNT; r++) {
		b = accounts_of_reason(&sum, r);
		assert_int_equal(b.produced, accounts_drops(&sum, r).packets);
		add(&by_reason, &b);
	}
	for (int v = 0; v < BH_VERDICT_COUNT; v++) {
		b = accounts_of_verdict(&sum, v);
		if (!BH_VERDICT_PASSES(v))
			add(&by_verdict, &b);
	}
	assert_true(is_balanced(&drops) && is_same(&drops, &by_cpu) &&
		    is_same(&drops, &by_reason) && is_same(&drops, &by_verdict));
	return drops;
}

/* A reader who looks seldom: lanes are full in between. */
static uint64_t read_meanwhile(struct rig *rig, uint64_t sent)
{
	uint64_t before = 0, read = 0;
	struct books drops;

	do {
		drops = check_accounts(rig);
		assert_true(drops.produced >= before && drops.produced <= sent);
		before = drops.produced;
		read += rig_consume(rig);
	} while (drops.produced < sent);
	return read;
}

static void check_rules(struct rig *rig, const struct books *drops)
{
	struct bh_count decided[BH_RULE_FIRST + 2];
	struct bh_tally events[BH_RULE_FIRST + 2];
	const uint32_t rule[SENDERS] = {BH_BUILTIN_DEFAULT, BH_RULE_FIRST + 1};
	uint32_t slot = datapath_slot(rig->dp);
	struct books sum = {};

	assert_int_equal(datapath_read_rules(rig->dp, slot, 0, COUNT(decided), decided), 0);
	assert_int_equal(datapath_read_rule_events(rig->dp, slot, 0, COUNT(events), events), 0);
	for (int i = 0; i < SENDERS; i++) {
		struct books b = books_of_tally(&events[rule[i]]);

		assert_true(is_balanced(&b));
		assert_int_equal(b.produced, decided[rule[i]].packets);
		add(&sum, &b);
	}
	assert_true(is_same(&sum, drops));
}

static void flood(uint32_t rate)
{
	const uint64_t sent = (uint64_t)SENDERS * BURSTS * BURST + SENDERS;
	struct sender senders[SENDERS];
	struct rig *rig = rig_new(rate);
	struct books drops;
	uint64_t read;
	size_t n;

	rig_policy(rig, rules);
	for (int i = 0; i < SENDERS; i++) {
		senders[i] =
			(struct sender){.rig = rig, .cpu = i, .frame = packet_build(&denied[i])};
		rig_repeat(rig, PROGRAM_TO, &senders[i].frame, 1);
	}
	for (int i = 0; i < SENDERS; i++)
		assert_int_equal(pthread_create(&senders[i].thread, NULL, send_all, &senders[i]),
				 0);
	read = read_meanwhile(rig, sent);
	for (int i = 0; i < SENDERS; i++) {
		pthread_join(senders[i].thread, NULL);
		assert_false(senders[i].is_failed);
	}
	while ((n = rig_consume(rig)))
		read += n;
	drops = check_accounts(rig);
	assert_int_equal(drops.produced, sent);
	assert_int_equal(drops.delivered, read);
	assert_true(rate ? drops.suppressed > 0 : !drops.suppressed);
	check_rules(rig, &drops);
	rig_free(rig);
}

static void books_balance_at_any_moment(void **state)
{
	(void)state;

	flood(0);
	flood(100);
}

static bool is_readable(const struct rig *rig, int timeout_ms)
{
	struct pollfd pollfd = {.fd = datapath_events_fd(rig->dp), .events = POLLIN};

	return poll(&pollfd, 1, timeout_ms) == 1;
}

static void an_event_wakes_only_who_sleeps(void **state)
{
	struct rig *rig = *state;
	struct frame frame = packet_build(&denied[0]);

	rig_policy(rig, rules);
	while (rig_consume(rig))
		;
	rig_repeat(rig, PROGRAM_TO, &frame, 10);
	assert_false(is_readable(rig, 50));
	assert_int_equal(rig_consume(rig), 10);

	datapath_events_sleep(rig->dp);
	assert_false(is_readable(rig, 0));
	rig_repeat(rig, PROGRAM_TO, &frame, 1);
	assert_true(is_readable(rig, 5000));
	assert_int_equal(rig_consume(rig), 1);
	assert_false(is_readable(rig, 0));

	rig_repeat(rig, PROGRAM_TO, &frame, 10);
	assert_false(is_readable(rig, 50));
	assert_int_equal(rig_consume(rig), 10);
}

struct sized {
	const char *name;
	struct packet_spec packet;
};

/* clang-format off */
static const struct sized sized[] = {
	{"a SYN",              {.dport = 444}},
	{"an odd length",      {.dport = 444, .payload = 3}},
	{"exactly as many",    {.dport = 444, .payload = 128 - 54}},
	{"more than is shown", {.dport = 444, .payload = 1000}},
};
/* clang-format on */

static void comes_with_packet(struct rig *rig, const struct sized *c, bool is_v6,
			      enum program program)
{
	const char *place = table_place(c->name, is_v6, program);
	struct packet_spec spec = c->packet;
	struct frame frame;
	size_t shown;

	spec.is_v6 = is_v6;
	frame = packet_build(&spec);
	shown = frame.len < BH_PACKET_BYTES ? frame.len : BH_PACKET_BYTES;
	rig_stand(rig, program_is_ingress(program) ? SERVER : CLIENT);
	rig_repeat(rig, program, &frame, 1);
	assert_row(place, rig_consume(rig) == 1 && rig->has_packet);
	assert_row(place, rig->event.length == frame.len);
	assert_row(place, rig->packet.captured == shown);
	assert_row(place, !memcmp(rig->packet.bytes, frame.bytes, shown));
}

static void events_come_with_packets_if_those_are_wanted(void **state)
{
	struct rig *rig = *state;
	struct frame frame = packet_build(&denied[0]);

	rig_policy(rig, rules);
	while (rig_consume(rig))
		;
	datapath_events_want_packets(rig->dp, true);
	for (size_t i = 0; i < COUNT(sized); i++) {
		for (enum program program = 0; program < PROGRAMS; program++) {
			for (int is_v6 = 0; is_v6 < 2; is_v6++)
				comes_with_packet(rig, &sized[i], is_v6, program);
		}
	}
	datapath_events_want_packets(rig->dp, false);
	rig_stand(rig, SERVER);
	rig_repeat(rig, PROGRAM_TO, &frame, 1);
	assert_true(rig_consume(rig) == 1 && !rig->has_packet);
	check_accounts(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(books_balance_at_any_moment),
		cmocka_unit_test(an_event_wakes_only_who_sleeps),
		cmocka_unit_test(events_come_with_packets_if_those_are_wanted),
	};

	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
