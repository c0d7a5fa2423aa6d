/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/bench/bench_policy.h"

#include <stdio.h>
#include <stdlib.h>

#include "policy/load.h"
#include "util/mem.h"
#include "util/text.h"

#define PER_LINE 200 /* hosts in the last part of an address */

static uint32_t below(uint32_t *state, uint32_t bound)
{
	*state = *state * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)*state * bound >> 32);
}

static struct policy *read_text(struct text *text)
{
	struct source source = {.name = xstrdup("bench"), .len = text->len};
	_diags_ struct diags d = {};
	struct policy *p = NULL;

	source.text = text_take(text);
	if (!policy_load_sources(&source, 1, &d, &p))
		return p;
	diags_print(&d, stderr);
	exit(EXIT_FAILURE);
}

static void begin_policy(struct text *t)
{
	text_add(t,
		 "apiVersion: bulkhead.dev/v1\nkind: ZonePolicy\nmetadata: {name: bench}\nspec:\n");
}

struct policy *bench_policy(const struct bench_shape *s)
{
	struct text t = TEXT_INIT;
	uint32_t state = 1;

	begin_policy(&t);
	text_add(&t, "  zones:\n");
	for (uint32_t i = 0; i < BENCH_ZONES; i++)
		text_addf(&t, "    - {name: z%u, cidrs: [10.%u.0.0/16]}\n", i, i);
	text_add(&t, "  workloads:\n");
	for (uint32_t i = 0; i < s->workloads; i++) {
		uint32_t host = i / BENCH_ZONES;

		text_addf(&t,
			  "    - {name: w%u, zone: z%u, addresses: [10.%u.%u.%u], "
			  "labels: {app: app%u}}\n",
			  i, i % BENCH_ZONES, i % BENCH_ZONES, host / PER_LINE, host % PER_LINE + 1,
			  i % 50);
	}
	text_add(&t, "  rules:\n");
	for (uint32_t i = 0; i < s->rules; i++) {
		uint32_t from = below(&state, s->workloads), to = below(&state, s->workloads);

		text_addf(&t, "    - {name: r%u, from: w%u, to: w%u, services: tcp/%u}\n", i, from,
			  to, 1 + below(&state, s->ports));
	}
	return read_text(&t);
}

void bench_change_rule(struct policy *p)
{
	struct rule *rule = &p->rules.items[p->rules.count / 2];
	const struct rule *other = &p->rules.items[1];

	vec_release(&rule->services);
	vec_append(&rule->services, other->services.items, other->services.count);
}

struct bench_rule bench_pods_rule(const struct bench_pods *b, uint32_t number)
{
	uint32_t state = b->is_same ? 1 : number * 2654435761u + 1;
	uint32_t from = b->from == BENCH_APP ? b->sets : BENCH_TIERS;
	uint32_t to = b->to == BENCH_APP ? b->sets : BENCH_TIERS;
	struct bench_rule rule;

	rule.from = below(&state, from);
	rule.to = below(&state, to);
	rule.port = 1 + below(&state, b->ports);
	return rule;
}

static const char *label_of(enum bench_end end)
{
	return end == BENCH_APP ? "app" : "tier";
}

static void add_pods(struct text *t, const struct bench_pods *b)
{
	text_add(t, "---\napiVersion: v1\nkind: PodList\nitems:\n");
	for (uint32_t i = 0; i < b->pods; i++) {
		uint32_t set = i % b->sets, line = i / PER_LINE;

		text_addf(t,
			  "  - metadata: {name: p%u, namespace: n, labels: {app: app%u, tier: "
			  "tier%u}}\n    status: {podIP: 10.%u.%u.%u}\n",
			  i, set, set % BENCH_TIERS, line / PER_LINE, line % PER_LINE,
			  i % PER_LINE + 1);
	}
}

struct policy *bench_pods_policy(const struct bench_pods *b)
{
	struct text t = TEXT_INIT;

	begin_policy(&t);
	text_add(&t, "  zones:\n    - {name: pods, namespaceSelector: {}}\n  rules:\n");
	for (uint32_t i = 0; i < b->rules; i++) {
		struct bench_rule rule = bench_pods_rule(b, i);

		text_addf(&t,
			  "    - {name: r%u, from: {labels: {%s: %s%u}}, to: {labels: {%s: %s%u}}, "
			  "services: tcp/%u}\n",
			  i, label_of(b->from), label_of(b->from), rule.from, label_of(b->to),
			  label_of(b->to), rule.to, rule.port);
	}
	add_pods(&t, b);
	return read_text(&t);
}
