/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/reference/random_parts.h"
#include "util/cleanup.h"
#include "util/mem.h"

static bool has_prefix(const placed_prefixes *prefixes, const struct prefix *p)
{
	vec_foreach (placed, prefixes) {
		if (!prefix_cmp(&placed->prefix, p))
			return true;
	}
	return false;
}

/* The same prefix twice is an error. */
static bool is_taken(const struct policy *p, const struct prefix *prefix)
{
	vec_foreach (zone, &p->zones) {
		if (has_prefix(&zone->prefixes, prefix))
			return true;
	}
	vec_foreach (workload, &p->workloads) {
		if (has_prefix(&workload->prefixes, prefix))
			return true;
	}
	return false;
}

static void add_prefix(struct random_policy *r, placed_prefixes *out, struct prefix p)
{
	if (is_taken(r->policy, &p))
		return;
	random_note_prefix(r, p);
	vec_push(out, (struct placed_prefix){.prefix = p});
}

static void add_prefixes(struct random_policy *r, placed_prefixes *out, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		add_prefix(r, out, random_prefix(r));
}

static void add_addresses(struct random_policy *r, placed_prefixes *out, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct bh_addr a = random_any_address(r);

		add_prefix(r, out, prefix_of_addr(&a));
	}
}

enum mode random_mode(struct random_policy *r, bool can_be_unset)
{
	if (can_be_unset && random_one_in(r, 2))
		return MODE_UNSET;
	if (random_one_in(r, 2))
		return MODE_ENFORCE;
	return random_one_in(r, 2) ? MODE_AUDIT : MODE_OFF;
}

void random_labels(struct random_policy *r, labels *out)
{
	for (uint32_t key = 0; key < 3; key++) {
		if (random_one_in(r, 2))
			vec_push(out,
				 (struct label){.key = random_name("k", key),
						.value = random_name("v", random_below(r, 3))});
	}
}

/* Pods of which a zone or a group is made. */
static struct selector *some_pods(struct random_policy *r)
{
	size_t spaces = r->policy->namespaces.count;

	if (r->is_native || (r->is_cluster ? !random_one_in(r, 8) : random_one_in(r, 2)))
		return NULL;
	return random_pods(r,
			   random_one_in(r, 2) ? POLICY_NONE : random_below(r, (uint32_t)spaces));
}

static void add_zone(struct random_policy *r)
{
	struct policy *p = r->policy;
	struct zone *zone;

	vec_push(&p->zones, (struct zone){.name = random_name("zone", p->zones.count)});
	zone = &p->zones.items[p->zones.count - 1];
	zone->mode = random_mode(r, false);
	zone->pods = some_pods(r);
	if (!r->is_cluster || random_one_in(r, 8))
		add_prefixes(r, &zone->prefixes, random_below(r, 4));
}

static struct workload *add_workload(struct random_policy *r, enum workload_kind kind, char *name)
{
	struct policy *p = r->policy;

	vec_push(&p->workloads, (struct workload){WORKLOAD_ALONE, .kind = kind, .name = name});
	return &p->workloads.items[p->workloads.count - 1];
}

static void add_group(struct random_policy *r)
{
	struct workload *w = add_workload(r, WORKLOAD_GROUP,
					  random_name("w", r->policy->workloads.count));

	if (!random_one_in(r, 4))
		w->zone = random_below(r, (uint32_t)r->policy->zones.count);
	w->mode = random_mode(r, true);
	w->document_mode = random_mode(r, false);
	w->pods = some_pods(r);
	add_prefixes(r, &w->prefixes, (w->pods ? 0 : 1) + random_below(r, 3));
	random_labels(r, &w->labels);
}

static void add_space(struct random_policy *r)
{
	struct policy *p = r->policy;
	struct namespace *space;

	vec_push(&p->namespaces,
		 (struct namespace){.name = random_name("ns", p->namespaces.count)});
	space = &p->namespaces.items[p->namespaces.count - 1];
	vec_push(&space->labels, (struct label){.key = xstrdup("kubernetes.io/metadata.name"),
						.value = xstrdup(space->name)});
	random_labels(r, &space->labels);
	space->mode = random_mode(r, true);
}

static void add_node(struct random_policy *r)
{
	struct workload *w = add_workload(r, WORKLOAD_NODE,
					  random_name("node", r->policy->workloads.count));

	add_addresses(r, &w->prefixes, 1 + random_below(r, 2));
	random_labels(r, &w->labels);
}

static void add_named_ports(struct random_policy *r, struct workload *w)
{
	for (uint32_t i = 0; i < random_below(r, 4); i++) {
		struct service_range number = {
			.table = random_one_in(r, 2) ? BH_SERVICE_TCP : BH_SERVICE_UDP,
			.lo = (uint16_t)(10 * random_below(r, 3)),
		};

		number.hi = number.lo;
		vec_push(&w->ports,
			 (struct named_port){random_name("port", random_below(r, 2)), number});
	}
}

static size_t some_node(struct random_policy *r)
{
	const struct policy *p = r->policy;
	size_t at = random_below(r, (uint32_t)p->workloads.count);

	return p->workloads.items[at].kind == WORKLOAD_NODE ? at : POLICY_NONE;
}

/* As a reader finds it: of what selects the pod, the first. */
static void settle_pod(const struct policy *p, size_t at)
{
	const struct reference_end end = {
		.workload = at, .group = POLICY_NONE, .zone = POLICY_NONE};
	struct workload *pod = &p->workloads.items[at];

	for (size_t i = 0; i < p->workloads.count && pod->group == POLICY_NONE; i++) {
		const struct workload *w = &p->workloads.items[i];

		if (w->pods && reference_selects(p, w->pods, &end))
			pod->group = i;
	}
	for (size_t i = 0; i < p->zones.count && pod->zone == POLICY_NONE; i++) {
		const struct zone *zone = &p->zones.items[i];

		if (zone->pods && reference_selects(p, zone->pods, &end))
			pod->zone = i;
	}
}

static void add_pod(struct random_policy *r)
{
	struct policy *p = r->policy;
	size_t at = p->workloads.count, space = random_below(r, (uint32_t)p->namespaces.count);
	struct text name = TEXT_INIT;
	struct workload *w;

	text_addf(&name, "%s/pod%zu", p->namespaces.items[space].name, at);
	w = add_workload(r, WORKLOAD_POD, text_take(&name));
	w->space = space;
	w->node = some_node(r);
	if (random_one_in(r, 8))
		w->mode = random_mode(r, false);
	if (random_one_in(r, 8))
		w->document_mode = random_mode(r, false);
	add_addresses(r, &w->prefixes, 1 + random_below(r, 2));
	if (w->prefixes.count > 1 && prefix_is_v4(&w->prefixes.items[0].prefix) ==
					     prefix_is_v4(&w->prefixes.items[1].prefix))
		w->prefixes.count--; /* a pod has one of each family */
	random_labels(r, &w->labels);
	add_named_ports(r, w);
	settle_pod(p, at);
}

void random_add_members(struct random_policy *r, uint32_t size)
{
	if (!r->is_native) {
		for (uint32_t i = 0; i <= random_below(r, 3); i++)
			add_space(r);
	}
	for (uint32_t i = 0; i <= random_below(r, 5); i++)
		add_zone(r);
	for (uint32_t i = 0; i < (r->is_cluster ? 1 : size); i++)
		add_group(r);
	if (r->is_native)
		return;
	for (uint32_t i = 0; i < random_below(r, 4); i++)
		add_node(r);
	for (uint32_t i = 0; i < size; i++)
		add_pod(r);
}
