/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Random policies with rules that expire: what the tables say of a later time is what the rules
 * that are left then say, and what a compiler says who is asked then.  SEED=n runs one policy.
 */
#include "tests/test.h"

#include <stdlib.h>

#include "policy/services.h"
#include "tests/reference/random_parts.h"
#include "tests/reference/rivals.h"

#define ADDRESSES 12
#define SERVICES  6

#ifdef __SANITIZE_ADDRESS__
#define DECISIONS 100000
#else
#define DECISIONS 1000000
#endif

/* Seconds after which some rule may end: fewer than a chain has places. */
static const int ends[] = {1, 2, 3, 7, 100000};

/* And those that are looked at. */
static const int looks[] = {0, 1, 2, 3, 4, 6, 7, 8, 99999, 100000, 5000000};

static const struct random_shape any_shape = {};

struct tally {
	uint64_t asked;
	uint64_t changed; /* other than at present */
	uint64_t opened;  /* of them: allowed later */
};

/* Of a random policy: now, and for each look what is left then. */
struct trial {
	uint64_t seed;
	struct random_policy random;
	struct compiled *compiled;
	struct compiled *later[COUNT(looks)];
	struct reference_end ends[ADDRESSES];
	struct reference_service services[SERVICES];
	struct tally *tally;
};

/* Every tier's rules end here, whether or not a policy can say so of them. */
static void let_rules_end(struct random_policy *r)
{
	r->now = RANDOM_NOW;
	vec_foreach (rule, &r->policy->rules) {
		if (random_one_in(r, 2))
			rule->expires = RANDOM_NOW + ends[random_below(r, COUNT(ends))];
	}
}

static void trial_make(struct trial *t)
{
	struct reference reference;

	random_policy_make(&t->random, t->seed, &any_shape);
	let_rules_end(&t->random);
	for (size_t i = 0; i < COUNT(looks); i++) {
		t->random.now = RANDOM_NOW + looks[i];
		t->later[i] = rivals_compile(&t->random);
	}
	t->random.now = RANDOM_NOW;
	t->compiled = rivals_compile(&t->random);
	reference = rivals_reference(&t->random);
	for (int i = 0; i < ADDRESSES; i++) {
		struct bh_addr a = random_address(&t->random);

		reference_end_make(&reference, &a, &t->ends[i]);
	}
	for (int i = 0; i < SERVICES; i++) {
		struct service_range range = random_service(&t->random);

		reference_service_make(&reference, range.table, range.lo, &t->services[i]);
	}
}

static void trial_release(struct trial *t)
{
	for (int i = 0; i < ADDRESSES; i++)
		reference_end_release(&t->ends[i]);
	for (int i = 0; i < SERVICES; i++)
		reference_service_release(&t->services[i]);
	for (size_t i = 0; i < COUNT(looks); i++)
		compiled_free(t->later[i]);
	compiled_free(t->compiled);
	random_policy_release(&t->random);
}

static uint32_t cell_then(const struct compiled *c, const struct reference_question *q, int64_t now)
{
	uint32_t class = image_service_class(&c->image, q->table, q->number);

	return image_cell_at(&c->image, image_row(&c->image, &q->src, &q->dst), class, now);
}

static bool is_as_read(uint32_t cell, struct reference_answer wanted)
{
	return BH_CELL_VERDICT(cell) == wanted.verdict && BH_CELL_RULE(cell) == wanted.rule &&
	       !!(cell & BH_CELL_LOG) == wanted.log &&
	       !!(cell & BH_CELL_DENIED) == wanted.is_denied;
}

static void ask(struct trial *t, const struct reference_end *src, const struct reference_end *dst,
		const struct reference_service *service)
{
	const struct reference_question q = {src->addr, dst->addr, service->table, service->number};
	uint32_t present = cell_then(t->compiled, &q, RANDOM_NOW);

	assert_int_equal(present,
			 image_decide(&t->compiled->image, &q.src, &q.dst, q.table, q.number));
	for (size_t i = 0; i < COUNT(looks); i++) {
		struct reference reference = rivals_reference(&t->random);
		uint32_t cell = cell_then(t->compiled, &q, RANDOM_NOW + looks[i]);

		reference.now = RANDOM_NOW + looks[i];
		if (!is_as_read(cell, reference_answer_for(&reference, src, dst, service)) ||
		    cell != cell_then(t->later[i], &q, reference.now)) {
			rivals_print(&t->random, t->seed);
			fail_msg("%d seconds later the tables say 0x%x", looks[i], cell);
		}
		t->tally->asked++;
		t->tally->changed += cell != present;
		t->tally->opened += BH_VERDICT_PASSES(BH_CELL_VERDICT(cell)) &&
				    !BH_VERDICT_PASSES(BH_CELL_VERDICT(present));
	}
}

static void ask_pair(struct trial *t, const struct reference_end *src,
		     const struct reference_end *dst)
{
	bool is_v4 = addr_is_v4(&src->addr);

	if (addr_is_v4(&dst->addr) != is_v4)
		return;
	for (int i = 0; i < SERVICES; i++) {
		if (is_asked(is_v4, t->services[i].table, t->services[i].number))
			ask(t, src, dst, &t->services[i]);
	}
}

static void tables_know_what_will_be_decided(void **state)
{
	uint64_t seed = rivals_given("SEED", 1), first = seed;
	uint64_t count = getenv("SEED") ? 1 : DECISIONS;
	struct tally tally = {};

	(void)state;
	for (; tally.asked < count && seed < first + 100000; seed++) {
		struct trial t = {.seed = seed, .tally = &tally};

		trial_make(&t);
		for (int i = 0; i < ADDRESSES; i++) {
			for (int j = 0; j < ADDRESSES; j++)
				ask_pair(&t, &t.ends[i], &t.ends[j]);
		}
		trial_release(&t);
	}
	print_message("%llu decisions, %llu of them change\n", (unsigned long long)tally.asked,
		      (unsigned long long)tally.changed);
	if (count == DECISIONS)
		assert_true(tally.changed > count / 100 && tally.opened > count / 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_know_what_will_be_decided),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
