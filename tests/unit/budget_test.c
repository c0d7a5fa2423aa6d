/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/budget.h"

#include <errno.h>

#include "policy/weight.h"
#include "tests/test.h"
#include "tests/unit/policy_text.h"

#define ZONES                                                                                      \
	"  zones:\n"                                                                               \
	"  - {name: a, cidrs: [10.0.0.0/24]}\n"                                                    \
	"  - {name: b, cidrs: [10.0.1.0/24]}\n"

static void entries_are_those_of_the_tables(void **state)
{
	_policy_text_ struct compiled_text t =
		policy_text(ZONES "  rules:\n"
				  "  - {name: r, from: a, to: b, services: tcp/80}\n",
			    NULL);
	const struct image *image = &t.compiled->image;
	struct budget b;

	(void)state;
	budget_take(t.compiled, &b);
	assert_int_equal(b.lines[BUDGET_PREFIXES].entries, image->prefixes.count);
	assert_int_equal(b.lines[BUDGET_PREFIXES].bytes, image->prefixes.count * 24);
	assert_int_equal(b.lines[BUDGET_IDENTITIES].entries, image->identities.count);
	assert_int_equal(b.lines[BUDGET_RULES].entries, BH_RULE_FIRST + 1);
	assert_int_equal(b.lines[BUDGET_BLOCKS].entries,
			 image->pairs.blocks.count + image->cells.blocks.count);
	assert_int_equal(b.classes, t.compiled->classes.count);
	assert_int_equal(b.rows, image->cells.rows);
}

static void the_costliest_rule_is_what_saves_most(void **state)
{
	_policy_text_ struct compiled_text t =
		policy_text(ZONES "  rules:\n"
				  "  - {name: small, from: a, to: b, services: tcp/80}\n"
				  "  - {name: large, from: a, services: tcp/81,\n"
				  "     to: [{cidr: 192.0.2.1}, {cidr: 192.0.2.3}, "
				  "{cidr: 192.0.2.5}]}\n"
				  "  - {name: other, from: b, to: a, services: tcp/80}\n",
			    NULL);
	struct budget b;

	(void)state;
	budget_take(t.compiled, &b);
	assert_int_equal(b.costliest, 1);
	assert_true(b.is_measured);
	/* Three prefixes, an identity and a rule number, at least. */
	assert_true(b.saved >= 5);
	assert_int_equal(b.prefixes, 3);
	assert_int_equal(b.costliest_rows, 1);
}

static void a_policy_without_rules_has_none_that_costs(void **state)
{
	_policy_text_ struct compiled_text t = policy_text(ZONES, NULL);
	struct budget b;

	(void)state;
	budget_take(t.compiled, &b);
	assert_int_equal(b.costliest, POLICY_NONE);
}

static void fill_is_rounded_up(void **state)
{
	/* clang-format off */
	static const struct {
		const char *name;
		uint64_t entries, room;
		unsigned int fill;
	} cases[] = {
		{ "empty",          0,   100,  0    },
		{ "a trace",        1,   9999, 1    },
		{ "half",           50,  100,  500  },
		{ "all but one",    999, 1000, 999  },
		{ "full",           100, 100,  1000 },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct budget_line line = {.entries = cases[i].entries,
						 .room = cases[i].room};

		assert_row(cases[i].name, budget_fill(&line) == cases[i].fill);
	}
}

/* More prefixes, with waypoints, than there is room for, most of them in one rule. */
static void who_needs_most_is_told_when_it_does_not_fit(void **state)
{
	_text_ struct text yaml = TEXT_INIT;
	_policy_ struct policy *policy = NULL;
	_diags_ struct diags d = {};
	struct compiled *compiled = NULL;
	struct source source;

	(void)state;
	text_add(&yaml, POLICY_TEXT_HEAD ZONES "  rules:\n"
					       "  - {name: small, from: a, to: b, services: any}\n"
					       "  - name: huge\n    from: a\n    services: tcp/80\n"
					       "    to:\n");
	for (unsigned int i = 0; i < IMAGE_PREFIXES_MAX / 3; i++)
		text_addf(&yaml, "    - {cidr: '2001:%x:%x::/%u'}\n", i >> 12, i & 4095,
			  65 + i % 63);
	source = source_of("t.yaml", yaml.buf, yaml.len);
	assert_int_equal(policy_load_sources(&source, 1, &d, &policy), 0);
	assert_int_equal(policy_compile(policy, &(struct environment){}, &d, &compiled), -E2BIG);
	assert_true(d.list.count >= 2);
	assert_non_null(strstr(d.list.items[0].message, "address prefixes"));
	assert_int_equal(d.list.items[1].level, DIAG_NOTE);
	assert_non_null(strstr(d.list.items[1].message, "'huge'"));
	assert_int_equal(d.list.items[1].at.line, policy->rules.items[1].at.line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_are_those_of_the_tables),
		cmocka_unit_test(the_costliest_rule_is_what_saves_most),
		cmocka_unit_test(a_policy_without_rules_has_none_that_costs),
		cmocka_unit_test(fill_is_rounded_up),
		cmocka_unit_test(who_needs_most_is_told_when_it_does_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
