/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The corpus of hostile packets: it comes to what is due, and it would be seen if it didn't. */
#include "cli/selftest.h"

#include <netinet/in.h>

#include "tests/test.h"
#include "util/mem.h"

static struct selftest run(const struct hostile *corpus, size_t count, const char *policy)
{
	_text_ struct text why = TEXT_INIT;
	struct selftest test = {};

	if (selftest_run(corpus, count, policy, &why, &test))
		fail_msg("%s", why.buf);
	return test;
}

static void every_packet_comes_to_what_is_due(void **state)
{
	_selftest_ struct selftest test = run(selftest_corpus, selftest_corpus_count,
					      selftest_policy);

	(void)state;
	vec_foreach (finding, &test.findings)
		print_error("%s at %s\n", finding->packet->name, program_word(finding->program));
	assert_int_equal(selftest_findings(&test), 0);
	assert_int_equal(test.hooks, PROGRAMS);
	assert_true(test.packets > selftest_corpus_count);
	assert_true(test.runs > 3 * test.packets);
	assert_int_equal(test.drops, selftest_drops(&test));
	assert_true(test.runs - test.drops > 100); /* dropping all is no success */
}

#define ON_ALL ((1u << PROGRAMS) - 1)

/* clang-format off */
static const struct hostile lies[] = {
	{"one that passes", BH_REASON_POLICY, HOSTILE_ALONE, HOSTILE_BOTH, ON_ALL, END_DEFAULT, {.proto = IPPROTO_TCP}},
	{"one that is dropped", BH_REASON_NONE, HOSTILE_ALONE, HOSTILE_BOTH, ON_ALL, END_DEFAULT, {.dport = 444}},
	{"one that has another reason", BH_REASON_POLICY, HOSTILE_ALONE, HOSTILE_BOTH, ON_ALL, END_DEFAULT, {.doff = 4}},
	{"a tail that passes", BH_REASON_NONE, HOSTILE_ALONE, HOSTILE_BOTH, ON_ALL, END_DEFAULT, {.is_fragment = true, .offset = 9, .payload = 64}},
};
/* clang-format on */

static void what_comes_to_something_else_is_found_at_every_hook(void **state)
{
	_selftest_ struct selftest test = run(lies, COUNT(lies), selftest_policy);

	(void)state;
	assert_int_equal(test.runs, 2 * COUNT(lies) * PROGRAMS);
	assert_int_equal(test.findings.count, test.runs);
	assert_true(selftest_is_balanced(&test));
}

#define WORLD                                                                                      \
	"apiVersion: bulkhead.dev/v1\n"                                                            \
	"kind: ZonePolicy\n"                                                                       \
	"metadata: {name: other}\n"                                                                \
	"spec:\n"                                                                                  \
	"  zones: [{name: all, cidrs: [0.0.0.0/0, '::/0']}]\n"                                     \
	"  rules: [{name: all, from: any, to: any, services: any"

/* Programs that let all of it pass, or nothing, are found out by the same rows. */
static void other_rules_are_found_out(void **state)
{
	static const char *const policies[] = {WORLD "}]\n", WORLD ", action: deny}]\n"};
	const size_t count = 12; /* the first of them: what must pass, and what looks like it */

	(void)state;
	for (size_t i = 0; i < COUNT(policies); i++) {
		_selftest_ struct selftest test = run(selftest_corpus, count, policies[i]);

		assert_true(test.findings.count > PROGRAMS);
		vec_foreach (finding, &test.findings)
			assert_row(finding->packet->name, finding->seen.is_passed == !i);
	}
}

static const struct {
	const char *name;
	enum bh_reason due;
	struct trial_outcome seen;
	bool is_right;
} outcomes[] = {
	{"passes", BH_REASON_NONE, {.is_passed = true}, true},
	{"passes with an event", BH_REASON_NONE, {.is_passed = true, .is_reported = true}, false},
	{"passes, and is due to be dropped", BH_REASON_POLICY, {.is_passed = true}, false},
	{"is dropped for its reason",
	 BH_REASON_FRAGMENT,
	 {.is_reported = true, .reason = BH_REASON_FRAGMENT},
	 true},
	{"is dropped for another",
	 BH_REASON_FRAGMENT,
	 {.is_reported = true, .reason = BH_REASON_POLICY},
	 false},
	{"is dropped, and no event says so",
	 BH_REASON_FRAGMENT,
	 {.reason = BH_REASON_FRAGMENT},
	 false},
	{"is dropped for no reason", BH_REASON_NONE, {.is_reported = true}, false},
};

static void a_packet_agrees_by_fate_reason_and_event(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(outcomes); i++) {
		const struct hostile packet = {.reason = outcomes[i].due};

		assert_row(outcomes[i].name,
			   selftest_agrees(&packet, &outcomes[i].seen) == outcomes[i].is_right);
	}
}

static struct selftest balanced(void)
{
	struct selftest test = {.drops = 3};

	test.reasons[BH_REASON_POLICY] = 2;
	test.reasons[BH_REASON_MALFORMED] = 1;
	test.books.drops[BH_REASON_POLICY].packets = 2;
	test.books.drops[BH_REASON_MALFORMED].packets = 1;
	test.books.of[BH_VERDICT_DENY] = (struct books){.produced = 3, .delivered = 3};
	return test;
}

static void books_that_do_not_balance_are_a_finding(void **state)
{
	struct selftest fine = balanced(), uncounted = balanced(), lost = balanced(),
			silent = balanced();

	(void)state;
	assert_int_equal(selftest_findings(&fine), 0);
	uncounted.books.drops[BH_REASON_POLICY].packets = 1;
	assert_int_equal(selftest_findings(&uncounted), 1);
	lost.books.of[BH_VERDICT_DENY].delivered = 2;
	assert_int_equal(selftest_findings(&lost), 1);
	lost.books.of[BH_VERDICT_DENY].lost = 1;
	assert_int_equal(selftest_findings(&lost), 1);
	silent.books.of[BH_VERDICT_DENY] = (struct books){.produced = 2, .delivered = 2};
	assert_int_equal(selftest_findings(&silent), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_packet_comes_to_what_is_due),
		cmocka_unit_test(what_comes_to_something_else_is_found_at_every_hook),
		cmocka_unit_test(other_rules_are_found_out),
		cmocka_unit_test(a_packet_agrees_by_fate_reason_and_event),
		cmocka_unit_test(books_that_do_not_balance_are_a_finding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
