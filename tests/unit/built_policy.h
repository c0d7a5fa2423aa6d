/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Policies made without a reader: for what the compiler must do with any model. */
#ifndef UNIT_BUILT_POLICY_H
#define UNIT_BUILT_POLICY_H

#include <stdio.h>

#include "policy/compile.h"
#include "policy/services.h"
#include "util/mem.h"
#include "util/text.h"

static inline char *built_name(const char *word, size_t n)
{
	struct text t = TEXT_INIT;

	text_addf(&t, "%s%zu", word, n);
	return text_take(&t);
}

static inline struct placed_prefix built_prefix(const char *cidr)
{
	struct placed_prefix placed = {};
	const char *slash = strchr(cidr, '/');
	_free_ char *address = xstrndup(cidr, slash ? (size_t)(slash - cidr) : strlen(cidr));
	struct bh_addr a;

	assert_null(addr_parse(address, &a));
	placed.prefix = prefix_of_addr(&a);
	if (slash)
		placed.prefix.len = (uint8_t)(strtoul(slash + 1, NULL, 10) +
					      (addr_is_v4(&a) ? BH_V4_PREFIX_LEN : 0));
	return placed;
}

static inline size_t add_zone(struct policy *p, const char *name, const char *cidr, enum mode mode)
{
	struct zone zone = {.name = xstrdup(name), .mode = mode};

	vec_push(&zone.prefixes, built_prefix(cidr));
	vec_push(&p->zones, zone);
	return p->zones.count - 1;
}

static inline size_t add_space(struct policy *p, const char *name, enum mode mode)
{
	vec_push(&p->namespaces, (struct namespace){.name = xstrdup(name), .mode = mode});
	return p->namespaces.count - 1;
}

/* The workload is valid until the next one is added. */
static inline struct workload *add_workload(struct policy *p, enum workload_kind kind,
					    const char *name, const char *cidr)
{
	struct workload w = {WORKLOAD_ALONE, .kind = kind, .name = xstrdup(name)};

	vec_push(&w.prefixes, built_prefix(cidr));
	vec_push(&p->workloads, w);
	return &p->workloads.items[p->workloads.count - 1];
}

static inline struct workload *add_pod(struct policy *p, const char *name, const char *address,
				       size_t space, uint8_t isolated)
{
	struct workload *w = add_workload(p, WORKLOAD_POD, name, address);

	w->space = space;
	w->isolated = isolated;
	return w;
}

static inline void add_label(labels *own, const char *key, const char *value)
{
	vec_push(own, (struct label){.key = xstrdup(key), .value = xstrdup(value)});
}

static inline struct selector *select_kind(enum selector_kind kind)
{
	return selector_new(kind, (struct span){});
}

static inline struct selector *select_zone(size_t zone)
{
	struct selector *s = select_kind(SELECT_ZONE);

	s->zone = zone;
	return s;
}

static inline struct selector *select_workload(size_t workload)
{
	struct selector *s = select_kind(SELECT_WORKLOAD);

	s->workload = workload;
	return s;
}

static inline struct selector *select_pods(size_t space)
{
	struct selector *s = select_kind(SELECT_PODS);

	s->space = space;
	return s;
}

static inline void add_requirement(requirements *list, enum requirement_kind kind, const char *key,
				   const char *value)
{
	struct requirement r = {.kind = kind, .key = xstrdup(key)};

	if (value)
		vec_push(&r.values, xstrdup(value));
	vec_push(list, r);
}

/* Speaks for both sides, of one TCP port, 0: of any service; valid until the next one is added. */
static inline struct rule *add_rule(struct policy *p, enum tier tier, enum action action,
				    struct selector *from, struct selector *to, uint16_t port)
{
	struct rule rule = {
		.name = built_name("r", p->rules.count),
		.tier = tier,
		.sides = SIDE_BOTH,
		.order = (uint32_t)p->rules.count,
		.action = action,
		.from = from,
		.to = to,
	};

	if (port)
		vec_push(&rule.services, (struct service_range){BH_SERVICE_TCP, port, port});
	else
		services_add_any(&rule.services);
	services_normalise(&rule.services);
	vec_push(&p->rules, rule);
	return &p->rules.items[p->rules.count - 1];
}

static inline struct compiled *built_compiled(const struct policy *p, int64_t now)
{
	const struct environment env = {.now = now};
	struct compiled *c = NULL;
	struct diags d = {};
	int err = policy_compile(p, &env, &d, &c);

	diags_print(&d, stderr);
	diags_release(&d);
	assert_int_equal(err, 0);
	return c;
}

static inline struct bh_addr built_address(const char *address)
{
	struct bh_addr a;

	assert_null(addr_parse(address, &a));
	return a;
}

/* "deny r1", "allow default log", "allow r2 denied": the last is let through by a mode. */
static inline void built_decision(const struct compiled *c, const char *src, const char *dst,
				  uint16_t port, struct text *out)
{
	static const char *const words[] = {"deny", "allow", "reject", "audit"};
	struct bh_addr from = built_address(src), to = built_address(dst);
	struct decision d =
		decision_of_cell(image_decide(&c->image, &from, &to, BH_SERVICE_TCP, port));

	text_addf(out, "%s %s%s", words[d.verdict], compiled_rule_name(c, d.rule),
		  d.log ? " log" : "");
	if (BH_VERDICT_PASSES(d.verdict) == d.is_denied)
		text_add(out, d.is_denied ? " denied" : " without the flag");
}

#endif
