/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/address_check.h"

#include <string.h>

#include "util/map.h"

#define ADDRESS_BITS 128
#define KEY_LEN      (sizeof(struct bh_addr) + 1)

/* Whose prefix it is. */
struct owner {
	const struct placed_prefix *placed;
	const char *name;
	const struct workload *workload; /* NULL: a zone's */
	size_t index;
};

/* Every prefix of the policy, to be found by value. */
struct prefix_index {
	struct map
		places;   /* address and length -> index into owners, without Kubernetes' objects */
	struct map hosts; /* the same, of workloads of every kind: an object may fill a zone */
	VEC(struct owner) owners;
	bool has_len[ADDRESS_BITS + 1]; /* some zone has a prefix of this length */
	const struct policy *policy;
	struct diags *diags;
};

static void make_key(const struct prefix *p, unsigned char key[static KEY_LEN])
{
	memcpy(key, &p->addr, sizeof(p->addr));
	key[sizeof(p->addr)] = p->len;
}

static const struct owner *find(const struct prefix_index *x, const struct prefix *p)
{
	unsigned char key[KEY_LEN];
	const uint64_t *place;

	make_key(p, key);
	place = map_get(&x->places, key, sizeof(key));
	return place ? &x->owners.items[*place] : NULL;
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

/* Whether nobody in the map has it; else that is told. */
static bool put(struct prefix_index *x, struct map *map, const struct owner *owner)
{
	unsigned char key[KEY_LEN];
	uint64_t *place;
	bool is_new;

	make_key(&owner->placed->prefix, key);
	place = map_put(map, key, sizeof(key), x->owners.count, &is_new);
	if (!is_new)
		report_twice(x, &x->owners.items[*place], owner);
	return is_new;
}

static void add(struct prefix_index *x, const struct owner *owner)
{
	if (!is_object(owner) && !put(x, &x->places, owner))
		return;
	if (owner->workload && !put(x, &x->hosts, owner))
		return;
	vec_push(&x->owners, *owner);
	if (!owner->workload)
		x->has_len[owner->placed->prefix.len] = true;
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
static bool is_in_zone(const struct prefix_index *x, size_t zone, const struct prefix *p)
{
	unsigned int least = prefix_is_v4(p) ? BH_V4_PREFIX_LEN : 0;

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

static void check_workload(struct prefix_index *x, const struct workload *workload)
{
	const struct zone *zone;
	char buf[ADDRESS_STRLEN];

	if (workload->zone == POLICY_NONE || workload->kind != WORKLOAD_GROUP)
		return;
	zone = &x->policy->zones.items[workload->zone];
	if (!zone->prefixes.count)
		return;
	vec_foreach (placed, &workload->prefixes) {
		const struct owner *same = find(x, &placed->prefix);

		/* Where the zone has the same prefix, that was told. */
		if ((same && same->placed != placed) ||
		    is_in_zone(x, workload->zone, &placed->prefix))
			continue;
		diag_error(x->diags, placed->at, "'%s' is outside the cidrs of its zone '%s'",
			   prefix_format(&placed->prefix, buf), zone->name);
		diag_note(x->diags, zone->at, "the zone is defined here");
	}
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

		vec_foreach (placed, &workload->prefixes)
			add(x, &(struct owner){placed, workload->name, workload, i});
	}
}

void address_check(const struct policy *p, struct diags *d)
{
	struct prefix_index x = {.policy = p, .diags = d};

	add_zones(&x);
	add_workloads(&x);
	vec_foreach (workload, &p->workloads)
		check_workload(&x, workload);
	map_release(&x.places);
	map_release(&x.hosts);
	vec_release(&x.owners);
}
