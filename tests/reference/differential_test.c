/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Random policies: the compiled tables and the reference evaluator must give the same answers.
 * SEED=n runs that policy alone, COUNT=n makes n decisions (from SEED on, if both are there).
 */
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>

#include "policy/compile.h"
#include "policy/promise.h"
#include "policy/services.h"
#include "tests/reference/dump.h"
#include "tests/reference/random_policy.h"
#include "tests/reference/shrink.h"
#include "util/mem.h"

/* What is asked of each policy: from every address to every address, for every service. */
#define ADDRESSES 20
#define SERVICES  14

#ifdef __SANITIZE_ADDRESS__
#define DECISIONS         300000
#define PROMISED_POLICIES 40
#else
#define DECISIONS         4000000
#define PROMISED_POLICIES 400
#endif

static const struct random_shape any_shape = {};
static const struct random_shape small_shape = {.workloads = 4};

static struct reference reference_of(const struct random_policy *r)
{
	return (struct reference){r->policy, r->hosts.items, r->hosts.count, .now = r->now};
}

static struct compiled *compile(const struct random_policy *r)
{
	const struct environment env = {
		.host = r->hosts.items,
		.host_count = r->hosts.count,
		.now = r->now,
	};
	struct compiled *c = NULL;
	_diags_ struct diags d = {};

	assert_int_equal(policy_compile(r->policy, &env, &d, &c), 0);
	assert_int_equal(d.list.count, 0);
	return c;
}

static struct reference_answer compiled_answer(const struct compiled *c,
					       const struct reference_question *q)
{
	uint32_t cell = image_decide(&c->image, &q->src, &q->dst, q->table, q->number);

	return (struct reference_answer){
		.verdict = BH_CELL_VERDICT(cell),
		.rule = BH_CELL_RULE(cell),
		.log = cell & BH_CELL_LOG,
		.is_denied = cell & BH_CELL_DENIED,
	};
}

static bool is_same(struct reference_answer a, struct reference_answer b)
{
	return a.verdict == b.verdict && a.rule == b.rule && a.log == b.log &&
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
	const struct reference reference = reference_of(dispute->r);
	_compiled_ struct compiled *c = compile(dispute->r);

	(void)p;
	return !is_same(reference_decide(&reference, dispute->q), compiled_answer(c, dispute->q));
}

static void print_policy(const struct random_policy *r, uint64_t seed)
{
	char buf[ADDRESS_STRLEN];
	_text_ struct text yaml = TEXT_INIT;

	dump_policy(r->policy, &yaml);
	/* Longer than what cmocka prints at once. */
	fprintf(stderr, "SEED=%llu\n%snow: %lld\n", (unsigned long long)seed, yaml.buf,
		(long long)r->now);
	vec_foreach (host, &r->hosts)
		print_error("host: %s\n", addr_format(host, buf));
}

static void print_answer(const char *who, const struct policy *p, struct reference_answer a)
{
	const char *rule = a.rule < BH_RULE_FIRST ? "built in"
						  : p->rules.items[a.rule - BH_RULE_FIRST].name;

	print_error("  %s: verdict %d, rule %u (%s), log %d, denied %d\n", who, a.verdict, a.rule,
		    rule, a.log, a.is_denied);
}

static void fail_disputed(struct random_policy *r, const struct reference_question *q,
			  uint64_t seed)
{
	const struct reference reference = reference_of(r);
	struct dispute dispute = {r, q};
	struct shrink shrink = {r->policy, is_disputed, &dispute, .has_dropped = false};
	_compiled_ struct compiled *c = NULL;
	char src[ADDRESS_STRLEN], dst[ADDRESS_STRLEN];
	_text_ struct text service = TEXT_INIT;

	shrink_policy(&shrink);
	c = compile(r);
	service_format(q->table, q->number, &service);
	print_policy(r, seed);
	print_error("  %s -> %s %s\n", addr_format(&q->src, src), addr_format(&q->dst, dst),
		    service.buf);
	print_answer("reference", r->policy, reference_decide(&reference, q));
	print_answer("compiled", r->policy, compiled_answer(c, q));
	fail();
}

/* --- decisions --- */

struct sample {
	struct reference_end ends[ADDRESSES];
	struct reference_service services[SERVICES];
};

static void sample_make(struct sample *s, struct random_policy *r)
{
	const struct reference reference = reference_of(r);

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

/* Returns how many decisions were compared. */
static uint64_t ask_pair(struct random_policy *r, const struct compiled *c, const struct sample *s,
			 const struct reference_end *ends[2], uint64_t seed)
{
	const struct reference reference = reference_of(r);
	bool is_v4 = addr_is_v4(&ends[0]->addr);
	uint64_t asked = 0;

	if (addr_is_v4(&ends[1]->addr) != is_v4)
		return 0;
	for (int i = 0; i < SERVICES; i++) {
		const struct reference_service *service = &s->services[i];
		const struct reference_question q = {ends[0]->addr, ends[1]->addr, service->table,
						     service->number};

		if (!is_asked(is_v4, q.table, q.number))
			continue;
		asked++;
		if (!is_same(reference_answer_for(&reference, ends[0], ends[1], service),
			     compiled_answer(c, &q)))
			fail_disputed(r, &q, seed);
	}
	return asked;
}

static uint64_t ask_at_random(uint64_t seed)
{
	struct random_policy r;
	struct sample sample;
	_compiled_ struct compiled *c = NULL;
	uint64_t asked = 0;

	random_policy_make(&r, seed, &any_shape);
	c = compile(&r);
	sample_make(&sample, &r);
	for (int i = 0; i < ADDRESSES; i++) {
		for (int j = 0; j < ADDRESSES; j++) {
			const struct reference_end *ends[] = {&sample.ends[i], &sample.ends[j]};

			asked += ask_pair(&r, c, &sample, ends, seed);
		}
	}
	sample_release(&sample);
	random_policy_release(&r);
	return asked;
}

static uint64_t number_given(const char *name, uint64_t otherwise)
{
	const char *given = getenv(name);

	return given ? strtoull(given, NULL, 10) : otherwise;
}

static void tables_answer_as_the_rules_read(void **state)
{
	uint64_t seed = number_given("SEED", 1), asked = 0;
	uint64_t count = number_given("COUNT", getenv("SEED") ? 1 : DECISIONS);

	(void)state;
	for (; asked < count; seed++)
		asked += ask_at_random(seed);
	print_message("%llu decisions\n", (unsigned long long)asked);
}

/* --- promises --- */

/* Every point of a policy, and of each promise which points it is about. */
struct trial {
	struct random_policy r;
	struct random_points points;
	struct reference_end *ends;
	struct reference_service *services;
};

static void trial_make(struct trial *t, uint64_t seed)
{
	struct reference reference;

	random_policy_make(&t->r, seed, &small_shape);
	random_points_make(&t->points, &t->r);
	reference = reference_of(&t->r);
	t->ends = xcalloc(t->points.addresses.count, sizeof(*t->ends));
	t->services = xcalloc(t->points.services.count, sizeof(*t->services));
	for (size_t i = 0; i < t->points.addresses.count; i++)
		reference_end_make(&reference, &t->points.addresses.items[i], &t->ends[i]);
	for (size_t i = 0; i < t->points.services.count; i++) {
		const struct service_range *range = &t->points.services.items[i];

		reference_service_make(&reference, range->table, range->lo, &t->services[i]);
	}
}

static void trial_release(struct trial *t)
{
	for (size_t i = 0; i < t->points.addresses.count; i++)
		reference_end_release(&t->ends[i]);
	for (size_t i = 0; i < t->points.services.count; i++)
		reference_service_release(&t->services[i]);
	free(t->ends);
	free(t->services);
	random_points_release(&t->points);
	random_policy_release(&t->r);
}

struct promise {
	const struct selector *from, *to;
	const services *services;
	int verdict; /* that is expected; -1: of a never */
};

static bool is_violated(const struct trial *t, const struct promise *p,
			const struct reference_end *src, const struct reference_end *dst)
{
	struct reference reference = reference_of(&t->r);
	bool is_v4 = addr_is_v4(&src->addr);

	reference.looks_ahead = p->verdict < 0;
	for (size_t i = 0; i < t->points.services.count; i++) {
		const struct reference_service *s = &t->services[i];
		struct reference_answer a;

		if (!is_asked(is_v4, s->table, s->number) ||
		    !reference_mentions(p->services, s->table, s->number))
			continue;
		a = reference_answer_for(&reference, src, dst, s);
		if (p->verdict < 0 ? !a.is_denied : a.verdict != (enum bh_verdict)p->verdict)
			return true;
	}
	return false;
}

/* Whether any connection that is there at all breaks the promise. */
static bool is_broken(const struct trial *t, const struct promise *p)
{
	size_t n = t->points.addresses.count;

	for (size_t i = 0; i < n; i++) {
		const struct reference_end *src = &t->ends[i];

		if (!reference_selects(t->r.policy, p->from, src))
			continue;
		for (size_t j = 0; j < n; j++) {
			const struct reference_end *dst = &t->ends[j];

			if (addr_is_v4(&src->addr) == addr_is_v4(&dst->addr) &&
			    reference_selects(t->r.policy, p->to, dst) &&
			    is_violated(t, p, src, dst))
				return true;
		}
	}
	return false;
}

static size_t count_broken(const struct trial *t, bool is_never)
{
	size_t broken = 0;

	if (is_never) {
		vec_foreach (n, &t->r.policy->nevers) {
			const struct promise p = {n->from, n->to, &n->services, -1};

			broken += is_broken(t, &p);
		}
		return broken;
	}
	vec_foreach (e, &t->r.policy->expects) {
		const struct promise p = {e->from, e->to, &e->services, (int)e->verdict};

		broken += is_broken(t, &p);
	}
	return broken;
}

static void check_promises(uint64_t seed)
{
	struct trial t;
	_compiled_ struct compiled *c = NULL;
	_diags_ struct diags d = {};
	size_t nevers, expects, wanted_nevers, wanted_expects;

	trial_make(&t, seed);
	c = compile(&t.r);
	wanted_nevers = count_broken(&t, true);
	wanted_expects = count_broken(&t, false);
	nevers = promise_check_never(c, &d);
	expects = promise_check_expect(c, &d);
	assert_int_equal(nevers + expects, d.errors);
	if (nevers != wanted_nevers || expects != wanted_expects) {
		print_policy(&t.r, seed);
		print_error("  never: reference %zu, compiled %zu\n"
			    "  expect: reference %zu, compiled %zu\n",
			    wanted_nevers, nevers, wanted_expects, expects);
		fail();
	}
	trial_release(&t);
}

static void promises_are_judged_as_if_every_connection_were_tried(void **state)
{
	uint64_t first = number_given("SEED", 1);
	uint64_t count = getenv("SEED") ? 1 : PROMISED_POLICIES;

	(void)state;
	for (uint64_t seed = first; seed < first + count; seed++)
		check_promises(seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_answer_as_the_rules_read),
		cmocka_unit_test(promises_are_judged_as_if_every_connection_were_tried),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
