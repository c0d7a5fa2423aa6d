/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Denied packets by the hundred: what is noted of them saves work, and changes nothing else. */
#include <netinet/in.h>
#include <unistd.h>

#include "tests/bpf/table.h"

#define RATE    3
#define PACKETS 40
#define PORT    444

#define SECOND_US 1100000 /* of the limiter, and some more */

static const char no_rules[] = "    - {name: web, from: client, to: server, services: tcp/80}\n";

/* All that counts packets of the flood. */
struct counts {
	struct bh_count rule;
	struct bh_tally events;
	struct bh_count drops;
	struct bh_count dropped;
};

static struct counts counts_of(struct rig *rig, enum program program)
{
	struct bh_count drops[BH_REASON_COUNT], rules[BH_RULE_FIRST];
	struct bh_tally events[BH_RULE_FIRST];
	struct bh_endpoint_count endpoint;
	uint32_t slot = datapath_slot(rig->dp);
	uint16_t id = program_is_host(program) ? BH_ENDPOINT_HOST : RIG_ENDPOINT;

	assert_int_equal(datapath_read_drops(rig->dp, drops), 0);
	assert_int_equal(datapath_read_rules(rig->dp, slot, 0, BH_RULE_FIRST, rules), 0);
	assert_int_equal(datapath_read_rule_events(rig->dp, slot, 0, BH_RULE_FIRST, events), 0);
	assert_int_equal(datapath_read_endpoint(rig->dp, id, &endpoint), 0);
	return (struct counts){
		.rule = rules[BH_BUILTIN_DEFAULT],
		.events = events[BH_BUILTIN_DEFAULT],
		.drops = drops[BH_REASON_POLICY],
		.dropped = endpoint.dropped[program_is_ingress(program) ? BH_INGRESS : BH_EGRESS],
	};
}

static void is_more(const char *place, struct bh_count then, struct bh_count now, uint64_t bytes)
{
	assert_row(place, now.packets - then.packets == PACKETS);
	assert_row(place, now.bytes - then.bytes == bytes);
}

static struct packet_spec denied(bool is_v6, uint8_t proto)
{
	return (struct packet_spec){.is_v6 = is_v6, .proto = proto, .dport = PORT};
}

/* One of them, each from a source port of its own. */
static struct frame flood_frame(struct packet_spec spec, uint16_t number)
{
	spec.sport = 1024 + number;
	return packet_build(&spec);
}

/* From the @first on; returns their bytes. */
static uint64_t flood_from(struct rig *rig, const char *place, enum program program,
			   const struct packet_spec *spec, uint16_t first)
{
	uint64_t bytes = 0;

	for (uint16_t i = first; i < PACKETS; i++) {
		struct frame frame = flood_frame(*spec, i);

		assert_row(place, !rig_passes(rig, place, program, &frame));
		bytes += frame.len;
	}
	return bytes;
}

/* To who takes the place only now: what was noted before holds no longer. */
static uint64_t flood(struct rig *rig, const char *place, enum program program,
		      struct packet_spec spec)
{
	struct frame frame = flood_frame(spec, 0);

	rig_stand(rig, program_is_ingress(program) ? SERVER : CLIENT);
	rig_repeat(rig, program, &frame, 1);
	return frame.len + flood_from(rig, place, program, &spec, 1);
}

static bool is_noted(const struct rig *rig)
{
	return rig->dp->tables.control->flood_until;
}

static void counts_each(struct rig *rig, enum program program, bool is_v6, uint8_t proto)
{
	const char *place = table_place(proto == IPPROTO_UDP ? "UDP" : "TCP", is_v6, program);
	struct counts then, now;
	uint64_t bytes;

	rig_age(rig, 2);
	then = counts_of(rig, program);
	bytes = flood(rig, place, program, denied(is_v6, proto));
	now = counts_of(rig, program);
	is_more(place, then.rule, now.rule, bytes);
	is_more(place, then.drops, now.drops, bytes);
	is_more(place, then.dropped, now.dropped, bytes);
	assert_row(place, now.events.delivered - then.events.delivered == RATE);
	assert_row(place, now.events.suppressed - then.events.suppressed == PACKETS - RATE);
	/* What a workload sends has no short way. */
	assert_row(place, is_noted(rig) == (program != PROGRAM_FROM));
}

static void each_packet_of_a_flood_is_counted(void **state)
{
	struct rig *rig = *state;

	rig_policy(rig, no_rules);
	for (enum program program = 0; program < PROGRAMS; program++) {
		for (int is_v6 = 0; is_v6 < 2; is_v6++) {
			counts_each(rig, program, is_v6, IPPROTO_TCP);
			counts_each(rig, program, is_v6, IPPROTO_UDP);
		}
	}
}

static uint64_t delivered(struct rig *rig, enum program program)
{
	return counts_of(rig, program).events.delivered;
}

static void each_second_of_a_flood_has_its_events(void **state)
{
	static const enum program programs[] = {PROGRAM_XDP_IN, PROGRAM_TO};
	struct rig *rig = *state;
	uint64_t then;

	rig_policy(rig, no_rules);
	for (int is_v6 = 0; is_v6 < 2; is_v6++) {
		enum program program = programs[is_v6];
		const char *place = table_place("TCP", is_v6, program);
		const struct packet_spec spec = denied(is_v6, 0);

		flood(rig, place, program, spec);
		then = delivered(rig, program);
		usleep(SECOND_US);
		flood_from(rig, place, program, &spec, 0);
		/* Who is slow sees the next second begin, too. */
		assert_row(place, delivered(rig, program) - then >= RATE);
	}
}

/* --- what goes on meanwhile --- */

static bool passes(struct rig *rig, enum program program, const struct packet_spec *spec)
{
	struct frame frame = packet_build(spec);

	return rig_passes(rig, "beside a flood", program, &frame);
}

static void a_policy_that_allows_it_does_so_at_once(void **state)
{
	static const char rules[] =
		"    - {name: now, from: client, to: server, services: [tcp/444, udp/444]}\n";
	struct rig *rig = *state;

	for (enum program program = 0; program < PROGRAMS; program++) {
		for (int is_v6 = 0; is_v6 < 2; is_v6++) {
			struct packet_spec tcp = denied(is_v6, 0), udp = denied(is_v6, IPPROTO_UDP);

			rig_policy(rig, no_rules);
			rig_forget(rig);
			flood(rig, "TCP", program, tcp);
			flood(rig, "UDP", program, udp);
			rig_policy(rig, rules);
			assert_true(passes(rig, program, &tcp));
			assert_true(passes(rig, program, &udp));
		}
	}
}

/* What was denied as the server's is only passing through, from then on. */
static void an_address_that_goes_elsewhere_is_no_longer_denied(void **state)
{
	struct rig *rig = *state;

	rig_policy(rig, no_rules);
	for (int is_v6 = 0; is_v6 < 2; is_v6++) {
		struct packet_spec spec = denied(is_v6, IPPROTO_UDP);
		struct frame frame = packet_build(&spec);

		flood(rig, "to the server", PROGRAM_XDP_IN, spec);
		rig_stand(rig, NODE);
		rig_repeat(rig, PROGRAM_XDP_IN, &frame, 1);
		assert_true(passes(rig, PROGRAM_XDP_IN, &spec));
	}
}

/* From where the server asks, and where answers come in. */
struct road {
	enum program out, in;
};

/* The server asks from the very port that the client floods. */
static void answer_passes(struct rig *rig, const struct road *road, bool is_v6,
			  const struct packet_spec *question)
{
	const struct packet_spec like = {
		.is_v6 = is_v6,
		.proto = question->proto,
		.dport = question->sport,
	};
	struct packet_spec answer = like;

	answer.sport = question->dport;
	flood(rig, "before", road->in, like);
	assert_false(passes(rig, road->in, &answer));
	assert_true(passes(rig, road->out, question));
	flood(rig, "meanwhile", road->in, like);
	assert_true(passes(rig, road->in, &answer));
	if (question->proto != IPPROTO_UDP)
		return;
	assert_true(passes(rig, road->out, question));
	assert_true(passes(rig, road->in, &answer));
}

static void an_answer_that_looks_like_the_flood_passes(void **state)
{
	static const char rules[] =
		"    - {name: ask, from: server, to: client, services: [tcp/5300, udp/5300]}\n"
		"    - {name: tell, from: server, to: client, services: [tcp/5301, udp/5301], "
		"log: true}\n";
	static const struct road roads[] = {
		{PROGRAM_FROM, PROGRAM_TO},
		{PROGRAM_HOST_OUT, PROGRAM_XDP_IN},
		{PROGRAM_HOST_OUT, PROGRAM_HOST_IN},
	};
	struct rig *rig = *state;
	/* A port that once asked is known as one. */
	uint16_t port = PORT;

	rig_policy(rig, rules);
	for (size_t i = 0; i < COUNT(roads) * 8; i++) {
		const struct packet_spec question = {
			.is_v6 = i & 1,
			.from = SERVER,
			.to = CLIENT,
			.proto = i & 2 ? IPPROTO_UDP : 0,
			.sport = ++port,
			.dport = i & 4 ? 5301 : 5300,
		};

		rig_stand(rig, SERVER);
		answer_passes(rig, &roads[i / 8], i & 1, &question);
	}
}

/* Who poses as this machine is denied, but for what is of its connection. */
static void what_a_builtin_rule_began_goes_on(void **state)
{
	struct rig *rig = *state;

	rig_policy(rig, no_rules);
	for (int is_v6 = 0; is_v6 < 2; is_v6++) {
		struct packet_spec posed = denied(is_v6, IPPROTO_UDP), probe;

		posed.from = NODE;
		posed.dport = PORT + 100 + is_v6;
		probe = posed;
		probe.sport = 5300;
		rig->is_forwarded = true;
		flood(rig, "before", PROGRAM_TO, posed);
		assert_false(passes(rig, PROGRAM_TO, &probe));
		rig->is_forwarded = false;
		assert_true(passes(rig, PROGRAM_TO, &probe));
		rig->is_forwarded = true;
		flood(rig, "meanwhile", PROGRAM_TO, posed);
		assert_true(passes(rig, PROGRAM_TO, &probe));
		rig->is_forwarded = false;
	}
}

static void other_services_of_the_same_ends_pass(void **state)
{
	struct rig *rig = *state;

	rig_policy(rig, no_rules);
	for (int is_v6 = 0; is_v6 < 2; is_v6++) {
		const struct packet_spec web = {.is_v6 = is_v6, .dport = 80};

		for (enum program program = 0; program < PROGRAMS; program++) {
			rig_forget(rig);
			flood(rig, "beside", program, denied(is_v6, 0));
			assert_true(passes(rig, program, &web));
		}
	}
}

static int begin(void **state)
{
	*state = rig_new(RATE);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_packet_of_a_flood_is_counted),
		cmocka_unit_test(each_second_of_a_flood_has_its_events),
		cmocka_unit_test(a_policy_that_allows_it_does_so_at_once),
		cmocka_unit_test(an_address_that_goes_elsewhere_is_no_longer_denied),
		cmocka_unit_test(an_answer_that_looks_like_the_flood_passes),
		cmocka_unit_test(what_a_builtin_rule_began_goes_on),
		cmocka_unit_test(other_services_of_the_same_ends_pass),
	};

	return cmocka_run_group_tests(tests, begin, rig_teardown);
}
