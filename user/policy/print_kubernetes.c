/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/print_kubernetes.h"

#include <string.h>

#include "policy/services.h"

#define HEAD "---\napiVersion: v1\nkind: "

static void print_part(const char *key, const requirements *r, struct text *out)
{
	text_addf(out, "%s: {", key);
	print_requirements(r, "matchLabels", out);
	text_addc(out, '}');
}

static void print_pod_parts(const struct selector *s, struct text *out)
{
	if (s->space_requirements.count)
		print_part("namespaceSelector", &s->space_requirements, out);
	if (s->space_requirements.count && s->requirements.count)
		text_add(out, ", ");
	if (s->requirements.count || !s->space_requirements.count)
		print_part("podSelector", &s->requirements, out);
}

/* The namespace and the port are no part of the language: they are shown in comments only. */
void print_pods(const struct policy *p, const struct selector *s, struct text *out)
{
	text_addc(out, '{');
	if (s->space != POLICY_NONE)
		text_addf(out, "namespace: %s, ", p->namespaces.items[s->space].name);
	print_pod_parts(s, out);
	if (s->port_name) {
		text_addf(out, ", port: {%s: ", s->port_name);
		service_format(s->port.table, s->port.lo, out);
		text_addc(out, '}');
	}
	text_addc(out, '}');
}

void print_nodes(const struct selector *s, struct text *out)
{
	if (!s->requirements.count) {
		text_add(out, "remote-node");
		return;
	}
	text_addc(out, '{');
	print_part("nodes", &s->requirements, out);
	text_addc(out, '}');
}

void print_members(const struct selector *pods, struct text *out)
{
	if (!pods)
		return;
	text_add(out, ", ");
	print_pod_parts(pods, out);
}

static void print_namespaces(const struct policy *p, struct text *out)
{
	vec_foreach (space, &p->namespaces) {
		text_add(out, HEAD "Namespace\nmetadata: {name: ");
		print_text(space->name, out);
		print_labels(&space->labels, out);
		if (space->mode)
			text_addf(out, ", annotations: {bulkhead.dev/mode: %s}",
				  mode_word(space->mode));
		text_add(out, "}\n");
	}
}

static void print_addresses(const struct workload *w, const char *before, struct text *out)
{
	char buf[ADDRESS_STRLEN];

	vec_foreach (placed, &w->prefixes) {
		text_add(out, placed == w->prefixes.items ? "" : ", ");
		text_addf(out, "{%s: ", before);
		print_text(prefix_format(&placed->prefix, buf), out);
		text_addc(out, '}');
	}
}

static void print_node_objects(const struct policy *p, struct text *out)
{
	vec_foreach (w, &p->workloads) {
		if (w->kind != WORKLOAD_NODE)
			continue;
		text_add(out, HEAD "Node\nmetadata: {name: ");
		print_text(w->name, out);
		print_labels(&w->labels, out);
		text_add(out, "}\nstatus: {addresses: [");
		print_addresses(w, "type: InternalIP, address", out);
		text_add(out, "]}\n");
	}
}

static const char *protocol_word(enum bh_service_table table)
{
	static const char *const words[] = {
		[BH_SERVICE_TCP] = "TCP",
		[BH_SERVICE_UDP] = "UDP",
		[BH_SERVICE_SCTP] = "SCTP",
	};

	return words[table];
}

static void print_ports(const struct workload *w, struct text *out)
{
	text_add(out, "containers: [{ports: [");
	vec_foreach (port, &w->ports) {
		text_add(out, port == w->ports.items ? "{name: " : ", {name: ");
		print_text(port->name, out);
		text_addf(out, ", containerPort: %u, protocol: %s}", port->number.lo,
			  protocol_word(port->number.table));
	}
	text_add(out, "]}]");
}

/* What follows from other documents. */
static void print_belongings(const struct policy *p, const struct workload *w, struct text *out)
{
	if (w->isolated)
		text_addf(out, "# isolated:%s%s\n", w->isolated & SIDE_DST ? " ingress" : "",
			  w->isolated & SIDE_SRC ? " egress" : "");
	if (w->group != POLICY_NONE)
		text_addf(out, "# workload: %s\n", p->workloads.items[w->group].name);
	if (w->zone != POLICY_NONE)
		text_addf(out, "# zone: %s\n", p->zones.items[w->zone].name);
}

static void print_pod(const struct policy *p, const struct workload *w, struct text *out)
{
	const char *space = p->namespaces.items[w->space].name;
	const char *name = w->name + strlen(space) + 1;

	text_add(out, HEAD "Pod\nmetadata: {namespace: ");
	print_text(space, out);
	text_add(out, ", name: ");
	print_text(name, out);
	print_labels(&w->labels, out);
	text_add(out, "}\nspec: {");
	if (w->node != POLICY_NONE) {
		text_add(out, "nodeName: ");
		print_text(p->workloads.items[w->node].name, out);
		text_add(out, ", ");
	}
	print_ports(w, out);
	text_add(out, "}\nstatus: {podIPs: [");
	print_addresses(w, "ip", out);
	text_add(out, "]}\n");
	print_belongings(p, w, out);
}

void print_objects(const struct policy *p, struct text *out)
{
	print_namespaces(p, out);
	print_node_objects(p, out);
	vec_foreach (w, &p->workloads) {
		if (w->kind == WORKLOAD_POD)
			print_pod(p, w, out);
	}
}

static const char *tier_word(enum tier tier)
{
	switch (tier) {
	case TIER_FAILSAFE:
		return "failsafe";
	case TIER_ZONE:
		return "zone";
	case TIER_ADMIN:
		return "admin";
	case TIER_NETWORK:
		return "network";
	case TIER_BASELINE:
		return "baseline";
	}
	return "";
}

/* A comment ends where a line does, and there are more ends of lines than one knows. */
static void print_ascii(const char *s, struct text *out)
{
	for (; *s; s++)
		text_addc(out, *s >= ' ' && *s <= '~' ? *s : '?');
}

void print_kubernetes_rules(const struct policy *p, struct text *out)
{
	vec_foreach (rule, &p->rules) {
		if (rule->sides == SIDE_BOTH)
			continue;
		text_addf(out, "# %s %u %s ", tier_word(rule->tier), rule->order,
			  rule->sides == SIDE_DST ? "ingress" : "egress");
		print_ascii(rule->name, out);
		text_addf(out, ": %s ", action_word(rule->action));
		print_selector(p, rule->from, out);
		text_add(out, " -> ");
		print_selector(p, rule->to, out);
		text_addc(out, ' ');
		print_services(&rule->services, out);
		text_addf(out, " (%s)\n", rule->service_text);
	}
}
