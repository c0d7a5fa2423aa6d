/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Random policies with promises: a `never` or `expect` is broken just when some connection, of all
 * that can differ, breaks it.  SEED=n judges that policy alone, COUNT=n so many, from SEED on.
 */
#include "tests/test.h"

#include <stdlib.h>

#include "policy/promise.h"
#include "tests/reference/rivals.h"
#include "tests/reference/shrink.h"
#include "util/mem.h"

#ifdef __SANITIZE_ADDRESS__
#define POLICIES 60
#else
#define POLICIES 400
#endif

/* Every point of a policy, and of each promise which points it is about. */
struct trial {
	const struct random_policy *r;
	struct random_points points;
	struct reference_end *ends;
	struct reference_service *services;
};

static void trial_make(struct trial *t, const struct random_policy *r)
{
	const struct reference reference = rivals_reference(r);

	t->r = r;
	random_points_make(&t->points, r);
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
}

struct promise {
	const struct selector *from, *to;
	const services *services;
	int verdict; /* that is expected; -1: of a never */
};

/* No rule is asked what a pod says to itself, nor what a node says to its pods. */
static bool is_builtin(const struct trial *t, const struct reference_end *src,
		       const struct reference_end *dst)
{
	const struct workload *w;

	if (src->workload == POLICY_NONE || dst->workload == POLICY_NONE)
		return false;
	w = &t->r->policy->workloads.items[dst->workload];
	return w->kind == WORKLOAD_POD &&
	       (src->workload == dst->workload || src->workload == w->node);
}

/* *ret_is_tried: there is a connection that the promise is about. */
static bool is_violated(const struct trial *t, const struct promise *p,
			const struct reference_end *src, const struct reference_end *dst,
			bool *ret_is_tried)
{
	struct reference reference = rivals_reference(t->r);
	bool is_v4 = addr_is_v4(&src->addr);

	reference.looks_ahead = p->verdict < 0;
	for (size_t i = 0; i < t->points.services.count; i++) {
		const struct reference_service *s = &t->services[i];
		struct reference_answer a;

		if (!is_asked(is_v4, s->table, s->number) ||
		    !reference_mentions(p->services, s->table, s->number))
			continue;
		*ret_is_tried = true;
		a = reference_answer_for(&reference, src, dst, s);
		if (p->verdict >= 0 && is_builtin(t, src, dst))
			a.verdict = BH_VERDICT_ALLOW;
		if (p->verdict < 0 ? !a.is_denied : a.verdict != (enum bh_verdict)p->verdict)
			return true;
	}
	return false;
}

/* Whether any connection that is there at all breaks the promise; without @with_builtin, of those
 * that rules are asked for. */
static bool breaks(const struct trial *t, const struct promise *p, bool with_builtin,
		   bool *ret_is_tried)
{
	size_t n = t->points.addresses.count;

	for (size_t i = 0; i < n; i++) {
		const struct reference_end *src = &t->ends[i];

		if (!reference_selects(t->r->policy, p->from, src))
			continue;
		for (size_t j = 0; j < n; j++) {
			const struct reference_end *dst = &t->ends[j];

			if (addr_is_v4(&src->addr) == addr_is_v4(&dst->addr) &&
			    reference_selects(t->r->policy, p->to, dst) &&
			    (with_builtin || !is_builtin(t, src, dst)) &&
			    is_violated(t, p, src, dst, ret_is_tried))
				return true;
		}
	}
	return false;
}

static bool is_broken(const struct trial *t, const struct promise *p)
{
	bool is_tried = false;

	if (p->verdict < 0)
		return breaks(t, p, true, &is_tried);
	return breaks(t, p, false, &is_tried) || (!is_tried && breaks(t, p, true, &is_tried));
}

static size_t count_broken(const struct trial *t, bool is_never)
{
	size_t broken = 0;

	if (is_never) {
		vec_foreach (n, &t->r->policy->nevers) {
			const struct promise p = {n->from, n->to, &n->services, -1};

			broken += is_broken(t, &p);
		}
		return broken;
	}
	vec_foreach (e, &t->r->policy->expects) {
		const struct promise p = {e->from, e->to, &e->services, (int)e->verdict};

		broken += is_broken(t, &p);
	}
	return broken;
}

/* How many promises are broken, by whom. */
struct verdicts {
	size_t nevers[2], expects[2]; /* the reference, the compiled tables */
};

static struct verdicts judge(const struct random_policy *r)
{
	struct trial t;
	struct verdicts v;
	_compiled_ struct compiled *c = rivals_compile(r);
	_diags_ struct diags d = {};

	trial_make(&t, r);
	v.nevers[0] = count_broken(&t, true);
	v.expects[0] = count_broken(&t, false);
	v.nevers[1] = promise_check_never(c, &d);
	v.expects[1] = promise_check_expect(c, &d);
	assert_int_equal(v.nevers[1] + v.expects[1], d.errors);
	trial_release(&t);
	return v;
}

static bool is_disputed(const struct policy *p, void *user)
{
	struct verdicts v = judge(user);

	(void)p;
	return v.nevers[0] != v.nevers[1] || v.expects[0] != v.expects[1];
}

static void check_promises(uint64_t seed, struct verdicts *sum)
{
	static const struct random_shape small = {.workloads = 4};
	struct random_policy r;
	struct verdicts v;

	random_policy_make(&r, seed, &small);
	if (is_disputed(r.policy, &r)) {
		struct shrink shrink = {r.policy, is_disputed, &r, .has_dropped = false};

		shrink_policy(&shrink);
		v = judge(&r);
		rivals_print(&r, seed);
		print_error("  never: reference %zu, compiled %zu\n"
			    "  expect: reference %zu, compiled %zu\n",
			    v.nevers[0], v.nevers[1], v.expects[0], v.expects[1]);
		fail();
	}
	v = judge(&r);
	sum->nevers[0] += v.nevers[0];
	sum->nevers[1] += r.policy->nevers.count;
	sum->expects[0] += v.expects[0];
	sum->expects[1] += r.policy->expects.count;
	random_policy_release(&r);
}

/* Some are broken and some are kept, or the test would say nothing. */
static void promises_are_judged_as_if_every_connection_were_tried(void **state)
{
	uint64_t first = rivals_given("SEED", 1);
	uint64_t count = rivals_given("COUNT", getenv("SEED") ? 1 : POLICIES);
	struct verdicts sum = {};

	(void)state;
	for (uint64_t seed = first; seed < first + count; seed++)
		check_promises(seed, &sum);
	print_message("%zu of %zu nevers broken, %zu of %zu expects\n", sum.nevers[0],
		      sum.nevers[1], sum.expects[0], sum.expects[1]);
	if (count < POLICIES)
		return;
	assert_true(sum.nevers[0] > count / 10 && sum.nevers[1] - sum.nevers[0] > count / 10);
	assert_true(sum.expects[0] > count / 10 && sum.expects[1] - sum.expects[0] > count / 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(promises_are_judged_as_if_every_connection_were_tried),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
