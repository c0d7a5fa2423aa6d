/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Random policies: the compiled tables and the reference evaluator must give the same answers.
 * SEED=n runs that policy alone, COUNT=n makes n decisions (from SEED on, if both are there).
 */
#include "tests/test.h"

#include <stdlib.h>

#include <bulkhead/builtin.h>

#include "policy/services.h"
#include "tests/reference/rivals.h"
#include "tests/reference/shrink.h"

/* What is asked of each policy: from every address to every address, for every service. */
#define ADDRESSES 20
#define SERVICES  14

#ifdef __SANITIZE_ADDRESS__
#define DECISIONS 300000
#else
#define DECISIONS 4000000
#endif

static const struct random_shape any_shape = {};

static struct reference_answer compiled_answer(const struct compiled *c,
					       const struct reference_question *q)
{
	uint32_t cell = image_decide(&c->image, &q->src, &q->dst, q->table, q->number);

	return (struct reference_answer){
		.verdict = BH_CELL_VERDICT(cell),
		.rule = BH_CELL_RULE(cell),
		.log = cell & BH_CELL_LOG,
		.tls = cell & BH_CELL_TLS,
		.is_denied = cell & BH_CELL_DENIED,
	};
}

static bool is_same(struct reference_answer a, struct reference_answer b)
{
	return a.verdict == b.verdict && a.rule == b.rule && a.log == b.log && a.tls == b.tls &&
	       a.is_denied == b.is_denied;
}

/* --- a disagreement --- */

struct dispute {
	const struct random_policy *r;
	const struct reference_question *q;
};

static bool is_disputed(const struct policy *p, void *user)
{
	const struct dispute *dispute = user;
	const struct reference reference = rivals_reference(dispute->r);
	_compiled_ struct compiled *c = rivals_compile(dispute->r);

	(void)p;
	return !is_same(reference_decide(&reference, dispute->q), compiled_answer(c, dispute->q));
}

static void print_answer(const char *who, const struct policy *p, struct reference_answer a)
{
	const char *rule = a.rule < BH_RULE_FIRST ? "built in"
						  : p->rules.items[a.rule - BH_RULE_FIRST].name;

	print_error("  %s: verdict %d, rule %u (%s), log %d, tls %d, denied %d\n", who, a.verdict,
		    a.rule, rule, a.log, a.tls, a.is_denied);
}

static void fail_disputed(struct random_policy *r, const struct reference_question *q,
			  uint64_t seed)
{
	const struct reference reference = rivals_reference(r);
	struct dispute dispute = {r, q};
	struct shrink shrink = {r->policy, is_disputed, &dispute, .has_dropped = false};
	_compiled_ struct compiled *c = NULL;
	char src[ADDRESS_STRLEN], dst[ADDRESS_STRLEN];
	_text_ struct text service = TEXT_INIT;

	shrink_policy(&shrink);
	c = rivals_compile(r);
	service_format(q->table, q->number, &service);
	rivals_print(r, seed);
	print_error("  %s -> %s %s\n", addr_format(&q->src, src), addr_format(&q->dst, dst),
		    service.buf);
	print_answer("reference", r->policy, reference_decide(&reference, q));
	print_answer("compiled", r->policy, compiled_answer(c, q));
	fail();
}

/* --- decisions --- */

/* What was met: a random test that never sees a reject says nothing of rejects. */
struct tally {
	uint64_t asked;
	uint64_t verdicts[BH_VERDICT_COUNT];
	uint64_t tiers[TIER_BASELINE + 1]; /* of the rule that is named */
	uint64_t open, closed;             /* by default */
	uint64_t audited;                  /* by rules that only report */
	uint64_t logged, tls;
};

static void tally_add(struct tally *t, const struct policy *p, struct reference_answer a)
{
	t->asked++;
	t->verdicts[a.verdict]++;
	t->logged += a.log;
	t->tls += a.tls;
	if (a.rule == BH_BUILTIN_DEFAULT && a.is_denied)
		t->closed++;
	else if (a.rule == BH_BUILTIN_DEFAULT)
		t->open++;
	else if (a.rule == BH_BUILTIN_FAILSAFE)
		t->tiers[TIER_FAILSAFE]++;
	else
		t->tiers[p->rules.items[a.rule - BH_RULE_FIRST].tier]++;
	t->audited += a.verdict == BH_VERDICT_AUDIT && !a.is_denied;
}

static void check_tally(const struct tally *t)
{
	uint64_t least = t->asked / 1000;

	for (int i = 0; i < BH_VERDICT_COUNT; i++)
		assert_true(t->verdicts[i] > least);
	for (int i = 0; i <= TIER_BASELINE; i++)
		assert_true(t->tiers[i] > least);
	assert_true(t->open > least && t->closed > least);
	assert_true(t->audited > least && t->logged > least && t->tls > least);
}

struct sample {
	struct reference_end ends[ADDRESSES];
	struct reference_service services[SERVICES];
};

static void sample_make(struct sample *s, struct random_policy *r)
{
	const struct reference reference = rivals_reference(r);

	for (int i = 0; i < ADDRESSES; i++) {
		struct bh_addr a = random_address(r);

		reference_end_make(&reference, &a, &s->ends[i]);
	}
	for (int i = 0; i < SERVICES; i++) {
		struct service_range range = random_service(r);

		reference_service_make(&reference, range.table, range.lo, &s->services[i]);
	}
}

static void sample_release(struct sample *s)
{
	for (int i = 0; i < ADDRESSES; i++)
		reference_end_release(&s->ends[i]);
	for (int i = 0; i < SERVICES; i++)
		reference_service_release(&s->services[i]);
}

/* A random policy, compiled, and what is asked of it. */
struct trial {
	uint64_t seed;
	struct random_policy random;
	struct compiled *compiled;
	struct sample sample;
	struct tally *tally;
};

static void ask_pair(struct trial *t, const struct reference_end *src,
		     const struct reference_end *dst)
{
	const struct reference reference = rivals_reference(&t->random);
	bool is_v4 = addr_is_v4(&src->addr);

	if (addr_is_v4(&dst->addr) != is_v4)
		return;
	for (int i = 0; i < SERVICES; i++) {
		const struct reference_service *service = &t->sample.services[i];
		const struct reference_question q = {src->addr, dst->addr, service->table,
						     service->number};
		struct reference_answer wanted;

		if (!is_asked(is_v4, q.table, q.number))
			continue;
		wanted = reference_answer_for(&reference, src, dst, service);
		if (!is_same(wanted, compiled_answer(t->compiled, &q)))
			fail_disputed(&t->random, &q, t->seed);
		tally_add(t->tally, t->random.policy, wanted);
	}
}

static void ask_at_random(uint64_t seed, struct tally *tally)
{
	struct trial t = {.seed = seed, .tally = tally};

	random_policy_make(&t.random, seed, &any_shape);
	t.compiled = rivals_compile(&t.random);
	sample_make(&t.sample, &t.random);
	for (int i = 0; i < ADDRESSES; i++) {
		for (int j = 0; j < ADDRESSES; j++)
			ask_pair(&t, &t.sample.ends[i], &t.sample.ends[j]);
	}
	sample_release(&t.sample);
	compiled_free(t.compiled);
	random_policy_release(&t.random);
}

static void tables_answer_as_the_rules_read(void **state)
{
	uint64_t seed = rivals_given("SEED", 1);
	uint64_t count = rivals_given("COUNT", getenv("SEED") ? 1 : DECISIONS);
	struct tally tally = {};

	(void)state;
	for (; tally.asked < count; seed++)
		ask_at_random(seed, &tally);
	print_message("%llu decisions\n", (unsigned long long)tally.asked);
	if (count >= DECISIONS)
		check_tally(&tally);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_answer_as_the_rules_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
