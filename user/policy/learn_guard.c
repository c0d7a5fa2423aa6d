/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/learn_guard.h"

#include <string.h>

#include "policy/compiled_index.h"
#include "util/bitset.h"

static void add_promise(struct guard *g, const struct selector *from, const struct selector *to,
			const services *s, struct cause cause)
{
	struct guarded promise = {.services = s, .cause = cause};

	promise.from = bitset_new(g->c->identities.count);
	promise.to = bitset_new(g->c->identities.count);
	selector_add(&g->c->index->selectors, from, promise.from);
	selector_add(&g->c->index->selectors, to, promise.to);
	vec_push(&g->promises, promise);
}

void guard_init(struct guard *g, const struct compiled *c)
{
	const struct policy *p = c->policy;

	*g = (struct guard){.c = c};
	for (uint32_t i = 0; i < p->nevers.count; i++) {
		const struct never *never = &p->nevers.items[i];

		add_promise(g, never->from, never->to, &never->services,
			    (struct cause){CAUSE_NEVER, i});
	}
	for (uint32_t i = 0; i < p->expects.count; i++) {
		const struct expect *expect = &p->expects.items[i];

		if (expect->verdict != BH_VERDICT_ALLOW)
			add_promise(g, expect->from, expect->to, &expect->services,
				    (struct cause){CAUSE_EXPECT, i});
	}
}

void guard_release(struct guard *g)
{
	vec_foreach (promise, &g->promises) {
		free(promise->from);
		free(promise->to);
	}
	vec_foreach (cover, &g->covers)
		free(*cover);
	vec_release(&g->promises);
	vec_release(&g->covers);
	map_release(&g->places);
}

static uint8_t families_of(const struct identity *id)
{
	return (uint8_t)((id->has_v4 ? FAMILY_V4 : 0) | (id->has_v6 ? FAMILY_V6 : 0));
}

static void cover_identity(const struct guard *g, size_t identity, uint8_t families, uint8_t *cover)
{
	for (size_t i = 0; i < g->promises.count; i++) {
		const struct guarded *promise = &g->promises.items[i];

		if (bitset_has(promise->from, identity))
			cover[2 * i] |= families;
		if (bitset_has(promise->to, identity))
			cover[2 * i + 1] |= families;
	}
}

static uint8_t *make_cover(const struct guard *g, const struct party *party)
{
	uint8_t *cover = xcalloc(g->promises.count + 1, 2);
	struct selector s = party_selector(party);
	struct prefix prefix = party_prefix(party);
	size_t n = g->c->identities.count;
	_free_ uint64_t *identities = bitset_new(n);

	selector_add(&g->c->index->selectors, &s, identities);
	for (size_t i = bitset_next(identities, n, 0); i < n; i = bitset_next(identities, n, i + 1))
		cover_identity(g, i,
			       party->kind != PARTY_PREFIX ? families_of(&g->c->identities.items[i])
			       : prefix_is_v4(&prefix)     ? FAMILY_V4
							   : FAMILY_V6,
			       cover);
	return cover;
}

/* All addresses of one identity and family have the same cover. */
static struct party cover_key(const struct guard *g, const struct party *party)
{
	const struct prefix prefix = party_prefix(party);
	const struct prefix whole = prefix_of_addr(&prefix.addr);

	if (party->kind != PARTY_PREFIX || prefix.len < whole.len)
		return *party;
	return (struct party){
		.index = image_identity(&g->c->image, &prefix.addr),
		.kind = PARTY_PREFIX,
		.len = addr_is_v4(&prefix.addr) ? UINT16_MAX : UINT16_MAX - 1,
	};
}

static const uint8_t *cover_of(struct guard *g, const struct party *party)
{
	const struct party key = cover_key(g, party);
	bool is_new;
	size_t place = map_put(&g->places, &key, sizeof(key), g->covers.count, &is_new)[0];

	if (is_new)
		vec_push(&g->covers, make_cover(g, party));
	return g->covers.items[place];
}

static bool has_service(const services *list, const struct service_range *s)
{
	vec_foreach (range, list) {
		if (range->table == s->table && range->lo <= s->hi && s->lo <= range->hi)
			return true;
	}
	return false;
}

bool guard_forbids(struct guard *g, const struct party *from, const struct party *to,
		   const struct service_range *s, struct cause *ret)
{
	uint8_t families = service_families(s->table, s->lo);
	const uint8_t *src = cover_of(g, from), *dst = cover_of(g, to);

	for (size_t i = 0; i < g->promises.count; i++) {
		if (!(src[2 * i] & dst[2 * i + 1] & families) ||
		    !has_service(g->promises.items[i].services, s))
			continue;
		*ret = g->promises.items[i].cause;
		return true;
	}
	return false;
}
