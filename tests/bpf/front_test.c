/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a workload sends to a Service's address: at its endpoint, and where it would leave. */
#include "tests/bpf/table.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <sched.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bulkhead.skel.h"

#define NODE_PORT 30080
#define FRONT     OUTSIDER

static const char rules[] = "    - {name: web, from: client, to: server, services: tcp/443}\n";

/* clang-format off */
static const struct row at_the_endpoint[] = {
	{"a workload to a front", {.to = FRONT}, BH_REASON_NONE, "builtin-service", .programs = ON_FROM},
	{"to another port", {.to = FRONT, .dport = 444}, BH_REASON_POLICY, "default", .programs = ON_FROM},
	{"by another protocol", {.to = FRONT, .proto = IPPROTO_UDP}, BH_REASON_POLICY, "default", .programs = ON_FROM},
	{"a ping", {.to = FRONT, .icmp = ICMP_ECHO_REQUEST}, BH_REASON_POLICY, "default", .programs = ON_FROM},
	{"in the middle of a connection", {.to = FRONT, .flags = "A"}, BH_REASON_NO_CONNECTION, "none", .programs = ON_FROM},
	{"from another's address", {.from = OTHER, .to = FRONT}, BH_REASON_SPOOFED_SOURCE, "none", .programs = ON_FROM, .stand = CLIENT},
	{"a front opens nothing", {.from = FRONT}, BH_REASON_POLICY, "default", .programs = ON_TO},
	{"nor does it answer who has not asked", {.from = FRONT, .sport = 443, .flags = "SA"}, BH_REASON_NO_CONNECTION, "none", .programs = ON_TO},
	{"a workload to a node port", {.to = NODE, .dport = NODE_PORT}, BH_REASON_NONE, "builtin-service", .programs = ON_FROM},
	{"another machine's is none", {.to = OTHER, .dport = NODE_PORT}, BH_REASON_POLICY, "default", .programs = ON_FROM},
};

static const struct row while_off[] = {
	{"it is an address like others", {.to = FRONT}, BH_REASON_POLICY, "default", .programs = ON_FROM},
};

static const struct {
	const char *name;
	struct packet_spec packet;
	uint8_t hook;
	bool is_dropped;
} untranslated[] = {
	{"to a front",              {.to = FRONT},                               NF_INET_FORWARD,  true},
	{"on its own machine",      {.to = FRONT},                               NF_INET_LOCAL_IN, true},
	{"to another port",         {.to = FRONT, .dport = 444},                 NF_INET_FORWARD,  false},
	{"by another protocol",     {.to = FRONT, .proto = IPPROTO_UDP},         NF_INET_FORWARD,  false},
	{"to whom it may",          {},                                          NF_INET_FORWARD,  false},
	{"to another",              {.to = OTHER},                               NF_INET_FORWARD,  false},
	{"from who is no workload", {.from = OTHER, .to = FRONT},                NF_INET_FORWARD,  false},
	{"a piece for a front",     {.to = FRONT, .is_fragment = true, .offset = 9, .payload = 64}, NF_INET_FORWARD, true},
	{"a piece for another",     {.to = OTHER, .is_fragment = true, .offset = 9, .payload = 64}, NF_INET_FORWARD, false},
	{"to a node port",          {.to = NODE, .dport = NODE_PORT},            NF_INET_LOCAL_IN, true},
	{"to this machine",         {.to = NODE},                                NF_INET_LOCAL_IN, false},
};
/* clang-format on */

/* The kernel's struct nf_hook_state, as far as a test may say it. */
struct netfilter_state {
	uint8_t hook;
	uint8_t family;
	uint8_t rest[46];
};

static void set_fronts(struct rig *rig, bool is_empty)
{
	const struct bh_addr v4 = end_addr(FRONT, false), v6 = end_addr(FRONT, true);
	const struct bh_front fronts[] = {
		{.addr = v4, .port = htons(SPEC_DPORT), .proto = IPPROTO_TCP},
		{.addr = v6, .port = htons(SPEC_DPORT), .proto = IPPROTO_TCP},
		{.port = htons(NODE_PORT), .proto = IPPROTO_TCP},
		{.addr = v4},
		{.addr = v6},
		{.addr = v6},
	};
	_text_ struct text why = TEXT_INIT;

	if (datapath_set_fronts(rig->dp, fronts, is_empty ? 0 : COUNT(fronts), &why))
		fail_msg("%s", why.buf);
}

/* In a network namespace of its own: the program hangs on that one's hooks. */
static int setup(void **state)
{
	const struct datapath_config config = {.conn_lines = RIG_CONN_LINES, .has_fronts = true};
	const struct prefix sources[] = {
		{.addr = end_addr(CLIENT, false), .len = 128},
		{.addr = end_addr(CLIENT, true), .len = 128},
	};
	const struct workload_endpoint client = {
		.ifindex = RIG_IFINDEX,
		.id = RIG_ENDPOINT,
		.sources = sources,
		.source_count = COUNT(sources),
	};
	struct rig *rig;

	assert_int_equal(unshare(CLONE_NEWNET), 0);
	rig = rig_new_config(&config);
	assert_int_equal(fronts_set_owner(rig->dp, &client), 0);
	rig_policy(rig, rules);
	set_fronts(rig, false);
	*state = rig;
	return 0;
}

static bool is_supported(const struct rig *rig)
{
	if (!datapath_fronts_trouble(rig->dp))
		return true;
	print_message("# %s\n", datapath_fronts_trouble(rig->dp));
	return false;
}

static void what_a_workload_sends_to_a_front_passes_its_endpoint(void **state)
{
	struct rig *rig = *state;

	if (!is_supported(rig))
		skip();
	table_run(rig, at_the_endpoint, COUNT(at_the_endpoint));
	rig_builtins_off(rig, 1u << BH_BUILTIN_FRONT);
	table_run(rig, while_off, COUNT(while_off));
	rig_builtins_off(rig, 0);
}

static void without_fronts_the_rule_is_off(void **state)
{
	struct rig *rig = *state;
	const uint32_t bit = 1u << BH_BUILTIN_FRONT;
	bool is_attached;

	if (!is_supported(rig))
		skip();
	assert_true(datapath_fronts(rig->dp, &is_attached) == 5);
	assert_true(is_attached && !(rig->dp->tables.control->builtins_off & bit));
	set_fronts(rig, true);
	assert_true(rig->dp->tables.control->builtins_off & bit);
	table_run(rig, while_off, COUNT(while_off));
	set_fronts(rig, false);
	assert_false(rig->dp->tables.control->builtins_off & bit);
}

static void a_connection_ends_when_its_front_is_none_any_more(void **state)
{
	struct rig *rig = *state;

	if (!is_supported(rig))
		skip();
	for (int is_v6 = 0; is_v6 < 2; is_v6++) {
		const struct packet_spec syn = {.is_v6 = is_v6, .to = FRONT};
		const struct packet_spec answer = {.is_v6 = is_v6,
						   .from = FRONT,
						   .to = CLIENT,
						   .sport = SPEC_DPORT,
						   .dport = SPEC_SPORT,
						   .flags = "SA",
						   .ack = 1};
		const struct packet_spec last = {
			.is_v6 = is_v6, .to = FRONT, .flags = "A", .seq = 1, .ack = 1};
		struct outcome o;

		rig_forget(rig);
		rig_stand(rig, CLIENT);
		assert_true(rig_run(rig, "opens", PROGRAM_FROM, &syn).is_passed);
		assert_true(rig_run(rig, "is answered", PROGRAM_TO, &answer).is_passed);
		assert_true(rig_run(rig, "goes on", PROGRAM_FROM, &last).is_passed);
		rig_bump(rig);
		assert_true(rig_run(rig, "goes on again", PROGRAM_FROM, &last).is_passed);
		set_fronts(rig, true);
		o = rig_run(rig, "ends", PROGRAM_FROM, &last);
		assert_int_equal(o.reason, BH_REASON_REVOKED);
		set_fronts(rig, false);
	}
}

/* -errno, or the verdict. */
static int run_at(const struct rig *rig, uint8_t hook, const struct packet_spec *spec)
{
	const struct frame frame = packet_build(spec);
	struct netfilter_state state = {
		.hook = hook,
		.family = spec->is_v6 ? NFPROTO_IPV6 : NFPROTO_IPV4,
	};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame.bytes,
		    .data_size_in = (uint32_t)frame.len, .ctx_in = &state,
		    .ctx_size_in = sizeof(state), .repeat = 1);
	int err = bpf_prog_test_run_opts(rig->dp->translated_fd, &opts);

	return err ? err : (int)opts.retval;
}

static void what_nobody_translated_goes_no_further(void **state)
{
	struct rig *rig = *state;

	if (!is_supported(rig))
		skip();
	rig_forget(rig);
	for (size_t i = 0; i < 2 * COUNT(untranslated); i++) {
		struct packet_spec packet = untranslated[i / 2].packet;
		const char *name = untranslated[i / 2].name;
		bool is_dropped = untranslated[i / 2].is_dropped;
		size_t events;
		int verdict;

		packet.is_v6 = i & 1;
		verdict = run_at(rig, untranslated[i / 2].hook, &packet);
		events = rig_consume(rig);
		if (verdict != (is_dropped ? NF_DROP : NF_ACCEPT) || events != is_dropped)
			fail_msg("%s (IPv%d): verdict %d, %zu events", name, i & 1 ? 6 : 4, verdict,
				 events);
		if (!is_dropped)
			continue;
		assert_int_equal(rig->event.reason, BH_REASON_UNTRANSLATED);
		assert_int_equal(rig->event.endpoint, RIG_ENDPOINT);
		assert_int_equal(rig->event.direction, BH_EGRESS);
	}
}

/* What was to no front when it began is none of theirs. */
static void a_connection_that_is_older_than_the_front_goes_on(void **state)
{
	struct rig *rig = *state;
	const struct packet_spec syn = {.to = FRONT};

	if (!is_supported(rig))
		skip();
	rig_forget(rig);
	rig_stand(rig, CLIENT);
	rig_policy(rig, "    - {name: all, from: any, to: any, services: any}\n");
	rig_builtins_off(rig, 1u << BH_BUILTIN_FRONT);
	assert_true(rig_run(rig, "opens", PROGRAM_FROM, &syn).is_passed);
	rig_builtins_off(rig, 0);
	assert_int_equal(run_at(rig, NF_INET_FORWARD, &syn), NF_ACCEPT);
	rig_forget(rig);
	assert_int_equal(run_at(rig, NF_INET_FORWARD, &syn), NF_DROP);
	rig_consume(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_workload_sends_to_a_front_passes_its_endpoint),
		cmocka_unit_test(without_fronts_the_rule_is_off),
		cmocka_unit_test(a_connection_ends_when_its_front_is_none_any_more),
		cmocka_unit_test(what_nobody_translated_goes_no_further),
		cmocka_unit_test(a_connection_that_is_older_than_the_front_goes_on),
	};

	return cmocka_run_group_tests(tests, setup, rig_teardown);
}
