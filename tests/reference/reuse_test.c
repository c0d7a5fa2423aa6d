/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Random policies, random changes of rules: what was compiled from the policy before must decide
 * like what was compiled anew.  SEED=n runs that policy alone.
 */
#include "tests/test.h"

#include "policy/compiled_index.h"
#include "policy/reuse.h"
#include "tests/reference/random_parts.h"
#include "tests/reference/rivals.h"

#define CHANGES   8 /* of each policy, one after another */
#define QUESTIONS 1500

#ifdef __SANITIZE_ADDRESS__
#define POLICIES 15
#else
#define POLICIES 100
#endif

/* What a rule of that tier may do instead. */
static enum action other_action(const struct rule *rule)
{
	switch (rule->tier) {
	case TIER_FAILSAFE:
	case TIER_NETWORK:
		return rule->action;
	case TIER_ZONE:
		return rule->action == ACTION_DENY ? ACTION_REJECT : ACTION_DENY;
	case TIER_ADMIN:
		return rule->action == ACTION_DENY ? ACTION_PASS : ACTION_DENY;
	case TIER_BASELINE:
		return rule->action == ACTION_DENY ? ACTION_ALLOW : ACTION_DENY;
	}
	return rule->action;
}

static void replace_selector(struct random_policy *r, struct selector **s)
{
	const struct policy *p = r->policy;
	const struct rule *other = &p->rules.items[random_below(r, (uint32_t)p->rules.count)];
	struct selector *next;

	next = random_one_in(r, 4) ? random_selector(r, 1)
				   : selector_copy(random_one_in(r, 2) ? other->from : other->to);
	selector_free(*s);
	*s = next;
}

static void replace_services(struct random_policy *r, struct rule *rule)
{
	const struct policy *p = r->policy;
	const struct rule *other = &p->rules.items[random_below(r, (uint32_t)p->rules.count)];
	services next = {};

	vec_append(&next, other->services.items, other->services.count);
	vec_release(&rule->services);
	rule->services = next;
}

static void change_rule(struct random_policy *r)
{
	const struct policy *p = r->policy;
	struct rule *rule = &p->rules.items[random_below(r, (uint32_t)p->rules.count)];

	switch (random_below(r, 7)) {
	case 0:
		rule->action = other_action(rule);
		return;
	case 1:
		rule->log = !rule->log;
		return;
	case 2:
		rule->expires = rule->expires ? 0 : r->now + (random_one_in(r, 2) ? 1 : -1);
		return;
	case 3:
		replace_selector(r, &rule->from);
		return;
	case 4:
		replace_selector(r, &rule->to);
		return;
	case 5:
		replace_services(r, rule);
		return;
	case 6:
		r->now++;
		return;
	}
}

static struct compiled *recompile(const struct compiled *old, const struct random_policy *r)
{
	const struct environment env = {
		.host = r->hosts.items,
		.host_count = r->hosts.count,
		.now = r->now,
	};
	_diags_ struct diags d = {};
	struct compiled *c = NULL;

	assert_int_equal(policy_recompile(old, r->policy, &env, &d, &c), 0);
	return c;
}

static void compare(const struct compiled *a, const struct compiled *b, struct random_policy *r)
{
	for (int i = 0; i < QUESTIONS; i++) {
		struct bh_addr src = random_address(r), dst = random_address(r);
		struct service_range s = random_service(r);

		assert_int_equal(image_decide(&a->image, &src, &dst, s.table, s.lo),
				 image_decide(&b->image, &src, &dst, s.table, s.lo));
	}
}

struct tally {
	uint64_t reused, anew;
};

/* The policy as it is after @changes changes: what it was before stays as it is. */
static void make_changed(struct random_policy *r, uint64_t seed, int changes)
{
	static const struct random_shape shape = {};

	random_policy_make(r, seed, &shape);
	for (int i = 0; i < changes && r->policy->rules.count; i++)
		change_rule(r);
}

static void change_at_random(uint64_t seed, struct tally *tally)
{
	struct random_policy before, now;
	struct compiled *old;

	make_changed(&before, seed, 0);
	old = rivals_compile(&before);
	for (int i = 1; i <= CHANGES; i++) {
		struct compiled *reused, *anew;

		make_changed(&now, seed, i);
		reused = recompile(old, &now);
		anew = rivals_compile(&now);
		compare(reused, anew, &now);
		if (reused->index->reused > old->index->reused)
			tally->reused++;
		else
			tally->anew++;
		compiled_free(anew);
		compiled_free(old);
		random_policy_release(&before);
		before = now;
		old = reused;
	}
	compiled_free(old);
	random_policy_release(&before);
}

static void a_changed_rule_decides_as_if_all_were_compiled_anew(void **state)
{
	uint64_t seed = rivals_given("SEED", 1);
	uint64_t end = getenv("SEED") ? seed + 1 : seed + POLICIES;
	struct tally tally = {};

	(void)state;
	for (; seed < end; seed++)
		change_at_random(seed, &tally);
	print_message("reused %llu, made anew or not changed %llu\n",
		      (unsigned long long)tally.reused, (unsigned long long)tally.anew);
	/* Many random policies have a rule that will expire: those are made anew. */
	assert_true(getenv("SEED") || tally.reused > POLICIES / 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_changed_rule_decides_as_if_all_were_compiled_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
