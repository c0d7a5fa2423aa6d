/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/test.h"

#include <string.h>

#include "lab/truth.h"
#include "policy/services.h"
#include "tests/unit/policy_text.h"

static const char spec[] =
	"  zones:\n"
	"  - {name: front, cidrs: [10.0.0.0/24, \"fd00:1::/64\"]}\n"
	"  - {name: data, cidrs: [10.0.1.0/24, \"fd00:2::/64\"]}\n"
	"  - {name: rest, cidrs: [\"0.0.0.0/0\", \"::/0\"], mode: audit}\n"
	"  workloads:\n"
	"  - {name: web, zone: front, addresses: [10.0.0.10, \"fd00:1::10\"]}\n"
	"  - {name: db, zone: data, addresses: [10.0.1.10, \"fd00:2::10\"]}\n"
	"  - {name: old, zone: rest, addresses: [192.0.2.1]}\n"
	"  rules:\n"
	"  - {name: query, from: web, to: db, services: [tcp/80, tcp/81]}\n"
	"  - {name: ping, from: web, to: db, services: [icmp/echo-request, icmp6/echo-request]}\n";

struct fixture {
	struct compiled_text policy;
	struct lab_plan plan;
	struct lab_events events;
	struct truth truth;
};

/* Everything is seen as it should be, with a drop event for each denial. */
static void fixture_init(struct fixture *f)
{
	_text_ struct text error = TEXT_INIT;

	*f = (struct fixture){.policy = policy_text(spec, NULL)};
	assert_int_equal(lab_plan(f->policy.compiled, &f->plan, &error), 0);
	vec_foreach (p, &f->plan.probes) {
		p->seen = lab_probe_expects_answer(p) ? LAB_ANSWERED : LAB_SILENT;
		p->drops = !lab_probe_expects_answer(p);
	}
}

static void fixture_release(struct fixture *f)
{
	truth_release(&f->truth);
	lab_events_release(&f->events);
	lab_plan_release(&f->plan);
	policy_text_release(&f->policy);
}
#define _fixture_ _cleanup_(fixture_release)

static void make(struct fixture *f)
{
	truth_make(f->policy.compiled, &f->plan, &f->events, 1, &f->truth);
}

static struct lab_probe *probe_of(struct fixture *f, const char *from, const char *to,
				  const char *service, enum lab_family family)
{
	vec_foreach (p, &f->plan.probes) {
		const struct lab_service *s = &f->plan.services.items[p->service];
		_text_ struct text name = TEXT_INIT;

		service_format(s->table, s->number, &name);
		if (p->family == family && !strcmp(f->plan.stations.items[p->from].name, from) &&
		    !strcmp(f->plan.stations.items[p->to].name, to) && !strcmp(name.buf, service))
			return p;
	}
	fail_msg("there is no probe of %s from %s to %s", service, from, to);
	return NULL;
}

static const struct truth_row *row_of(const struct fixture *f, const char *from, const char *to)
{
	vec_foreach (row, &f->truth.rows)
		if (!strcmp(f->plan.stations.items[row->from].name, from) &&
		    !strcmp(f->plan.stations.items[row->to].name, to))
			return row;
	fail_msg("there is no row from %s to %s", from, to);
	return NULL;
}

struct seen_case {
	const char *name;
	const char *from, *to, *service;
	enum lab_family family;
	enum lab_outcome seen;
	uint64_t drops;
	bool is_ok;
	const char *text; /* the row's `seen` */
};

#define ALLOWED "tcp/80, tcp/81, icmp/echo-request, icmp6/echo-request"

/* clang-format off */
static const struct seen_case seen_cases[] = {
	{ "as expected",              "web", "db",  "tcp/80",   LAB_V4, LAB_ANSWERED, 0, true,
	  ALLOWED },
	{ "allowed, though dropped",  "web", "db",  "tcp/80",   LAB_V4, LAB_ANSWERED, 3, true,
	  ALLOWED },
	{ "allowed, but silent",      "web", "db",  "tcp/80",   LAB_V4, LAB_SILENT,   1, false,
	  "v4: tcp/81, icmp/echo-request; v6: tcp/80, tcp/81, icmp6/echo-request" },
	{ "allowed, but refused",     "web", "db",  "tcp/81",   LAB_V6, LAB_REFUSED,  0, false,
	  "v4: tcp/80, tcp/81, icmp/echo-request; v6: tcp/80, icmp6/echo-request; tcp/81 refused" },
	{ "denied, but answered",     "db",  "web", "udp/9999", LAB_V6, LAB_ANSWERED, 0, false,
	  "v4: none; v6: udp/9999" },
	{ "denied, but refused",      "db",  "web", "tcp/80",   LAB_V4, LAB_REFUSED,  1, false,
	  "v4: tcp/80 refused; v6: none" },
	{ "denied without an event",  "db",  "web", "tcp/80",   LAB_V4, LAB_SILENT,   0, false,
	  "v4: tcp/80 without a drop event; v6: none" },
	{ "the one family there is",  "db",  "old", "tcp/80",   LAB_V4, LAB_SILENT,   1, true,
	  "none" },
};
/* clang-format on */

static void whatever_is_not_as_the_policy_says_is_a_mismatch(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(seen_cases); i++) {
		const struct seen_case *k = &seen_cases[i];
		const struct truth_row *row;
		_fixture_ struct fixture f;
		struct lab_probe *p;

		fixture_init(&f);
		p = probe_of(&f, k->from, k->to, k->service, k->family);
		p->seen = k->seen;
		p->drops = k->drops;
		make(&f);
		row = row_of(&f, k->from, k->to);
		if (row->is_ok != k->is_ok || f.truth.mismatches != !k->is_ok)
			fail_msg("%s: ok %d, %zu mismatches", k->name, row->is_ok,
				 f.truth.mismatches);
		if (strcmp(row->seen, k->text) != 0)
			fail_msg("%s: expected '%s', got '%s'", k->name, k->text, row->seen);
	}
}

static void a_reject_is_a_refusal_or_silence_with_an_event(void **state)
{
	static const struct {
		enum lab_outcome seen;
		uint64_t drops;
		bool is_ok;
	} cases[] = {
		{LAB_REFUSED, 1, true},  {LAB_UNREACHABLE, 1, true}, {LAB_SILENT, 1, true},
		{LAB_REFUSED, 0, false}, {LAB_SILENT, 0, false},     {LAB_ANSWERED, 1, false},
		{LAB_FAILED, 1, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		_fixture_ struct fixture f;
		struct lab_probe *p;

		fixture_init(&f);
		p = probe_of(&f, "db", "web", "tcp/80", LAB_V4);
		p->expected.verdict = BH_VERDICT_REJECT;
		p->seen = cases[i].seen;
		p->drops = cases[i].drops;
		make(&f);
		assert_row(lab_outcome_word(p->seen),
			   row_of(&f, "db", "web")->is_ok == cases[i].is_ok);
	}
}

static void what_is_expected_names_its_rules(void **state)
{
	_fixture_ struct fixture f;

	(void)state;
	fixture_init(&f);
	make(&f);
	assert_string_equal(row_of(&f, "web", "db")->expected,
			    "tcp/80, tcp/81 (query); icmp/echo-request, icmp6/echo-request (ping)");
	assert_string_equal(row_of(&f, "db", "web")->expected, "none");
	assert_int_equal(f.truth.rows.count, 6);
	assert_int_equal(f.truth.probes, f.truth.allowed + f.truth.denied);
	assert_int_equal(f.truth.allowed, 6);
}

/* clang-format off */
#define END(ip, port) "{\"ip\":\"" ip "\",\"port\":" port "}"
#define EVENT(verdict, rule, reason, src, dst, proto) \
	"{\"verdict\":\"" verdict "\",\"rule\":\"" rule "\",\"reason\":\"" reason \
	"\",\"src\":" src ",\"dst\":" dst ",\"proto\":\"" proto "\",\"near\":\"query(tcp/22)\"}\n"
/* clang-format on */

static const char lines[] = EVENT("deny", "default", "policy", END("10.0.1.10", "4000"),
				  END("10.0.0.10", "80"), "tcp")
	EVENT("deny", "default", "policy", END("10.0.1.10", "4001"), END("10.0.0.10", "81"), "tcp")
		EVENT("deny", "default", "policy", END("fd00:1::10", "5"), END("fd00:2::10", "80"),
		      "tcp") EVENT("deny", "default", "policy", END("10.0.1.10", "1"),
				   END("203.0.113.1", "1"), "47")
			EVENT("audit", "default", "policy", END("10.0.1.10", "1"),
			      END("10.0.0.10", "80"), "tcp")
				EVENT("allow", "query", "none", END("10.0.0.10", "1"),
				      END("10.0.1.10", "80"), "tcp") "not JSON\n";

static void events_are_counted_for_their_probe_and_told_by_pair(void **state)
{
	const struct truth_drops *d;
	_fixture_ struct fixture f;

	(void)state;
	fixture_init(&f);
	lab_events_read(lines, &f.events);
	assert_int_equal(f.events.list.count, 5);
	assert_int_equal(f.events.bad_lines, 1);
	truth_count_drops(&f.plan, &f.events);
	assert_int_equal(probe_of(&f, "db", "web", "tcp/80", LAB_V4)->drops, 1);
	assert_int_equal(probe_of(&f, "db", "web", "tcp/80", LAB_V6)->drops, 0);
	assert_int_equal(probe_of(&f, "web", "db", "tcp/80", LAB_V6)->drops, 1);

	make(&f);
	assert_int_equal(f.truth.foreign, 1);
	assert_int_equal(f.truth.drops.count, 3);
	d = &f.truth.drops.items[0];
	assert_string_equal(d->from, "db");
	assert_string_equal(d->to, "web");
	assert_int_equal(d->count, 2);
	assert_int_equal(d->services.count, 1);
	assert_int_equal(d->near.count, 1);
	assert_false(d->is_surprise);
	assert_true(d->others.count > 0);
	assert_string_equal(f.truth.drops.items[1].verdict, "audit");
	assert_string_equal(f.truth.drops.items[2].from, "web");
	assert_true(f.truth.drops.items[2].is_surprise);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(whatever_is_not_as_the_policy_says_is_a_mismatch),
		cmocka_unit_test(a_reject_is_a_refusal_or_silence_with_an_event),
		cmocka_unit_test(what_is_expected_names_its_rules),
		cmocka_unit_test(events_are_counted_for_their_probe_and_told_by_pair),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
