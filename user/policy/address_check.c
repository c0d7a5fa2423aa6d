/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/address_check.h"

#include "util/map.h"
#include "util/numbering.h"

#define ADDRESS_BITS 128

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

struct owned_prefix {
	const struct prefix *prefix;
	struct first_owners first;
};

/* Every prefix of the policy, to be found by value. */
struct prefix_index {
	struct numbering numbers; /* of prefixes */
	VEC(struct owned_prefix) prefixes;
	VEC(struct owner) owners;
	bool has_len[ADDRESS_BITS + 1]; /* some zone has a prefix of this length */
	const struct policy *policy;
	struct diags *diags;
};

struct wanted {
	const struct prefix_index *index;
	const struct prefix *prefix;
};

static bool is_wanted(const void *what, uint32_t number)
{
	const struct wanted *wanted = what;

	return !prefix_cmp(wanted->index->prefixes.items[number].prefix, wanted->prefix);
}

static uint32_t hash_prefix(const struct prefix *p)
{
	return hash_key(&p->addr, sizeof(p->addr)) + p->len;
}

static const struct owner *find(const struct prefix_index *x, const struct prefix *p)
{
	const struct numbering_place *place = numbering_at(&x->numbers, hash_prefix(p), is_wanted,
							   &(struct wanted){x, p});
	uint32_t given = place->number ? x->prefixes.items[place->number - 1].first.given : 0;

	return given ? &x->owners.items[given - 1] : NULL;
}

static struct first_owners *owners_of(struct prefix_index *x, const struct prefix *p)
{
	struct numbering_place *place = numbering_find(&x->numbers, hash_prefix(p), is_wanted,
						       &(struct wanted){x, p});

	if (!place->number) {
		vec_push(&x->prefixes, (struct owned_prefix){.prefix = p});
		place->number = (uint32_t)x->prefixes.count;
	}
	return &x->prefixes.items[place->number - 1].first;
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
	struct first_owners *kept = owners_of(x, &owner->placed->prefix);
	struct first_owners first = *kept;
	bool is_alone;

	is_alone = (is_object(owner) || take(x, &first.given, owner)) &&
		   (!owner->workload || take(x, &first.workload, owner));
	if (!is_alone)
		return false;
	*kept = first;
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

	numbering_reserve(&x.numbers, count);
	vec_reserve(&x.prefixes, count);
	vec_reserve(&x.owners, count);
	add_zones(&x);
	add_workloads(&x);
	numbering_release(&x.numbers);
	vec_release(&x.prefixes);
	vec_release(&x.owners);
}
