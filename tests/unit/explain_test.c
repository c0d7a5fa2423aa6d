/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/unit/explain_asks.h"

static const char spec[] =
	"  zones:\n"
	"  - {name: internet, cidrs: [0.0.0.0/0, \"::/0\"]}\n"
	"  - {name: dmz, cidrs: [10.0.0.0/24, \"fd00::/64\"]}\n"
	"  - {name: data, cidrs: [10.0.1.0/24]}\n"
	"  - {name: empty}\n"
	"  workloads:\n"
	"  - {name: web, zone: dmz, addresses: [10.0.0.10, \"fd00::10\"]}\n"
	"  - {name: db, zone: data, addresses: [10.0.1.10]}\n"
	"  services:\n"
	"  - {name: sql, ports: [tcp/5432]}\n"
	"  rules:\n"
	"  - {name: web-to-db, from: web, to: db, services: [tcp/5432, tcp/9000-9010]}\n"
	"  - {name: everybody, from: any, to: web, services: tcp/443, require: tls, log: true}\n"
	"  - {name: no-ssh, from: any, to: any, services: tcp/22, action: deny}\n";

/* clang-format off */
static const struct ask_case asks[] = {
	{ "by name",                    "web", "db", "tcp/5432",             "allow web-to-db" },
	{ "by a service's name",        "web", "db", "sql",                  "allow web-to-db" },
	{ "by address",                 "10.0.0.10", "10.0.1.10", "tcp/5432", "allow web-to-db" },
	{ "denied by default",          "web", "db", "tcp/80",               "deny default" },
	{ "denied by a rule",           "web", "db", "tcp/22",               "deny no-ssh" },
	{ "a zone that agrees",         "dmz", "db", "tcp/22",               "deny no-ssh" },
	{ "a zone that doesn't",        "dmz", "db", "tcp/5432",             "mixed" },
	{ "services that don't agree",  "web", "db", "tcp/5431-5432",        "mixed" },
	{ "both families at once",      "internet", "web", "tcp/443",        "allow everybody" },
	{ "any",                        "any", "web", "tcp/443",             "allow everybody" },
	{ "the machine",                "host", "db", "tcp/80",              "allow builtin-host" },
	{ "to the machine",             "db", "host", "tcp/80",              "deny default" },
	{ "an unknown name",            "wbe", "db",
	  "tcp/80",               "unknown zone or workload 'wbe'; did you mean 'web'?" },
	{ "families that don't meet",   "10.0.0.10", "fd00::10",
	  "tcp/80",   "'10.0.0.10' has IPv4 and 'fd00::10' has IPv6: "
	  "only ends of one family connect" },
	{ "a service of the other",     "10.0.0.10", "web", "icmp6/echo-request",
	  "service 'icmp6/echo-request' is one of IPv6, and the ends have IPv4" },
	{ "a zone of no address",       "empty", "web",
	  "tcp/80",            "'empty' has no address" },
};
/* clang-format on */

static void questions_are_answered(void **state)
{
	_policy_text_ struct compiled_text t = policy_text(spec, NULL);

	(void)state;
	assert_answers(t.compiled, asks, COUNT(asks));
}

/* clang-format off */
static const struct describe_case describes[] = {
	{ "an allowed one", "internet", "web", "tcp/443",
	  "allow by rule 'everybody' at t.yaml:17:12, TLS required, logged\n"
	  "  from internet: zone internet, mode enforce\n"
	  "  to web: workload web in zone dmz, mode enforce\n"
	  "  service tcp/443: tcp/443\n"
	  "  other rules with an end in common:\n"
	  "    'no-ssh' matches except port: 443, denies 22\n" },
	{ "a near port", "web", "10.0.1.10", "tcp/5433",
	  "deny by default\n"
	  "  from web: workload web in zone dmz, mode enforce\n"
	  "  to 10.0.1.10: workload db in zone data, mode enforce\n"
	  "  service tcp/5433: tcp/5433\n"
	  "  nearest rule: 'web-to-db' matches except port: 5433, allows 5432\n"
	  "  other rules with an end in common:\n"
	  "    'no-ssh' matches except port: 5433, denies 22\n"
	  "    'everybody' matches except destination: 10.0.1.10, allows web; port: 5433, allows 443\n" },
	{ "a denied one", "web", "db", "udp/22",
	  "deny by default\n"
	  "  from web: workload web in zone dmz, mode enforce\n"
	  "  to db: workload db in zone data, mode enforce\n"
	  "  service udp/22: udp/22\n"
	  "  nearest rule: 'web-to-db' matches except service: udp/22, "
	  "allows tcp/5432, tcp/9000-9010\n"
	  "  other rules with an end in common:\n"
	  "    'no-ssh' matches except service: udp/22, denies tcp/22\n"
	  "    'everybody' matches except destination: db, allows web; service: udp/22, "
	  "allows tcp/443\n" },
	{ "a mixed one", "dmz", "db", "tcp/5432",
	  "mixed\n"
	  "  from dmz: 2 classes\n"
	  "  to db: workload db in zone data, mode enforce\n"
	  "  service tcp/5432: tcp/5432\n"
	  "  dmz -> db: deny by default\n"
	  "  web -> db: allow by rule 'web-to-db' at t.yaml:16:12\n" },
};
/* clang-format on */

static void answers_are_described(void **state)
{
	_policy_text_ struct compiled_text t = policy_text(spec, NULL);

	(void)state;
	assert_descriptions(t.compiled, describes, COUNT(describes));
}

static const char crowded[] =
	"  zones:\n  - {name: dmz, cidrs: [10.0.0.0/24]}\n"
	"  rules:\n"
	"  - {name: a, from: dmz, to: dmz, services: tcp/80}\n"
	"  - {name: b, from: outside, to: dmz, services: tcp/80, action: deny}\n"
	"  - {name: c, from: any, to: dmz, services: tcp/80}\n"
	"  - {name: e, from: any, to: any, services: tcp/80, action: deny}\n"
	"  - {name: f, from: any, to: any, services: tcp/1-79}\n"
	"  - {name: g, from: any, to: any, services: tcp/81}\n"
	"  - {name: h, from: dmz, to: any, services: tcp/80}\n";

static void the_others_are_named_with_their_reasons(void **state)
{
	_policy_text_ struct compiled_text t = policy_text(crowded, NULL);
	const struct question q = {"192.0.2.1", "10.0.0.1", "tcp/80"};
	_text_ struct text out = TEXT_INIT;
	struct answer a;

	(void)state;
	assert_int_equal(explain_ask(t.compiled, &q, &a, &out), 0);
	explain_describe(t.compiled, &q, &a, &out);
	answer_release(&a);
	assert_string_equal(
		out.buf, "deny by rule 'b' at t.yaml:9:12\n"
			 "  from 192.0.2.1: outside, in no zone\n"
			 "  to 10.0.0.1: zone dmz, mode enforce\n"
			 "  service tcp/80: tcp/80\n"
			 "  other rules with an end in common:\n"
			 "    'c' matches, but 'b' decides\n"
			 "    'e' matches, but 'b' decides\n"
			 "    'a' matches except source: the source has no identity, allows dmz\n"
			 "    'f' matches except port: 80, allows 1-79\n"
			 "    'g' matches except port: 80, allows 81\n"
			 "    and 1 more\n");
}

struct near_case {
	const char *name;
	const char *src, *dst;
	enum bh_service_table table;
	uint16_t number;
	const char *near; /* "RULE: difference"; "" for none */
};

/* clang-format off */
static const struct near_case nears[] = {
	{ "another port",        "10.0.0.10", "10.0.1.10", BH_SERVICE_TCP, 5433,
	  "web-to-db: port 5433, allows 5432" },
	{ "the nearer range",    "10.0.0.10", "10.0.1.10", BH_SERVICE_TCP, 9020,
	  "web-to-db: port 9020, allows 9000-9010" },
	{ "another protocol",    "10.0.0.10", "10.0.1.10", BH_SERVICE_UDP, 5432,
	  "web-to-db: udp/5432, allows tcp/5432, tcp/9000-9010" },
	{ "another source",      "10.0.0.11", "10.0.1.10", BH_SERVICE_TCP, 5432,
	  "web-to-db: another source, allows web" },
	{ "another destination", "10.0.0.10", "10.0.1.11", BH_SERVICE_TCP, 5432,
	  "web-to-db: another destination, allows db" },
	{ "nothing near",        "10.0.0.11", "10.0.1.11", BH_SERVICE_TCP, 5432, "" },
};
/* clang-format on */

static uint32_t class_of(const struct compiled *c, const char *address)
{
	struct bh_addr a;

	assert_null(addr_parse(address, &a));
	return c->identities.items[image_identity(&c->image, &a)].class;
}

static void format_nearest(const struct compiled *c, const struct near_case *k, struct text *out)
{
	_text_ struct text difference = TEXT_INIT;
	uint32_t rule = explain_nearest(c, class_of(c, k->src), class_of(c, k->dst), k->table,
					k->number, &difference);

	if (rule)
		text_addf(out, "%s: %s", compiled_rule_name(c, rule), difference.buf);
}

static void the_nearest_rule_is_found(void **state)
{
	_policy_text_ struct compiled_text t = policy_text(spec, NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(nears); i++) {
		_text_ struct text out = TEXT_INIT;

		format_nearest(t.compiled, &nears[i], &out);
		assert_row_string(nears[i].name, out.buf, nears[i].near);
	}
}

static void a_source_outside_has_no_identity(void **state)
{
	static const struct near_case k = {"outside",      "192.0.2.1", "10.0.0.10",
					   BH_SERVICE_TCP, 80,          ""};
	_policy_text_ struct compiled_text t =
		policy_text("  zones:\n  - {name: dmz, cidrs: [10.0.0.0/24]}\n"
			    "  rules:\n  - {name: r, from: dmz, to: dmz, services: tcp/80}\n",
			    NULL);
	_text_ struct text out = TEXT_INIT;

	(void)state;
	format_nearest(t.compiled, &k, &out);
	assert_string_equal(out.buf, "r: the source has no identity, allows dmz");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(questions_are_answered),
		cmocka_unit_test(answers_are_described),
		cmocka_unit_test(the_others_are_named_with_their_reasons),
		cmocka_unit_test(the_nearest_rule_is_found),
		cmocka_unit_test(a_source_outside_has_no_identity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
