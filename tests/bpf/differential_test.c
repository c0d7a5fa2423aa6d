/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Random policies and random packets: the programs do what the compiled tables say, which is what
 * the reference evaluator says.  SEED=n begins there, SECONDS=n says for how long.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bulkhead.skel.h"
#include "tests/bpf/table.h"
#include "tests/reference/random_policy.h"
#include "util/clock.h"
#include "util/mem.h"

#define PACKETS_MIN 1000
#define SECONDS     5
#define ADDRESSES   10 /* of each policy; each is asked for with each other */
#define SERVICES    10
#define ECHO_ID     7

/* One policy in force, and what its counters must come to. */
struct world {
	struct rig *rig;
	uint64_t seed;
	struct random_policy random;
	struct compiled *compiled;
	struct bh_addr addresses[ADDRESSES];
	struct service_range services[SERVICES];
	uint64_t *rules; /* packets that each rule must have decided */
	uint64_t drops[BH_REASON_COUNT];
	uint64_t packets;
	enum program program; /* the next one's */
};

/* A packet, and what must become of it. */
struct encounter {
	struct reference_question question;
	struct reference_answer answer;
	enum program program;
	enum bh_reason reason;
	uint32_t rule; /* BH_RULE_NONE: none is asked */
	char name[3 * ADDRESS_STRLEN];
};

/* --- what is asked --- */

/* Addresses that no packet may have are another test's. */
static bool is_plain(const struct bh_addr *a)
{
	uint32_t first = ntohl(addr_is_v4(a) ? a->word[3] : a->word[0]) >> 24;

	if (addr_is_v4(a))
		return first && first != 127 && first < 224;
	return first && first < 0xfe;
}

static struct bh_addr some_address(struct world *w)
{
	struct bh_addr a;

	do
		a = random_address(&w->random);
	while (!is_plain(&a));
	return a;
}

/* Extension headers and protocols that are never looked up; 0 is TCP in a packet_spec. */
static bool is_protocol(uint16_t number)
{
	static const uint8_t others[] = {0,          IPPROTO_ROUTING, IPPROTO_FRAGMENT,
					 IPPROTO_AH, IPPROTO_NONE,    IPPROTO_DSTOPTS,
					 IPPROTO_MH};

	return !memchr(others, number, sizeof(others));
}

/* Neighbour discovery and multicast listening have rules of their own. */
static bool is_builtin_type(uint16_t number)
{
	unsigned int type = number >> 8;

	return (type >= 130 && type <= 137) || type == 143;
}

static struct service_range some_service(struct world *w)
{
	struct service_range s;

	for (;;) {
		s = random_service(&w->random);
		if (s.table == BH_SERVICE_ICMP6 && s.lo < 0x200 && s.lo % 2)
			s.lo = 128 << 8;
		if (s.table == BH_SERVICE_PROTO
			    ? is_protocol(s.lo)
			    : s.table != BH_SERVICE_ICMP6 || !is_builtin_type(s.lo))
			return s;
	}
}

/* As if there were so many others that their numbers need more than 16 bits. */
static void raise_identities(struct image *image)
{
	size_t count = image->identities.count;

	for (uint32_t i = 0; i < BH_RUN_IDENTITIES; i++)
		vec_push(&image->identities, (struct image_identity){});
	for (size_t i = count; --i > 0;)
		image->identities.items[i + BH_RUN_IDENTITIES] = image->identities.items[i];
	vec_foreach (p, &image->prefixes)
		p->identity += p->identity ? BH_RUN_IDENTITIES : 0;
}

static void world_make(struct world *w, struct rig *rig, uint64_t seed)
{
	static const struct random_shape shape = {};
	_text_ struct text why = TEXT_INIT;
	_diags_ struct diags diags = {};
	struct datapath_swap swap;
	struct environment env;

	*w = (struct world){.rig = rig, .seed = seed};
	random_policy_make(&w->random, seed, &shape);
	env = (struct environment){w->random.hosts.items, w->random.hosts.count, w->random.now};
	assert_int_equal(policy_compile(w->random.policy, &env, &diags, &w->compiled), 0);
	if (seed % 2)
		raise_identities(&w->compiled->image);
	if (datapath_swap_policy(rig->dp, &w->compiled->image, &why, &swap))
		fail_msg("policy is not in force: %s", why.buf);
	for (int i = 0; i < ADDRESSES; i++)
		w->addresses[i] = some_address(w);
	for (int i = 0; i < SERVICES; i++)
		w->services[i] = some_service(w);
	w->rules = xcalloc(w->compiled->image.rules, sizeof(*w->rules));
}

static void world_release(struct world *w)
{
	compiled_free(w->compiled);
	random_policy_release(&w->random);
	free(w->rules);
}

/* --- what must become of a packet --- */

static bool is_error_type(const struct reference_question *q)
{
	unsigned int type = q->number >> 8;

	if (q->table == BH_SERVICE_ICMP)
		return type == 3 || type == 11 || type == 12;
	return q->table == BH_SERVICE_ICMP6 && type >= 1 && type <= 4;
}

static bool is_echo_answer(const struct reference_question *q)
{
	if (q->table == BH_SERVICE_ICMP)
		return q->number >> 8 == 0;
	return q->table == BH_SERVICE_ICMP6 && q->number >> 8 == 129;
}

static void foresee(const struct world *w, struct encounter *e)
{
	const struct random_policy *r = &w->random;
	const struct reference reference = {r->policy, r->hosts.items, r->hosts.count,
					    .now = r->now};
	const struct reference_question *q = &e->question;
	uint32_t cell = image_decide(&w->compiled->image, &q->src, &q->dst, q->table, q->number);

	e->answer = reference_decide(&reference, q);
	assert_row(e->name, e->answer.rule == BH_CELL_RULE(cell));
	assert_row(e->name, e->answer.verdict == BH_CELL_VERDICT(cell));
	e->rule = e->answer.rule;
	e->reason = BH_REASON_NONE;
	if (!BH_VERDICT_PASSES(e->answer.verdict))
		e->reason = BH_REASON_POLICY;
	if (e->reason && is_error_type(q) && e->rule == BH_BUILTIN_DEFAULT)
		e->reason = BH_REASON_ICMP_UNRELATED;
	if (is_echo_answer(q)) {
		e->reason = BH_REASON_NO_CONNECTION;
		e->rule = BH_RULE_NONE;
	}
}

/* --- the packet --- */

static void name_encounter(const struct world *w, struct encounter *e)
{
	const struct reference_question *q = &e->question;
	char src[ADDRESS_STRLEN], dst[ADDRESS_STRLEN];

	snprintf(e->name, sizeof(e->name), "SEED=%llu: %s > %s, table %d, number %u, %s",
		 (unsigned long long)w->seed, addr_format(&q->src, src), addr_format(&q->dst, dst),
		 q->table, q->number, program_word(e->program));
}

static void check_event(const struct world *w, const struct encounter *e, bool is_passed)
{
	const struct bh_event *event = &w->rig->event;
	bool is_reported = !is_passed || e->answer.verdict == BH_VERDICT_AUDIT || e->answer.log;

	assert_row(e->name, w->rig->events == is_reported);
	if (!is_reported)
		return;
	assert_row(e->name, event->rule == e->rule);
	assert_row(e->name, event->reason == e->reason);
	assert_row(e->name, !addr_cmp(&event->src, &e->question.src));
	assert_row(e->name, !addr_cmp(&event->dst, &e->question.dst));
	if (is_passed)
		assert_row(e->name, event->verdict == e->answer.verdict);
	else
		assert_row(e->name,
			   event->verdict == (e->reason == BH_REASON_POLICY ? e->answer.verdict
									    : BH_VERDICT_DENY));
}

/* Every packet is the first of its connection. */
static void meet(struct world *w, const struct reference_question *q)
{
	struct encounter e = {.question = *q, .program = w->program};
	struct packet_spec spec = packet_to_service(q->table, q->number);
	struct frame frame;
	bool is_passed;

	spec.is_v6 = !addr_is_v4(&q->src);
	spec.src_addr = &q->src;
	spec.dst_addr = &q->dst;
	spec.id = ECHO_ID;
	frame = packet_build(&spec);
	w->program = (w->program + 1) % PROGRAMS;
	name_encounter(w, &e);
	foresee(w, &e);
	is_passed = rig_passes(w->rig, e.name, e.program, &frame);
	if (is_passed != !e.reason)
		fail_msg("%s: %s, but verdict %d by rule %u", e.name,
			 is_passed ? "passed" : "dropped", e.answer.verdict, e.answer.rule);
	rig_consume(w->rig);
	check_event(w, &e, is_passed);
	rig_forget_connection(w->rig, &spec,
			      program_is_host(e.program) ? BH_ENDPOINT_HOST : RIG_ENDPOINT);
	w->packets++;
	w->drops[e.reason] += !is_passed;
	if (e.rule != BH_RULE_NONE)
		w->rules[e.rule]++;
}

/* --- a policy's packets --- */

/* The destination is this machine's, or the workload's. */
static void take_place(const struct world *w, const struct bh_addr *dst)
{
	const struct bulkhead_bpf *skel = w->rig->dp->skel;
	const struct bh_endpoint workload = {.id = RIG_ENDPOINT, .kind = BH_ENDPOINT_WORKLOAD};
	const struct bh_source_key anybody = {.prefix_len = BH_SOURCE_ENDPOINT_BITS,
					      .endpoint = RIG_ENDPOINT};
	const struct local_prefix local = {.prefix = prefix_of_addr(dst)};
	const __u32 nothing = 0;

	assert_int_equal(datapath_set_local(w->rig->dp, &local, 1), 0);
	rig_set_workload(w->rig, &workload);
	bpf_map_update_elem(bpf_map__fd(skel->maps.bh_sources), &anybody, &nothing, BPF_ANY);
}

static void meet_all_at(struct world *w, const struct bh_addr *dst)
{
	bool is_v4 = addr_is_v4(dst);

	take_place(w, dst);
	for (int i = 0; i < ADDRESSES; i++) {
		const struct bh_addr *src = &w->addresses[i];

		if (addr_is_v4(src) != is_v4 || !addr_cmp(src, dst))
			continue;
		for (int j = 0; j < SERVICES; j++) {
			const struct reference_question q = {*src, *dst, w->services[j].table,
							     w->services[j].lo};

			if (is_asked(is_v4, q.table, q.number))
				meet(w, &q);
		}
	}
}

/* Counted is exactly what was foreseen, and nothing twice. */
static void check_counters(const struct world *w, const struct bh_count *drops_before)
{
	struct datapath *dp = w->rig->dp;
	uint32_t rules = w->compiled->image.rules;
	_free_ struct bh_count *counts = xcalloc(rules, sizeof(*counts));
	struct bh_count drops[BH_REASON_COUNT];

	assert_int_equal(datapath_read_rules(dp, datapath_slot(dp), 0, rules, counts), 0);
	assert_int_equal(datapath_read_drops(dp, drops), 0);
	for (uint32_t i = 0; i < rules; i++) {
		if (counts[i].packets != w->rules[i])
			fail_msg("SEED=%llu: rule %u counted %llu packets, decided %llu",
				 (unsigned long long)w->seed, i,
				 (unsigned long long)counts[i].packets,
				 (unsigned long long)w->rules[i]);
	}
	for (int i = 0; i < BH_REASON_COUNT; i++)
		assert_int_equal(drops[i].packets - drops_before[i].packets, w->drops[i]);
}

static uint64_t meet_world(struct rig *rig, uint64_t seed)
{
	struct bh_count drops[BH_REASON_COUNT];
	struct world w;

	world_make(&w, rig, seed);
	assert_int_equal(datapath_read_drops(rig->dp, drops), 0);
	for (int i = 0; i < ADDRESSES; i++)
		meet_all_at(&w, &w.addresses[i]);
	check_counters(&w, drops);
	world_release(&w);
	return w.packets;
}

static uint64_t number_given(const char *name, uint64_t otherwise)
{
	const char *given = getenv(name);

	return given ? strtoull(given, NULL, 10) : otherwise;
}

static void programs_do_what_the_tables_and_the_reference_say(void **state)
{
	struct rig *rig = *state;
	uint64_t seed = number_given("SEED", 1), packets = 0, policies = 0;
	uint64_t end = clock_monotonic_ns() +
		       number_given("SECONDS", SECONDS) * UINT64_C(1000000000);

	rig_forget(rig);
	/* On a slow machine longer: a few packets say little. */
	for (; clock_monotonic_ns() < end || packets < PACKETS_MIN; seed++, policies++)
		packets += meet_world(rig, seed);
	print_message("%llu packets, %llu policies\n", (unsigned long long)packets,
		      (unsigned long long)policies);
}

static int setup_whole_way(void **state)
{
	const struct datapath_config config = {.is_whole = true, .conn_lines = RIG_CONN_LINES};

	*state = rig_new_config(&config);
	return 0;
}

static void and_so_they_do_where_every_packet_goes_the_whole_way(void **state)
{
	programs_do_what_the_tables_and_the_reference_say(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(programs_do_what_the_tables_and_the_reference_say),
		cmocka_unit_test_setup_teardown(
			and_so_they_do_where_every_packet_goes_the_whole_way, setup_whole_way,
			rig_teardown),
	};

	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
