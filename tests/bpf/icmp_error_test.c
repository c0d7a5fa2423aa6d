/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <netinet/in.h>

#include "tests/bpf/table.h"

static const char rules[] =
	"    - {name: all, from: client, to: server, services: any}\n"
	"    - {name: odd, from: {cidr: 192.0.2.0/24}, to: client, services: icmp/11/1}\n"
	"    - {name: odd6, from: {cidr: '2001:db8::/32'}, to: client, services: icmp6/3/1}\n";

/* Where a connection of CLIENT to SERVER is opened, and who sends CLIENT an error about it. */
static const struct place {
	enum program opens, sees;
	enum end stand, sender;
} places[] = {
	{PROGRAM_FROM, PROGRAM_TO, CLIENT, OUTSIDER},
	{PROGRAM_FROM, PROGRAM_TO, CLIENT, SERVER},
	{PROGRAM_TO, PROGRAM_FROM, SERVER, SERVER},
	{PROGRAM_HOST_OUT, PROGRAM_XDP_IN, CLIENT, OUTSIDER},
	{PROGRAM_HOST_OUT, PROGRAM_HOST_IN, CLIENT, OUTSIDER},
	{PROGRAM_XDP_IN, PROGRAM_HOST_OUT, SERVER, SERVER},
};

enum before {
	OPENED,
	UNOPENED,
	EXPIRED,
	OUTDATED, /* the generation rose */
	RENEWED,  /* and then another packet came */
};

struct error_row {
	const char *name;
	struct packet_spec error;
	struct packet_spec quoted; /* what was opened, too, unless... */
	bool is_other;             /* ...then it is the default TCP connection */
	int transport;             /* bytes quoted behind the IP header; 0: 8; -1: none */
	enum before before;
	enum bh_reason reason;
	const char *rule;
	enum family family;
};

#define UNREACHABLE                                                                                \
	{                                                                                          \
		.icmp = ICMP_UNREACHABLE                                                           \
	}
#define RELATED   BH_REASON_NONE, "builtin-icmp-error"
#define UNRELATED BH_REASON_ICMP_UNRELATED, "default"

/* clang-format off */
static const struct error_row rows[] = {
	{"unreachable", UNREACHABLE, {}, false, 0, OPENED, RELATED},
	{"time exceeded", {.icmp = ICMP_TIME_EXCEEDED}, {}, false, 0, OPENED, RELATED},
	{"a bad parameter", {.icmp = ICMP_BAD_PARAMETER}, {}, false, 0, OPENED, RELATED},
	{"too big, IPv4", {.icmp = ICMP_UNREACHABLE, .code = 4}, {}, false, 0, OPENED, RELATED, FAMILY_V4},
	{"too big, IPv6", {.icmp = ICMP_TYPE, .type = 2}, {}, false, 100, OPENED, RELATED, FAMILY_V6},
	{"about UDP", UNREACHABLE, {.proto = IPPROTO_UDP}, false, 0, OPENED, RELATED},
	{"about SCTP", UNREACHABLE, {.proto = IPPROTO_SCTP}, false, 0, OPENED, RELATED},
	{"about a ping", UNREACHABLE, {.icmp = ICMP_ECHO_REQUEST, .id = 9}, false, 0, OPENED, RELATED},
	{"about a protocol without ports", UNREACHABLE, {.proto = PROTO_GRE, .payload = 8}, false, 0, OPENED, RELATED},
	{"IC-06 with options in what it quotes", UNREACHABLE, {.option_words = 10}, false, 0, OPENED, RELATED, FAMILY_V4},
	{"more is quoted", UNREACHABLE, {.payload = 64}, false, 84, OPENED, RELATED},
	{"behind tags", {.icmp = ICMP_UNREACHABLE, .vlans = 2}, {}, false, 0, OPENED, RELATED},

	{"about nothing", UNREACHABLE, {}, false, 0, UNOPENED, UNRELATED},
	{"about something that is over", UNREACHABLE, {.proto = IPPROTO_UDP}, false, 0, EXPIRED, UNRELATED},
	{"of another policy's time", UNREACHABLE, {}, false, 0, OUTDATED, UNRELATED},
	{"of a connection decided again", UNREACHABLE, {}, false, 0, RENEWED, RELATED},
	{"about another port", UNREACHABLE, {.dport = 444}, true, 0, OPENED, UNRELATED},
	{"about another source port", UNREACHABLE, {.sport = 40001}, true, 0, OPENED, UNRELATED},
	{"about another protocol", UNREACHABLE, {.proto = IPPROTO_UDP}, true, 0, OPENED, UNRELATED},
	{"about another's packet", UNREACHABLE, {.from = OTHER}, true, 0, OPENED, UNRELATED},
	{"about a packet to another", UNREACHABLE, {.to = OTHER}, true, 0, OPENED, UNRELATED},
	{"about a packet that it did not send", UNREACHABLE, {.from = SERVER, .to = CLIENT, .sport = 443, .dport = 40000}, true, 0, OPENED, UNRELATED},
	{"IC-06 about an error", UNREACHABLE, {.icmp = ICMP_UNREACHABLE}, true, 0, OPENED, UNRELATED},
	{"IC-06 about a tail", UNREACHABLE, {.is_fragment = true, .offset = 100, .payload = 8}, true, 0, OPENED, UNRELATED},
	{"IC-06 about a header of 4 bytes", UNREACHABLE, {.ihl = 1}, true, 0, OPENED, UNRELATED, FAMILY_V4},
	{"IC-06 about a header that isn't quoted", UNREACHABLE, {.ihl = 15}, true, 0, OPENED, UNRELATED, FAMILY_V4},
	{"IC-06 whose quote lies behind the packet's end", {.icmp = ICMP_UNREACHABLE, .ip_len_add = -8}, {}, false, 0, OPENED, UNRELATED},
	{"about IP of another version", UNREACHABLE, {.version = 5}, true, 0, OPENED, UNRELATED},
	{"IC-03 too big, about a first fragment", {.icmp = ICMP_TYPE, .type = 2}, {.proto = IPPROTO_UDP, .is_fragment = true, .payload = 64}, false, 24, OPENED, RELATED, FAMILY_V6},
	{"IC-06 about a later fragment", {.icmp = ICMP_TYPE, .type = 2}, {.proto = IPPROTO_UDP, .is_fragment = true, .offset = 9, .payload = 64}, true, 24, OPENED, UNRELATED, FAMILY_V6},
	{"IC-07 too big, for a link of one byte", {.icmp = ICMP_TYPE, .type = 2}, {}, false, 100, OPENED, RELATED, FAMILY_V6},
	{"IC-07 too big, for a link of 65537 bytes", {.icmp = ICMP_TYPE, .type = 2, .id = 1}, {}, false, 100, OPENED, RELATED, FAMILY_V6},
	{"IC-07 too big, for the largest link", {.icmp = ICMP_TYPE, .type = 2, .id = 0xffff}, {}, false, 100, OPENED, RELATED, FAMILY_V6},
	{"IC-07 the same, about nothing", {.icmp = ICMP_TYPE, .type = 2, .id = 0xffff}, {}, false, 100, UNOPENED, UNRELATED, FAMILY_V6},
	{"IC-07 too big for a link of one byte, about another", {.icmp = ICMP_TYPE, .type = 2}, {.dport = 444}, true, 100, OPENED, UNRELATED, FAMILY_V6},
	{"IC-06 about a packet with options, one of them cut", UNREACHABLE, {.option_words = 6, .ihl = 12}, true, 0, OPENED, UNRELATED, FAMILY_V4},
	{"IC-06 about a packet with extensions", UNREACHABLE, {.extensions = "D"}, true, 24, OPENED, UNRELATED, FAMILY_V6},
	{"IC-06 seven bytes of ports", UNREACHABLE, {}, false, 7, OPENED, UNRELATED},
	{"IC-06 no ports", UNREACHABLE, {}, false, -1, OPENED, UNRELATED},
	{"a redirect", {.icmp = ICMP_TYPE, .type = 5, .code = 1}, {}, false, 0, OPENED, BH_REASON_POLICY, "default", FAMILY_V4},
	{"source quench", {.icmp = ICMP_TYPE, .type = 4}, {}, false, 0, OPENED, BH_REASON_POLICY, "default", FAMILY_V4},
	{"an IPv4 type in IPv6", {.icmp = ICMP_TYPE, .type = 11}, {}, false, 0, OPENED, BH_REASON_POLICY, "default", FAMILY_V6},
	{"an IPv6 type in IPv4", {.icmp = ICMP_TYPE, .type = 2}, {}, false, 0, OPENED, BH_REASON_POLICY, "default", FAMILY_V4},
};
/* clang-format on */

static void prepare(struct rig *rig, const struct error_row *row, const struct place *place,
		    const char *name, bool is_v6)
{
	struct packet_spec first = {.is_v6 = is_v6};

	if (!row->is_other)
		first = row->quoted;
	first.is_v6 = is_v6;
	rig_forget(rig);
	if (row->before == UNOPENED)
		return;
	assert_row(name, rig_run(rig, name, place->opens, &first).is_passed);
	if (row->before == EXPIRED)
		rig_age(rig, 3600);
	if (row->before == OUTDATED || row->before == RENEWED)
		rig_bump(rig);
	if (row->before == RENEWED)
		assert_row(name, rig_run(rig, name, place->opens, &first).is_passed);
}

static struct packet_spec error_of(const struct error_row *row, const struct place *place,
				   const struct packet_spec *quoted)
{
	struct packet_spec error = row->error;
	int transport = row->transport ? row->transport : 8;

	error.is_v6 = quoted->is_v6;
	error.from = place->sender;
	error.to = CLIENT;
	error.quoted = quoted;
	error.quoted_len = (uint16_t)((quoted->is_v6 ? 40 : 20) + 4 * quoted->option_words +
				      (transport > 0 ? transport : 0));
	return error;
}

static struct outcome run_row(struct rig *rig, const struct error_row *row,
			      const struct place *place, bool is_v6)
{
	const char *name = table_place(row->name, is_v6, place->sees);
	struct packet_spec quoted = row->quoted, error;

	quoted.is_v6 = is_v6;
	error = error_of(row, place, &quoted);
	rig_stand(rig, place->stand);
	prepare(rig, row, place, name, is_v6);
	return rig_run(rig, name, place->sees, &error);
}

static void errors_about_live_connections_pass(void **state)
{
	struct rig *rig = *state;

	rig_policy(rig, rules);
	for (size_t i = 0; i < COUNT(rows) * COUNT(places) * 2; i++) {
		const struct error_row *row = &rows[i / 2 / COUNT(places)];
		const struct place *place = &places[i / 2 % COUNT(places)];
		struct outcome outcome;
		const char *name;

		if (!family_has(row->family, i & 1))
			continue;
		outcome = run_row(rig, row, place, i & 1);
		name = table_place(row->name, i & 1, place->sees);
		if (outcome.reason != row->reason)
			fail_msg("%s: reason %d, wanted %d", name, outcome.reason, row->reason);
		assert_row_string(name, rig_rule_name(rig, outcome.rule), row->rule);
	}
}

static void without_the_builtin_errors_are_judged_by_rules(void **state)
{
	static const struct error_row denied = {"an error", UNREACHABLE};
	static const struct error_row allowed = {"an allowed error",
						 {.icmp = ICMP_TIME_EXCEEDED, .code = 1}};
	struct rig *rig = *state;

	rig_policy(rig, rules);
	rig_builtins_off(rig, 1u << BH_BUILTIN_ICMP);
	for (int is_v6 = 0; is_v6 < 2; is_v6++) {
		struct outcome outcome = run_row(rig, &denied, &places[0], is_v6);

		assert_int_equal(outcome.reason, BH_REASON_ICMP_UNRELATED);
		outcome = run_row(rig, &allowed, &places[0], is_v6);
		assert_true(outcome.is_passed);
		assert_string_equal(rig_rule_name(rig, outcome.rule), is_v6 ? "odd6" : "odd");
	}
	rig_builtins_off(rig, 0);
}

/* An error is about a connection of the endpoint that it goes to, not of another one. */
static void other_endpoints_connections_are_not_ones_own(void **state)
{
	static const struct place crossed = {PROGRAM_HOST_OUT, PROGRAM_TO, CLIENT, OUTSIDER};
	static const struct error_row row = {"about the machine's connection", UNREACHABLE};
	struct rig *rig = *state;

	rig_policy(rig, rules);
	for (int is_v6 = 0; is_v6 < 2; is_v6++)
		assert_int_equal(run_row(rig, &row, &crossed, is_v6).reason,
				 BH_REASON_ICMP_UNRELATED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_about_live_connections_pass),
		cmocka_unit_test(without_the_builtin_errors_are_judged_by_rules),
		cmocka_unit_test(other_endpoints_connections_are_not_ones_own),
	};

	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
