/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/services.h"
#include "tests/reference/random_parts.h"
#include "util/cleanup.h"
#include "util/mem.h"

static struct rule new_rule(struct random_policy *r, const char *word, enum tier tier)
{
	return (struct rule){
		.name = random_name(word, r->policy->rules.count),
		.tier = tier,
		.sides = SIDE_BOTH,
		.action = ACTION_ALLOW,
		.service_text = xstrdup(""),
	};
}

static int64_t some_time(struct random_policy *r)
{
	static const int offsets[] = {-100000, -1, 0, 1, 100000};

	return RANDOM_NOW + offsets[random_below(r, COUNT(offsets))];
}

/* The ports get their edges over TCP, where nothing else may have any. */
static void require_tls(struct random_policy *r, struct rule *rule)
{
	rule->tls = true;
	vec_foreach (range, &rule->services) {
		range->table = BH_SERVICE_TCP;
		vec_push(&r->edges, *range);
	}
	services_normalise(&rule->services);
}

/* Of a ZonePolicy. */
static void add_native(struct random_policy *r)
{
	struct rule rule = new_rule(r, "rule", TIER_NETWORK);

	rule.log = random_one_in(r, 2);
	rule.from = random_selector(r, 0);
	rule.to = random_selector(r, 0);
	random_services(r, &rule.services);
	if (random_one_in(r, 3)) {
		rule.tier = TIER_ZONE;
		rule.action = random_one_in(r, 2) ? ACTION_DENY : ACTION_REJECT;
		if (random_one_in(r, 3))
			rule.mode = MODE_AUDIT;
	}
	if (random_one_in(r, 6))
		rule.expires = some_time(r);
	if (rule.mode == MODE_UNSET && random_one_in(r, 8))
		rule.mode = MODE_ENFORCE;
	if (rule.action == ACTION_ALLOW && random_one_in(r, 4))
		require_tls(r, &rule);
	vec_push(&r->policy->rules, rule);
}

static void add_failsafe(struct random_policy *r)
{
	struct rule rule = new_rule(r, "failsafe", TIER_FAILSAFE);

	rule.from = random_selector(r, 1);
	rule.to = random_selector(r, 1);
	random_services(r, &rule.services);
	vec_push(&r->policy->rules, rule);
}

/* A port by the name that the destination's pods have for it. */
static void name_port(struct random_policy *r, struct rule *rule)
{
	struct selector *pods = selector_new(SELECT_PODS, (struct span){}), *both;
	struct service_range number = {
		.table = random_one_in(r, 2) ? BH_SERVICE_TCP : BH_SERVICE_UDP,
		.lo = (uint16_t)(10 * random_below(r, 3)),
	};

	number.hi = number.lo;
	pods->port_name = random_name("port", random_below(r, 2));
	pods->port = number;
	both = selector_new(SELECT_ALL_OF, (struct span){});
	vec_push(&both->children, rule->to);
	vec_push(&both->children, pods);
	rule->to = both;
	vec_push(&rule->services, number);
	vec_push(&r->edges, number);
}

static void take_services(struct random_policy *r, struct rule *rule)
{
	if (random_one_in(r, 4))
		name_port(r, rule);
	else
		random_services(r, &rule->services);
}

/* Marks the pods as a NetworkPolicy that selects them does. */
static void isolate(struct policy *p, const struct selector *pods, enum side side)
{
	for (size_t i = 0; i < p->workloads.count; i++) {
		const struct reference_end end = {
			.workload = i, .group = POLICY_NONE, .zone = POLICY_NONE};

		if (reference_selects(p, pods, &end))
			p->workloads.items[i].isolated |= (uint8_t)side;
	}
}

/* The subject is made anew for each rule by the same state of the generator. */
static struct selector *subject(struct random_policy *r, uint64_t state, size_t space)
{
	uint64_t after = r->state;
	struct selector *s;

	r->state = state;
	s = random_pods(r, space);
	r->state = after;
	return s;
}

static void add_network_policy(struct random_policy *r)
{
	enum side side = random_one_in(r, 2) ? SIDE_SRC : SIDE_DST;
	size_t space = random_below(r, (uint32_t)r->policy->namespaces.count);
	uint64_t state = r->state;
	struct selector *pods = random_pods(r, space);

	isolate(r->policy, pods, side);
	selector_free(pods);
	for (uint32_t i = random_below(r, 3); i > 0; i--) {
		struct rule rule = new_rule(r, "network", TIER_NETWORK);
		struct selector *own = subject(r, state, space), *peer = random_peer(r, false);

		rule.sides = side;
		rule.from = side == SIDE_SRC ? own : peer;
		rule.to = side == SIDE_SRC ? peer : own;
		take_services(r, &rule);
		vec_push(&r->policy->rules, rule);
	}
}

/* Of a ClusterNetworkPolicy: its order has nothing to do with the file's. */
static void add_cluster_rule(struct random_policy *r)
{
	enum side side = random_one_in(r, 2) ? SIDE_SRC : SIDE_DST;
	bool is_admin = random_one_in(r, 2);
	struct rule rule = new_rule(r, "cluster", is_admin ? TIER_ADMIN : TIER_BASELINE);
	struct selector *own = random_pods(r, POLICY_NONE),
			*peer = random_peer(r, side == SIDE_SRC);

	rule.sides = side;
	rule.order = random_below(r, 1000) << 16 | (uint32_t)r->policy->rules.count;
	rule.from = side == SIDE_SRC ? own : peer;
	rule.to = side == SIDE_SRC ? peer : own;
	if (is_admin && random_one_in(r, 3))
		rule.action = ACTION_PASS;
	else if (random_one_in(r, 2))
		rule.action = ACTION_DENY;
	take_services(r, &rule);
	vec_push(&r->policy->rules, rule);
}

static void add_rule(struct random_policy *r)
{
	if (random_one_in(r, 16))
		add_failsafe(r);
	else if (r->is_native || random_one_in(r, r->is_cluster ? 8 : 3))
		add_native(r);
	else if (random_one_in(r, r->is_cluster ? 6 : 2))
		add_network_policy(r);
	else
		add_cluster_rule(r);
}

void random_add_rules(struct random_policy *r, uint32_t count)
{
	for (; count > 0; count--)
		add_rule(r);
}

static void add_promise(struct random_policy *r)
{
	struct never never = {.name = xstrdup("never"),
			      .from = random_selector(r, 0),
			      .to = random_selector(r, 0)};
	struct expect expect = {.from = random_selector(r, 0),
				.to = random_selector(r, 0),
				.verdict = (enum bh_verdict)random_below(r, BH_VERDICT_COUNT)};

	random_services(r, &never.services);
	random_services(r, &expect.services);
	vec_push(&r->policy->nevers, never);
	vec_push(&r->policy->expects, expect);
}

void random_add_promises(struct random_policy *r)
{
	for (uint32_t i = random_below(r, 4); i > 0; i--)
		add_promise(r);
}
