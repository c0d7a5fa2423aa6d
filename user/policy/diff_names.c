/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/diff_names.h"

#include <string.h>

#include "util/bitset.h"
#include "util/map.h"
#include "util/mem.h"

#define SHOWN_PREFIXES 4  /* of a name with two meanings: up to here they say more than a name */
#define OWNER_PIECES   64 /* of the address space that are asked for one owner */

struct known_name {
	const char *name;
	uint8_t declared; /* 1 << side */
	bool is_label;
};

/* The names of both policies, and who has them. */
struct builder {
	struct diff_names *n;
	struct arena *words;
	VEC(struct known_name) names;
	struct map known;              /* name -> place in names */
	list_pairs pairs[JOINT_SIDES]; /* name -> identities */
	/* Sets of pods that have a joint identity in common with others: no set of identities is
	 * one of these. */
	uint64_t *sharing[JOINT_SIDES];
};

/* Whose the addresses of a piece are in one of the policies; POLICY_NONE: nobody's. */
static size_t owner_of(const struct diff_names *n, int side, const struct joint_range *piece)
{
	struct bh_addr a = addr_of_number(piece->range.lo);

	return compiled_workload(n->a->c[side], &a);
}

static void find_sharing(struct builder *b, int side)
{
	const struct joint_addresses *a = b->n->a;

	b->sharing[side] = bitset_new(a->c[side]->policy->workloads.count);
	for (uint32_t i = 0; i < a->identities.count; i++) {
		struct list pieces = lists_get(&a->ranges_of, i);
		size_t first = POLICY_NONE;

		for (size_t k = 0; k < pieces.count; k++) {
			size_t owner = owner_of(b->n, side, &a->ranges.items[pieces.items[k]]);

			if (k == 0)
				first = owner;
			if (owner == first)
				continue;
			bitset_add(b->sharing[side], first);
			bitset_add(b->sharing[side], owner);
		}
	}
}

static uint32_t add_name(struct builder *b, const char *name, int side)
{
	bool is_new;
	uint32_t number = (uint32_t)*map_put(&b->known, name, strlen(name), b->names.count,
					     &is_new);

	if (is_new)
		vec_push(&b->names, (struct known_name){.name = name});
	b->names.items[number].declared |= (uint8_t)(1 << side);
	return number;
}

static void add_names(struct builder *b, int side)
{
	const struct policy *p = b->n->a->c[side]->policy;

	vec_foreach (zone, &p->zones)
		add_name(b, zone->name, side);
	vec_foreach (workload, &p->workloads)
		add_name(b, workload->name, side);
}

static void add_member(struct builder *b, const char *name, int side, uint32_t identity)
{
	vec_push(&b->pairs[side], (struct list_pair){add_name(b, name, side), identity});
}

static void add_label(struct builder *b, const struct label *label, int side, uint32_t identity)
{
	_text_ struct text word = TEXT_INIT;
	uint32_t number;

	text_addf(&word, "labels %s=%s", label->key, label->value);
	number = add_name(b, word.buf, side);
	if (!b->names.items[number].is_label)
		b->names.items[number] = (struct known_name){
			arena_text(b->words, word.buf, word.len), (uint8_t)(1 << side), true};
	vec_push(&b->pairs[side], (struct list_pair){number, identity});
}

static void add_workload(struct builder *b, size_t workload, int side, uint32_t identity)
{
	const struct workload *w = &b->n->a->c[side]->policy->workloads.items[workload];

	if (!bitset_has(b->sharing[side], workload))
		add_member(b, w->name, side, identity);
	vec_foreach (label, &w->labels) {
		if (w->kind != WORKLOAD_NODE)
			add_label(b, label, side, identity);
	}
	if (w->group != POLICY_NONE)
		add_workload(b, w->group, side, identity);
}

/* Of the pods of one kind, one that has addresses of the joint identity. */
static size_t somebody(const struct builder *b, size_t workload, int side, uint32_t identity)
{
	struct list pieces = lists_get(&b->n->a->ranges_of, identity);

	return pieces.count ? owner_of(b->n, side, &b->n->a->ranges.items[pieces.items[0]])
			    : workload;
}

/* Every name that an identity goes by in one of the policies. */
static void add_identity(struct builder *b, int side, uint32_t joint)
{
	const struct compiled *c = b->n->a->c[side];
	uint32_t number = b->n->a->identities.items[joint].identity[side];
	const struct identity *id = &c->identities.items[number];

	if (id->zone != POLICY_NONE)
		add_member(b, c->policy->zones.items[id->zone].name, side, joint);
	if (id->workload != POLICY_NONE)
		add_workload(b, somebody(b, id->workload, side, joint), side, joint);
	if (c->image.identities.items[number].flags & BH_IDENTITY_HOST)
		add_member(b, "host", side, joint);
	if (id->zone == POLICY_NONE && id->workload == POLICY_NONE)
		add_member(b, "outside", side, joint);
}

static bool is_same(struct list x, struct list y)
{
	return x.count == y.count &&
	       (!x.count || !memcmp(x.items, y.items, x.count * sizeof(*x.items)));
}

static void add_meaning(struct builder *b, uint32_t name, enum diff_reading reading,
			struct list members, list_pairs *out)
{
	uint32_t number = (uint32_t)b->n->meanings.count;

	if (!members.count)
		return;
	for (size_t i = 0; i < members.count; i++)
		vec_push(out, (struct list_pair){number, members.items[i]});
	vec_push(&b->n->meanings, (struct meaning){b->names.items[name].name, reading,
						   b->names.items[name].is_label});
}

static bool is_worth_a_name(const struct builder *b, struct list members)
{
	address_ranges ranges = {};
	prefix_list cover = {};
	bool is_worth;

	diff_names_ranges(b->n, members, &ranges);
	address_ranges_cover(&ranges, &cover);
	is_worth = cover.count > SHOWN_PREFIXES;
	vec_release(&ranges);
	vec_release(&cover);
	return is_worth;
}

static void add_meanings(struct builder *b, const struct lists members[JOINT_SIDES],
			 list_pairs *out)
{
	for (uint32_t i = 0; i < b->names.count; i++) {
		struct list old = lists_get(&members[JOINT_OLD], i);
		struct list new = lists_get(&members[JOINT_NEW], i);

		if (b->names.items[i].declared == 1 << JOINT_OLD) {
			add_meaning(b, i, READ_ALIKE, old, out);
		} else if (b->names.items[i].declared == 1 << JOINT_NEW || is_same(old, new)) {
			add_meaning(b, i, READ_ALIKE, new, out);
		} else {
			if (is_worth_a_name(b, new))
				add_meaning(b, i, READ_AS_NEW, new, out);
			if (is_worth_a_name(b, old))
				add_meaning(b, i, READ_AS_OLD, old, out);
		}
	}
}

/* A pod has its group's labels, too: some twice. */
static void drop_doubles(list_pairs *pairs)
{
	size_t kept = 0;

	list_pairs_sort(pairs);
	vec_foreach (pair, pairs) {
		const struct list_pair *last = kept ? &pairs->items[kept - 1] : NULL;

		if (!last || last->key != pair->key || last->item != pair->item)
			pairs->items[kept++] = *pair;
	}
	pairs->count = kept;
}

static void index_meanings(struct builder *b)
{
	struct lists members[JOINT_SIDES] = {};
	list_pairs pairs = {};

	for (int side = 0; side < JOINT_SIDES; side++) {
		drop_doubles(&b->pairs[side]);
		lists_build(&members[side], (uint32_t)b->names.count, &b->pairs[side]);
	}
	add_meanings(b, members, &pairs);
	lists_build(&b->n->members, (uint32_t)b->n->meanings.count, &pairs);
	vec_foreach (pair, &pairs)
		*pair = (struct list_pair){pair->item, pair->key};
	lists_build(&b->n->of_identity, (uint32_t)b->n->a->identities.count, &pairs);
	for (int side = 0; side < JOINT_SIDES; side++)
		lists_release(&members[side]);
	vec_release(&pairs);
}

void diff_names_build(struct diff_names *n, const struct joint_addresses *a, struct arena *words)
{
	struct builder b = {.n = n, .words = words};

	memset(n, 0, sizeof(*n));
	n->a = a;
	add_names(&b, JOINT_NEW);
	add_names(&b, JOINT_OLD);
	for (int side = 0; side < JOINT_SIDES; side++) {
		find_sharing(&b, side);
		add_name(&b, "host", side);
		add_name(&b, "outside", side);
		for (uint32_t i = 0; i < a->identities.count; i++)
			add_identity(&b, side, i);
	}
	index_meanings(&b);
	vec_release(&b.names);
	map_release(&b.known);
	for (int side = 0; side < JOINT_SIDES; side++) {
		vec_release(&b.pairs[side]);
		free(b.sharing[side]);
	}
}

void diff_names_release(struct diff_names *n)
{
	vec_release(&n->meanings);
	lists_release(&n->of_identity);
	lists_release(&n->members);
}

/* The piece of the address space that a number is in. */
static size_t piece_at(const struct joint_addresses *a, address_number n)
{
	size_t lo = 0, hi = a->ranges.count;

	while (hi - lo > 1) {
		size_t mid = lo + (hi - lo) / 2;

		if (a->ranges.items[mid].range.lo <= n)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

const char *diff_names_owner(const struct diff_names *n, enum joint_side side,
			     const struct prefix *p)
{
	const struct compiled *c = n->a->c[side];
	struct address_range range = prefix_range(p);
	size_t first = piece_at(n->a, range.lo);
	size_t zone = POLICY_NONE, workload = POLICY_NONE, owner;

	for (size_t i = first; i < n->a->ranges.count; i++) {
		const struct joint_range *piece = &n->a->ranges.items[i];
		uint32_t number = n->a->identities.items[piece->identity].identity[side];
		const struct identity *id = &c->identities.items[number];

		if (piece->range.lo > range.hi)
			break;
		if (i - first == OWNER_PIECES)
			return NULL;
		owner = owner_of(n, side, piece);
		if (i == first)
			workload = owner;
		if (i == first)
			zone = id->zone;
		if (workload != owner)
			workload = POLICY_NONE;
		if (zone != id->zone)
			zone = POLICY_NONE;
	}
	if (workload != POLICY_NONE)
		return c->policy->workloads.items[workload].name;
	return zone == POLICY_NONE ? NULL : c->policy->zones.items[zone].name;
}

void diff_names_ranges(const struct diff_names *n, struct list identities, address_ranges *out)
{
	for (size_t i = 0; i < identities.count; i++) {
		struct list pieces = lists_get(&n->a->ranges_of, identities.items[i]);

		for (size_t k = 0; k < pieces.count; k++)
			vec_push(out, n->a->ranges.items[pieces.items[k]].range);
	}
	address_ranges_normalise(out);
}
