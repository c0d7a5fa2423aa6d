/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Random policies: the compiled tables and the reference evaluator must give the same answers. */
#include "tests/test.h"

#include <stdlib.h>

#include "policy/compile.h"
#include "policy/promise.h"
#include "policy/services.h"
#include "tests/reference/random_policy.h"

#define POLICIES  300
#define QUESTIONS 300

#define PROMISED_POLICIES 80
#define PROMISES          3 /* of a random policy, at most */

static struct reference_answer compiled_answer(const struct compiled *c,
					       const struct reference_question *q)
{
	struct decision d =
		decision_of_cell(image_decide(&c->image, &q->src, &q->dst, q->table, q->number));
	size_t rule = d.rule < BH_RULE_FIRST ? POLICY_NONE : d.rule - BH_RULE_FIRST;

	return (struct reference_answer){.verdict = d.verdict, .rule = rule, .log = d.log};
}

static void print_question(const struct reference_question *q)
{
	char src[ADDRESS_STRLEN], dst[ADDRESS_STRLEN];
	_text_ struct text service = TEXT_INIT;

	service_format(q->table, q->number, &service);
	print_error("  %s -> %s %s\n", addr_format(&q->src, src), addr_format(&q->dst, dst),
		    service.buf);
}

static void print_answer(const char *who, struct reference_answer a)
{
	print_error("  %s: verdict %d, rule %zd, log %d\n", who, a.verdict, (ssize_t)a.rule, a.log);
}

static struct reference reference_of(const struct random_policy *r)
{
	return (struct reference){r->policy, r->hosts.items, r->hosts.count};
}

static struct compiled *compile(const struct random_policy *r)
{
	const struct environment env = {.host = r->hosts.items, .host_count = r->hosts.count};
	struct compiled *c = NULL;
	_diags_ struct diags d = {};

	assert_int_equal(policy_compile(r->policy, &env, &d, &c), 0);
	assert_int_equal(d.list.count, 0);
	return c;
}

static void ask(const struct random_policy *r, const struct compiled *c,
		const struct reference_question *q, uint64_t seed)
{
	const struct reference reference = reference_of(r);
	struct reference_answer wanted = reference_decide(&reference, q);
	struct reference_answer got = compiled_answer(c, q);

	if (got.verdict == wanted.verdict && got.rule == wanted.rule && got.log == wanted.log)
		return;
	print_error("SEED=%llu\n", (unsigned long long)seed);
	print_question(q);
	print_answer("reference", wanted);
	print_answer("compiled", got);
	fail();
}

static void ask_at_random(uint64_t seed)
{
	struct random_policy r;
	_compiled_ struct compiled *c = NULL;

	random_policy_make(&r, seed, UINT32_MAX);
	c = compile(&r);
	for (unsigned int i = 0; i < QUESTIONS; i++) {
		struct reference_question q = random_question(&r);

		ask(&r, c, &q, seed);
	}
	random_policy_release(&r);
}

/* What the promises of a policy say by the reference, over every point. */
struct promises {
	bool never_broken[PROMISES], expect_broken[PROMISES];
};

static void judge(const struct random_policy *r, const struct reference_question *q,
		  struct promises *found)
{
	const struct reference reference = reference_of(r);
	struct reference_answer a = reference_decide(&reference, q);
	const struct policy *p = r->policy;
	bool is_allowed_by_rule = a.rule != POLICY_NONE &&
				  p->rules.items[a.rule].action == ACTION_ALLOW;

	for (size_t i = 0; i < p->nevers.count; i++) {
		const struct never *n = &p->nevers.items[i];

		if (is_allowed_by_rule && !found->never_broken[i])
			found->never_broken[i] = reference_spans(&reference, n->from, n->to,
								 &n->services, q);
	}
	for (size_t i = 0; i < p->expects.count; i++) {
		const struct expect *e = &p->expects.items[i];

		if (a.verdict != e->verdict && !found->expect_broken[i])
			found->expect_broken[i] = reference_spans(&reference, e->from, e->to,
								  &e->services, q);
	}
}

static void judge_all(const struct random_policy *r, const struct random_points *points,
		      struct promises *found)
{
	vec_foreach (src, &points->addresses) {
		vec_foreach (dst, &points->addresses) {
			if (addr_is_v4(src) != addr_is_v4(dst))
				continue;
			vec_foreach (service, &points->services) {
				struct reference_question q = {*src, *dst, service->table,
							       service->lo};

				if (question_is_possible(&q))
					judge(r, &q, found);
			}
		}
	}
}

static size_t count_true(const bool *flags)
{
	size_t n = 0;

	for (size_t i = 0; i < PROMISES; i++)
		n += flags[i];
	return n;
}

static void check_promises(uint64_t seed)
{
	struct random_policy r;
	struct random_points points;
	struct promises found = {};
	_compiled_ struct compiled *c = NULL;
	_diags_ struct diags d = {};
	size_t nevers, expects;

	random_policy_make(&r, seed, 4);
	random_points_make(&points, &r);
	c = compile(&r);
	judge_all(&r, &points, &found);
	nevers = promise_check_never(c, &d);
	expects = promise_check_expect(c, &d);
	assert_int_equal(nevers + expects, d.errors);
	if (nevers != count_true(found.never_broken) ||
	    expects != count_true(found.expect_broken)) {
		print_error("SEED=%llu\n  never: reference %zu, compiled %zu\n"
			    "  expect: reference %zu, compiled %zu\n",
			    (unsigned long long)seed, count_true(found.never_broken), nevers,
			    count_true(found.expect_broken), expects);
		fail();
	}
	random_points_release(&points);
	random_policy_release(&r);
}

/* SEED=n in the environment runs that one alone. */
static void run_seeds(void (*run)(uint64_t seed), uint64_t count)
{
	const char *one = getenv("SEED");

	if (one) {
		run(strtoull(one, NULL, 10));
		return;
	}
	for (uint64_t seed = 1; seed <= count; seed++)
		run(seed);
}

static void tables_answer_as_the_rules_read(void **state)
{
	(void)state;
	run_seeds(ask_at_random, POLICIES);
}

static void promises_are_judged_as_if_every_connection_were_tried(void **state)
{
	(void)state;
	run_seeds(check_promises, PROMISED_POLICIES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_answer_as_the_rules_read),
		cmocka_unit_test(promises_are_judged_as_if_every_connection_were_tried),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
