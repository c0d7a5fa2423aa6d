/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <netinet/in.h>
#include <sched.h>

#include "datapath/lanes.h"
#include "tests/bpf/table.h"

#define RATE 3 /* events a second of the rig that limits them */

/* clang-format off */
static const char rules[] =
	"    - {name: web, from: client, to: server, services: tcp/443}\n"
	"    - {name: logged, from: client, to: server, services: [tcp/9000, udp/9000, icmp/echo-request, icmp6/echo-request], log: true}\n"
	"    - {name: no-telnet, from: any, to: any, services: tcp/23, action: deny}\n"
	"    - {name: no-tftp, from: any, to: any, services: udp/69, action: deny}\n";
/* clang-format on */

/* --- the books --- */

static struct books books_of(struct rig *rig, enum bh_verdict verdict)
{
	struct books books[BH_VERDICT_COUNT];

	assert_int_equal(datapath_read_books(rig->dp, books), 0);
	for (int i = 0; i < BH_VERDICT_COUNT; i++)
		assert_int_equal(books[i].produced,
				 books[i].delivered + books[i].suppressed + books[i].lost);
	return books[verdict];
}

static struct books books_since(struct rig *rig, enum bh_verdict verdict, struct books then)
{
	struct books now = books_of(rig, verdict);

	return (struct books){now.produced - then.produced, now.delivered - then.delivered,
			      now.suppressed - then.suppressed, now.lost - then.lost};
}

static uint64_t drops(struct rig *rig)
{
	struct bh_count counts[BH_REASON_COUNT];
	uint64_t packets = 0;

	assert_int_equal(datapath_read_drops(rig->dp, counts), 0);
	for (int i = 0; i < BH_REASON_COUNT; i++)
		packets += counts[i].packets;
	return packets;
}

/* Reading takes some hundred at a time. */
static uint64_t consume_all(struct rig *rig)
{
	uint64_t all = 0;
	size_t n;

	do {
		n = rig_consume(rig);
		all += n;
	} while (n);
	return all;
}

struct burst {
	const char *name;
	struct packet_spec packet;
	enum bh_verdict verdict; /* whose books they go to */
};

/* clang-format off */
static const struct burst bursts[] = {
	{"denied by default", {.dport = 444}, BH_VERDICT_DENY},
	{"denied by a rule", {.dport = 23}, BH_VERDICT_DENY},
	{"denied before any rule", {.flags = "A"}, BH_VERDICT_DENY},
	{"denied from a stranger", {.from = OUTSIDER}, BH_VERDICT_DENY},
	{"denied for another reason", {.icmp = ICMP_UNREACHABLE}, BH_VERDICT_DENY},
	{"audited, of no connection", {.from = OUTSIDER, .to = WATCHED, .icmp = ICMP_TYPE, .type = 42}, BH_VERDICT_AUDIT},
};
/* clang-format on */

/* Who is where for the packet, and its frame. */
static struct frame prepare(struct rig *rig, const struct packet_spec *given, bool is_v6,
			    enum program program)
{
	struct packet_spec spec = *given;

	spec.is_v6 = is_v6;
	if (program_is_ingress(program))
		rig_stand(rig, spec.to ? spec.to : SERVER);
	else
		rig_stand(rig, spec.from ? spec.from : CLIENT);
	return packet_build(&spec);
}

static void suppresses(struct rig *rig, const struct burst *burst, bool is_v6, enum program program)
{
	const char *place = table_place(burst->name, is_v6, program);
	struct frame frame = prepare(rig, &burst->packet, is_v6, program);
	struct books then = books_of(rig, burst->verdict), seen;
	uint64_t dropped = drops(rig);

	rig_age(rig, 2);
	rig_repeat(rig, program, &frame, 10);
	seen = books_since(rig, burst->verdict, then);
	assert_row(place, seen.produced == 10);
	assert_row(place, seen.delivered == RATE);
	assert_row(place, seen.suppressed == 10 - RATE);
	assert_row(place, consume_all(rig) == RATE);
	assert_row(place, drops(rig) - dropped == (burst->verdict == BH_VERDICT_DENY ? 10 : 0));
}

static void events_over_the_rate_are_suppressed_and_counted(void **state)
{
	struct rig *rig = rig_new(RATE);

	(void)state;
	rig_policy(rig, rules);
	for (size_t i = 0; i < COUNT(bursts); i++) {
		for (enum program program = 0; program < PROGRAMS; program++) {
			for (int is_v6 = 0; is_v6 < 2; is_v6++)
				suppresses(rig, &bursts[i], is_v6, program);
		}
	}
	rig_free(rig);
}

/* One burst after another within a second: each has its own rate. */
static void each_source_rule_and_reason_has_its_own_rate(void **state)
{
	struct rig *rig = rig_new(RATE);
	struct books then, seen;

	(void)state;
	rig_policy(rig, rules);
	then = books_of(rig, BH_VERDICT_DENY);
	for (int is_v6 = 0; is_v6 < 2; is_v6++) {
		for (size_t i = 0; bursts[i].verdict == BH_VERDICT_DENY; i++) {
			struct frame frame = prepare(rig, &bursts[i].packet, is_v6, PROGRAM_TO);

			rig_repeat(rig, PROGRAM_TO, &frame, 10);
		}
	}
	/* Both families of a workload are one identity. */
	seen = books_since(rig, BH_VERDICT_DENY, then);
	assert_int_equal(seen.produced, 100);
	assert_int_equal(seen.delivered, 5 * RATE);
	assert_int_equal(seen.suppressed, 100 - 5 * RATE);
	assert_int_equal(consume_all(rig), 5 * RATE);
	rig_free(rig);
}

static void overflows(struct rig *rig, bool is_v6, enum program program)
{
	static const struct packet_spec denied = {.dport = 444};
	const uint64_t room = lanes_each((uint32_t)datapath_cpus(rig->dp));
	const char *place = table_place("a full lane", is_v6, program);
	struct frame frame = prepare(rig, &denied, is_v6, program);
	struct books then = books_of(rig, BH_VERDICT_DENY), seen;
	uint64_t dropped = drops(rig), packets = room + 5000;

	rig_repeat(rig, program, &frame, (int)packets);
	seen = books_since(rig, BH_VERDICT_DENY, then);
	assert_row(place, drops(rig) - dropped == packets);
	assert_row(place, seen.produced == packets);
	assert_row(place, seen.suppressed == 0);
	assert_row(place, seen.lost == 5000);
	assert_row(place, consume_all(rig) == seen.delivered);

	/* There is room again. */
	then = books_of(rig, BH_VERDICT_DENY);
	rig_repeat(rig, program, &frame, 1);
	assert_row(place, books_since(rig, BH_VERDICT_DENY, then).delivered == 1);
	assert_row(place, consume_all(rig) == 1);
}

static void what_a_full_lane_has_no_room_for_is_counted_as_lost(void **state)
{
	struct rig *rig = *state;
	cpu_set_t before, here;

	/* Each CPU has room of its own. */
	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	CPU_ZERO(&here);
	CPU_SET((size_t)sched_getcpu(), &here);
	assert_int_equal(sched_setaffinity(0, sizeof(here), &here), 0);
	rig_policy(rig, rules);
	consume_all(rig);
	for (enum program program = 0; program < PROGRAMS; program++) {
		for (int is_v6 = 0; is_v6 < 2; is_v6++)
			overflows(rig, is_v6, program);
	}
	assert_int_equal(sched_setaffinity(0, sizeof(before), &before), 0);
}

/* --- once per connection --- */

/* clang-format off */
static const struct burst connections[] = {
	{"logged, TCP", {.dport = 9000}, BH_VERDICT_ALLOW},
	{"logged, UDP", {.proto = IPPROTO_UDP, .dport = 9000}, BH_VERDICT_ALLOW},
	{"logged, ping", {.icmp = ICMP_ECHO_REQUEST, .id = 5}, BH_VERDICT_ALLOW},
	{"audited, TCP", {.from = OUTSIDER, .to = WATCHED}, BH_VERDICT_AUDIT},
	{"audited, UDP", {.from = OUTSIDER, .to = WATCHED, .proto = IPPROTO_UDP}, BH_VERDICT_AUDIT},
	{"audited, ping", {.from = OUTSIDER, .to = WATCHED, .icmp = ICMP_ECHO_REQUEST, .id = 5}, BH_VERDICT_AUDIT},
	{"audited, by a rule", {.from = OUTSIDER, .to = WATCHED, .dport = 23}, BH_VERDICT_AUDIT},
	{"audited, without ports", {.from = OUTSIDER, .to = WATCHED, .proto = PROTO_GRE}, BH_VERDICT_AUDIT},
};
/* clang-format on */

static struct packet_spec answer_to(const struct packet_spec *spec)
{
	struct packet_spec answer = *spec;

	answer.from = spec->to ? spec->to : SERVER;
	answer.to = spec->from ? spec->from : CLIENT;
	answer.flags = "SA";
	answer.ack = 1;
	if (spec->icmp)
		answer.icmp = ICMP_ECHO_ANSWER;
	else if (packet_proto(spec) != PROTO_GRE) {
		answer.sport = packet_dport(spec);
		answer.dport = packet_sport(spec);
	}
	return answer;
}

/* Where the answers of what a program sees come by. */
static enum program opposite(enum program program)
{
	switch (program) {
	case PROGRAM_XDP_IN:
	case PROGRAM_HOST_IN:
		return PROGRAM_HOST_OUT;
	case PROGRAM_HOST_OUT:
		return PROGRAM_XDP_IN;
	case PROGRAM_FROM:
		return PROGRAM_TO;
	case PROGRAM_TO:
	case PROGRAMS:
		break;
	}
	return PROGRAM_FROM;
}

static void reports_once(struct rig *rig, const struct burst *c, bool is_v6, enum program program)
{
	const char *place = table_place(c->name, is_v6, program);
	struct packet_spec forth = c->packet, back;
	struct books then = books_of(rig, c->verdict);
	struct outcome outcome;

	prepare(rig, &forth, is_v6, program);
	forth.is_v6 = is_v6;
	back = answer_to(&forth);
	rig_forget(rig);
	outcome = rig_run(rig, place, program, &forth);
	assert_row(place, outcome.events == 1 && outcome.event.verdict == c->verdict);
	assert_row(place, rig_run(rig, place, program, &forth).events == 0);
	assert_row(place, rig_run(rig, place, opposite(program), &back).events == 0);
	assert_row(place, rig_run(rig, place, program, &forth).events == 0);
	/* Decided again, and nothing changed: that is no news. */
	rig_bump(rig);
	assert_row(place, rig_run(rig, place, program, &forth).events == 0);
	assert_row(place, rig_run(rig, place, opposite(program), &back).events == 0);
	assert_row(place, books_since(rig, c->verdict, then).produced == 1);
	/* The same ends, another connection. */
	rig_forget(rig);
	assert_row(place, rig_run(rig, place, program, &forth).events == 1);
}

static void audited_and_logged_connections_are_reported_once(void **state)
{
	struct rig *rig = *state;

	rig_policy(rig, rules);
	for (size_t i = 0; i < COUNT(connections); i++) {
		for (enum program program = 0; program < PROGRAMS; program++) {
			for (int is_v6 = 0; is_v6 < 2; is_v6++)
				reports_once(rig, &connections[i], is_v6, program);
		}
	}
}

/* An allowed connection that the next policy only audits. */
static void a_connection_that_becomes_audited_is_reported_once(void **state)
{
	static const char open[] = "    - {name: open, from: any, to: watch, services: tcp/443}\n";
	static const char closed[] =
		"    - {name: other, from: any, to: watch, services: tcp/80}\n";
	struct packet_spec packet = {.from = OUTSIDER, .to = WATCHED};
	struct rig *rig = *state;

	for (int is_v6 = 0; is_v6 < 2; is_v6++) {
		const char *place = table_place("audited later", is_v6, PROGRAM_TO);
		struct outcome outcome;

		packet.is_v6 = is_v6;
		rig_policy(rig, open);
		prepare(rig, &packet, is_v6, PROGRAM_TO);
		rig_forget(rig);
		assert_row(place, rig_run(rig, place, PROGRAM_TO, &packet).events == 0);
		rig_policy(rig, closed);
		outcome = rig_run(rig, place, PROGRAM_TO, &packet);
		assert_row(place, outcome.is_passed && outcome.events == 1);
		assert_row(place, outcome.event.verdict == BH_VERDICT_AUDIT);
		assert_row(place, rig_run(rig, place, PROGRAM_TO, &packet).events == 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_over_the_rate_are_suppressed_and_counted),
		cmocka_unit_test(each_source_rule_and_reason_has_its_own_rate),
		cmocka_unit_test(what_a_full_lane_has_no_room_for_is_counted_as_lost),
		cmocka_unit_test(audited_and_logged_connections_are_reported_once),
		cmocka_unit_test(a_connection_that_becomes_audited_is_reported_once),
	};

	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
