/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/reference/dump.h"

#include "policy/services.h"

static void dump_prefixes(const char *word, const placed_prefixes *prefixes, struct text *out)
{
	char buf[ADDRESS_STRLEN];

	if (!prefixes->count)
		return;
	text_addf(out, ", %s: [", word);
	vec_foreach (placed, prefixes)
		text_addf(out, "%s%s", placed == prefixes->items ? "" : ", ",
			  prefix_format(&placed->prefix, buf));
	text_addc(out, ']');
}

static void dump_labels(const labels *all, struct text *out)
{
	if (!all->count)
		return;
	text_add(out, ", labels: {");
	vec_foreach (label, all)
		text_addf(out, "%s%s: %s", label == all->items ? "" : ", ", label->key,
			  label->value);
	text_addc(out, '}');
}

static void dump_requirements(const char *word, const requirements *all, struct text *out)
{
	static const char *const words[] = {
		[REQUIRE_IN] = "In",
		[REQUIRE_NOT_IN] = "NotIn",
		[REQUIRE_EXISTS] = "Exists",
		[REQUIRE_NOT_EXISTS] = "DoesNotExist",
	};

	vec_foreach (r, all) {
		text_addf(out, ", %s %s %s", word, r->key, words[r->kind]);
		vec_foreach (value, &r->values)
			text_addf(out, " %s", *value);
	}
}

static void dump_selector(const struct policy *p, const struct selector *s, struct text *out)
{
	static const char *const words[] = {
		[SELECT_ANY] = "any",           [SELECT_OUTSIDE] = "outside",
		[SELECT_HOST] = "host",         [SELECT_ZONE] = "zone",
		[SELECT_WORKLOAD] = "workload", [SELECT_LABELS] = "labels",
		[SELECT_PODS] = "pods",         [SELECT_NODES] = "nodes",
		[SELECT_CIDR] = "cidr",         [SELECT_EXCEPT] = "except",
		[SELECT_ALL_OF] = "all-of",     [SELECT_ONE_OF] = "one-of",
	};
	char buf[ADDRESS_STRLEN];

	text_addf(out, "{%s", words[s->kind]);
	if (s->kind == SELECT_ZONE)
		text_addf(out, " %s", p->zones.items[s->zone].name);
	if (s->kind == SELECT_WORKLOAD)
		text_addf(out, " %s", p->workloads.items[s->workload].name);
	if (s->kind == SELECT_CIDR) {
		text_addf(out, " %s", prefix_format(&s->prefix, buf));
		dump_prefixes("except", &s->except, out);
	}
	if (s->kind == SELECT_PODS && s->space != POLICY_NONE)
		text_addf(out, " of %s", p->namespaces.items[s->space].name);
	if (s->kind == SELECT_PODS && s->port_name) {
		text_addf(out, ", %s is ", s->port_name);
		service_format(s->port.table, s->port.lo, out);
	}
	if (s->kind == SELECT_PODS)
		dump_requirements("namespace", &s->space_requirements, out);
	if (s->kind == SELECT_PODS || s->kind == SELECT_NODES || s->kind == SELECT_LABELS)
		dump_requirements("label", &s->requirements, out);
	if (s->kind >= SELECT_EXCEPT) {
		vec_foreach (child, &s->children) {
			text_addc(out, ' ');
			dump_selector(p, *child, out);
		}
	}
	text_addc(out, '}');
}

static void dump_mode(const char *word, enum mode mode, struct text *out)
{
	if (mode != MODE_UNSET)
		text_addf(out, ", %s: %s", word, mode_word(mode));
}

static void dump_member(const char *word, const char *name, struct text *out)
{
	if (name)
		text_addf(out, ", %s: %s", word, name);
}

#define NAME_OF(v, at) ((at) == POLICY_NONE ? NULL : (v)->items[at].name)

static void dump_workload(const struct policy *p, const struct workload *w, struct text *out)
{
	static const char *const words[] = {
		[WORKLOAD_GROUP] = "group", [WORKLOAD_POD] = "pod", [WORKLOAD_NODE] = "node"};

	text_addf(out, "  - {%s: %s", words[w->kind], w->name);
	dump_prefixes("addresses", &w->prefixes, out);
	dump_member("zone", NAME_OF(&p->zones, w->zone), out);
	dump_member("namespace", NAME_OF(&p->namespaces, w->space), out);
	dump_member("group", NAME_OF(&p->workloads, w->group), out);
	dump_mode("mode", w->mode, out);
	dump_mode("document mode", w->document_mode, out);
	if (w->isolated)
		text_addf(out, ", isolated: %s%s", w->isolated & SIDE_SRC ? "egress " : "",
			  w->isolated & SIDE_DST ? "ingress" : "");
	dump_labels(&w->labels, out);
	vec_foreach (port, &w->ports) {
		text_addf(out, ", %s is ", port->name);
		service_format(port->number.table, port->number.lo, out);
	}
	text_add(out, "}\n");
}

static void dump_rule(const struct policy *p, const struct rule *rule, struct text *out)
{
	static const char *const tiers[] = {
		[TIER_FAILSAFE] = "failsafe", [TIER_ZONE] = "zone",         [TIER_ADMIN] = "admin",
		[TIER_NETWORK] = "network",   [TIER_BASELINE] = "baseline",
	};
	static const char *const actions[] = {
		[ACTION_ALLOW] = "allow",
		[ACTION_DENY] = "deny",
		[ACTION_REJECT] = "reject",
		[ACTION_PASS] = "pass",
	};

	text_addf(out, "  - {name: %s, tier: %s, action: %s, from: ", rule->name, tiers[rule->tier],
		  actions[rule->action]);
	dump_selector(p, rule->from, out);
	text_add(out, ", to: ");
	dump_selector(p, rule->to, out);
	text_add(out, ", services: [");
	services_format(&rule->services, out);
	text_addf(out, "], sides: %d", rule->sides);
	if (rule->order)
		text_addf(out, ", order: %u", rule->order);
	dump_mode("mode", rule->mode, out);
	if (rule->expires)
		text_addf(out, ", expires: %lld", (long long)rule->expires);
	text_add(out, rule->tls ? ", require: tls" : "");
	text_addf(out, "%s}\n", rule->log ? ", log: true" : "");
}

static void dump_promise(const struct policy *p, const struct selector *from,
			 const struct selector *to, const services *s, struct text *out)
{
	text_add(out, "from: ");
	dump_selector(p, from, out);
	text_add(out, ", to: ");
	dump_selector(p, to, out);
	text_add(out, ", services: [");
	services_format(s, out);
	text_add(out, "]}\n");
}

/* What decides nothing by itself is passed over. */
static void dump_members(const struct policy *p, struct text *out)
{
	text_add(out, "zones:\n");
	vec_foreach (zone, &p->zones) {
		if (!zone->prefixes.count && zone->mode == MODE_ENFORCE)
			continue;
		text_addf(out, "  - {name: %s, mode: %s", zone->name, mode_word(zone->mode));
		dump_prefixes("cidrs", &zone->prefixes, out);
		text_add(out, "}\n");
	}
	text_add(out, p->namespaces.count ? "namespaces:\n" : "");
	vec_foreach (space, &p->namespaces) {
		if (!space->labels.count && space->mode == MODE_UNSET)
			continue;
		text_addf(out, "  - {name: %s", space->name);
		dump_mode("mode", space->mode, out);
		dump_labels(&space->labels, out);
		text_add(out, "}\n");
	}
	text_add(out, "workloads:\n");
	vec_foreach (w, &p->workloads) {
		if (w->prefixes.count || w->zone != POLICY_NONE || w->mode != MODE_UNSET)
			dump_workload(p, w, out);
	}
}

void dump_policy(const struct policy *p, struct text *out)
{
	dump_members(p, out);
	text_add(out, "rules:\n");
	vec_foreach (rule, &p->rules)
		dump_rule(p, rule, out);
	text_add(out, p->nevers.count ? "never:\n" : "");
	vec_foreach (never, &p->nevers) {
		text_add(out, "  - {");
		dump_promise(p, never->from, never->to, &never->services, out);
	}
	text_add(out, p->expects.count ? "expect:\n" : "");
	vec_foreach (expect, &p->expects) {
		text_addf(out, "  - {verdict: %d, ", (int)expect->verdict);
		dump_promise(p, expect->from, expect->to, &expect->services, out);
	}
}
