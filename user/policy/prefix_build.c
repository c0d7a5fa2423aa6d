/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "policy/image.h"
#include "policy/prefix_table.h"
#include "util/mem.h"

#define WHOLE     128 /* bits of an address */
#define NODES     (1u << BH_PREFIX_STEPS)
#define LINES_MIN 1024 /* room for addresses that come later */

/* --- in which order lengths are looked for --- */

/* The lengths of one family that are in use, shorter first. */
struct lengths {
	size_t count;
	uint8_t of[WHOLE];
	uint32_t prefixes[WHOLE]; /* parallel to of: how many have it */
};

struct part {
	size_t from, to; /* of the lengths */
};

/* Where half of the prefixes are on each side, as far as both sides fit into @levels below. */
static size_t middle(const struct lengths *l, struct part part, unsigned int levels)
{
	size_t below = ((size_t)1 << levels) - 1, count = part.to - part.from;
	size_t first = count > below + 1 ? part.to - 1 - below : part.from;
	size_t last = count > below + 1 ? part.from + below : part.to - 1;
	uint64_t all = 0, sum = 0;
	size_t i;

	for (i = part.from; i < part.to; i++)
		all += l->prefixes[i];
	for (i = part.from; i < last; i++) {
		sum += l->prefixes[i];
		if (i >= first && 2 * sum >= all)
			break;
	}
	return i;
}

static void plant(const struct lengths *l, uint8_t tree[static NODES])
{
	struct part parts[2 * NODES] = {[1] = {0, l->count}};
	unsigned int levels = BH_PREFIX_STEPS;

	for (unsigned int node = 1; node < NODES; node++) {
		const struct part part = parts[node];
		size_t at;

		levels -= !(node & (node - 1));
		if (part.from == part.to)
			continue;
		at = middle(l, part, levels);
		tree[node] = l->of[at];
		parts[2 * node] = (struct part){part.from, at};
		parts[2 * node + 1] = (struct part){at + 1, part.to};
	}
}

/* --- prefixes and waypoints, in the order of the prefixes --- */

struct walk {
	const struct image *image;
	struct bh_prefixes *head;
	VEC(struct bh_prefix) entries;
	size_t last[BH_FAMILIES][WHOLE]; /* of each length: place of the last entry, plus one */
	struct image_prefix around[WHOLE + 1]; /* the prefixes around this one, outermost first */
	size_t depth;
};

static enum bh_family family_of(const struct prefix *p)
{
	return prefix_is_v4(p) ? BH_FAMILY_V4 : BH_FAMILY_V6;
}

/* What has all addresses of a family is no entry; whole addresses are looked for anyway. */
static bool is_searched(const struct prefix *p)
{
	return p->len && p->len < WHOLE && (!prefix_is_v4(p) || p->len > BH_V4_PREFIX_LEN);
}

static void plant_trees(const struct image *image, struct bh_prefixes *head)
{
	uint32_t counts[BH_FAMILIES][WHOLE] = {};

	vec_foreach (p, &image->prefixes) {
		if (is_searched(&p->prefix))
			counts[family_of(&p->prefix)][p->prefix.len]++;
	}
	for (int family = 0; family < BH_FAMILIES; family++) {
		struct lengths l = {};

		for (unsigned int len = 0; len < WHOLE; len++) {
			if (!counts[family][len])
				continue;
			l.of[l.count] = (uint8_t)len;
			l.prefixes[l.count++] = counts[family][len];
		}
		plant(&l, head->length[family]);
	}
}

static void add(struct walk *w, const struct bh_prefix *entry, enum bh_family family)
{
	uint32_t len = BH_PREFIX_LEN(entry->word);

	vec_push(&w->entries, *entry);
	if (len < WHOLE)
		w->last[family][len] = w->entries.count;
}

/* A search for longer ones than @len goes on from here. */
static void lead_through(struct walk *w, const struct bh_prefix *p, enum bh_family family,
			 uint32_t len)
{
	struct bh_prefix cut = prefix_entry_cut(p, len);
	size_t place = w->last[family][len], depth = w->depth;
	struct bh_prefix *last = place ? &w->entries.items[place - 1] : NULL;
	uint32_t identity;

	if (last && last->high == cut.high && last->low == cut.low) {
		last->word |= BH_PREFIX_MORE;
		return;
	}
	while (depth && w->around[depth - 1].prefix.len >= len)
		depth--;
	identity = depth ? w->around[depth - 1].identity : 0;
	cut.word = BH_PREFIX(len, identity, BH_PREFIX_MORE);
	add(w, &cut, family);
}

static void lead_to(struct walk *w, const struct bh_prefix *p, enum bh_family family)
{
	uint32_t len = BH_PREFIX_LEN(p->word), at, node = 1;

	while ((at = w->head->length[family][node]) != len) {
		assert(at && 2 * node < NODES);
		if (at < len)
			lead_through(w, p, family, at);
		node = 2 * node + (at < len);
	}
}

static void take_otherwise(struct walk *w, const struct image_prefix *p)
{
	const struct prefix all_v4 = {{{0, 0, htonl(0xffff), 0}}, BH_V4_PREFIX_LEN};

	if (prefix_contains(&p->prefix, &all_v4))
		w->head->otherwise[BH_FAMILY_V4] = p->identity;
	if (!p->prefix.len)
		w->head->otherwise[BH_FAMILY_V6] = p->identity;
}

static void visit(struct walk *w, const struct image_prefix *p)
{
	enum bh_family family = family_of(&p->prefix);
	struct bh_prefix entry = prefix_entry_of(&p->prefix.addr, p->identity);

	while (w->depth && !prefix_contains(&w->around[w->depth - 1].prefix, &p->prefix))
		w->depth--;
	take_otherwise(w, p);
	if (p->prefix.len < WHOLE) {
		w->around[w->depth++] = *p;
		entry.word = BH_PREFIX(p->prefix.len, p->identity, 0);
	}
	if (is_searched(&p->prefix))
		lead_to(w, &entry, family);
	if (is_searched(&p->prefix) || p->prefix.len == WHOLE)
		add(w, &entry, family);
}

static void walk_through(struct walk *w)
{
	plant_trees(w->image, w->head);
	vec_foreach (p, &w->image->prefixes)
		visit(w, p);
}

size_t prefix_table_entries(const struct image *image)
{
	struct bh_prefixes head = {};
	struct walk w = {.image = image, .head = &head};
	size_t count;

	walk_through(&w);
	count = w.entries.count;
	vec_release(&w.entries);
	return count;
}

/* --- into lines --- */

static int place_all(const struct walk *w, struct prefix_table *table)
{
	int err = 0;

	table->lines = xcalloc(w->head->lines, sizeof(*table->lines));
	for (size_t i = 0; !err && i < w->entries.count; i++)
		err = prefix_lines_fit(table->lines, w->head, &w->entries.items[i]);
	if (err)
		free(table->lines);
	return err;
}

/* Three of five places taken at most, or more where there is no more room. */
static int place_in_some(const struct walk *w, size_t room, struct prefix_table *table)
{
	size_t lines = LINES_MIN;
	int err;

	do {
		while (3 * lines < w->entries.count)
			lines += lines / 4;
		w->head->lines = (uint32_t)(lines < room ? lines : room);
		err = place_all(w, table);
		lines += lines / 4;
	} while (err == -ENOSPC && w->head->lines < room);
	return err;
}

/* The longest prefix of its first address is the last one in order that begins there. */
static int verify(const struct image *image, const struct prefix_table *table)
{
	size_t count = image->prefixes.count;

	for (size_t i = 0; i < count; i++) {
		const struct image_prefix *p = &image->prefixes.items[i];

		if (i + 1 < count && !addr_cmp(&p->prefix.addr, &p[1].prefix.addr))
			continue;
		if (prefix_lines_identity(table->lines, &table->head, &p->prefix.addr) !=
		    p->identity)
			return -EIO;
	}
	return 0;
}

int prefix_table_build(const struct image *image, const struct bh_prefix_hash *hash, size_t room,
		       struct prefix_table *ret)
{
	struct prefix_table table = {.head = {.hash = *hash}};
	struct walk w = {.image = image, .head = &table.head};
	int err;

	walk_through(&w);
	table.entries = w.entries.count;
	*ret = (struct prefix_table){.entries = table.entries};
	err = table.entries > IMAGE_PREFIXES_MAX ? -ENOSPC : place_in_some(&w, room, &table);
	vec_release(&w.entries);
	if (err)
		return err == -ENOSPC ? -E2BIG : err;
	*ret = table;
	return verify(image, ret);
}

void prefix_table_release(struct prefix_table *table)
{
	free(table->lines);
	*table = (struct prefix_table){};
}
