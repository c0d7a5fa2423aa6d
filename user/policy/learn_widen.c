/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <string.h>

#include "policy/compiled_index.h"
#include "policy/learn_triples.h"
#include "util/bitset.h"

#define ADDRESSES_MANY  8  /* towards the same end and service */
#define PORTS_MANY      10 /* distinct ones of one destination */
#define EPHEMERAL_FIRST 32768

#define ADDRESS_LEN 128 /* of a prefix that is one address */

/* A common prefix that is shorter says no more than `outside`. */
#define PREFIX_LEN_MIN_V4 (96 + 16)
#define PREFIX_LEN_MIN_V6 32

/* Triples that may become one. */
struct bundle {
	size_t addresses;
	struct prefix common; /* of the addresses */
	uint64_t *ports;      /* a set; NULL: these aren't ports */
};

struct bundles {
	VEC(struct bundle) items;
	struct map places;
	uint32_t *of; /* of each triple: its bundle plus 1; 0: none */
};

static void bundles_release(struct bundles *b)
{
	vec_foreach (bundle, &b->items)
		free(bundle->ports);
	vec_release(&b->items);
	map_release(&b->places);
	free(b->of);
}

static struct bundle *bundle_of(struct bundles *b, size_t triple, const uint32_t key[AXES])
{
	bool is_new;
	size_t place = map_put(&b->places, key, AXES * sizeof(*key), b->items.count, &is_new)[0];

	if (is_new)
		vec_push(&b->items, (struct bundle){});
	b->of[triple] = (uint32_t)place + 1;
	return &b->items.items[place];
}

/* The triples, to be put in again, changed or not. */
static triple_list take_items(struct triples *t)
{
	triple_list items = t->items;

	memset(&t->items, 0, sizeof(t->items));
	map_release(&t->places);
	return items;
}

static bool is_outside(const struct compiled *c, size_t identity)
{
	const struct identity *id = &c->identities.items[identity];

	return id->zone == POLICY_NONE && id->workload == POLICY_NONE;
}

static bool is_address_outside(const struct compiled *c, const struct party *party)
{
	const struct bh_addr addr = party->addr;

	return party->kind == PARTY_PREFIX && party->len == ADDRESS_LEN &&
	       is_outside(c, image_identity(&c->image, &addr));
}

static void bundle_address(struct bundle *b, const struct bh_addr *addr)
{
	struct prefix common = prefix_of_addr(addr);

	if (b->addresses++)
		common = prefix_common(&b->common.addr, addr);
	if (b->addresses == 1 || common.len < b->common.len)
		b->common = common;
}

static void bundle_addresses(const struct triples *t, const struct compiled *c, enum axis axis,
			     struct bundles *b)
{
	for (size_t i = 0; i < t->items.count; i++) {
		const struct triple *triple = &t->items.items[i];
		const struct party *party = &t->parties.items[triple->on[axis]];
		const struct bh_addr addr = party->addr;
		uint32_t key[AXES];

		if (!is_address_outside(c, party))
			continue;
		memcpy(key, triple->on, sizeof(key));
		key[axis] = addr_is_v4(&addr);
		bundle_address(bundle_of(b, i, key), &addr);
	}
}

/* A prefix of addresses outside only, or `outside`. */
static struct party wider_party(const struct compiled *c, const struct prefix *common)
{
	struct party party = party_of_prefix(common);
	struct selector s = party_selector(&party);
	size_t n = c->identities.count;
	_free_ uint64_t *set = bitset_new(n);
	bool is_narrow = common->len >=
			 (prefix_is_v4(common) ? PREFIX_LEN_MIN_V4 : PREFIX_LEN_MIN_V6);

	selector_add(&c->index->selectors, &s, set);
	for (size_t i = bitset_next(set, n, 0); i < n && is_narrow; i = bitset_next(set, n, i + 1))
		is_narrow = is_outside(c, i);
	return is_narrow ? party : (struct party){.kind = PARTY_OUTSIDE};
}

static bool is_forbidden(struct triples *t, struct guard *g, const uint32_t on[AXES])
{
	struct cause unused;

	return guard_forbids(g, &t->parties.items[on[AXIS_FROM]], &t->parties.items[on[AXIS_TO]],
			     &t->services.items[on[AXIS_SERVICE]], &unused);
}

/* Puts @triple back with @number on an axis, unless a promise forbids that. */
static bool put_wider(struct triples *t, struct guard *g, const struct triple *triple,
		      enum axis axis, uint32_t number)
{
	uint32_t on[AXES];

	memcpy(on, triple->on, sizeof(on));
	on[axis] = number;
	if (is_forbidden(t, g, on)) {
		triples_add(t, triple->on, &triple->support);
		return false;
	}
	triples_add(t, on, &triple->support);
	return true;
}

static void widen_axis(struct triples *t, struct guard *g, enum axis axis)
{
	_cleanup_(bundles_release)
	struct bundles b = {.of = xcalloc(t->items.count + 1, sizeof(*b.of))};
	triple_list items;

	bundle_addresses(t, g->c, axis, &b);
	items = take_items(t);
	for (size_t i = 0; i < items.count; i++) {
		const struct triple *triple = &items.items[i];
		const struct bundle *bundle = b.of[i] ? &b.items.items[b.of[i] - 1] : NULL;
		struct party wider;

		if (!bundle || bundle->addresses < ADDRESSES_MANY) {
			triples_add(t, triple->on, &triple->support);
			continue;
		}
		wider = wider_party(g->c, &bundle->common);
		put_wider(t, g, triple, axis, triples_party(t, &wider));
	}
	vec_release(&items);
}

void triples_widen_addresses(struct triples *t, struct guard *g)
{
	widen_axis(t, g, AXIS_FROM);
	widen_axis(t, g, AXIS_TO);
}

static bool is_ephemeral(const struct service_range *s)
{
	return (s->table == BH_SERVICE_TCP || s->table == BH_SERVICE_UDP ||
		s->table == BH_SERVICE_SCTP) &&
	       s->lo == s->hi && s->lo >= EPHEMERAL_FIRST;
}

static void bundle_ports(const struct triples *t, struct bundles *b)
{
	for (size_t i = 0; i < t->items.count; i++) {
		const struct triple *triple = &t->items.items[i];
		const struct service_range *s = &t->services.items[triple->on[AXIS_SERVICE]];
		const uint32_t key[AXES] = {triple->on[AXIS_TO], s->table};
		struct bundle *bundle;

		if (!is_ephemeral(s))
			continue;
		bundle = bundle_of(b, i, key);
		if (!bundle->ports)
			bundle->ports = bitset_new(UINT16_MAX + 1);
		bitset_add(bundle->ports, s->lo);
	}
}

/* From the lowest to the highest port that was seen. */
static struct service_range range_of(const uint64_t *ports, enum bh_service_table table)
{
	struct service_range range = {.table = table};
	size_t n = UINT16_MAX + 1;

	range.lo = (uint16_t)bitset_next(ports, n, 0);
	for (size_t i = range.lo; i < n; i = bitset_next(ports, n, i + 1))
		range.hi = (uint16_t)i;
	return range;
}

static void put_range(struct triples *t, struct guard *g, const struct triple *triple,
		      struct bundle *bundle, struct learned *learned)
{
	enum bh_service_table table = t->services.items[triple->on[AXIS_SERVICE]].table;
	size_t ports = bitset_count(bundle->ports, UINT16_MAX + 1);
	struct service_range range = range_of(bundle->ports, table);

	if (ports < PORTS_MANY) {
		triples_add(t, triple->on, &triple->support);
		return;
	}
	/* Told once, by the first triple that became it. */
	if (!put_wider(t, g, triple, AXIS_SERVICE, triples_service(t, &range)) || bundle->addresses)
		return;
	bundle->addresses = 1;
	vec_push(&learned->widened,
		 (struct widened_ports){t->parties.items[triple->on[AXIS_TO]], range, ports});
}

void triples_widen_ports(struct triples *t, struct guard *g, struct learned *learned)
{
	_cleanup_(bundles_release)
	struct bundles b = {.of = xcalloc(t->items.count + 1, sizeof(*b.of))};
	triple_list items;

	bundle_ports(t, &b);
	items = take_items(t);
	for (size_t i = 0; i < items.count; i++) {
		const struct triple *triple = &items.items[i];

		if (b.items.count && b.of[i])
			put_range(t, g, triple, &b.items.items[b.of[i] - 1], learned);
		else
			triples_add(t, triple->on, &triple->support);
	}
	vec_release(&items);
}
