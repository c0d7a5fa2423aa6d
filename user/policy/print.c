/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/print.h"

#include <ctype.h>
#include <string.h>

#include "policy/print_kubernetes.h"
#include "policy/services.h"
#include "util/when.h"

/* Null is nothing in some places. */
static bool is_plain(const char *s)
{
	if (!isalnum((unsigned char)*s) || !strcasecmp(s, "null"))
		return false;
	for (; *s; s++) {
		if (!isalnum((unsigned char)*s) && !strchr("-_./", *s))
			return false;
	}
	return true;
}

void print_text(const char *s, struct text *out)
{
	if (is_plain(s)) {
		text_add(out, s);
		return;
	}
	text_addc(out, '"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			text_addc(out, '\\');
		text_addc(out, *s);
	}
	text_addc(out, '"');
}

static void print_prefixes(const char *key, const placed_prefixes *prefixes, struct text *out)
{
	char buf[ADDRESS_STRLEN];

	if (!prefixes->count)
		return;
	text_addf(out, ", %s: [", key);
	vec_foreach (placed, prefixes) {
		text_add(out, placed == prefixes->items ? "" : ", ");
		print_text(prefix_format(&placed->prefix, buf), out);
	}
	text_addc(out, ']');
}

void print_services(const services *s, struct text *out)
{
	text_add(out, "[");
	services_format(s, out);
	text_add(out, "]");
}

static void print_values(const struct requirement *requirement, struct text *out)
{
	text_add(out, ", values: [");
	vec_foreach (value, &requirement->values) {
		text_add(out, value == requirement->values.items ? "" : ", ");
		print_text(*value, out);
	}
	text_addc(out, ']');
}

static bool is_single(const struct requirement *requirement)
{
	return requirement->kind == REQUIRE_IN && requirement->values.count == 1;
}

/* Whether it can stand under `labels`: one value, of a key that isn't there yet. */
static bool is_label(const requirements *r, size_t i)
{
	const struct requirement *all = r->items;

	if (!is_single(&all[i]))
		return false;
	for (size_t before = 0; before < i; before++) {
		if (is_single(&all[before]) && !strcmp(all[before].key, all[i].key))
			return false;
	}
	return true;
}

static void print_expression(const struct requirement *requirement, struct text *out)
{
	text_add(out, "{key: ");
	print_text(requirement->key, out);
	text_addf(out, ", operator: %s", requirement_word(requirement->kind));
	if (requirement->values.count)
		print_values(requirement, out);
	text_addc(out, '}');
}

static size_t print_label_part(const requirements *r, const char *key, struct text *out)
{
	const struct requirement *all = r->items;
	size_t count = 0;

	for (size_t i = 0; i < r->count; i++) {
		if (!is_label(r, i))
			continue;
		if (count++)
			text_add(out, ", ");
		else
			text_addf(out, "%s: {", key);
		print_text(all[i].key, out);
		text_add(out, ": ");
		print_text(all[i].values.items[0], out);
	}
	text_add(out, count ? "}" : "");
	return count;
}

void print_requirements(const requirements *r, const char *labels_key, struct text *out)
{
	size_t labels_printed = print_label_part(r, labels_key, out);
	size_t count = 0;

	for (size_t i = 0; i < r->count; i++) {
		if (is_label(r, i))
			continue;
		if (!count)
			text_add(out,
				 labels_printed ? ", matchExpressions: [" : "matchExpressions: [");
		text_add(out, count++ ? ", " : "");
		print_expression(&r->items[i], out);
	}
	text_add(out, count ? "]" : "");
}

static void print_cidr(const struct selector *s, struct text *out)
{
	char buf[ADDRESS_STRLEN];

	text_add(out, "{cidr: ");
	print_text(prefix_format(&s->prefix, buf), out);
	print_prefixes("except", &s->except, out);
	text_addc(out, '}');
}

static void print_one_of(const struct policy *p, const struct selector *s, struct text *out)
{
	text_addc(out, '[');
	vec_foreach (child, &s->children) {
		text_add(out, child == s->children.items ? "" : ", ");
		print_selector(p, *child, out);
	}
	text_addc(out, ']');
}

/* As the reader of Kubernetes' policies makes it: pods of a cidr that have a port. */
static void print_cidr_pods(const struct policy *p, const struct selector *cidr,
			    const struct selector *pods, struct text *out)
{
	print_cidr(cidr, out);
	text_add(out, " and ");
	print_selector(p, pods, out);
}

/* The reader makes one of a zone and labels, else of a cidr and pods. */
static void print_all_of(const struct policy *p, const struct selector *s, struct text *out)
{
	const struct selector *first = s->children.items[0], *second = s->children.items[1];

	if (first->kind != SELECT_ZONE) {
		print_cidr_pods(p, first, second, out);
		return;
	}
	text_addf(out, "{zone: %s, ", p->zones.items[first->zone].name);
	print_requirements(&second->requirements, "labels", out);
	text_addc(out, '}');
}

static void print_labelled(const struct selector *s, struct text *out)
{
	text_addc(out, '{');
	print_requirements(&s->requirements, "labels", out);
	text_addc(out, '}');
}

void print_selector(const struct policy *p, const struct selector *s, struct text *out)
{
	switch (s->kind) {
	case SELECT_ANY:
		text_add(out, "any");
		break;
	case SELECT_OUTSIDE:
		text_add(out, "outside");
		break;
	case SELECT_HOST:
		text_add(out, "host");
		break;
	case SELECT_ZONE:
		text_add(out, p->zones.items[s->zone].name);
		break;
	case SELECT_WORKLOAD:
		text_add(out, p->workloads.items[s->workload].name);
		break;
	case SELECT_LABELS:
		print_labelled(s, out);
		break;
	case SELECT_PODS:
		print_pods(p, s, out);
		break;
	case SELECT_NODES:
		print_nodes(s, out);
		break;
	case SELECT_CIDR:
		print_cidr(s, out);
		break;
	case SELECT_EXCEPT:
		text_add(out, "{except: ");
		print_selector(p, s->children.items[0], out);
		text_addc(out, '}');
		break;
	case SELECT_ALL_OF:
		print_all_of(p, s, out);
		break;
	case SELECT_ONE_OF:
		print_one_of(p, s, out);
		break;
	}
}

static void print_zones(const struct policy *p, struct text *out)
{
	text_add(out, p->zones.count ? "  zones:\n" : "");
	vec_foreach (zone, &p->zones) {
		text_addf(out, "    - {name: %s", zone->name);
		print_prefixes("cidrs", &zone->prefixes, out);
		print_members(zone->pods, out);
		text_addf(out, ", mode: %s", mode_word(zone->mode));
		if (zone->role)
			text_addf(out, ", role: %s", role_word(zone->role));
		if (zone->agent_down)
			text_addf(out, ", whenAgentIsDown: %s", stance_word(zone->agent_down));
		text_add(out, "}\n");
	}
}

void print_labels(const labels *own, struct text *out)
{
	if (!own->count)
		return;
	text_add(out, ", labels: {");
	vec_foreach (label, own) {
		text_add(out, label == own->items ? "" : ", ");
		print_text(label->key, out);
		text_add(out, ": ");
		print_text(label->value, out);
	}
	text_addc(out, '}');
}

static void print_workload(const struct policy *p, const struct workload *workload,
			   struct text *out)
{
	text_addf(out, "    - {name: %s", workload->name);
	if (workload->zone != POLICY_NONE)
		text_addf(out, ", zone: %s", p->zones.items[workload->zone].name);
	print_prefixes("addresses", &workload->prefixes, out);
	print_members(workload->pods, out);
	print_labels(&workload->labels, out);
	if (workload->mode)
		text_addf(out, ", mode: %s", mode_word(workload->mode));
	text_add(out, "}\n");
}

/* The first workload of a ZonePolicy from @i on. */
static size_t next_group(const struct policy *p, size_t i)
{
	while (i < p->workloads.count && p->workloads.items[i].kind != WORKLOAD_GROUP)
		i++;
	return i;
}

/* The workloads from @first on whose documents have one mode; returns the first of another. */
static size_t print_workloads(const struct policy *p, size_t first, struct text *out)
{
	const struct workload *all = p->workloads.items;
	size_t i = first;

	if (i < p->workloads.count)
		text_add(out, "  workloads:\n");
	while (i < p->workloads.count && all[i].document_mode == all[first].document_mode) {
		print_workload(p, &all[i], out);
		i = next_group(p, i + 1);
	}
	return i;
}

static void print_named_services(const struct policy *p, struct text *out)
{
	text_add(out, p->services.count ? "  services:\n" : "");
	vec_foreach (named, &p->services) {
		text_addf(out, "    - {name: %s, ports: ", named->name);
		print_services(&named->services, out);
		text_add(out, "}\n");
	}
}

static void print_pair(const struct policy *p, const struct selector *from,
		       const struct selector *to, struct text *out)
{
	text_add(out, "from: ");
	print_selector(p, from, out);
	text_add(out, ", to: ");
	print_selector(p, to, out);
	text_add(out, ", services: ");
}

static void print_rule(const struct policy *p, const struct rule *rule, struct text *out)
{
	text_addf(out, "    - {name: %s, ", rule->name);
	print_pair(p, rule->from, rule->to, out);
	print_services(&rule->services, out);
	if (rule->action != ACTION_ALLOW)
		text_addf(out, ", action: %s", action_word(rule->action));
	if (rule->mode)
		text_addf(out, ", mode: %s", mode_word(rule->mode));
	if (rule->expires) {
		text_add(out, ", expires: \"");
		time_format(rule->expires, out);
		text_addc(out, '"');
	}
	text_add(out, rule->tls ? ", require: tls" : "");
	text_add(out, rule->log ? ", log: true}\n" : "}\n");
}

static void print_rules(const struct policy *p, struct text *out)
{
	bool has_head = false;

	vec_foreach (rule, &p->rules) {
		/* Those of one side are of Kubernetes' kinds. */
		if (rule->tier == TIER_FAILSAFE || rule->sides != SIDE_BOTH)
			continue;
		text_add(out, has_head ? "" : "  rules:\n");
		has_head = true;
		print_rule(p, rule, out);
	}
}

static void print_failsafe(const struct policy *p, struct text *out)
{
	bool has_head = false;

	vec_foreach (rule, &p->rules) {
		bool is_ingress = rule->to->kind == SELECT_ANY;

		if (rule->tier != TIER_FAILSAFE)
			continue;
		text_add(out, has_head ? "" : "  failsafe:\n");
		has_head = true;
		text_add(out, is_ingress ? "    - {direction: ingress, from: "
					 : "    - {direction: egress, to: ");
		print_selector(p, is_ingress ? rule->from : rule->to, out);
		text_add(out, ", services: ");
		print_services(&rule->services, out);
		text_add(out, "}\n");
	}
}

static void print_promises(const struct policy *p, struct text *out)
{
	text_add(out, p->nevers.count ? "  never:\n" : "");
	vec_foreach (never, &p->nevers) {
		text_addf(out, "    - {name: %s, ", never->name);
		print_pair(p, never->from, never->to, out);
		print_services(&never->services, out);
		text_add(out, "}\n");
	}
	text_add(out, p->expects.count ? "  expect:\n" : "");
	vec_foreach (expect, &p->expects) {
		text_add(out, "    - {");
		print_pair(p, expect->from, expect->to, out);
		print_services(&expect->services, out);
		text_addf(out, ", verdict: %s}\n", verdict_word(expect->verdict));
	}
}

static void print_head(enum mode mode, struct text *out)
{
	text_add(out, "apiVersion: bulkhead.dev/v1\nkind: ZonePolicy\nspec:\n");
	text_addf(out, "  mode: %s\n", mode_word(mode));
}

void policy_print(const struct policy *p, struct text *out)
{
	const struct workload *all = p->workloads.items;
	size_t next = next_group(p, 0);

	print_head(next < p->workloads.count ? all[next].document_mode : MODE_ENFORCE, out);
	print_zones(p, out);
	next = print_workloads(p, next, out);
	print_named_services(p, out);
	print_failsafe(p, out);
	print_rules(p, out);
	print_promises(p, out);
	while (next < p->workloads.count) {
		text_add(out, "---\n");
		print_head(all[next].document_mode, out);
		next = print_workloads(p, next, out);
	}
	print_objects(p, out);
	print_kubernetes_rules(p, out);
}
