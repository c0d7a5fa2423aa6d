/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "policy/image.h"
#include "policy/prefix_runs.h"
#include "policy/prefix_table.h"
#include "util/mem.h"

#define WHOLE     128 /* bits of an address */
#define NODES     (1u << BH_PREFIX_STEPS)
#define LINES_MIN 640 /* of each kind: room for addresses that come later */

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
	const struct image_listing *list;
	struct bh_prefixes *head;
	struct bh_prefix_line *starts;
	VEC(struct bh_prefix) entries;
	VEC(struct run) runs;
	size_t last[WHOLE]; /* of each length: place of the last entry, plus one */
	struct image_prefix around[WHOLE + 1]; /* the prefixes around this one, outermost first */
	size_t depth;
};

#define V4_START_LEN (BH_V4_PREFIX_LEN + 16)

/* IPv4 prefixes that are no longer are in the words of starts. */
static bool is_start(const struct prefix *p)
{
	return prefix_is_v4(p) && p->len <= V4_START_LEN;
}

/* And longer ones in runs. */
static bool is_in_run(const struct bh_prefixes *head, const struct prefix *p)
{
	return prefix_is_v4(p) && p->len >= WHOLE - head->run_bits;
}

/* What has all addresses of a family is no entry; whole addresses are looked for anyway. */
static bool is_searched(const struct bh_prefixes *head, const struct prefix *p)
{
	return p->len && p->len < WHOLE && !is_start(p) && !is_in_run(head, p);
}

static void plant_tree(const struct image_listing *list, struct bh_prefixes *head)
{
	uint32_t counts[WHOLE] = {};
	struct lengths l = {};

	vec_foreach (p, list) {
		if (!prefix_is_v4(&p->prefix) && is_searched(head, &p->prefix))
			counts[p->prefix.len]++;
	}
	for (unsigned int len = 0; len < WHOLE; len++) {
		if (!counts[len])
			continue;
		l.of[l.count] = (uint8_t)len;
		l.prefixes[l.count++] = counts[len];
	}
	plant(&l, head->length);
}

/* All that a prefix has start with its identity, until a longer one comes. */
static void start_with(struct walk *w, const struct prefix *p, uint32_t identity)
{
	struct bh_prefix at = prefix_entry_of(&p->addr, 0);
	__u64 *start = prefix_lines_start(w->starts, &at);
	uint32_t count = 1u << (V4_START_LEN - p->len);

	for (uint32_t i = 0; i < count; i++)
		start[i] = BH_START(identity, 0);
}

static void plant_starts(struct walk *w)
{
	const struct prefix all = {{{0, 0, htonl(0xffff), 0}}, BH_V4_PREFIX_LEN};

	vec_foreach (p, w->list) {
		struct bh_prefix at = prefix_entry_of(&p->prefix.addr, 0);
		uint32_t len = p->prefix.len;

		if (is_start(&p->prefix))
			start_with(w, &p->prefix, p->identity);
		else if (is_in_run(w->head, &p->prefix))
			*prefix_lines_start(w->starts, &at) |= BH_START_RUNS;
		else if (prefix_is_v4(&p->prefix))
			*prefix_lines_start(w->starts, &at) |= 1u << (len - V4_START_LEN);
		else if (prefix_contains(&p->prefix, &all))
			start_with(w, &all, p->identity);
	}
}

static void add(struct walk *w, const struct bh_prefix *entry)
{
	uint32_t len = BH_PREFIX_LEN(entry->word);

	vec_push(&w->entries, *entry);
	if (len < WHOLE)
		w->last[len] = w->entries.count;
}

/* A search for longer ones than @len goes on from here. */
static void lead_through(struct walk *w, const struct bh_prefix *p, uint32_t len)
{
	struct bh_prefix cut = prefix_entry_cut(p, len);
	size_t place = w->last[len], depth = w->depth;
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
	add(w, &cut);
}

static void lead_to_v6(struct walk *w, const struct bh_prefix *p)
{
	uint32_t len = BH_PREFIX_LEN(p->word), at, node = 1;

	while ((at = w->head->length[node]) != len) {
		assert(at && 2 * node < NODES);
		if (at < len)
			lead_through(w, p, at);
		node = 2 * node + (at < len);
	}
}

static void lead_to_v4(struct walk *w, const struct bh_prefix *p)
{
	const uint64_t start = *prefix_lines_start(w->starts, p);
	uint32_t bits = BH_PREFIX_LEN(p->word) - V4_START_LEN, n = 8;

	for (uint32_t half = 8; n != bits; half /= 2) {
		assert(half > 1);
		if (n < bits && (BH_START_HERE(start, n) || BH_START_LEFT(start, n, half)))
			lead_through(w, p, V4_START_LEN + n);
		n = n < bits ? n + half / 2 : n - half / 2;
	}
}

/* All that a prefix has in its run, until a longer one comes.  The first one of a run finds none
 * around it that is in the run, too. */
static void add_to_run(struct walk *w, const struct image_prefix *p, uint32_t address)
{
	uint32_t count = 1u << (WHOLE - p->prefix.len);
	uint32_t around = w->depth ? w->around[w->depth - 1].identity : 0;
	struct run *run = w->runs.count ? &w->runs.items[w->runs.count - 1] : NULL;

	if (!run || run->key != BH_RUN_KEY(address, w->head->run_bits)) {
		vec_push(&w->runs, run_of(w->head, address, around));
		run = &w->runs.items[w->runs.count - 1];
	}
	for (uint32_t i = 0; i < count; i++)
		run_set(&run->identity, w->head, address + i, p->identity);
}

static void visit(struct walk *w, const struct image_prefix *p)
{
	struct bh_prefix entry = prefix_entry_of(&p->prefix.addr, p->identity);

	while (w->depth && !prefix_contains(&w->around[w->depth - 1].prefix, &p->prefix))
		w->depth--;
	if (!p->prefix.len)
		w->head->otherwise = p->identity;
	if (is_in_run(w->head, &p->prefix))
		add_to_run(w, p, (uint32_t)entry.low);
	if (p->prefix.len < WHOLE) {
		w->around[w->depth++] = *p;
		entry.word = BH_PREFIX(p->prefix.len, p->identity, 0);
	}
	if (is_searched(w->head, &p->prefix) && prefix_is_v4(&p->prefix))
		lead_to_v4(w, &entry);
	else if (is_searched(w->head, &p->prefix))
		lead_to_v6(w, &entry);
	if (is_searched(w->head, &p->prefix) ||
	    (p->prefix.len == WHOLE && !is_in_run(w->head, &p->prefix)))
		add(w, &entry);
}

static void walk_through(struct walk *w)
{
	w->starts = xcalloc(BH_START_LINES, sizeof(*w->starts));
	plant_tree(w->list, w->head);
	plant_starts(w);
	vec_foreach (p, w->list)
		visit(w, p);
}

static void walk_release(struct walk *w)
{
	vec_release(&w->entries);
	vec_release(&w->runs);
	free(w->starts);
}

struct counts {
	size_t entries; /* prefixes and waypoints */
	size_t runs;
};

static struct counts count_of(const struct image *image)
{
	_image_listing_ struct image_listing list = image_list(image);
	struct bh_prefixes head = {.run_bits = run_bits_for(image->identities.count)};
	struct walk w = {.list = &list, .head = &head};
	struct counts counts;

	walk_through(&w);
	counts = (struct counts){w.entries.count, w.runs.count};
	walk_release(&w);
	return counts;
}

size_t prefix_table_entries(const struct image *image)
{
	struct counts counts = count_of(image);

	return counts.entries + counts.runs;
}

/* --- into lines --- */

static int place_all(const struct walk *w, struct prefix_table *table)
{
	int err = 0;

	table->line_count = BH_START_LINES + w->head->lines + w->head->runs;
	table->lines = xcalloc(table->line_count, sizeof(*table->lines));
	memcpy(table->lines, w->starts, BH_START_LINES * sizeof(*w->starts));
	for (size_t i = 0; !err && i < w->entries.count; i++)
		err = prefix_lines_fit(table->lines, w->head, &w->entries.items[i]);
	for (size_t i = 0; !err && i < w->runs.count; i++)
		err = runs_fit(table->lines, w->head, &w->runs.items[i]);
	if (err)
		free(table->lines);
	return err;
}

/* In which three of five places are taken at most; of runs, four of six. */
static size_t lines_for(size_t entries, size_t lines)
{
	while (3 * lines < entries)
		lines += lines / 4;
	return lines;
}

static size_t lines_for_runs(size_t runs, size_t lines)
{
	return lines_for((3 * runs + 3) / 4, lines);
}

size_t prefix_table_lines(const struct image *image)
{
	struct counts counts = count_of(image);

	return BH_START_LINES + lines_for(counts.entries, LINES_MIN) +
	       lines_for_runs(counts.runs, LINES_MIN);
}

/* Fewer lines, and fuller ones, where there is no more room.  No kind is ever without any. */
static int place_in_some(const struct walk *w, size_t room, struct prefix_table *table)
{
	size_t lines = LINES_MIN, runs = LINES_MIN;
	struct bh_prefixes *head = w->head;
	bool is_all;
	int err;

	if (room <= BH_START_LINES + 1)
		return -ENOSPC;
	room -= BH_START_LINES;
	do {
		lines = lines_for(w->entries.count, lines);
		runs = lines_for_runs(w->runs.count, runs);
		is_all = lines + runs >= room;
		head->runs = (uint32_t)(is_all ? runs * room / (lines + runs) : runs);
		head->runs += !head->runs;
		head->lines = (uint32_t)(is_all ? room - head->runs : lines);
		err = place_all(w, table);
		lines += lines / 4;
		runs += runs / 4;
	} while (err == -ENOSPC && !is_all);
	return err;
}

/* The longest prefix of its first address is the last one in order that begins there. */
static int verify(const struct image_listing *list, const struct prefix_table *table)
{
	size_t count = list->count;

	for (size_t i = 0; i < count; i++) {
		const struct image_prefix *p = &list->items[i];

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
	_image_listing_ struct image_listing list = image_list(image);
	struct prefix_table table = {
		.head = {.hash = *hash, .run_bits = run_bits_for(image->identities.count)},
	};
	struct walk w = {.list = &list, .head = &table.head};
	int err;

	walk_through(&w);
	table.entries = w.entries.count + w.runs.count;
	*ret = (struct prefix_table){.entries = table.entries};
	err = table.entries > IMAGE_PREFIXES_MAX ? -ENOSPC : place_in_some(&w, room, &table);
	walk_release(&w);
	if (err)
		return err == -ENOSPC ? -E2BIG : err;
	*ret = table;
	return verify(&list, ret);
}

void prefix_table_release(struct prefix_table *table)
{
	free(table->lines);
	*table = (struct prefix_table){};
}
