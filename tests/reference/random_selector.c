/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/services.h"
#include "tests/reference/random_parts.h"
#include "util/cleanup.h"

static void fill_requirements(struct random_policy *r, requirements *out)
{
	for (uint32_t i = 0; i <= random_below(r, 2); i++) {
		struct requirement requirement = {
			.kind = (enum requirement_kind)random_below(r, 4),
			.key = random_name("k", random_below(r, 4)),
		};
		bool has_values = requirement.kind == REQUIRE_IN ||
				  requirement.kind == REQUIRE_NOT_IN;

		for (uint32_t j = 0; has_values && j <= random_below(r, 2); j++)
			vec_push(&requirement.values, random_name("v", random_below(r, 4)));
		vec_push(out, requirement);
	}
}

/* Excepts lie within the cidr and are narrower. */
static void fill_cidr(struct random_policy *r, struct selector *s)
{
	s->prefix = random_prefix(r);
	if (r->prefixes.count && random_one_in(r, 3))
		s->prefix = r->prefixes.items[random_below(r, (uint32_t)r->prefixes.count)];
	random_note_prefix(r, s->prefix);
	for (uint32_t i = 0; i < random_below(r, 8); i++) {
		struct prefix except = random_prefix(r);
		bool is_one_family = prefix_is_v4(&except) == prefix_is_v4(&s->prefix);

		if (!is_one_family || except.len <= s->prefix.len ||
		    !prefix_contains(&s->prefix, &except))
			continue;
		random_note_prefix(r, except);
		vec_push(&s->except, (struct placed_prefix){.prefix = except});
	}
}

static void fill_children(struct random_policy *r, struct selector *s, unsigned int depth)
{
	uint32_t count = s->kind == SELECT_EXCEPT ? 1 : 1 + random_below(r, 3);

	for (uint32_t i = 0; i < count; i++)
		vec_push(&s->children, random_selector(r, depth + 1));
}

struct selector *random_pods(struct random_policy *r, size_t space)
{
	struct selector *s = selector_new(SELECT_PODS, (struct span){});

	s->space = space;
	if (random_one_in(r, 2))
		fill_requirements(r, &s->requirements);
	if (space == POLICY_NONE && random_one_in(r, 2))
		fill_requirements(r, &s->space_requirements);
	return s;
}

static size_t some_space(struct random_policy *r)
{
	return random_below(r, (uint32_t)r->policy->namespaces.count);
}

struct selector *random_peer(struct random_policy *r, bool can_be_nodes)
{
	enum selector_kind kind = SELECT_PODS;
	struct selector *s;

	if (random_one_in(r, 4))
		kind = SELECT_CIDR;
	else if (random_one_in(r, 8))
		kind = SELECT_ANY;
	else if (can_be_nodes && random_one_in(r, 4))
		kind = SELECT_NODES;
	if (kind == SELECT_PODS)
		return random_pods(r, random_one_in(r, 2) ? POLICY_NONE : some_space(r));
	s = selector_new(kind, (struct span){});
	if (kind == SELECT_CIDR)
		fill_cidr(r, s);
	if (kind == SELECT_NODES && random_one_in(r, 2))
		fill_requirements(r, &s->requirements);
	return s;
}

struct selector *random_selector(struct random_policy *r, unsigned int depth)
{
	static const enum selector_kind kinds[] = {
		SELECT_WORKLOAD, SELECT_WORKLOAD, SELECT_WORKLOAD, SELECT_ZONE,   SELECT_ZONE,
		SELECT_LABELS,   SELECT_LABELS,   SELECT_CIDR,     SELECT_CIDR,   SELECT_ANY,
		SELECT_OUTSIDE,  SELECT_HOST,     SELECT_EXCEPT,   SELECT_ALL_OF, SELECT_ONE_OF,
	};
	uint32_t leaves = COUNT(kinds) - 3;
	enum selector_kind kind = kinds[random_below(r, depth < 3 ? COUNT(kinds) : leaves)];
	struct selector *s;

	if (!r->is_native && random_one_in(r, 4))
		return random_peer(r, true);
	s = selector_new(kind, (struct span){});
	if (kind == SELECT_WORKLOAD)
		s->workload = random_below(r, (uint32_t)r->policy->workloads.count);
	if (kind == SELECT_ZONE)
		s->zone = random_below(r, (uint32_t)r->policy->zones.count);
	if (kind == SELECT_LABELS)
		fill_requirements(r, &s->requirements);
	if (kind == SELECT_CIDR)
		fill_cidr(r, s);
	if (kind >= SELECT_EXCEPT)
		fill_children(r, s, depth);
	return s;
}

struct service_range random_range(struct random_policy *r)
{
	struct service_range range = {
		.table = (enum bh_service_table)random_below(r, BH_SERVICE_TABLES)};
	uint32_t lo = 10 * random_below(r, 8),
		 hi = lo + (random_one_in(r, 2) ? 0 : random_below(r, 40));

	if (range.table == BH_SERVICE_ICMP || range.table == BH_SERVICE_ICMP6) {
		lo = random_below(r, 12) << 8 | (random_one_in(r, 2) ? 0 : random_below(r, 3));
		hi = random_one_in(r, 2) ? lo : lo | 0xff;
	}
	if (range.table == BH_SERVICE_PROTO) {
		static const uint8_t numbers[] = {0, 1, 6, 17, 47, 50, 58, 132, 254, 255};

		lo = hi = numbers[random_below(r, COUNT(numbers))];
	} else if (random_one_in(r, 8)) {
		lo = 0;
		hi = 65535;
	} else if (random_one_in(r, 8)) {
		lo = hi = random_one_in(r, 2) ? 65535 : 0;
	}
	range.lo = (uint16_t)lo;
	range.hi = (uint16_t)hi;
	return range;
}

void random_services(struct random_policy *r, services *out)
{
	uint32_t count = 1 + random_below(r, 3);

	if (random_one_in(r, 4)) {
		services_add_any(out);
	} else {
		for (uint32_t i = 0; i < count; i++) {
			vec_push(out, random_range(r));
			vec_push(&r->edges, out->items[out->count - 1]);
		}
	}
	services_normalise(out);
}
