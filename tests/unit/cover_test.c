/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/cover.h"

#include "tests/test.h"
#include "tests/unit/policy_text.h"

#define LIMIT 10000

#define SPEC                                                                                       \
	"  zones:\n"                                                                               \
	"  - {name: dmz, cidrs: [10.0.0.0/24, \"fd00::/64\"]}\n"                                   \
	"  - {name: data, cidrs: [10.0.1.0/24, \"fd01::/64\"]}\n"                                  \
	"  - {name: watched, cidrs: [10.0.2.0/24], mode: audit}\n"                                 \
	"  - {name: lo, cidrs: [127.0.0.0/8]}\n"                                                   \
	"  workloads:\n"                                                                           \
	"  - {name: web, zone: dmz, addresses: [10.0.0.10]}\n"                                     \
	"  - {name: pair, zone: dmz, addresses: [10.0.0.20, 10.0.0.77]}\n"                         \
	"  rules:\n"                                                                               \
	"  - {name: r, from: web, to: data, services: [tcp/5432, udp/53], log: true}\n"            \
	"  - {name: gre, from: dmz, to: data, services: proto/47}\n"                               \
	"  - {name: answers, from: any, to: any, services: [icmp/0, icmp6/129]}\n"                 \
	"  - {name: nd, from: any, to: any, services: icmp6/135}\n"                                \
	"  - {name: no, from: data, to: dmz, services: any, action: deny}\n"                       \
	"  - {name: own, from: pair, to: pair, services: tcp/1}\n"                                 \
	"  expect:\n"                                                                              \
	"  - {from: web, to: data, services: tcp/5432, verdict: allow}\n"

/* What the tables say of a case's packet, looked up by address and number. */
static uint32_t cell_of(const struct compiled *c, const struct cover_case *k)
{
	return image_decide(&c->image, &k->src, &k->dst, k->service.table, k->service.number);
}

static void every_case_gets_its_cell(void **state)
{
	_policy_text_ struct compiled_text t = policy_text(SPEC, NULL);
	_cover_ struct cover cover = {};

	(void)state;
	cover_make(t.compiled, LIMIT, &cover);
	assert_true(cover.cases.count > 20);
	assert_int_equal(cover.left_out, 0);
	vec_foreach (k, &cover.cases) {
		assert_int_equal(cell_of(t.compiled, k), k->cell);
		assert_int_equal(addr_is_v4(&k->src), !k->is_v6);
		assert_int_equal(addr_is_v4(&k->dst), !k->is_v6);
		assert_true(addr_cmp(&k->src, &k->dst));
	}
}

static bool has_rule(const struct cover *cover, uint32_t rule)
{
	vec_foreach (k, &cover->cases) {
		if (BH_CELL_RULE(k->cell) == BH_RULE_FIRST + rule)
			return true;
	}
	return false;
}

static void every_rule_that_packets_ask_for_is_tried(void **state)
{
	/* clang-format off */
	static const struct {
		const char *name;
		bool is_tried;
	} rules[] = {
		{ "r",       true  },
		{ "gre",     true  },
		{ "answers", false }, /* belong to their request's connection */
		{ "nd",      false }, /* a built-in rule judges it */
		{ "no",      true  },
		{ "own",     true  }, /* between the two addresses of one class */
	};
	/* clang-format on */
	_policy_text_ struct compiled_text t = policy_text(SPEC, NULL);
	_cover_ struct cover cover = {};

	(void)state;
	cover_make(t.compiled, LIMIT, &cover);
	for (uint32_t i = 0; i < COUNT(rules); i++) {
		assert_string_equal(t.policy->rules.items[i].name, rules[i].name);
		assert_row(rules[i].name, has_rule(&cover, i) == rules[i].is_tried);
	}
	assert_true(cover.unasked > 0);
}

static void expects_come_first_with_their_number(void **state)
{
	_policy_text_ struct compiled_text t = policy_text(SPEC, NULL);
	_cover_ struct cover cover = {};

	(void)state;
	cover_make(t.compiled, LIMIT, &cover);
	assert_int_equal(cover.cases.items[0].expect, 0);
	assert_int_equal(cover.cases.items[0].service.number, 5432);
	assert_int_equal(cover.cases.items[1].expect, POLICY_NONE);
}

static void what_is_over_the_limit_is_counted(void **state)
{
	_policy_text_ struct compiled_text t = policy_text(SPEC, NULL);
	_cover_ struct cover all = {}, some = {};

	(void)state;
	cover_make(t.compiled, LIMIT, &all);
	cover_make(t.compiled, 5, &some);
	assert_true(some.cases.count > 1 && some.cases.count <= 5);
	assert_int_equal(some.left_out + some.cases.count, all.cases.count);
	assert_int_equal(some.unasked, all.unasked);
}

/* Every row that two different addresses can have is in it, in both families. */
static void every_pair_has_its_cells_covered(void **state)
{
	_policy_text_ struct compiled_text t = policy_text(SPEC, NULL);
	_cover_ struct cover cover = {};

	(void)state;
	cover_make(t.compiled, LIMIT, &cover);
	vec_foreach (one, &cover.cases) {
		vec_foreach (other, &cover.cases) {
			uint32_t cell;
			bool is_found = false;

			if (one->is_v6 != other->is_v6 || !addr_cmp(&one->src, &other->dst))
				continue;
			cell = image_decide(&t.compiled->image, &one->src, &other->dst,
					    other->service.table, other->service.number);
			vec_foreach (k, &cover.cases)
				is_found |= k->cell == cell && k->is_v6 == one->is_v6;
			assert_true(is_found);
		}
	}
}

static void what_differs_from_the_table_disagrees(void **state)
{
	/* clang-format off */
	static const struct {
		const char *name;
		uint32_t cell;
		struct cover_answer answer;
		bool agrees;
	} cases[] = {
		{ "allow",              BH_CELL(16, BH_VERDICT_ALLOW, 0),  { true, false, 16 },  true  },
		{ "by another rule",    BH_CELL(16, BH_VERDICT_ALLOW, 0),  { true, false, 17 },  false },
		{ "dropped",            BH_CELL(16, BH_VERDICT_ALLOW, 0),  { false, true, 16 },  false },
		{ "reported",           BH_CELL(16, BH_VERDICT_ALLOW, 0),  { true, true, 16 },   false },
		{ "logged",             BH_CELL(16, BH_VERDICT_ALLOW, BH_CELL_LOG), { true, true, 16 }, true },
		{ "not logged",         BH_CELL(16, BH_VERDICT_ALLOW, BH_CELL_LOG), { true, false, 16 }, false },
		{ "audit",              BH_CELL(0, BH_VERDICT_AUDIT, 0),   { true, true, 0 },    true  },
		{ "audit not reported", BH_CELL(0, BH_VERDICT_AUDIT, 0),   { true, false, 0 },   false },
		{ "deny",               BH_CELL(0, BH_VERDICT_DENY, 0),    { false, true, 0 },   true  },
		{ "passed",             BH_CELL(0, BH_VERDICT_DENY, 0),    { true, false, 0 },   false },
		{ "reject",             BH_CELL(20, BH_VERDICT_REJECT, 0), { false, true, 20 },  true  },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct cover_case k = {.cell = cases[i].cell};

		assert_row(cases[i].name, cover_agrees(&k, &cases[i].answer) == cases[i].agrees);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_case_gets_its_cell),
		cmocka_unit_test(every_rule_that_packets_ask_for_is_tried),
		cmocka_unit_test(expects_come_first_with_their_number),
		cmocka_unit_test(what_is_over_the_limit_is_counted),
		cmocka_unit_test(every_pair_has_its_cells_covered),
		cmocka_unit_test(what_differs_from_the_table_disagrees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
