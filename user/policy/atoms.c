/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/atoms.h"

#include <string.h>

#include "util/map.h"
#include "util/mem.h"
#include "util/text.h"

struct collector {
	struct atoms *atoms;
	struct map selectors, cidrs, services; /* key -> number */
	uint32_t *zones, *workloads; /* of each: number of its selector, plus 1; 0: none yet */
	struct text key;
};

/* A list of one is what it lists. */
static const struct selector *unwrap(const struct selector *s)
{
	while ((s->kind == SELECT_ALL_OF || s->kind == SELECT_ONE_OF) && s->children.count == 1)
		s = s->children.items[0];
	return s;
}

static void add_number(struct text *key, uint64_t number)
{
	text_addn(key, (const char *)&number, sizeof(number));
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

static uint32_t services_number(struct collector *c, const services *s)
{
	uint64_t number;
	bool is_new;

	text_reset(&c->key);
	vec_foreach (range, s)
		add_number(&c->key,
			   (uint64_t)range->table << 32 | (uint64_t)range->lo << 16 | range->hi);
	number = *map_put(&c->services, c->key.buf, c->key.len, c->atoms->services.count, &is_new);
	if (is_new)
		vec_push(&c->atoms->services, s);
	return (uint32_t)number;
}

static struct atom_rule collect(struct collector *c, const struct selector *from,
				const struct selector *to, const services *s)
{
	return (struct atom_rule){
		.from = selector_number(c, from),
		.to = selector_number(c, to),
		.services = services_number(c, s),
	};
}

void atoms_collect(struct atoms *a, const struct policy *p, int64_t now)
{
	struct collector c = {.atoms = a, .key = TEXT_INIT};

	memset(a, 0, sizeof(*a));
	c.zones = xcalloc(p->zones.count + 1, sizeof(*c.zones));
	c.workloads = xcalloc(p->workloads.count + 1, sizeof(*c.workloads));
	vec_foreach (rule, &p->rules) {
		struct atom_rule atom = {};

		if (!rule_has_expired(rule, now))
			atom = collect(&c, rule->from, rule->to, &rule->services);
		vec_push(&a->rules, atom);
	}
	vec_foreach (never, &p->nevers)
		collect(&c, never->from, never->to, &never->services);
	vec_foreach (expect, &p->expects)
		collect(&c, expect->from, expect->to, &expect->services);
	map_release(&c.selectors);
	map_release(&c.cidrs);
	map_release(&c.services);
	text_release(&c.key);
	free(c.zones);
	free(c.workloads);
}

void atoms_release(struct atoms *a)
{
	vec_release(&a->selectors);
	vec_release(&a->cidrs);
	vec_release(&a->services);
	vec_release(&a->rules);
	vec_release(&a->workloads);
}
