/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The check against the kernel: it agrees with the policy's own tables, and with no others. */
#include "cli/check_kernel.h"

#include "datapath/trial.h"
#include "tests/test.h"
#include "tests/unit/policy_text.h"

#define SPEC                                                                                       \
	"  zones:\n"                                                                               \
	"  - {name: dmz, cidrs: [10.0.0.0/24, \"fd00::/64\"]}\n"                                   \
	"  - {name: data, cidrs: [10.0.1.0/24, \"fd01::/64\"]}\n"                                  \
	"  - {name: watched, cidrs: [10.0.2.0/24, \"fd02::/64\"], mode: audit}\n"                  \
	"  workloads:\n"                                                                           \
	"  - {name: web, zone: dmz, addresses: [10.0.0.10, \"fd00::10\"]}\n"                       \
	"  rules:\n"                                                                               \
	"  - {name: logged, from: web, to: data, services: [tcp/5432, udp/53], log: true}\n"       \
	"  - {name: both-ways, from: [dmz, data], to: [dmz, data], services: proto/47}\n"          \
	"  - {name: ping, from: any, to: data, services: [icmp/echo-request, "                     \
	"icmp6/echo-request]}\n"                                                                   \
	"  - {name: no, from: data, to: dmz, services: sctp/0-65535, action: deny}\n"              \
	"  expect:\n"                                                                              \
	"  - {from: web, to: data, services: tcp/5432, verdict: allow}\n"

static struct check_kernel check(const struct compiled *c, struct diags *d)
{
	_text_ struct text why = TEXT_INIT;
	struct check_kernel result = {};

	if (check_kernel(c, &c->image, d, &why, &result))
		fail_msg("%s", why.buf);
	return result;
}

static void the_programs_agree_with_the_policy(void **state)
{
	_policy_text_ struct compiled_text t = policy_text(SPEC, NULL);
	_diags_ struct diags d = {};
	struct check_kernel result = check(t.compiled, &d);

	(void)state;
	diags_print(&d, stderr);
	assert_int_equal(result.wrong, 0);
	assert_true(result.cases > 50);
	assert_int_equal(result.packets, result.cases * PROGRAMS);
	assert_true(result.is_done);
}

/* Puts @to in place of every cell that @rule decides. */
static void falsify(struct image *image, uint32_t rule, uint32_t to)
{
	vec_foreach (block, &image->cells.blocks) {
		for (unsigned int i = 0; i < BH_BLOCK_ENTRIES; i++) {
			if (BH_CELL_RULE(block->value[i]) == rule)
				block->value[i] = to;
		}
	}
}

struct lie {
	const char *name;
	uint32_t rule, cell;
	const char *message; /* a part of some error */
};

/* clang-format off */
static const struct lie lies[] = {
	{ "denied", BH_RULE_FIRST, BH_CELL(0, BH_VERDICT_DENY, 0),
	  "bh_xdp_in disagrees: 10.0.0.10 (web) to 10.0.1.1 (data), tcp/5432: the policy says allow "
	  "by rule 'logged', the program drops it (policy) by default" },
	{ "by another rule", BH_RULE_FIRST, BH_CELL(BH_RULE_FIRST + 1, BH_VERDICT_ALLOW, BH_CELL_LOG),
	  "bh_tc_to disagrees: 10.0.0.10 (web) to 10.0.1.1 (data), tcp/5432: the policy says allow "
	  "by rule 'logged', the program lets it through with a report by rule 'both-ways'" },
	{ "by another rule, silently", BH_RULE_FIRST + 1, BH_CELL(BH_RULE_FIRST + 2, BH_VERDICT_ALLOW, 0),
	  "the program lets it through by rule 'ping'" },
	{ "not logged", BH_RULE_FIRST, BH_CELL(BH_RULE_FIRST, BH_VERDICT_ALLOW, 0),
	  "the program lets it through by rule 'logged'" },
	{ "allowed over IPv6", BH_RULE_FIRST + 3, BH_CELL(BH_RULE_FIRST + 3, BH_VERDICT_ALLOW, 0),
	  "bh_tc_from disagrees: fd01::1 (data) to fd00::" },
};
/* clang-format on */

static bool is_told(const struct diags *d, const char *message)
{
	vec_foreach (diag, &d->list) {
		if (strstr(diag->message, message))
			return true;
	}
	return false;
}

static void other_tables_are_found_out(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(lies); i++) {
		_policy_text_ struct compiled_text t = policy_text(SPEC, NULL);
		_policy_text_ struct compiled_text false_one = policy_text(SPEC, NULL);
		_text_ struct text why = TEXT_INIT;
		_diags_ struct diags d = {};
		struct check_kernel result = {};

		falsify(&false_one.compiled->image, lies[i].rule, lies[i].cell);
		assert_row(lies[i].name, !check_kernel(t.compiled, &false_one.compiled->image, &d,
						       &why, &result));
		assert_row(lies[i].name, result.wrong > 0 && result.wrong == d.errors);
		if (!is_told(&d, lies[i].message)) {
			diags_print(&d, stderr);
			fail_msg("%s: not told: %s", lies[i].name, lies[i].message);
		}
	}
}

/* The error of an expect's packet stands at the expect, others at the rule that should decide. */
static void an_error_has_a_place(void **state)
{
	_policy_text_ struct compiled_text t = policy_text(SPEC, NULL);
	_policy_text_ struct compiled_text false_one = policy_text(SPEC, NULL);
	_text_ struct text why = TEXT_INIT;
	_diags_ struct diags d = {};
	struct check_kernel result = {};

	(void)state;
	falsify(&false_one.compiled->image, BH_RULE_FIRST, 0);
	assert_int_equal(check_kernel(t.compiled, &false_one.compiled->image, &d, &why, &result),
			 0);
	assert_int_equal(d.list.items[0].at.line, t.policy->expects.items[0].at.line);
	assert_int_equal(d.list.items[d.list.count - 1].at.line, t.policy->rules.items[0].at.line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_programs_agree_with_the_policy),
		cmocka_unit_test(other_tables_are_found_out),
		cmocka_unit_test(an_error_has_a_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
