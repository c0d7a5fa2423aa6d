/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/learn_triples.h"

#include <string.h>

#include "policy/compiled_index.h"

uint32_t triples_party(struct triples *t, const struct party *party)
{
	bool is_new;
	uint32_t number = (uint32_t)*map_put(&t->party_numbers, party, sizeof(*party),
					     t->parties.count, &is_new);

	if (is_new)
		vec_push(&t->parties, *party);
	return number;
}

uint32_t triples_service(struct triples *t, const struct service_range *s)
{
	uint64_t key = (uint64_t)s->table << 32 | (uint64_t)s->lo << 16 | s->hi;
	bool is_new;
	uint32_t number = (uint32_t)*map_put(&t->service_numbers, &key, sizeof(key),
					     t->services.count, &is_new);

	if (is_new)
		vec_push(&t->services, *s);
	return number;
}

void support_add(struct support *s, const struct support *other)
{
	s->events += other->events;
	s->connections += other->connections;
	if (other->first_ns && (!s->first_ns || other->first_ns < s->first_ns))
		s->first_ns = other->first_ns;
	if (other->last_ns > s->last_ns)
		s->last_ns = other->last_ns;
}

bool triples_add(struct triples *t, const uint32_t on[AXES], const struct support *support)
{
	const uint64_t *known = map_get(&t->places, on, AXES * sizeof(*on));
	size_t place = known ? *known : t->items.count;
	struct triple triple = {};

	if (!known && place == LEARN_TRIPLES_MAX)
		return false;
	if (!known) {
		memcpy(triple.on, on, sizeof(triple.on));
		map_put(&t->places, on, sizeof(triple.on), place, NULL);
		vec_push(&t->items, triple);
	}
	support_add(&t->items.items[place].support, support);
	return true;
}

void triples_release(struct triples *t)
{
	vec_release(&t->parties);
	vec_release(&t->services);
	vec_release(&t->items);
	map_release(&t->party_numbers);
	map_release(&t->service_numbers);
	map_release(&t->places);
}

typedef VEC(uint32_t) numbers;

static void add_party_if_known(const struct triples *t, struct party party, numbers *out)
{
	const uint64_t *number = map_get(&t->party_numbers, &party, sizeof(party));

	if (number)
		vec_push(out, (uint32_t)*number);
}

static bool is_within_zone(const struct compiled *c, size_t workload, size_t zone)
{
	struct list own = lists_get(&c->index->selectors.by_workload, (uint32_t)workload);

	for (size_t i = 0; i < own.count; i++) {
		if (c->identities.items[own.items[i]].zone != zone)
			return false;
	}
	return own.count > 0;
}

/* The party itself, first, and those around it that are known. */
static void list_around(const struct triples *t, const struct compiled *c, uint32_t number,
			numbers *out)
{
	const struct party *party = &t->parties.items[number];
	struct bh_addr addr = party->addr;
	const struct identity *id;
	size_t workload;
	struct list own;

	out->count = 0;
	vec_push(out, number);
	if (party->kind == PARTY_WORKLOAD) {
		own = lists_get(&c->index->selectors.by_workload, party->index);
		if (!own.count)
			return;
		id = &c->identities.items[own.items[0]];
	} else if (party->kind == PARTY_PREFIX) {
		id = &c->identities.items[image_identity(&c->image, &addr)];
		workload = compiled_workload(c, &addr);
		if (workload != POLICY_NONE)
			add_party_if_known(
				t,
				(struct party){.kind = PARTY_WORKLOAD, .index = (uint32_t)workload},
				out);
		else if (id->zone == POLICY_NONE)
			add_party_if_known(t, (struct party){.kind = PARTY_OUTSIDE}, out);
	} else {
		return;
	}
	if (id->zone != POLICY_NONE &&
	    (party->kind == PARTY_PREFIX || is_within_zone(c, party->index, id->zone)))
		add_party_if_known(
			t, (struct party){.kind = PARTY_ZONE, .index = (uint32_t)id->zone}, out);
}

/* The triple around triple @own that holds it; @own if there is none. */
static size_t find_cover(const struct triples *t, const numbers *from, const numbers *to,
			 size_t own)
{
	uint32_t service = t->items.items[own].on[AXIS_SERVICE];
	const uint64_t *place = NULL;

	/* The widest come last. */
	for (size_t i = from->count; i-- && !place;) {
		for (size_t j = to->count; j-- && !place;) {
			const uint32_t on[AXES] = {from->items[i], to->items[j], service};

			place = map_get(&t->places, on, sizeof(on));
		}
	}
	return place ? *place : own;
}

void triples_drop_covered(struct triples *t, const struct compiled *c)
{
	numbers from = {}, to = {};
	size_t kept = 0;

	for (size_t i = 0; i < t->items.count; i++) {
		struct triple *triple = &t->items.items[i];
		size_t cover;

		list_around(t, c, triple->on[AXIS_FROM], &from);
		list_around(t, c, triple->on[AXIS_TO], &to);
		cover = find_cover(t, &from, &to, i);
		if (cover == i)
			continue;
		support_add(&t->items.items[cover].support, &triple->support);
		triple->support = (struct support){};
	}
	for (size_t i = 0; i < t->items.count; i++) {
		if (t->items.items[i].support.connections)
			t->items.items[kept++] = t->items.items[i];
	}
	t->items.count = kept;
	vec_release(&from);
	vec_release(&to);
}
