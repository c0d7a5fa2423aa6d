/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/address_check.h"

#include <string.h>

#include "util/map.h"

#define ADDRESS_BITS 128
#define KEY_LEN      (sizeof(struct bh_addr) + 1)

#define ZONE_TRIED 8 /* prefixes of a zone are tried one by one, if there are so few */

/* Whose prefix it is. */
struct owner {
	const struct placed_prefix *placed;
	const char *name;
	const struct workload *workload; /* NULL: a zone's */
	size_t index;
};

/*
 * The first owners of a prefix, as numbers in the index, plus 1; 0: none.  One may be both, and one
 * of each kind may have the same: an object of Kubernetes may fill a zone.
 */
struct first_owners {
	uint32_t given; /* by a ZonePolicy */
	uint32_t workload;
};

/* Every prefix of the policy, to be found by value. */
struct prefix_index {
	struct map places; /* address, and length if it isn't whole -> struct first_owners */
	VEC(struct owner) owners;
	bool has_len[ADDRESS_BITS + 1]; /* some zone has a prefix of this length */
	const struct policy *policy;
	struct diags *diags;
};

_Static_assert(sizeof(struct first_owners) == sizeof(uint64_t), "it is a map's value");

/* Most are whole addresses: these are shorter, so that the map holds them within. */
static size_t make_key(const struct prefix *p, unsigned char key[static KEY_LEN])
{
	memcpy(key, &p->addr, sizeof(p->addr));
	key[sizeof(p->addr)] = p->len;
	return p->len == ADDRESS_BITS ? sizeof(p->addr) : KEY_LEN;
}

static const struct owner *find(const struct prefix_index *x, const struct prefix *p)
{
	unsigned char key[KEY_LEN];
	const uint64_t *place = map_get(&x->places, key, make_key(p, key));
	struct first_owners first = {};

	if (place)
		memcpy(&first, place, sizeof(first));
	return first.given ? &x->owners.items[first.given - 1] : NULL;
}

static bool is_object(const struct owner *owner)
{
	return owner->workload && owner->workload->kind != WORKLOAD_GROUP;
}

static const char *owner_word(const struct owner *owner)
{
	return owner->workload ? workload_kind_word(owner->workload->kind) : "zone";
}

static void report_twice(struct prefix_index *x, const struct owner *first,
			 const struct owner *second)
{
	char buf[ADDRESS_STRLEN];

	diag_error(x->diags, second->placed->at, "'%s' is already %s %s '%s'; drop one",
		   prefix_format(&second->placed->prefix, buf),
		   is_object(first) ? "an address of" : "a prefix of", owner_word(first),
		   first->name);
	diag_note(x->diags, first->placed->at, "first given here");
}

/* Whether nobody has it yet in that role; else that is told. */
static bool take(struct prefix_index *x, uint32_t *first, const struct owner *owner)
{
	if (!*first)
		*first = (uint32_t)x->owners.count + 1;
	else
		report_twice(x, &x->owners.items[*first - 1], owner);
	return *first == x->owners.count + 1;
}

/* Whether it is nobody else's. */
static bool add(struct prefix_index *x, const struct owner *owner)
{
	unsigned char key[KEY_LEN];
	size_t len = make_key(&owner->placed->prefix, key);
	uint64_t *place = map_put(&x->places, key, len, 0, NULL);
	struct first_owners first;
	bool is_alone;

	memcpy(&first, place, sizeof(first));
	is_alone = (is_object(owner) || take(x, &first.given, owner)) &&
		   (!owner->workload || take(x, &first.workload, owner));
	if (!is_alone)
		return false;
	memcpy(place, &first, sizeof(first));
	vec_push(&x->owners, *owner);
	if (!owner->workload)
		x->has_len[owner->placed->prefix.len] = true;
	return true;
}

static struct prefix shortened(const struct prefix *p, unsigned int len)
{
	unsigned char *bytes;
	struct prefix s = *p;

	s.len = (uint8_t)len;
	bytes = (unsigned char *)&s.addr;
	for (unsigned int i = 0; i < sizeof(s.addr); i++) {
		if (len >= i * 8 + 8)
			continue;
		bytes[i] &= (unsigned char)(len <= i * 8 ? 0 : 0xff << (8 - (len - i * 8)));
	}
	return s;
}

/* Whether a prefix of the zone is @p or around it, of the same family. */
static bool is_among(const struct zone *zone, const struct prefix *p)
{
	vec_foreach (placed, &zone->prefixes) {
		const struct prefix *around = &placed->prefix;

		if (prefix_contains(around, p) && prefix_is_v4(around) == prefix_is_v4(p))
			return true;
	}
	return false;
}

static bool is_in_zone(const struct prefix_index *x, size_t zone, const struct prefix *p)
{
	unsigned int least = prefix_is_v4(p) ? BH_V4_PREFIX_LEN : 0;

	if (x->policy->zones.items[zone].prefixes.count <= ZONE_TRIED)
		return is_among(&x->policy->zones.items[zone], p);
	for (unsigned int len = p->len + 1u; len-- > least;) {
		struct prefix around;
		const struct owner *owner;

		if (!x->has_len[len])
			continue;
		around = shortened(p, len);
		owner = find(x, &around);
		if (owner && !owner->workload && owner->index == zone)
			return true;
	}
	return false;
}

static void check_zone(struct prefix_index *x, const struct owner *owner)
{
	const struct workload *workload = owner->workload;
	const struct prefix *prefix = &owner->placed->prefix;
	const struct zone *zone;
	char buf[ADDRESS_STRLEN];

	if (workload->zone == POLICY_NONE || workload->kind != WORKLOAD_GROUP)
		return;
	zone = &x->policy->zones.items[workload->zone];
	if (!zone->prefixes.count || is_in_zone(x, workload->zone, prefix))
		return;
	diag_error(x->diags, owner->placed->at, "'%s' is outside the cidrs of its zone '%s'",
		   prefix_format(prefix, buf), zone->name);
	diag_note(x->diags, zone->at, "the zone is defined here");
}

static void add_zones(struct prefix_index *x)
{
	const struct policy *p = x->policy;

	for (size_t i = 0; i < p->zones.count; i++) {
		const struct zone *zone = &p->zones.items[i];

		vec_foreach (placed, &zone->prefixes)
			add(x, &(struct owner){placed, zone->name, NULL, i});
	}
}

static void add_workloads(struct prefix_index *x)
{
	const struct policy *p = x->policy;

	for (size_t i = 0; i < p->workloads.count; i++) {
		const struct workload *workload = &p->workloads.items[i];

		vec_foreach (placed, &workload->prefixes) {
			const struct owner owner = {placed, workload->name, workload, i};

			if (add(x, &owner))
				check_zone(x, &owner);
		}
	}
}

static size_t count_prefixes(const struct policy *p)
{
	size_t count = 0;

	vec_foreach (zone, &p->zones)
		count += zone->prefixes.count;
	vec_foreach (workload, &p->workloads)
		count += workload->prefixes.count;
	return count;
}

void address_check(const struct policy *p, struct diags *d)
{
	struct prefix_index x = {.policy = p, .diags = d};
	size_t count = count_prefixes(p);

	map_reserve(&x.places, count);
	vec_reserve(&x.owners, count);
	add_zones(&x);
	add_workloads(&x);
	map_release(&x.places);
	vec_release(&x.owners);
}
