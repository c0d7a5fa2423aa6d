/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What each side says, held against the compiled tables over random policies of every kind. */
#include "tests/test.h"

#include <bulkhead/builtin.h>

#include "policy/compiled_index.h"
#include "policy/ends.h"
#include "policy/sides.h"
#include "tests/unit/built_policy.h"

#define POLICIES  200
#define QUESTIONS 400
#define PORTS     4

static uint32_t random_state;

static uint32_t below(uint32_t bound)
{
	random_state = random_state * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)random_state * bound >> 32);
}

static bool one_in(uint32_t n)
{
	return !below(n);
}

static enum mode some_mode(void)
{
	static const enum mode modes[] = {MODE_UNSET, MODE_UNSET, MODE_ENFORCE, MODE_AUDIT,
					  MODE_OFF};

	return modes[below(COUNT(modes))];
}

static void add_some_labels(labels *own)
{
	const char *const keys[] = {"app", "tier"}, *const values[] = {"a", "b", "c"};

	for (size_t i = 0; i < COUNT(keys); i++) {
		if (!one_in(3))
			add_label(own, keys[i], values[below(COUNT(values))]);
	}
}

static void add_some_requirement(requirements *list)
{
	const char *const keys[] = {"app", "tier"}, *const values[] = {"a", "b", "c"};
	enum requirement_kind kind = (enum requirement_kind)below(4);
	bool has_value = kind == REQUIRE_IN || kind == REQUIRE_NOT_IN;

	add_requirement(list, kind, keys[below(2)], has_value ? values[below(3)] : NULL);
}

static char *some_address(uint32_t net)
{
	struct text t = TEXT_INIT;

	text_addf(&t, "10.%u.%u.%u", net, below(3), 1 + below(250));
	return text_take(&t);
}

static void add_some_pods(struct policy *p, size_t groups)
{
	for (uint32_t i = 0; i < 5 + below(30); i++) {
		_free_ char *address = some_address(1 + below(4));
		struct workload *w = add_pod(p, "pod", address, below(3), (uint8_t)below(4));

		w->mode = one_in(5) ? some_mode() : MODE_UNSET;
		if (one_in(4))
			w->group = below((uint32_t)groups);
		if (one_in(4))
			w->zone = below((uint32_t)p->zones.count);
		if (one_in(3))
			vec_push(&w->ports, (struct named_port){xstrdup("web"),
								{BH_SERVICE_TCP,
								 (uint16_t)(1 + below(PORTS)), 0}});
		add_some_labels(&w->labels);
	}
}

static void add_some_ends(struct policy *p)
{
	size_t groups = 1 + below(3);

	add_zone(p, "one", "10.1.0.0/16", MODE_ENFORCE);
	add_zone(p, "two", "10.2.0.0/16", 1 + below(3));
	p->zones.items[1].agent_down = (enum stance)below(4);
	for (uint32_t i = 0; i < 3; i++) {
		size_t space = add_space(p, "space", some_mode());

		add_some_labels(&p->namespaces.items[space].labels);
	}
	for (size_t i = 0; i < groups; i++) {
		_free_ char *address = some_address(1 + below(4));
		struct workload *w = add_workload(p, WORKLOAD_GROUP, "group", address);

		w->zone = one_in(2) ? POLICY_NONE : below(2);
		w->mode = some_mode();
		w->document_mode = some_mode();
		add_some_labels(&w->labels);
	}
	for (size_t i = 0; i < 2; i++) {
		_free_ char *address = some_address(1 + below(5));

		add_some_labels(&add_workload(p, WORKLOAD_NODE, "node", address)->labels);
	}
	add_some_pods(p, groups);
}

static struct selector *some_pods(void)
{
	struct selector *s = select_pods(one_in(2) ? POLICY_NONE : below(3));

	if (one_in(3))
		add_some_requirement(&s->space_requirements);
	if (one_in(2))
		add_some_requirement(&s->requirements);
	if (one_in(4)) {
		s->port_name = xstrdup("web");
		s->port = (struct service_range){BH_SERVICE_TCP, (uint16_t)(1 + below(PORTS)), 0};
	}
	return s;
}

static struct selector *some_selector(const struct policy *p)
{
	static const enum selector_kind kinds[] = {
		SELECT_ANY,    SELECT_OUTSIDE, SELECT_ZONE,   SELECT_WORKLOAD,
		SELECT_LABELS, SELECT_PODS,    SELECT_PODS,   SELECT_NODES,
		SELECT_CIDR,   SELECT_EXCEPT,  SELECT_ONE_OF, SELECT_ALL_OF,
	};
	enum selector_kind kind = kinds[below(COUNT(kinds))];
	struct selector *s;

	if (kind == SELECT_PODS)
		return some_pods();
	s = select_kind(kind);
	if (kind == SELECT_ZONE)
		s->zone = below((uint32_t)p->zones.count);
	if (kind == SELECT_WORKLOAD)
		s->workload = below((uint32_t)p->workloads.count);
	if (kind == SELECT_LABELS || kind == SELECT_NODES)
		add_some_requirement(&s->requirements);
	if (kind == SELECT_CIDR)
		s->prefix = built_prefix(one_in(2) ? "10.2.1.0/24" : "10.1.0.0/25").prefix;
	for (uint32_t i = 0; kind >= SELECT_EXCEPT && i < (kind == SELECT_EXCEPT ? 1 : 2); i++)
		vec_push(&s->children, some_selector(p));
	return s;
}

static void add_some_rule(struct policy *p)
{
	static const enum tier tiers[] = {TIER_FAILSAFE, TIER_ZONE,     TIER_ZONE,    TIER_ADMIN,
					  TIER_ADMIN,    TIER_ADMIN,    TIER_NETWORK, TIER_NETWORK,
					  TIER_NETWORK,  TIER_BASELINE, TIER_BASELINE};
	enum tier tier = tiers[below(COUNT(tiers))];
	struct rule *rule = add_rule(p, tier, ACTION_ALLOW, some_selector(p), some_selector(p),
				     (uint16_t)below(PORTS + 1));

	if (tier == TIER_ZONE)
		rule->action = one_in(2) ? ACTION_DENY : ACTION_REJECT;
	if (tier == TIER_ADMIN)
		rule->action = one_in(3) ? ACTION_PASS : one_in(2) ? ACTION_DENY : ACTION_ALLOW;
	if (tier == TIER_BASELINE)
		rule->action = one_in(2) ? ACTION_DENY : ACTION_ALLOW;
	if (tier >= TIER_ADMIN)
		rule->sides = (uint8_t)(1 + below(3));
	if (tier == TIER_ZONE && one_in(2))
		rule->mode = MODE_AUDIT;
	if (tier == TIER_FAILSAFE && !one_in(3))
		rule->expires = 1;
	rule->order = (uint32_t)(p->rules.count * 7919 % 1009);
	rule->expires = one_in(8) ? 1 + below(100) : rule->expires;
	rule->log = one_in(2);
}

static bool has_address(const struct policy *p, const struct prefix *prefix, size_t but)
{
	for (size_t i = 0; i < but; i++) {
		if (!prefix_cmp(&p->workloads.items[i].prefixes.items[0].prefix, prefix))
			return true;
	}
	return false;
}

/* No two workloads have one address. */
static void part_addresses(struct policy *p)
{
	for (size_t i = 0; i < p->workloads.count; i++) {
		placed_prefixes *own = &p->workloads.items[i].prefixes;

		while (has_address(p, &own->items[0].prefix, i)) {
			_free_ char *address = some_address(1 + below(4));

			own->items[0] = built_prefix(address);
		}
	}
}

/* --- a decision from two views --- */

static enum bh_verdict effect_of(enum mode mode)
{
	return mode == MODE_ENFORCE ? BH_VERDICT_DENY
	       : mode == MODE_AUDIT ? BH_VERDICT_AUDIT
				    : BH_VERDICT_ALLOW;
}

/* Deny, audit, allow. */
static int strength(const struct side_view *v)
{
	return v->mode == MODE_ENFORCE ? 2 : v->mode == MODE_AUDIT ? 1 : 0;
}

static bool is_before(const struct side_view *a, const struct side_view *b)
{
	return a->rule != POLICY_NONE && (b->rule == POLICY_NONE || a->rule < b->rule);
}

static struct decision named(const struct policy *p, size_t rule, enum bh_verdict verdict,
			     bool is_denied)
{
	struct decision d = {.verdict = verdict, .is_denied = is_denied};

	if (rule == POLICY_NONE)
		return d;
	if (verdict == BH_VERDICT_DENY && p->rules.items[rule].action == ACTION_REJECT)
		d.verdict = BH_VERDICT_REJECT;
	d.rule = BH_RULE_FIRST + (uint32_t)rule;
	d.log = verdict == BH_VERDICT_ALLOW && p->rules.items[rule].log;
	return d;
}

static struct decision decision_of_sides(const struct policy *p, const struct sides *s)
{
	const struct side_view *src = &s->src, *dst = &s->dst, *first = src;
	bool has_mode = src->mode != MODE_UNSET || dst->mode != MODE_UNSET;
	const struct side_view *stronger = strength(dst) > strength(src) ? dst : src;

	if (src->cause == CAUSE_FAILSAFE)
		return (struct decision){.verdict = BH_VERDICT_ALLOW, .rule = BH_BUILTIN_FAILSAFE};
	if (src->cause == CAUSE_ZONE)
		return named(p, src->rule, effect_of(stronger->mode), true);
	if (src->is_allowed && dst->is_allowed) {
		first = is_before(dst, src) ? dst : src;
		if (first->rule == POLICY_NONE && !has_mode)
			return named(p, POLICY_NONE, BH_VERDICT_ALLOW, true);
		if (s->audit != POLICY_NONE && strength(stronger))
			return named(p, s->audit, BH_VERDICT_AUDIT, false);
		return named(p, first->rule, BH_VERDICT_ALLOW, false);
	}
	if (src->is_allowed)
		first = dst;
	else if (!dst->is_allowed && strength(src) != strength(dst))
		first = stronger;
	else if (!dst->is_allowed && is_before(dst, src))
		first = dst;
	return named(p, first->rule, effect_of(first->mode), true);
}

/* --- the comparison --- */

static bool is_same(struct decision a, struct decision b)
{
	return a.verdict == b.verdict && a.rule == b.rule && a.log == b.log &&
	       a.is_denied == b.is_denied;
}

static void compare(const struct compiled *c, unsigned int seed)
{
	for (size_t i = 0; i < QUESTIONS; i++) {
		_free_ char *from = some_address(1 + below(5)), *to = some_address(1 + below(5));
		const struct workload *w = c->policy->workloads.items;
		struct bh_addr src = built_address(from), dst = built_address(to);
		struct sides_question q = {.table = BH_SERVICE_TCP,
					   .number = (uint16_t)below(PORTS + 2)};
		struct sides sides;

		if (!one_in(4))
			src = w[below((uint32_t)c->policy->workloads.count)]
				      .prefixes.items[0]
				      .prefix.addr;
		if (!one_in(4))
			dst = w[below((uint32_t)c->policy->workloads.count)]
				      .prefixes.items[0]
				      .prefix.addr;
		q.src = image_identity(&c->image, &src);
		q.dst = image_identity(&c->image, &dst);
		sides = sides_view(c, &q);
		if (!is_same(decision_of_sides(c->policy, &sides),
			     decision_of_cell(
				     image_decide(&c->image, &src, &dst, q.table, q.number))))
			fail_msg("seed %u, question %zu: sides %d and %d", seed, i, sides.src.cause,
				 sides.dst.cause);
	}
}

static void the_sides_say_what_the_tables_say(void **state)
{
	(void)state;
	for (unsigned int seed = 1; seed <= POLICIES; seed++) {
		_policy_ struct policy *p = policy_new();
		_compiled_ struct compiled *c = NULL;

		random_state = seed;
		add_some_ends(p);
		part_addresses(p);
		for (uint32_t i = 0; i < below(25); i++)
			add_some_rule(p);
		c = built_compiled(p, one_in(2) ? 50 : 0);
		compare(c, seed);
	}
}

/* By index and by trying each: an identity stands for all of its pods. */
static void selectors_hold_whom_they_describe(void **state)
{
	(void)state;
	for (unsigned int seed = 1; seed <= POLICIES; seed++) {
		_policy_ struct policy *p = policy_new();
		_compiled_ struct compiled *c = NULL;

		random_state = seed;
		add_some_ends(p);
		part_addresses(p);
		for (uint32_t i = 0; i < 10; i++)
			add_some_rule(p);
		c = built_compiled(p, 0);
		vec_foreach (rule, &p->rules) {
			_free_ uint64_t *set = xcalloc(c->identities.count, sizeof(*set));

			selector_add(&c->index->selectors, rule->from, set);
			for (uint32_t i = 0; i < c->identities.count; i++) {
				bool is_in = set[i / 64] >> i % 64 & 1;

				if (is_in != selector_has(c, rule->from, i))
					fail_msg("seed %u, rule %s, identity %u", seed, rule->name,
						 i);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_sides_say_what_the_tables_say),
		cmocka_unit_test(selectors_hold_whom_they_describe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
