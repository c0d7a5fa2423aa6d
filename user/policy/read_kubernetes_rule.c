/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/read_kubernetes_rule.h"

#include <string.h>

#include "policy/services.h"
#include "util/mem.h"

static const char *const table_words[] = {
	[BH_SERVICE_TCP] = "tcp",
	[BH_SERVICE_UDP] = "udp",
	[BH_SERVICE_SCTP] = "sctp",
};

/* A port that pods call so. */
struct number_of_name {
	const char *name;
	struct service_range number;
};

void kube_rule_release(struct kube_rule *k)
{
	free(k->name);
	selector_free(k->peer);
	vec_release(&k->services);
	vec_release(&k->ports);
}

void kube_rule_add_range(struct kube_rule *k, enum bh_service_table table, uint16_t lo, uint16_t hi)
{
	vec_push(&k->services, (struct service_range){table, lo, hi});
}

void kube_isolate(struct reader *r, const struct selector *subject, uint8_t sides)
{
	pod_list list = {};

	pods_select(&r->kubernetes->pods, subject, &list);
	vec_foreach (pod, &list)
		r->policy->workloads.items[*pod].isolated |= sides;
	vec_release(&list);
}

static size_t count_parts(const struct selector *s)
{
	size_t count = 1 + s->except.count;

	vec_foreach (requirement, &s->requirements)
		count += 1 + requirement->values.count;
	vec_foreach (requirement, &s->space_requirements)
		count += 1 + requirement->values.count;
	vec_foreach (child, &s->children)
		count += count_parts(*child);
	return count;
}

/* Whether the bounds leave room for a rule more; false with an error, once. */
static bool has_room(struct reader *r, const struct kube_rule *k)
{
	struct kubernetes *all = r->kubernetes;

	if (r->is_full)
		return false;
	all->selectors += count_parts(k->subject) + count_parts(k->peer);
	if (r->policy->rules.count == POLICY_MAX_RULES)
		diag_error(r->diags, k->at, "more than %d rules", POLICY_MAX_RULES);
	else if (all->selectors > KUBE_MAX_SELECTORS)
		diag_error(r->diags, k->at, "the rules have more than %d parts of selectors",
			   KUBE_MAX_SELECTORS);
	else
		return true;
	r->is_full = true;
	return false;
}

static struct selector *pods_with_port(struct span at, const struct number_of_name *port)
{
	struct selector *s = selector_new(SELECT_PODS, at);

	s->port_name = xstrdup(port->name);
	s->port = port->number;
	return s;
}

/* What @s takes and has the port; NULL for what has no names for ports. */
static struct selector *with_port(const struct selector *s, const struct number_of_name *port)
{
	struct selector *copy = NULL;

	switch (s->kind) {
	case SELECT_ANY:
		return pods_with_port(s->at, port);
	case SELECT_PODS:
		copy = selector_copy(s);
		copy->port_name = xstrdup(port->name);
		copy->port = port->number;
		return copy;
	case SELECT_CIDR:
		copy = selector_new(SELECT_ALL_OF, s->at);
		vec_push(&copy->children, selector_copy(s));
		vec_push(&copy->children, pods_with_port(s->at, port));
		return copy;
	case SELECT_ONE_OF:
		copy = selector_new(SELECT_ONE_OF, s->at);
		vec_foreach (child, &s->children) {
			struct selector *part = with_port(*child, port);

			if (part)
				vec_push(&copy->children, part);
		}
		return copy;
	case SELECT_NODES:
	case SELECT_OUTSIDE:
	case SELECT_HOST:
	case SELECT_ZONE:
	case SELECT_WORKLOAD:
	case SELECT_LABELS:
	case SELECT_EXCEPT:
	case SELECT_ALL_OF:
		return NULL;
	}
	return copy;
}

/* @to is taken over. */
static void add_rule(struct reader *r, const struct kube_rule *k, struct selector *to,
		     const services *s, char *service_text)
{
	const struct selector *from = k->side == SIDE_DST ? k->peer : k->subject;
	struct rule rule = {
		.name = xstrdup(k->name),
		.at = k->at,
		.tier = k->tier,
		.sides = (uint8_t)k->side,
		.action = k->action,
		.from = selector_copy(from),
		.to = to,
		.service_text = service_text,
	};

	vec_foreach (range, s)
		vec_push(&rule.services, *range);
	services_normalise(&rule.services);
	vec_push(&r->policy->rules, rule);
}

static const struct selector *destination(const struct kube_rule *k)
{
	return k->side == SIDE_DST ? k->subject : k->peer;
}

static void add_numbers(struct reader *r, struct kube_rule *k)
{
	_text_ struct text written = TEXT_INIT;

	if (!has_room(r, k))
		return;
	services_normalise(&k->services);
	services_format(&k->services, &written);
	add_rule(r, k, selector_copy(destination(k)), &k->services, text_take(&written));
}

static void add_named(struct reader *r, const struct kube_rule *k, const char *name,
		      enum bh_service_table table)
{
	port_numbers numbers = {};

	pods_numbers(&r->kubernetes->pods, destination(k), name, table, &numbers);
	vec_foreach (number, &numbers) {
		struct number_of_name port = {name, {table, *number, *number}};
		_text_ struct text written = TEXT_INIT;
		services s = {};

		if (!has_room(r, k))
			break;
		vec_push(&s, port.number);
		text_addf(&written, "%s/%s", table_words[table], name);
		add_rule(r, k, with_port(destination(k), &port), &s, text_take(&written));
		vec_release(&s);
	}
	vec_release(&numbers);
}

void kube_rule_add(struct reader *r, struct kube_rule *k)
{
	if (k->is_any_service)
		services_add_any(&k->services);
	if (k->services.count)
		add_numbers(r, k);
	vec_foreach (port, &k->ports) {
		for (enum bh_service_table table = 0; table < COUNT(table_words); table++) {
			if (port->tables & TABLE_BIT(table))
				add_named(r, k, port->name, table);
		}
	}
}
