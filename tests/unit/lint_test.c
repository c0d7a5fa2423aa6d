/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/lint.h"

#include "tests/test.h"
#include "tests/unit/policy_text.h"

/* 2026-11-21T09:00:00Z */
#define NOW 1795251600

/* Lines 5 to 15; the rules are on the lines from 17 on, their names in column 12. */
#define MEMBERS                                                                                    \
	"  zones:\n"                                                                               \
	"  - {name: internet, cidrs: [0.0.0.0/0]}\n"                                               \
	"  - {name: dmz, cidrs: [10.0.0.0/20]}\n"                                                  \
	"  - {name: internal, cidrs: [10.0.16.0/20]}\n"                                            \
	"  - {name: data, cidrs: [10.0.32.0/20]}\n"                                                \
	"  - {name: management, cidrs: [10.0.48.0/20]}\n"                                          \
	"  workloads:\n"                                                                           \
	"  - {name: web, zone: dmz, addresses: [10.0.0.10, 10.0.0.11]}\n"                          \
	"  - {name: api, zone: internal, addresses: [10.0.16.10], labels: {app: api}}\n"           \
	"  - {name: db, zone: data, addresses: [10.0.32.10]}\n"                                    \
	"  - {name: guest, zone: internet, addresses: [198.51.100.7]}\n"                           \
	"  rules:\n"

#define RULE(name, from, to, rest) "  - {name: " name ", from: " from ", to: " to ", " rest "}\n"

struct lint_case {
	const char *name;
	const char *id;
	const char *spec;
	const char *places; /* of the findings with that id: "17:12 18:12 " */
};

/* clang-format off */
static const struct lint_case cases[] = {
	{ "the internet to the inside", "BH001",
	  MEMBERS RULE("r", "internet", "api", "services: tcp/443"), "17:12 " },
	{ "the internet to the front", "BH001",
	  MEMBERS RULE("r", "internet", "[web, dmz]", "services: tcp/443"), "" },
	{ "any to the inside", "BH001",
	  MEMBERS RULE("r", "[web, any]", "[web, api]", "services: tcp/443"), "17:12 " },
	{ "any to the front", "BH001",
	  MEMBERS RULE("r", "any", "dmz", "services: tcp/443"), "" },
	{ "any to a host that is unknown", "BH001",
	  MEMBERS RULE("r", "any", "[dmz, host]", "services: tcp/443"), "" },
	{ "all but one, the internet included", "BH001",
	  MEMBERS RULE("r", "{except: dmz}", "api", "services: tcp/443"), "17:12 " },
	{ "all but the internet", "BH001",
	  MEMBERS RULE("r", "{except: internet}", "api", "services: tcp/443"), "" },
	{ "all addresses as a cidr", "BH001",
	  MEMBERS RULE("r", "{cidr: 0.0.0.0/0}", "api", "services: tcp/443"), "17:12 " },
	{ "a workload on the internet", "BH001",
	  MEMBERS RULE("r", "guest", "api", "services: tcp/443"), "" },
	{ "some addresses of the internet", "BH001",
	  MEMBERS RULE("r", "{cidr: 203.0.113.0/24}", "api", "services: tcp/443"), "" },
	{ "a deny from the internet", "BH001",
	  MEMBERS RULE("r", "internet", "api", "services: tcp/443, action: deny"), "" },
	{ "an expired rule from the internet", "BH001",
	  MEMBERS RULE("r", "internet", "api",
		       "services: tcp/443, expires: 2026-11-21T09:00:00Z"), "" },
	{ "roles that are said", "BH001",
	  "  zones:\n"
	  "  - {name: dmz, role: internet, cidrs: [10.0.0.0/24]}\n"
	  "  - {name: internet, role: front, cidrs: [10.0.1.0/24]}\n"
	  "  rules:\n"
	  RULE("a", "dmz", "internet", "services: tcp/443")
	  RULE("b", "dmz", "dmz", "services: tcp/443"), "10:12 " },
	{ "all but one, where nobody plays the internet", "BH001",
	  "  zones:\n"
	  "  - {name: a, cidrs: [10.0.0.0/24]}\n"
	  "  rules:\n"
	  RULE("r", "{except: a}", "a", "services: tcp/443"), "8:12 " },

	{ "a cidr within a workload", "BH002",
	  MEMBERS RULE("r", "{cidr: 10.0.0.10}", "api", "services: tcp/443"), "17:28 " },
	{ "a cidr within a zone, deep down", "BH002",
	  MEMBERS RULE("r", "web", "[api, {except: {cidr: 10.0.32.64/26}}]", "services: tcp/443"),
	  "17:52 " },
	{ "a cidr of the internet", "BH002",
	  MEMBERS RULE("r", "{cidr: 203.0.113.0/24}", "web", "services: tcp/443"), "" },
	{ "a cidr that two zones share", "BH002",
	  MEMBERS RULE("r", "{cidr: 10.0.0.0/19}", "web", "services: tcp/443"), "" },
	{ "a cidr without the foreign part", "BH002",
	  MEMBERS RULE("r", "{cidr: 10.0.0.0/19, except: [10.0.16.0/20]}", "web",
		       "services: tcp/443"), "17:28 " },
	{ "a cidr in a test", "BH002",
	  MEMBERS RULE("r", "dmz", "api", "services: tcp/443")
	  "  expect:\n"
	  "  - {from: {cidr: 10.0.0.10}, to: api, services: tcp/443, verdict: allow}\n", "" },

	{ "data to another zone", "BH003",
	  MEMBERS RULE("r", "db", "api", "services: tcp/443"), "17:12 " },
	{ "data to the internet", "BH003",
	  MEMBERS RULE("r", "[web, data]", "internet", "services: tcp/443"), "17:12 " },
	{ "data to data", "BH003",
	  MEMBERS RULE("r", "data", "db", "services: tcp/443"), "" },
	{ "others to data", "BH003",
	  MEMBERS RULE("r", "api", "db", "services: tcp/443"), "" },
	{ "whoever it is", "BH003",
	  MEMBERS RULE("r", "any", "api", "services: tcp/443"), "" },

	{ "ssh from the front", "BH004",
	  MEMBERS RULE("r", "web", "api", "services: tcp/22"), "17:12 " },
	{ "ssh from management", "BH004",
	  MEMBERS RULE("r", "management", "api", "services: tcp/22"), "" },
	{ "ssh from management and another", "BH004",
	  MEMBERS RULE("r", "[management, api]", "api", "services: tcp/22"), "17:12 " },
	{ "a range around a management port", "BH004",
	  MEMBERS RULE("r", "web", "api", "services: [udp/1, tcp/6000-7000]"), "17:12 " },
	{ "ports on either side", "BH004",
	  MEMBERS RULE("r", "web", "api",
		       "services: [tcp/21, tcp/23, tcp/3388, tcp/3390-5984, tcp/5987]"), "" },
	{ "the port of another protocol", "BH004",
	  MEMBERS RULE("r", "web", "api", "services: [udp/22, udp/3389]"), "" },
	{ "all of TCP by its number", "BH004",
	  MEMBERS RULE("r", "web", "api", "services: proto/6"), "17:12 " },

	{ "any service", "BH005",
	  MEMBERS RULE("r", "web", "api", "services: any"), "17:12 " },
	{ "any service and one of it", "BH005",
	  MEMBERS RULE("r", "web", "api", "services: [tcp/1, any]"), "17:12 " },
	{ "every port of TCP", "BH005",
	  MEMBERS RULE("r", "web", "api", "services: tcp/0-65535"), "" },
	{ "any service denied", "BH005",
	  MEMBERS RULE("r", "web", "api", "services: any, action: deny"), "" },

	{ "an earlier rule allows the same", "BH006",
	  MEMBERS RULE("a", "dmz", "api", "services: tcp/400-500")
	  RULE("b", "web", "api", "services: tcp/443"), "18:12 " },
	{ "an earlier rule allows a part of it", "BH006",
	  MEMBERS RULE("a", "dmz", "api", "services: tcp/400-500")
	  RULE("b", "web", "internal", "services: tcp/443"), "" },
	{ "a later rule allows more", "BH006",
	  MEMBERS RULE("a", "web", "api", "services: tcp/443")
	  RULE("b", "dmz", "api", "services: tcp/400-500"), "" },
	{ "two rules together", "BH006",
	  MEMBERS RULE("a", "web", "api", "services: tcp/1")
	  RULE("b", "web", "api", "services: tcp/2")
	  RULE("c", "web", "api", "services: [tcp/1, tcp/2]"), "19:12 " },
	{ "a later deny", "BH006",
	  MEMBERS RULE("a", "web", "api", "services: tcp/443")
	  RULE("b", "dmz", "internal", "services: any, action: deny"), "17:12 " },
	{ "nobody is labelled so", "BH006",
	  MEMBERS RULE("r", "{labels: {app: web}}", "api", "services: tcp/443"), "17:12 " },
	{ "the host is unknown offline", "BH006",
	  MEMBERS RULE("r", "host", "api", "services: tcp/443"), "" },
	{ "ends of two families", "BH006",
	  MEMBERS RULE("r", "{cidr: \"2001:db8::/32\"}", "api", "services: tcp/443"), "17:12 " },
	{ "an expired rule", "BH006",
	  MEMBERS RULE("a", "web", "api", "services: tcp/443")
	  RULE("b", "web", "api", "services: tcp/443, expires: 2026-11-21T09:00:00Z"), "" },

	{ "a workload without a rule", "BH007",
	  MEMBERS RULE("r", "[web, db, guest]", "web", "services: tcp/443"), "13:12 " },
	{ "by zone, label and name", "BH007",
	  MEMBERS RULE("r", "[dmz, guest]", "[{labels: {app: api}}, data]", "services: tcp/443"),
	  "" },
	{ "by the zone of its address", "BH007",
	  "  zones:\n"
	  "  - {name: a, cidrs: [10.0.0.0/24]}\n"
	  "  workloads:\n"
	  "  - {name: w, addresses: [10.0.0.1]}\n"
	  "  - {name: v, addresses: [10.0.1.1]}\n"
	  "  rules:\n"
	  RULE("r", "a", "a", "services: tcp/443"), "9:12 " },
	{ "by a zone with other labels", "BH007",
	  MEMBERS RULE("r", "{zone: internal, labels: {app: web}}", "[dmz, data, guest]",
		       "services: tcp/443"), "13:12 " },
	{ "but for it", "BH007",
	  MEMBERS RULE("r", "{except: api}", "[dmz, data, guest]", "services: tcp/443"), "13:12 " },

	{ "there and back", "BH008",
	  MEMBERS RULE("a", "web", "api", "services: tcp/443")
	  RULE("b", "internal", "dmz", "services: [udp/443, tcp/400-500]"), "18:12 " },
	{ "there and back with other services", "BH008",
	  MEMBERS RULE("a", "web", "api", "services: tcp/443")
	  RULE("b", "internal", "dmz", "services: [udp/443, tcp/444-500]"), "" },
	{ "back to another zone", "BH008",
	  MEMBERS RULE("a", "web", "api", "services: tcp/443")
	  RULE("b", "internal", "data", "services: tcp/443"), "" },
	{ "one rule for both", "BH008",
	  MEMBERS RULE("r", "[dmz, internal]", "[internal, dmz]", "services: tcp/443"), "17:12 " },
	{ "within a zone", "BH008",
	  MEMBERS RULE("a", "web", "dmz", "services: tcp/443")
	  RULE("b", "dmz", "web", "services: tcp/443"), "" },
	{ "once a rule, once a pair of zones", "BH008",
	  MEMBERS RULE("a", "[dmz, data]", "internal", "services: tcp/443")
	  RULE("b", "internal", "[dmz, data]", "services: tcp/443")
	  RULE("c", "api", "web", "services: tcp/443"), "18:12 " },
	{ "back is denied", "BH008",
	  MEMBERS RULE("a", "web", "api", "services: tcp/443")
	  RULE("b", "api", "web", "services: tcp/443, action: deny"), "" },

	{ "expired this second", "BH009",
	  MEMBERS RULE("r", "web", "api", "services: tcp/443, expires: 2026-11-21T09:00:00Z"),
	  "17:12 " },
	{ "seven days from now", "BH009",
	  MEMBERS RULE("r", "web", "api", "services: tcp/443, expires: 2026-11-28T09:00:00Z"),
	  "17:12 " },
	{ "a second later", "BH009",
	  MEMBERS RULE("r", "web", "api", "services: tcp/443, expires: 2026-11-28T09:00:01Z"),
	  "" },
	{ "a deny expires too", "BH009",
	  MEMBERS RULE("r", "web", "api",
		       "services: tcp/443, action: deny, expires: 2020-01-01T00:00:00Z"),
	  "17:12 " },

	{ "a zone in a zone", "BH010",
	  "  zones:\n"
	  "  - {name: a, cidrs: [10.0.0.0/16, \"fd00::/32\"]}\n"
	  "  - {name: b, cidrs: [10.0.1.0/24, 10.0.2.0/24, \"fd00::/64\"]}\n"
	  "  - {name: c, cidrs: [10.0.1.0/25]}\n", "7:12 8:12 " },
	{ "a zone in all addresses", "BH010",
	  "  zones:\n"
	  "  - {name: a, cidrs: [0.0.0.0/0, \"::/0\"]}\n"
	  "  - {name: b, cidrs: [10.0.1.0/24, \"fd00::/64\"]}\n", "" },
	{ "prefixes of one zone", "BH010",
	  "  zones:\n"
	  "  - {name: a, cidrs: [10.0.0.0/16, 10.0.1.0/24]}\n", "" },
	{ "the other family", "BH010",
	  "  zones:\n"
	  "  - {name: a, cidrs: [\"::/64\"]}\n"
	  "  - {name: b, cidrs: [10.0.1.0/24]}\n", "" },

	{ "a service, a zone and a workload too many", "BH011",
	  "  zones:\n"
	  "  - {name: a, cidrs: [10.0.0.0/24]}\n"
	  "  - {name: b, cidrs: [10.0.1.0/24]}\n"
	  "  workloads:\n"
	  "  - {name: w, addresses: [10.0.2.1]}\n"
	  "  services:\n"
	  "  - {name: s, ports: [tcp/1]}\n"
	  "  - {name: t, ports: [tcp/2]}\n"
	  "  rules:\n"
	  RULE("r", "a", "a", "services: t"), "7:12 9:12 11:12 " },
	{ "a promise and a test name them", "BH011",
	  "  zones:\n"
	  "  - {name: a, cidrs: [10.0.0.0/24]}\n"
	  "  - {name: b, cidrs: [10.0.1.0/24]}\n"
	  "  workloads:\n"
	  "  - {name: w, addresses: [10.0.2.1]}\n"
	  "  services:\n"
	  "  - {name: s, ports: [tcp/1]}\n"
	  "  - {name: t, ports: [tcp/2]}\n"
	  "  never:\n"
	  "  - {name: n, from: {except: a}, to: b, services: s}\n"
	  "  expect:\n"
	  "  - {from: w, to: a, services: t, verdict: deny}\n", "" },
	{ "a zone that holds workloads, and one with its own mode", "BH011",
	  "  zones:\n"
	  "  - {name: a, cidrs: [10.0.0.0/24]}\n"
	  "  - {name: b}\n"
	  "  workloads:\n"
	  "  - {name: v, zone: b, addresses: [10.0.2.1]}\n"
	  "  - {name: w, addresses: [10.0.0.1], mode: audit}\n"
	  "  rules:\n"
	  RULE("r", "v", "v", "services: tcp/1"), "" },
	{ "a zone that makes default deny reach everyone", "BH011",
	  "  zones:\n"
	  "  - {name: a, cidrs: [0.0.0.0/0]}\n", "" },

	{ "telnet across zones", "BH012",
	  MEMBERS RULE("r", "web", "api", "services: tcp/23"), "17:12 " },
	{ "ftp in a range across zones", "BH012",
	  MEMBERS RULE("r", "internet", "web", "services: tcp/20-21"), "17:12 " },
	{ "telnet within a zone", "BH012",
	  MEMBERS RULE("r", "web", "dmz", "services: tcp/23"), "" },
	{ "http to data", "BH012",
	  MEMBERS RULE("r", "api", "[web, db]", "services: tcp/80"), "17:12 " },
	{ "http within data", "BH012",
	  MEMBERS RULE("r", "data", "db", "services: tcp/80"), "" },
	{ "http to the front", "BH012",
	  MEMBERS RULE("r", "internet", "web", "services: tcp/80"), "" },
	{ "http to data, but of TLS only", "BH012",
	  MEMBERS RULE("r", "api", "db", "services: tcp/80, require: tls"), "" },
	{ "telnet denied", "BH012",
	  MEMBERS RULE("r", "any", "any", "services: tcp/23, action: deny"), "" },
};
/* clang-format on */

static void lint_text(const char *spec, struct compiled_text *t, struct diags *d)
{
	*t = policy_text(spec, NULL);
	lint(t->compiled, NOW, d);
}

static void a_check_finds_what_it_is_for_and_no_more(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct lint_case *k = &cases[i];
		_policy_text_ struct compiled_text t = {};
		_text_ struct text places = TEXT_INIT;
		_diags_ struct diags d = {};

		lint_text(k->spec, &t, &d);
		assert_row(k->name, d.errors == 0);
		vec_foreach (diag, &d.list) {
			if (diag->id && !strcmp(diag->id, k->id))
				text_addf(&places, "%u:%u ", diag->at.line, diag->at.column);
		}
		assert_row_string(k->name, places.len ? places.buf : "", k->places);
	}
}

static void findings_are_warnings_in_file_order(void **state)
{
	_policy_text_ struct compiled_text t = {};
	_diags_ struct diags d = {};
	unsigned int line = 0;

	(void)state;
	lint_text(MEMBERS RULE("a", "data", "api", "services: any")
			  RULE("b", "{cidr: 10.0.32.10}", "api", "services: tcp/22"),
		  &t, &d);
	assert_true(d.warnings > 5);
	vec_foreach (diag, &d.list) {
		if (diag->level == DIAG_NOTE)
			continue;
		assert_int_equal(diag->level, DIAG_WARNING);
		assert_non_null(diag->id);
		assert_true(diag->at.line >= line);
		line = diag->at.line;
	}
}

static const char *message_of(const struct diags *d, const char *id)
{
	vec_foreach (diag, &d->list) {
		if (diag->id && !strcmp(diag->id, id))
			return diag->message;
	}
	return "";
}

struct cover_case {
	const char *name;
	const char *rules;
	const char *message;
};

/* clang-format off */
static const struct cover_case covers[] = {
	{ "one", RULE("a", "dmz", "api", "services: any") RULE("z", "web", "api", "services: tcp/1"),
	  "rule 'z' never decides anything: 'a' covers it" },
	{ "two", RULE("a", "web", "api", "services: tcp/1") RULE("b", "web", "api", "services: tcp/2")
		 RULE("z", "web", "api", "services: tcp/1-2"),
	  "rule 'z' never decides anything: 'a' and 'b' cover it" },
	{ "three", RULE("a", "web", "api", "services: tcp/1") RULE("b", "web", "api", "services: tcp/2")
		   RULE("c", "web", "api", "services: tcp/3")
		   RULE("z", "web", "api", "services: tcp/1-3"),
	  "rule 'z' never decides anything: others decide wherever it matches" },
	{ "none", RULE("z", "{labels: {no: one}}", "api", "services: tcp/1"),
	  "rule 'z' never decides anything: no connection matches it" },
};
/* clang-format on */

static void a_shadowed_rule_is_told_with_what_covers_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(covers); i++) {
		_policy_text_ struct compiled_text t = {};
		_text_ struct text spec = TEXT_INIT;
		_diags_ struct diags d = {};

		text_addf(&spec, "%s%s", MEMBERS, covers[i].rules);
		lint_text(spec.buf, &t, &d);
		assert_row_string(covers[i].name, message_of(&d, "BH006"), covers[i].message);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_check_finds_what_it_is_for_and_no_more),
		cmocka_unit_test(findings_are_warnings_in_file_order),
		cmocka_unit_test(a_shadowed_rule_is_told_with_what_covers_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
