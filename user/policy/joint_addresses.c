/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <string.h>

#include "policy/compiled_index.h"
#include "policy/joint.h"
#include "util/map.h"

/* From here on, up to the next one, addresses are of this identity. */
struct stretch {
	address_number lo;
	uint32_t identity;
};
typedef VEC(struct stretch) stretches;

#define LINES (JOINT_SIDES + 1)

struct open_prefix {
	address_number hi;
	uint32_t identity;
};
typedef VEC(struct open_prefix) open_prefixes;

static void begin(stretches *s, address_number lo, uint32_t identity)
{
	if (s->count && s->items[s->count - 1].lo == lo)
		s->items[s->count - 1].identity = identity;
	else
		vec_push(s, (struct stretch){lo, identity});
}

/* Ends the prefixes that don't reach @lo: what is around goes on after them. */
static void close_before(stretches *s, open_prefixes *open, address_number lo)
{
	while (open->items[open->count - 1].hi < lo) {
		struct open_prefix inner = open->items[--open->count];

		begin(s, inner.hi + 1, open->items[open->count - 1].identity);
	}
}

/* Nested prefixes as one line of stretches. */
static void flatten(const struct image *image, stretches *out)
{
	_image_listing_ struct image_listing listing = image_list(image);
	open_prefixes open = {};

	vec_push(&open, (struct open_prefix){ADDRESS_NUMBER_MAX, 0});
	begin(out, 0, 0);
	vec_foreach (p, &listing) {
		struct address_range range = prefix_range(&p->prefix);

		close_before(out, &open, range.lo);
		begin(out, range.lo, p->identity);
		vec_push(&open, (struct open_prefix){range.hi, p->identity});
	}
	close_before(out, &open, ADDRESS_NUMBER_MAX);
	vec_release(&open);
}

struct builder {
	struct joint_addresses *j;
	struct map identities; /* pair of identities -> joint one */
	struct map classes;
};

static uint32_t class_of(struct builder *b, const uint32_t identity[JOINT_SIDES])
{
	struct joint_addresses *j = b->j;
	struct joint_class class = {};
	uint64_t *number;
	bool is_new;

	for (int side = 0; side < JOINT_SIDES; side++)
		class.class[side] = j->c[side]->identities.items[identity[side]].class;
	number = map_put(&b->classes, class.class, sizeof(class.class), j->classes.count, &is_new);
	if (is_new)
		vec_push(&j->classes, class);
	return (uint32_t)*number;
}

static uint32_t joint_of(struct builder *b, uint32_t old, uint32_t new, uint8_t families)
{
	struct joint_addresses *j = b->j;
	struct joint_identity id = {.identity = {old, new}};
	uint64_t *number;
	bool is_new;

	number = map_put(&b->identities, id.identity, sizeof(id.identity), j->identities.count,
			 &is_new);
	if (is_new) {
		id.class = class_of(b, id.identity);
		vec_push(&j->identities, id);
	}
	id = j->identities.items[*number];
	j->identities.items[*number].families |= families;
	j->classes.items[id.class].families |= families;
	return (uint32_t)*number;
}

/* Where the stretch after that of @lo begins, and 0 if there is none; *at moves along. */
static address_number advance(const stretches *line, size_t *at, address_number lo)
{
	while (*at + 1 < line->count && line->items[*at + 1].lo <= lo)
		++*at;
	return *at + 1 < line->count ? line->items[*at + 1].lo : 0;
}

/* Walks the lines together; the third one only cuts. */
static void merge(struct builder *b, const stretches lines[LINES])
{
	size_t at[LINES] = {};
	address_number lo = 0, next, other;

	do {
		next = advance(&lines[0], &at[0], lo);
		for (int i = 1; i < LINES; i++) {
			other = advance(&lines[i], &at[i], lo);
			if (other && (!next || other < next))
				next = other;
		}
		vec_push(&b->j->ranges,
			 (struct joint_range){
				 .range = {lo, next ? next - 1 : ADDRESS_NUMBER_MAX},
				 .identity =
					 joint_of(b, lines[JOINT_OLD].items[at[JOINT_OLD]].identity,
						  lines[JOINT_NEW].items[at[JOINT_NEW]].identity,
						  address_number_is_v4(lo) ? FAMILY_V4 : FAMILY_V6),
			 });
		lo = next;
	} while (next);
}

/*
 * The identity of this machine while its addresses aren't known; false if they are.  *ret_is_named
 * is set if a rule tells it from any address in no zone.
 */
static bool find_host(const struct compiled *c, uint32_t *ret, bool *ret_is_named)
{
	for (uint32_t i = 0; !c->index->is_host_known && i < c->identities.count; i++) {
		if (!(c->image.identities.items[i].flags & BH_IDENTITY_HOST))
			continue;
		*ret = i;
		*ret_is_named |= c->identities.items[i].class != c->identities.items[0].class;
		return true;
	}
	return false;
}

/* Where no rule is about `host`, all is said by the addresses that it may have. */
static void add_host(struct builder *b)
{
	uint32_t old, new;
	bool is_named = false;

	if (find_host(b->j->c[JOINT_OLD], &old, &is_named) &&
	    find_host(b->j->c[JOINT_NEW], &new, &is_named) && is_named)
		joint_of(b, old, new, FAMILY_V4 | FAMILY_V6);
}

static void index_members(struct joint_addresses *j)
{
	list_pairs pairs = {};

	for (uint32_t i = 0; i < j->ranges.count; i++)
		vec_push(&pairs, (struct list_pair){j->ranges.items[i].identity, i});
	lists_build(&j->ranges_of, (uint32_t)j->identities.count, &pairs);
	pairs.count = 0;
	for (uint32_t i = 0; i < j->identities.count; i++)
		vec_push(&pairs, (struct list_pair){j->identities.items[i].class, i});
	lists_build(&j->members, (uint32_t)j->classes.count, &pairs);
	vec_release(&pairs);
}

void joint_addresses_build(struct joint_addresses *j, const struct compiled *old,
			   const struct compiled *new)
{
	struct builder b = {.j = j};
	stretches lines[LINES] = {};

	memset(j, 0, sizeof(*j));
	j->c[JOINT_OLD] = old;
	j->c[JOINT_NEW] = new;
	flatten(&old->image, &lines[JOINT_OLD]);
	flatten(&new->image, &lines[JOINT_NEW]);
	begin(&lines[JOINT_SIDES], 0, 0);
	begin(&lines[JOINT_SIDES], V4_NUMBER_FIRST, 0);
	begin(&lines[JOINT_SIDES], V4_NUMBER_LAST + 1, 0);
	merge(&b, lines);
	add_host(&b);
	index_members(j);
	for (int i = 0; i < LINES; i++)
		vec_release(&lines[i]);
	map_release(&b.identities);
	map_release(&b.classes);
}

void joint_addresses_release(struct joint_addresses *j)
{
	vec_release(&j->identities);
	vec_release(&j->classes);
	vec_release(&j->ranges);
	lists_release(&j->ranges_of);
	lists_release(&j->members);
}
