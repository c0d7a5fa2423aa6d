/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/learn.h"

#include <string.h>

#include "policy/learn_triples.h"
#include "policy/services.h"

/* No holes: it is compared as bytes. */
struct refusal_key {
	struct party from, to;
	uint32_t table;
	uint32_t number;
	struct cause cause;
};

struct learner {
	const struct compiled *c;
	const struct recording *recording;
	struct guard guard;
	struct triples triples;
	struct map refusals; /* -> index into learned->refusals */
	struct learned *learned;
};

/* An end by its name, and by its address. */
struct named {
	struct party widest, narrowest;
};

static struct support support_of(const struct recorded_connection *k)
{
	return (struct support){k->events, 1, k->first_ns, k->last_ns};
}

static struct named name_end(const struct learner *l, const struct bh_addr *addr, uint32_t word)
{
	const struct policy *p = l->c->policy;
	struct recorded_who who = recorded_who(l->c, l->recording, addr, word);
	struct party name = party_of_who(l->c, &who, addr);
	struct party own = party_of_addr(addr);
	const struct workload *w;

	if (name.kind == PARTY_WORKLOAD) {
		w = &p->workloads.items[name.index];
		if (w->kind == WORKLOAD_NODE)
			return (struct named){own, own};
		if (w->group != POLICY_NONE)
			name.index = (uint32_t)w->group;
	}
	if (who.is_by_name)
		own = name;
	return (struct named){name, own};
}

/* A number of ICMP without codes of its own is the whole type. */
static struct service_range service_of(const struct recorded_connection *k)
{
	enum bh_service_table table = (enum bh_service_table)k->table;
	struct service_range range = {.table = table, .lo = k->number, .hi = k->number};
	_text_ struct text text = TEXT_INIT;
	_text_ struct text unused = TEXT_INIT;
	services parsed = {};

	if (table != BH_SERVICE_ICMP && table != BH_SERVICE_ICMP6)
		return range;
	service_format(table, k->number, &text);
	if (services_parse(text.buf, &parsed, &unused) && parsed.count == 1)
		range = parsed.items[0];
	vec_release(&parsed);
	return range;
}

static void refuse(struct learner *l, const struct recorded_connection *k,
		   const struct named ends[2], struct cause cause)
{
	const struct refusal_key key = {
		.from = ends[0].widest,
		.to = ends[1].widest,
		.table = k->table,
		.number = k->number,
		.cause = cause,
	};
	struct refusal fresh = {
		.from = key.from,
		.to = key.to,
		.service = service_of(k),
		.cause = cause,
	};
	struct support support = support_of(k);
	bool is_new;
	size_t place = map_put(&l->refusals, &key, sizeof(key), l->learned->refusals.count,
			       &is_new)[0];

	if (is_new)
		vec_push(&l->learned->refusals, fresh);
	support_add(&l->learned->refusals.items[place].support, &support);
}

/* By the widest names that break no promise. */
static void propose(struct learner *l, const struct recorded_connection *k,
		    const struct named ends[2])
{
	const struct party *from[] = {&ends[0].widest, &ends[0].narrowest};
	const struct party *to[] = {&ends[1].widest, &ends[1].narrowest};
	struct service_range service = service_of(k);
	struct support support = support_of(k);
	struct cause cause;

	for (unsigned int i = 0; i < 4; i++) {
		const struct party *src = from[i & 1], *dst = to[i >> 1];
		uint32_t on[AXES];

		if (guard_forbids(&l->guard, src, dst, &service, &cause))
			continue;
		on[AXIS_FROM] = triples_party(&l->triples, src);
		on[AXIS_TO] = triples_party(&l->triples, dst);
		on[AXIS_SERVICE] = triples_service(&l->triples, &service);
		if (!triples_add(&l->triples, on, &support))
			l->learned->left_out++;
		return;
	}
	refuse(l, k, ends, cause);
}

/* Whether a rule of the policy denies it: that beats whatever would allow it. */
static bool is_denied_by_rule(const struct compiled *c, struct decision d, struct cause *ret)
{
	enum action action;

	if (d.rule < BH_RULE_FIRST)
		return false;
	*ret = (struct cause){CAUSE_RULE, d.rule - BH_RULE_FIRST};
	action = c->policy->rules.items[ret->index].action;
	return action == ACTION_DENY || action == ACTION_REJECT;
}

static void take_connection(struct learner *l, const struct recorded_connection *k)
{
	struct decision d = recorded_decide(l->c, l->recording, k);
	struct support support = support_of(k);
	struct named ends[2];
	struct cause cause;

	support_add(&l->learned->support, &support);
	if (l->c->policy->documents && d.verdict == BH_VERDICT_ALLOW)
		return;
	ends[0] = name_end(l, &k->src, k->src_word);
	ends[1] = name_end(l, &k->dst, k->dst_word);
	if (is_denied_by_rule(l->c, d, &cause))
		refuse(l, k, ends, cause);
	else
		propose(l, k, ends);
}

static int refusal_cmp(const void *left, const void *right)
{
	const struct refusal *a = left, *b = right;
	int order;

	if (a->support.events != b->support.events)
		return a->support.events > b->support.events ? -1 : 1;
	order = memcmp(&a->to, &b->to, sizeof(a->to));
	if (!order)
		order = memcmp(&a->from, &b->from, sizeof(a->from));
	if (!order)
		order = (int)a->service.table - (int)b->service.table;
	return order ? order : (int)a->service.lo - (int)b->service.lo;
}

void learn(const struct compiled *c, const struct recording *r, struct learned *ret)
{
	struct learner l = {.c = c, .recording = r, .learned = ret};

	memset(ret, 0, sizeof(*ret));
	guard_init(&l.guard, c);
	vec_foreach (k, &r->connections)
		take_connection(&l, k);
	if (ret->refusals.count)
		qsort(ret->refusals.items, ret->refusals.count, sizeof(*ret->refusals.items),
		      refusal_cmp);
	triples_widen_addresses(&l.triples, &l.guard);
	triples_widen_ports(&l.triples, &l.guard, ret);
	triples_drop_covered(&l.triples, c);
	triples_rules(&l.triples, c, ret);
	guard_release(&l.guard);
	triples_release(&l.triples);
	map_release(&l.refusals);
}

void learned_release(struct learned *l)
{
	vec_foreach (rule, &l->rules) {
		free(rule->name);
		vec_release(&rule->from);
		vec_release(&rule->to);
		vec_release(&rule->services);
	}
	vec_release(&l->rules);
	vec_release(&l->refusals);
	vec_release(&l->widened);
}
