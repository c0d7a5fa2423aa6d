/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/atoms.h"

#include <string.h>

#include "util/map.h"
#include "util/mem.h"
#include "util/text.h"

#define FETCH_AHEAD  16 /* rules */
#define RECENT_LISTS 64

/* A list of services that rules had lately, where it is kept. */
struct recent {
	const struct service_range *items;
	size_t count;
	uint32_t number;
};

struct collector {
	struct atoms *atoms;
	struct map selectors, cidrs, services; /* key -> number */
	/* Of each: number of its selector, plus 1; 0: none yet. */
	uint32_t *zones, *workloads, *shared;
	struct recent lists[RECENT_LISTS];
	struct text key;
};

/* A list of one is what it lists. */
static const struct selector *unwrap(const struct selector *s)
{
	while ((s->kind == SELECT_ALL_OF || s->kind == SELECT_ONE_OF) && s->children.count == 1)
		s = s->children.items[0];
	return s;
}

/* Seven bits to a byte, the last one with the eighth clear: most keys are then short. */
static void add_number(struct text *key, uint64_t number)
{
	char bytes[10];
	size_t count = 0;

	for (; number > 0x7f; number >>= 7)
		bytes[count++] = (char)(number | 0x80);
	bytes[count++] = (char)number;
	text_addn(key, bytes, count);
}

static void add_string(struct text *key, const char *s)
{
	text_addn(key, s, strlen(s) + 1);
}

static void add_prefix(struct text *key, const struct prefix *p)
{
	text_addn(key, (const char *)&p->addr, sizeof(p->addr));
	text_addc(key, (char)p->len);
}

static void add_requirements(struct text *key, const requirements *list)
{
	add_number(key, list->count);
	vec_foreach (r, list) {
		add_number(key, r->kind);
		add_string(key, r->key);
		add_number(key, r->values.count);
		vec_foreach (value, &r->values)
			add_string(key, *value);
	}
}

static void add_pods(struct text *key, const struct selector *s)
{
	add_number(key, s->space);
	add_requirements(key, &s->space_requirements);
	add_requirements(key, &s->requirements);
	add_string(key, s->port_name ? s->port_name : "");
	add_number(key, (uint64_t)s->port.table << 16 | s->port.lo);
}

static void collect_cidr(struct collector *c, const struct selector *s, size_t key_start)
{
	bool is_new;

	map_put(&c->cidrs, c->key.buf + key_start, c->key.len - key_start, 0, &is_new);
	if (is_new)
		vec_push(&c->atoms->cidrs, s);
}

/* Two selectors with one key contain the same addresses. */
static void add_selector(struct collector *c, const struct selector *s)
{
	size_t start = c->key.len;

	s = unwrap(s);
	text_addc(&c->key, (char)s->kind);
	switch (s->kind) {
	case SELECT_ANY:
	case SELECT_OUTSIDE:
	case SELECT_HOST:
		return;
	case SELECT_ZONE:
		add_number(&c->key, s->zone);
		return;
	case SELECT_WORKLOAD:
		add_number(&c->key, s->workload);
		vec_push(&c->atoms->workloads, s->workload);
		return;
	case SELECT_LABELS:
	case SELECT_NODES:
		add_requirements(&c->key, &s->requirements);
		return;
	case SELECT_PODS:
		add_pods(&c->key, s);
		return;
	case SELECT_CIDR:
		add_prefix(&c->key, &s->prefix);
		add_number(&c->key, s->except.count);
		vec_foreach (except, &s->except)
			add_prefix(&c->key, &except->prefix);
		collect_cidr(c, s, start);
		return;
	case SELECT_EXCEPT:
	case SELECT_ALL_OF:
	case SELECT_ONE_OF:
		add_number(&c->key, s->children.count);
		vec_foreach (child, &s->children)
			add_selector(c, *child);
		return;
	}
}

/* Of what most rules name, the number is at hand; else NULL. */
static uint32_t *number_at_hand(struct collector *c, const struct selector *s)
{
	if (s->kind == SELECT_ZONE)
		return &c->zones[s->zone];
	if (s->shared && s->kind != SELECT_WORKLOAD)
		return &c->shared[s->shared - 1];
	return s->kind == SELECT_WORKLOAD ? &c->workloads[s->workload] : NULL;
}

static uint32_t selector_number(struct collector *c, const struct selector *s)
{
	uint32_t *known;
	uint64_t number;
	bool is_new;

	s = unwrap(s);
	known = number_at_hand(c, s);
	if (known && *known)
		return *known - 1;
	text_reset(&c->key);
	add_selector(c, s);
	number = *map_put(&c->selectors, c->key.buf, c->key.len, c->atoms->selectors.count,
			  &is_new);
	if (is_new)
		vec_push(&c->atoms->selectors, s);
	if (known)
		*known = (uint32_t)number + 1;
	return (uint32_t)number;
}

static uint64_t range_number(const struct service_range *range)
{
	return (uint64_t)range->table << 32 | (uint64_t)range->lo << 16 | range->hi;
}

/* Most rules have one range. */
static uint32_t services_number(struct collector *c, const services *s)
{
	uint64_t only = s->count == 1 ? range_number(&s->items[0]) : 0;
	const void *key = &only;
	size_t len = sizeof(only);
	uint64_t number;
	bool is_new;

	if (s->count != 1) {
		text_reset(&c->key);
		vec_foreach (range, s)
			add_number(&c->key, range_number(range));
		key = c->key.buf;
		len = c->key.len;
	}
	number = *map_put(&c->services, key, len, c->atoms->services.count, &is_new);
	if (is_new)
		vec_push(&c->atoms->services, s);
	return (uint32_t)number;
}

/* Rules that write the same list have it at the same place. */
static uint32_t list_number(struct collector *c, const services *s)
{
	struct recent *recent = &c->lists[(uintptr_t)s->items / sizeof(*s->items) % RECENT_LISTS];

	if (!s->count || recent->items != s->items || recent->count != s->count)
		*recent = (struct recent){s->items, s->count, services_number(c, s)};
	return recent->number;
}

static void collect(struct collector *c, const struct selector *from, const struct selector *to,
		    const services *s, struct atom_rule *ret)
{
	ret->from = selector_number(c, from);
	ret->to = selector_number(c, to);
	ret->services = list_number(c, s);
}

static struct atom_rule collect_rule(struct collector *c, const struct rule *rule)
{
	struct atom_rule atom = {
		.order = rule->order,
		.tier = (uint8_t)rule->tier,
		.sides = rule->sides,
		.mode = (uint8_t)rule->mode,
		.action = (uint8_t)rule->action,
		.log = rule->log,
		.tls = rule->tls,
	};

	collect(c, rule->from, rule->to, &rule->services, &atom);
	return atom;
}

/*
 * What a rule further on points to is fetched while those before it are looked at: in the loop
 * itself, since a function that did no more would be left out by gcc.
 */
static void collect_rules(struct collector *c, const struct policy *p, int64_t now)
{
	struct atoms *a = c->atoms;
	size_t n = p->rules.count;

	vec_reserve(&a->rules, n);
	for (size_t i = 0; i < n; i++) {
		const struct rule *rule = &p->rules.items[i];
		const struct rule *ahead =
			&p->rules.items[n - i > FETCH_AHEAD ? i + FETCH_AHEAD : i];
		struct atom_rule atom = {.is_expired = rule_has_expired(rule, now)};

		__builtin_prefetch(ahead->from);
		__builtin_prefetch(ahead->to);
		__builtin_prefetch(ahead->services.items);
		if (!atom.is_expired)
			atom = collect_rule(c, rule);
		if (rule->expires > now && (!a->next_expiry || rule->expires < a->next_expiry))
			a->next_expiry = rule->expires;
		a->tiers |= 1u << rule->tier;
		vec_push(&a->rules, atom);
	}
}

void atoms_collect(struct atoms *a, const struct policy *p, int64_t now)
{
	struct collector c = {.atoms = a, .key = TEXT_INIT};
	struct atom_rule other; /* what is collected counts, not which belong together */

	memset(a, 0, sizeof(*a));
	c.zones = xcalloc(p->zones.count + 1, sizeof(*c.zones));
	c.workloads = xcalloc(p->workloads.count + 1, sizeof(*c.workloads));
	c.shared = xcalloc(p->shared.count + 1, sizeof(*c.shared));
	collect_rules(&c, p, now);
	vec_foreach (never, &p->nevers)
		collect(&c, never->from, never->to, &never->services, &other);
	vec_foreach (expect, &p->expects)
		collect(&c, expect->from, expect->to, &expect->services, &other);
	map_release(&c.selectors);
	map_release(&c.cidrs);
	map_release(&c.services);
	text_release(&c.key);
	free(c.zones);
	free(c.workloads);
	free(c.shared);
}

void atoms_release(struct atoms *a)
{
	vec_release(&a->selectors);
	vec_release(&a->cidrs);
	vec_release(&a->services);
	vec_release(&a->rules);
	vec_release(&a->workloads);
}
