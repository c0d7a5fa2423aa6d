/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <string.h>

#include "tests/reference/reference.h"
#include "util/mem.h"

static const char *value_of(const labels *own, const char *key)
{
	vec_foreach (label, own) {
		if (!strcmp(label->key, key))
			return label->value;
	}
	return NULL;
}

static bool holds(const struct requirement *r, const labels *own)
{
	const char *value = value_of(own, r->key);
	bool is_listed = false;

	vec_foreach (wanted, &r->values) {
		if (value && !strcmp(*wanted, value))
			is_listed = true;
	}
	switch (r->kind) {
	case REQUIRE_IN:
		return is_listed;
	case REQUIRE_NOT_IN:
		return !is_listed;
	case REQUIRE_EXISTS:
		return value;
	case REQUIRE_NOT_EXISTS:
		return !value;
	}
	return false;
}

static bool all_hold(const requirements *all, const labels *own)
{
	vec_foreach (r, all) {
		if (!holds(r, own))
			return false;
	}
	return true;
}

static bool calls_it_so(const struct workload *pod, const char *name,
			const struct service_range *number)
{
	vec_foreach (port, &pod->ports) {
		if (!strcmp(port->name, name) && port->number.table == number->table &&
		    port->number.lo == number->lo)
			return true;
	}
	return false;
}

static bool is_such_a_pod(const struct policy *p, const struct selector *s,
			  const struct workload *w)
{
	return w->kind == WORKLOAD_POD && (s->space == POLICY_NONE || s->space == w->space) &&
	       all_hold(&s->space_requirements, &p->namespaces.items[w->space].labels) &&
	       all_hold(&s->requirements, &w->labels) &&
	       (!s->port_name || calls_it_so(w, s->port_name, &s->port));
}

/* Of the selectors that go by who somebody is, not by the address. */
static bool selects_workload(const struct policy *p, const struct selector *s,
			     const struct reference_end *end)
{
	const struct workload *w;

	if (end->workload == POLICY_NONE)
		return false;
	w = &p->workloads.items[end->workload];
	if (s->kind == SELECT_WORKLOAD)
		return end->workload == s->workload || end->group == s->workload;
	if (s->kind == SELECT_LABELS)
		return w->kind != WORKLOAD_NODE && all_hold(&s->requirements, &w->labels);
	if (s->kind == SELECT_PODS)
		return is_such_a_pod(p, s, w);
	return w->kind == WORKLOAD_NODE && all_hold(&s->requirements, &w->labels);
}

bool reference_selects(const struct policy *p, const struct selector *s,
		       const struct reference_end *end)
{
	size_t matching = 0;

	vec_foreach (child, &s->children)
		matching += reference_selects(p, *child, end);
	switch (s->kind) {
	case SELECT_ANY:
		return true;
	case SELECT_OUTSIDE:
		return end->zone == POLICY_NONE && end->workload == POLICY_NONE;
	case SELECT_HOST:
		return end->is_host;
	case SELECT_ZONE:
		return end->zone == s->zone;
	case SELECT_WORKLOAD:
	case SELECT_LABELS:
	case SELECT_PODS:
	case SELECT_NODES:
		return selects_workload(p, s, end);
	case SELECT_CIDR:
		return prefix_is_v4(&s->prefix) == addr_is_v4(&end->addr) &&
		       prefix_has(&s->prefix, &end->addr) &&
		       reference_longest(&s->except, &end->addr) < 0;
	case SELECT_EXCEPT:
		return !matching;
	case SELECT_ALL_OF:
		return matching == s->children.count;
	case SELECT_ONE_OF:
		return matching > 0;
	}
	return false;
}

/* The protocol whose numbers a table has; the table of protocols has none. */
static int protocol_of(enum bh_service_table table)
{
	switch (table) {
	case BH_SERVICE_TCP:
		return 6;
	case BH_SERVICE_UDP:
		return 17;
	case BH_SERVICE_SCTP:
		return 132;
	case BH_SERVICE_ICMP:
		return 1;
	case BH_SERVICE_ICMP6:
		return 58;
	case BH_SERVICE_PROTO:
	case BH_SERVICE_TABLES:
		break;
	}
	return -1;
}

bool reference_mentions(const services *s, enum bh_service_table table, uint16_t number)
{
	int proto = protocol_of(table);

	vec_foreach (range, s) {
		bool is_whole = range->lo == 0 && range->hi == 65535;

		if (range->table == table && range->lo <= number && number <= range->hi)
			return true;
		/* proto/N names everything of protocol N, also where N has a table of its own... */
		if (range->table == BH_SERVICE_PROTO && range->lo <= proto && proto <= range->hi)
			return true;
		/* ... and all of a table is all of its protocol, also in the wrong family. */
		if (table == BH_SERVICE_PROTO && is_whole && protocol_of(range->table) == number)
			return true;
	}
	return false;
}

void reference_service_make(const struct reference *r, enum bh_service_table table, uint16_t number,
			    struct reference_service *ret)
{
	size_t n = r->policy->rules.count;

	*ret = (struct reference_service){table, number, xcalloc(n + 1, sizeof(bool))};
	for (size_t i = 0; i < n; i++)
		ret->is_meant[i] = reference_mentions(&r->policy->rules.items[i].services, table,
						      number);
}

void reference_service_release(struct reference_service *s)
{
	free(s->is_meant);
}
