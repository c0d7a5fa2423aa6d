/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a workload sends to a Service's address where no program can decide behind it: all who may
 * get it must be allowed to. */
#include "tests/bpf/table.h"

#include <arpa/inet.h>

#include <bpf/bpf.h>

#include "bulkhead.skel.h"

#define FRONT     OUTSIDER
#define PORT      8443 /* of backends */
#define NODE_PORT 30080

static const char rules[] = "    - {name: web, from: client, to: server, services: tcp/8443}\n"
			    "    - {name: logs, from: client, to: watch, services: tcp/8443, "
			    "log: true}\n";
static const char revoked[] = "    - {name: web, from: client, to: server, services: tcp/1}\n";

/* clang-format off */
static const struct {
	const char *name;
	const char *backends; /* a letter each: Allowed, Denied, itSelf, Logged */
	struct row row;
} sets[] = {
	{"the one backend is allowed", "a", {"", {.to = FRONT}, BH_REASON_NONE, "web", .programs = ON_FROM}},
	{"it is denied",               "d", {"", {.to = FRONT}, BH_REASON_POLICY, "default", .programs = ON_FROM}},
	{"one of them is denied",      "aad", {"", {.to = FRONT}, BH_REASON_POLICY, "default", .programs = ON_FROM}},
	{"wherever it is",             "daa", {"", {.to = FRONT}, BH_REASON_POLICY, "default", .programs = ON_FROM}},
	{"a rule that logs does",      "al", {"", {.to = FRONT}, BH_REASON_NONE, "web", .programs = ON_FROM, .is_reported = true}},
	{"wherever its backend is",    "la", {"", {.to = FRONT}, BH_REASON_NONE, "logs", .programs = ON_FROM, .is_reported = true}},
	{"a workload to itself",       "s", {"", {.to = FRONT}, BH_REASON_NONE, "builtin-service", .programs = ON_FROM}},
	{"and to another",             "sa", {"", {.to = FRONT}, BH_REASON_NONE, "web", .programs = ON_FROM}},
	{"and to a denied one",        "sd", {"", {.to = FRONT}, BH_REASON_POLICY, "default", .programs = ON_FROM}},
	{"there is none",              "", {"", {.to = FRONT}, BH_REASON_POLICY, "builtin-service", .programs = ON_FROM}},
	{"as many as there is room for", "96", {"", {.to = FRONT}, BH_REASON_NONE, "web", .programs = ON_FROM}},
	{"the last of them is denied", "95", {"", {.to = FRONT}, BH_REASON_POLICY, "default", .programs = ON_FROM}},
	{"more than that",             "97", {"", {.to = FRONT}, BH_REASON_POLICY, "builtin-service", .programs = ON_FROM}},
	{"another port",               "a", {"", {.to = FRONT, .dport = 444}, BH_REASON_POLICY, "default", .programs = ON_FROM}},
	{"another protocol",           "a", {"", {.to = FRONT, .proto = IPPROTO_UDP}, BH_REASON_POLICY, "default", .programs = ON_FROM}},
	{"a front opens nothing",      "a", {"", {.from = FRONT}, BH_REASON_POLICY, "default", .programs = ON_TO}},
	{"a node port",                "a", {"", {.to = NODE, .dport = NODE_PORT}, BH_REASON_NONE, "web", .programs = ON_FROM}},
	{"whose backend is denied",    "ad", {"", {.to = NODE, .dport = NODE_PORT}, BH_REASON_POLICY, "default", .programs = ON_FROM}},
	{"another machine's is none",  "a", {"", {.to = OTHER, .dport = NODE_PORT}, BH_REASON_POLICY, "default", .programs = ON_FROM}},
};
/* clang-format on */

static struct bh_addr backend_addr(char letter, bool is_v6)
{
	if (letter == 's')
		return end_addr(CLIENT, is_v6);
	if (letter == 'd')
		return end_addr(OTHER, is_v6);
	return end_addr(letter == 'l' ? WATCHED : SERVER, is_v6);
}

/* "96": so many, all allowed; "95": and one that isn't. */
static void fill(const char *letters, bool is_v6, struct bh_backends *ret)
{
	uint32_t count = (uint32_t)strtoul(letters, NULL, 10);
	bool has_denied = count == BH_BACKENDS_MAX - 1;

	ret->count = count ? count + has_denied : (uint32_t)strlen(letters);
	for (uint32_t i = 0; i < ret->count && i < BH_BACKENDS_MAX; i++) {
		char letter = count ? (i == count ? 'd' : 'a') : letters[i];

		ret->of[i].addr = backend_addr(letter, is_v6);
		ret->of[i].port = htons(PORT);
	}
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct bh_front));
}

static void set_backends(struct rig *rig, const char *letters)
{
	struct front_backends list[4] = {};
	_text_ struct text why = TEXT_INIT;

	for (size_t i = 0; i < COUNT(list); i++) {
		bool is_v6 = i & 1, is_node_port = i & 2;

		list[i].front.proto = IPPROTO_TCP;
		list[i].front.port = htons(is_node_port ? NODE_PORT : SPEC_DPORT);
		if (!is_node_port)
			list[i].front.addr = end_addr(FRONT, is_v6);
		else if (!is_v6)
			list[i].front.addr.word[2] = htonl(0xffff);
		fill(letters, is_v6, &list[i].backends);
	}
	qsort(list, COUNT(list), sizeof(*list), compare);
	if (datapath_set_backends(rig->dp, list, COUNT(list), &why))
		fail_msg("%s", why.buf);
}

static int setup(void **state)
{
	const struct datapath_config config = {
		.conn_lines = RIG_CONN_LINES, .has_fronts = true, .is_netfilter_off = true};
	struct rig *rig = rig_new_config(&config);

	assert_true(datapath_asks_backends(rig->dp));
	rig_policy(rig, rules);
	*state = rig;
	return 0;
}

static void all_backends_are_asked(void **state)
{
	struct rig *rig = *state;

	for (size_t i = 0; i < COUNT(sets); i++) {
		struct row row = sets[i].row;

		row.name = sets[i].name;
		set_backends(rig, sets[i].backends);
		table_run(rig, &row, 1);
	}
}

static struct packet_spec syn_of(bool is_v6, bool is_node_port)
{
	return (struct packet_spec){.is_v6 = is_v6,
				    .to = is_node_port ? NODE : FRONT,
				    .dport = is_node_port ? NODE_PORT : 0};
}

static void open_connection(struct rig *rig, bool is_v6, bool is_node_port)
{
	const struct packet_spec syn = syn_of(is_v6, is_node_port);
	const struct packet_spec answer = {.is_v6 = is_v6,
					   .from = syn.to,
					   .to = CLIENT,
					   .sport = is_node_port ? NODE_PORT : SPEC_DPORT,
					   .dport = SPEC_SPORT,
					   .flags = "SA",
					   .ack = 1};

	rig_forget(rig);
	rig_policy(rig, rules);
	set_backends(rig, "a");
	rig_stand(rig, CLIENT);
	assert_true(rig_run(rig, "opens", PROGRAM_FROM, &syn).is_passed);
	assert_true(rig_run(rig, "is answered", PROGRAM_TO, &answer).is_passed);
}

static struct outcome go_on(struct rig *rig, const char *name, bool is_v6, bool is_node_port)
{
	struct packet_spec ack = syn_of(is_v6, is_node_port);

	ack.flags = "A";
	ack.seq = ack.ack = 1;
	rig_stand(rig, CLIENT);
	return rig_run(rig, name, PROGRAM_FROM, &ack);
}

static void lose_server(struct rig *rig, bool is_v6)
{
	const struct bh_addr server = end_addr(SERVER, is_v6);

	assert_int_equal(datapath_set_identity(rig->dp, &server, 0, true), 0);
}

static void take_rule(struct rig *rig, bool is_v6)
{
	(void)is_v6;
	rig_policy(rig, revoked);
}

static void add_denied(struct rig *rig, bool is_v6)
{
	(void)is_v6;
	set_backends(rig, "ad");
}

static void add_allowed(struct rig *rig, bool is_v6)
{
	(void)is_v6;
	set_backends(rig, "aas");
}

static void leave_none(struct rig *rig, bool is_v6)
{
	(void)is_v6;
	set_backends(rig, "");
}

static void bump(struct rig *rig, bool is_v6)
{
	(void)is_v6;
	rig_bump(rig);
}

/* clang-format off */
static const struct {
	const char *name;
	void (*change)(struct rig *rig, bool is_v6);
	bool is_cut;
} changes[] = {
	{"decided again",                      bump,        false},
	{"another backend that is allowed",    add_allowed, false},
	{"the rule is gone",                   take_rule,    true},
	{"another backend that is denied",     add_denied,  true},
	{"no backend any more",                leave_none,  true},
	{"the backend is somebody else",       lose_server, true},
};
/* clang-format on */

static void connections_are_decided_again_when_anything_of_it_changes(void **state)
{
	struct rig *rig = *state;

	for (size_t i = 0; i < 4 * COUNT(changes); i++) {
		bool is_v6 = i & 1, is_node_port = i & 2;
		struct outcome o;

		open_connection(rig, is_v6, is_node_port);
		assert_true(go_on(rig, "goes on", is_v6, is_node_port).is_passed);
		changes[i / 4].change(rig, is_v6);
		o = go_on(rig, changes[i / 4].name, is_v6, is_node_port);
		if (o.is_passed == changes[i / 4].is_cut)
			fail_msg("%s (IPv%d)", changes[i / 4].name, is_v6 ? 6 : 4);
		if (!o.is_passed)
			assert_int_equal(o.reason, BH_REASON_REVOKED);
	}
}

/* What an earlier start left. */
static void what_would_be_decided_nowhere_is_no_front(void **state)
{
	struct rig *rig = *state;
	int fd = bpf_map__fd(rig->dp->skel->maps.bh_fronts);
	const struct bh_front other = {.addr = end_addr(SERVER, false), .proto = IPPROTO_TCP};
	uint32_t kind = BH_FRONT_BEHIND;
	const struct bh_addr server = end_addr(SERVER, true);
	size_t count;

	set_backends(rig, "a");
	assert_int_equal(bpf_map_update_elem(fd, &other, &kind, BPF_ANY), 0);
	assert_int_equal(backends_begin(rig->dp), 0);
	assert_true(bpf_map_lookup_elem(fd, &other, &kind) != 0);
	assert_true(rig->dp->fronts == 3);
	backends_find(rig->dp, &server, &count);
	assert_true(count == 2);
}

static void without_fronts_the_rule_is_off(void **state)
{
	struct rig *rig = *state;
	const uint32_t bit = 1u << BH_BUILTIN_FRONT;

	set_backends(rig, "a");
	assert_false(rig->dp->tables.control->builtins_off & bit);
	assert_int_equal(datapath_set_backends(rig->dp, NULL, 0, NULL), 0);
	assert_true(rig->dp->tables.control->builtins_off & bit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_backends_are_asked),
		cmocka_unit_test(connections_are_decided_again_when_anything_of_it_changes),
		cmocka_unit_test(what_would_be_decided_nowhere_is_no_front),
		cmocka_unit_test(without_fronts_the_rule_is_off),
	};

	return cmocka_run_group_tests(tests, setup, rig_teardown);
}
