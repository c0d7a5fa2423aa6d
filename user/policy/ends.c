/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/ends.h"

#include <errno.h>
#include <string.h>

#include "policy/compiled_index.h"
#include "util/bitset.h"

#define FAMILIES_ALL (FAMILY_V4 | FAMILY_V6)

static bool selector_of_name(const struct compiled *c, const char *name, struct selector *ret)
{
	static const struct {
		const char *name;
		enum selector_kind kind;
	} reserved[] = {
		{"any", SELECT_ANY},
		{"host", SELECT_HOST},
		{"outside", SELECT_OUTSIDE},
	};

	for (size_t i = 0; i < COUNT(reserved); i++) {
		if (strcmp(name, reserved[i].name) != 0)
			continue;
		*ret = (struct selector){.kind = reserved[i].kind};
		return true;
	}
	return compiled_name(c, name, ret);
}

static void unknown_name(const struct compiled *c, const char *name, struct text *reterr)
{
	VEC(const char *) names = {};
	const char *nearest;

	vec_foreach (zone, &c->policy->zones)
		vec_push(&names, zone->name);
	vec_foreach (workload, &c->policy->workloads)
		vec_push(&names, workload->name);
	nearest = names.count ? text_nearest(name, names.items, names.count) : NULL;
	text_addf(reterr, "unknown zone or workload '%s'", name);
	if (nearest)
		text_addf(reterr, "; did you mean '%s'?", nearest);
	vec_release(&names);
}

static bool is_pod(const struct compiled *c, size_t workload)
{
	return workload != POLICY_NONE && c->policy->workloads.items[workload].kind == WORKLOAD_POD;
}

static void add_identity(const struct compiled *c, struct end *e, uint32_t identity,
			 uint8_t families)
{
	uint32_t class = c->identities.items[identity].class;
	size_t pod = is_pod(c, e->workload) ? e->workload : compiled_only_pod(c, identity);

	if (!families)
		return;
	if (!e->families[class]) {
		e->identities[class] = identity;
		e->pods[class] = pod;
	}
	if (e->pods[class] != pod)
		e->pods[class] = POLICY_NONE;
	bitset_add(e->meant, identity);
	e->families[class] |= families;
	e->all_families |= families;
}

/* A pod has fewer than those that it shares an identity with, maybe. */
static uint8_t families_of_pod(const struct workload *pod)
{
	uint8_t families = 0;

	vec_foreach (placed, &pod->prefixes)
		families |= prefix_is_v4(&placed->prefix) ? FAMILY_V4 : FAMILY_V6;
	return families;
}

static void resolve_selector(const struct compiled *c, const struct selector *s, struct end *e)
{
	size_t n = c->identities.count;
	_free_ uint64_t *set = bitset_new(n);
	uint8_t wanted = FAMILIES_ALL;

	e->is_host_name = s->kind == SELECT_HOST;
	e->is_workload = s->kind == SELECT_WORKLOAD;
	if (e->is_workload)
		e->workload = s->workload;
	if (is_pod(c, e->workload))
		wanted = families_of_pod(&c->policy->workloads.items[e->workload]);
	selector_add(&c->index->selectors, s, set);
	for (size_t i = bitset_next(set, n, 0); i < n; i = bitset_next(set, n, i + 1)) {
		const struct identity *id = &c->identities.items[i];
		uint8_t families = (uint8_t)((id->has_v4 ? FAMILY_V4 : 0) |
					     (id->has_v6 ? FAMILY_V6 : 0));

		/* Without addresses of its own the machine is still somewhere. */
		if (e->is_host_name && !c->index->is_host_known)
			families = FAMILIES_ALL;
		add_identity(c, e, (uint32_t)i, families & wanted);
	}
}

static void resolve_address(const struct compiled *c, const struct bh_addr *a, struct end *e)
{
	uint32_t identity = image_identity(&c->image, a);

	e->is_address = true;
	e->workload = compiled_workload(c, a);
	e->is_workload = e->workload != POLICY_NONE;
	add_identity(c, e, identity, addr_is_v4(a) ? FAMILY_V4 : FAMILY_V6);
}

int end_resolve(const struct compiled *c, const char *name, struct end *ret, struct text *reterr)
{
	size_t classes = c->classes.count;
	_end_ struct end e = {.workload = POLICY_NONE};
	struct selector s;
	struct bh_addr a;
	const char *wrong;

	e.families = xcalloc(classes, sizeof(*e.families));
	e.identities = xcalloc(classes, sizeof(*e.identities));
	e.pods = xcalloc(classes, sizeof(*e.pods));
	e.meant = bitset_new(c->identities.count);
	for (size_t i = 0; i < classes; i++)
		e.pods[i] = POLICY_NONE;
	if (selector_of_name(c, name, &s)) {
		resolve_selector(c, &s, &e);
	} else {
		wrong = addr_parse(name, &a);
		if (wrong && (strchr(name, ':') || strspn(name, "0123456789./") == strlen(name))) {
			text_addf(reterr, "'%s' is no address: %s", name, wrong);
			return -EINVAL;
		}
		if (wrong) {
			unknown_name(c, name, reterr);
			return -EINVAL;
		}
		resolve_address(c, &a, &e);
	}
	if (!e.all_families) {
		text_addf(reterr, "'%s' has no address", name);
		return -EINVAL;
	}
	*ret = e;
	memset(&e, 0, sizeof(e));
	return 0;
}

void end_release(struct end *e)
{
	free(e->families);
	free(e->identities);
	free(e->pods);
	free(e->meant);
	memset(e, 0, sizeof(*e));
}

bool end_is_node(const struct compiled *c, const struct end *e)
{
	return e->workload != POLICY_NONE &&
	       c->policy->workloads.items[e->workload].kind == WORKLOAD_NODE;
}

/* Who it is: what was named, the only pod, or somebody with that identity. */
static size_t workload_in(const struct compiled *c, const struct end *e, uint32_t class)
{
	if (e->workload != POLICY_NONE)
		return e->workload;
	if (e->pods[class] != POLICY_NONE)
		return e->pods[class];
	return c->identities.items[e->identities[class]].workload;
}

static bool is_of_many(const struct compiled *c, const struct end *e, uint32_t class)
{
	size_t workload = workload_in(c, e, class);

	return workload != e->workload && workload != e->pods[class] && is_pod(c, workload);
}

static void describe_workload(const struct compiled *c, const struct end *e, uint32_t class,
			      struct text *out)
{
	const struct workload *w = &c->policy->workloads.items[workload_in(c, e, class)];

	if (is_of_many(c, e, class))
		text_addf(out, "pods like %s", w->name);
	else
		text_addf(out, "%s %s", workload_kind_word(w->kind), w->name);
	if (w->group != POLICY_NONE)
		text_addf(out, " of workload %s", c->policy->workloads.items[w->group].name);
}

void end_describe(const struct compiled *c, const struct end *e, uint32_t class, struct text *out)
{
	uint32_t identity = e->identities[class];
	const struct identity *id = &c->identities.items[identity];
	enum mode mode = c->classes.items[class].mode;
	bool has_workload = workload_in(c, e, class) != POLICY_NONE;

	if (has_workload)
		describe_workload(c, e, class, out);
	if (id->zone != POLICY_NONE)
		text_addf(out, "%szone %s", has_workload ? " in " : "",
			  c->policy->zones.items[id->zone].name);
	else if (!has_workload)
		text_add(out, "outside, in no zone");
	if (c->image.identities.items[identity].flags & BH_IDENTITY_HOST)
		text_add(out, ", this machine");
	if (mode != MODE_UNSET)
		text_addf(out, ", mode %s", mode_word(mode));
}

void end_name(const struct compiled *c, const struct end *e, uint32_t class, struct text *out)
{
	size_t workload = workload_in(c, e, class);

	if (workload == POLICY_NONE)
		text_add(out, compiled_identity_name(c, e->identities[class]));
	else
		text_addf(out, "%s%s", is_of_many(c, e, class) ? "pods like " : "",
			  c->policy->workloads.items[workload].name);
}

#define DESCRIBED_CHILDREN 3 /* of a list; then an ellipsis */

static void describe_children(const struct policy *p, const struct selector *s, const char *between,
			      struct text *out)
{
	for (size_t i = 0; i < s->children.count; i++) {
		if (i)
			text_add(out, between);
		if (i == DESCRIBED_CHILDREN) {
			text_add(out, "...");
			return;
		}
		selector_describe(p, s->children.items[i], out);
	}
}

static void describe_labels(const requirements *list, struct text *out)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct requirement *r = &list->items[i];

		text_addf(out, "%s%s%s", i ? " and " : "labels ",
			  r->kind == REQUIRE_NOT_EXISTS ? "no " : "", r->key);
		if (r->kind == REQUIRE_EXISTS || r->kind == REQUIRE_NOT_EXISTS)
			continue;
		text_add(out, r->kind == REQUIRE_IN ? "=" : "!=");
		for (size_t j = 0; j < r->values.count; j++)
			text_addf(out, "%s%s", j ? "|" : "", r->values.items[j]);
	}
}

static void describe_pods(const struct policy *p, const struct selector *s, struct text *out)
{
	text_add(out, "pods");
	if (s->space != POLICY_NONE)
		text_addf(out, " of %s", p->namespaces.items[s->space].name);
	if (s->space_requirements.count) {
		text_add(out, " of namespaces with ");
		describe_labels(&s->space_requirements, out);
	}
	if (s->requirements.count) {
		text_add(out, " with ");
		describe_labels(&s->requirements, out);
	}
	if (s->port_name)
		text_addf(out, " whose port %s is %u", s->port_name, s->port.lo);
}

void selector_describe(const struct policy *p, const struct selector *s, struct text *out)
{
	char buf[ADDRESS_STRLEN];

	switch (s->kind) {
	case SELECT_ANY:
		text_add(out, "any");
		return;
	case SELECT_OUTSIDE:
		text_add(out, "outside");
		return;
	case SELECT_HOST:
		text_add(out, "host");
		return;
	case SELECT_ZONE:
		text_add(out, p->zones.items[s->zone].name);
		return;
	case SELECT_WORKLOAD:
		text_add(out, p->workloads.items[s->workload].name);
		return;
	case SELECT_LABELS:
		describe_labels(&s->requirements, out);
		return;
	case SELECT_PODS:
		describe_pods(p, s, out);
		return;
	case SELECT_NODES:
		text_add(out, s->requirements.count ? "nodes with " : "nodes");
		describe_labels(&s->requirements, out);
		return;
	case SELECT_CIDR:
		text_add(out, prefix_format(&s->prefix, buf));
		return;
	case SELECT_EXCEPT:
		text_add(out, "all but ");
		selector_describe(p, s->children.items[0], out);
		return;
	case SELECT_ALL_OF:
		describe_children(p, s, " and ", out);
		return;
	case SELECT_ONE_OF:
		describe_children(p, s, ", ", out);
		return;
	}
}

/* Every cidr of the policy cuts identities: a prefix of one is inside as a whole, or outside. */
static bool cidr_has(const struct selector *s, const struct prefix *p)
{
	if (prefix_is_v4(&s->prefix) != prefix_is_v4(p) || !prefix_contains(&s->prefix, p))
		return false;
	vec_foreach (except, &s->except) {
		if (prefix_contains(&except->prefix, p))
			return false;
	}
	return true;
}

static bool takes(const struct compiled *c, const struct selector *s, size_t workload)
{
	return workload != POLICY_NONE &&
	       selector_takes(c->policy, s, &c->policy->workloads.items[workload]);
}

/* A pod belongs to its group too. */
static bool is_of(const struct compiled *c, size_t workload, size_t wanted)
{
	return workload == wanted ||
	       (workload != POLICY_NONE && c->policy->workloads.items[workload].group == wanted);
}

bool selector_has(const struct compiled *c, const struct selector *s, uint32_t identity)
{
	const struct identity *id = &c->identities.items[identity];
	bool has_address = id->has_v4 || id->has_v6;

	switch (s->kind) {
	case SELECT_ANY:
		return true;
	case SELECT_OUTSIDE:
		return id->zone == POLICY_NONE && id->workload == POLICY_NONE;
	case SELECT_HOST:
		return c->image.identities.items[identity].flags & BH_IDENTITY_HOST;
	case SELECT_ZONE:
		return id->zone == s->zone;
	case SELECT_WORKLOAD:
		return is_of(c, id->workload, s->workload);
	case SELECT_LABELS:
	case SELECT_PODS:
	case SELECT_NODES:
		return takes(c, s, id->workload);
	case SELECT_CIDR:
		return identity && has_address && cidr_has(s, &id->example);
	case SELECT_EXCEPT:
		return !selector_has(c, s->children.items[0], identity);
	case SELECT_ALL_OF:
		vec_foreach (child, &s->children) {
			if (!selector_has(c, *child, identity))
				return false;
		}
		return true;
	case SELECT_ONE_OF:
		vec_foreach (child, &s->children) {
			if (selector_has(c, *child, identity))
				return true;
		}
		return false;
	}
	return false;
}
