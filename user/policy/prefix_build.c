/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "policy/image.h"
#include "policy/prefix_hash.h"
#include "policy/prefix_runs.h"
#include "policy/prefix_table.h"
#include "util/mem.h"

#define WHOLE     128 /* bits of an address */
#define NODES     (1u << BH_PREFIX_STEPS)
#define LINES_MIN 64  /* of entries */
#define RUNS_MIN  640 /* lines of each kind of runs: room for addresses that come later */

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
	struct bh_prefix_line *starts; /* the first lines of the table */
	VEC(struct bh_prefix) entries;
	VEC(struct run) runs;
	size_t runs6;        /* so many are of IPv6 */
	uint8_t node[WHOLE]; /* of each length of IPv6 that is in use */
	size_t last[WHOLE];  /* of each length: place of the last entry, plus one */
	struct image_prefix around[WHOLE + 1]; /* the prefixes around this one, outermost first */
	size_t depth;
};

#define V4_START_LEN (BH_V4_PREFIX_LEN + 16)

/* IPv4 prefixes that are no longer are in the words of starts. */
static bool is_start(const struct prefix *p)
{
	return p->len <= V4_START_LEN && prefix_is_v4(p);
}

/* The longest ones are in runs. */
static bool is_in_run(const struct bh_prefixes *head, const struct prefix *p)
{
	return p->len >= WHOLE - head->run_bits - 1;
}

/* What has all addresses of a family is no entry. */
static bool is_searched(const struct bh_prefixes *head, const struct prefix *p)
{
	return p->len && !is_in_run(head, p) && !is_start(p);
}

static void plant_tree(struct walk *w)
{
	uint32_t counts[WHOLE] = {};
	struct lengths l = {};

	vec_foreach (p, w->list) {
		if (is_searched(w->head, &p->prefix) && !prefix_is_v4(&p->prefix))
			counts[p->prefix.len]++;
	}
	for (unsigned int len = 0; len < WHOLE; len++) {
		if (!counts[len])
			continue;
		l.of[l.count] = (uint8_t)len;
		l.prefixes[l.count++] = counts[len];
	}
	plant(&l, w->head->length);
	for (uint32_t node = 1; node < NODES; node++)
		w->node[w->head->length[node]] = (uint8_t)node;
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
		else if (prefix_is_v4(&p->prefix) && is_in_run(w->head, &p->prefix))
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
	w->last[len] = w->entries.count;
}

/* The lowest node above two, or one of them. */
static uint32_t above(uint32_t a, uint32_t b)
{
	while (a != b) {
		if (a > b)
			a /= 2;
		else
			b /= 2;
	}
	return a;
}

/* A search that comes here goes on for what is at @next, or not far from it. */
static void lead_through(struct walk *w, const struct bh_prefix *p, uint32_t len, uint32_t next)
{
	struct bh_prefix cut = prefix_entry_cut(p, len);
	size_t place = w->last[len], depth = w->depth;
	struct bh_prefix *last = place ? &w->entries.items[place - 1] : NULL;
	uint32_t identity;

	if (last && last->high == cut.high && last->low == cut.low) {
		if (BH_PREFIX_NEXT(last->word))
			next = above(next, BH_PREFIX_NEXT(last->word));
		last->word = BH_PREFIX(len, BH_PREFIX_IDENTITY(last->word), next);
		return;
	}
	while (depth && w->around[depth - 1].prefix.len >= len)
		depth--;
	identity = depth ? w->around[depth - 1].identity : 0;
	cut.word = BH_PREFIX(len, identity, next);
	add(w, &cut);
}

static void lead_to_v6(struct walk *w, const struct bh_prefix *p)
{
	uint32_t len = BH_PREFIX_LEN(p->word), at, node = 1;

	while ((at = w->head->length[node]) != len) {
		assert(at && 2 * node < NODES);
		if (at < len)
			lead_through(w, p, at, w->node[len]);
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
			lead_through(w, p, V4_START_LEN + n, 1);
		n = n < bits ? n + half / 2 : n - half / 2;
	}
}

/* The run of an address: of those of a prefix, which are two at most, or a new one.  The first
 * prefix of a run finds none around it that is in the run, too. */
static struct run *run_in(struct walk *w, const struct bh_prefix *address)
{
	uint32_t around = w->depth ? w->around[w->depth - 1].identity : 0;

	for (size_t i = w->runs.count; i && i + 2 > w->runs.count; i--) {
		struct run *run = &w->runs.items[i - 1];

		if (run_is_of(run, w->head, address))
			return run;
	}
	vec_push(&w->runs, run_of(w->head, address, around));
	w->runs6 += !prefix_entry_is_v4(address);
	return &w->runs.items[w->runs.count - 1];
}

/* All that a prefix has in runs, until a longer one comes. */
static void add_to_runs(struct walk *w, const struct image_prefix *p, struct bh_prefix at)
{
	uint32_t bits = WHOLE - p->prefix.len;

	assert(bits <= BH_RUN_BITS + 1);
	for (uint32_t i = 0; i < 1u << bits; i++, at.low++)
		run_set(&run_in(w, &at)->identity, w->head, at.low, p->identity);
}

static void visit(struct walk *w, const struct image_prefix *p)
{
	struct bh_prefix entry = prefix_entry_of(&p->prefix.addr, 0);
	bool is_entry = is_searched(w->head, &p->prefix);

	entry.word = BH_PREFIX(p->prefix.len, p->identity, 0);
	while (w->depth && !prefix_contains(&w->around[w->depth - 1].prefix, &p->prefix))
		w->depth--;
	if (!p->prefix.len)
		w->head->otherwise = p->identity;
	if (is_in_run(w->head, &p->prefix))
		add_to_runs(w, p, entry);
	if (p->prefix.len < WHOLE)
		w->around[w->depth++] = *p;
	if (is_entry && prefix_is_v4(&p->prefix))
		lead_to_v4(w, &entry);
	else if (is_entry)
		lead_to_v6(w, &entry);
	if (is_entry)
		add(w, &entry);
}

static void walk_through(struct walk *w)
{
	w->starts = xcalloc(BH_START_LINES, sizeof(*w->starts));
	plant_tree(w);
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

/* --- so many --- */

enum kind {
	KIND_ENTRIES, /* prefixes and waypoints */
	KIND_RUNS,
	KIND_RUNS6,
	KIND_COUNT
};

/* Of each kind. */
struct counts {
	size_t of[KIND_COUNT];
};

static struct counts counts_of(const struct walk *w)
{
	return (struct counts){{w->entries.count, w->runs.count - w->runs6, w->runs6}};
}

static size_t sum(const struct counts *counts)
{
	size_t all = 0;

	for (size_t i = 0; i < KIND_COUNT; i++)
		all += counts->of[i];
	return all;
}

static struct counts count_image(const struct image *image)
{
	_image_listing_ struct image_listing list = image_list(image);
	struct bh_prefixes head = {.run_bits = run_bits_for(image->identities.count)};
	struct walk w = {.list = &list, .head = &head};
	struct counts counts;

	walk_through(&w);
	counts = counts_of(&w);
	walk_release(&w);
	return counts;
}

size_t prefix_table_entries(const struct image *image)
{
	const struct counts counts = count_image(image);

	return sum(&counts);
}

/* --- into lines --- */

/* Behind the starts, which stay as they are. */
static int place_all(struct walk *w, struct prefix_table *table)
{
	size_t count = w->head->lines + w->head->runs + w->head->runs6;
	int err = 0;

	table->line_count = BH_START_LINES + count;
	w->starts = xrealloc(w->starts, table->line_count, sizeof(*w->starts));
	memset(w->starts + BH_START_LINES, 0, count * sizeof(*w->starts));
	for (size_t i = 0; !err && i < w->entries.count; i++)
		err = prefix_lines_fit(w->starts, w->head, &w->entries.items[i]);
	for (size_t i = 0; !err && i < w->runs.count; i++)
		err = runs_fit(w->starts, w->head, &w->runs.items[i]);
	if (!err) {
		table->lines = w->starts;
		w->starts = NULL;
	}
	return err;
}

/* So many places of two lines are taken at most: of ten, of twelve, of eight. */
static const size_t per_lines[KIND_COUNT] = {6, 8, 5};

static struct counts lines_for(const struct counts *counts, struct counts lines)
{
	for (size_t i = 0; i < KIND_COUNT; i++) {
		while (per_lines[i] * lines.of[i] < 2 * counts->of[i])
			lines.of[i] += lines.of[i] / 8;
	}
	return lines;
}

static const struct counts lines_least = {{LINES_MIN, RUNS_MIN, RUNS_MIN}};

size_t prefix_table_lines(const struct image *image)
{
	const struct counts counts = count_image(image), lines = lines_for(&counts, lines_least);

	return BH_START_LINES + sum(&lines);
}

static void set_lines(struct bh_prefixes *head, const struct counts *lines)
{
	head->lines = (uint32_t)lines->of[KIND_ENTRIES];
	head->runs = (uint32_t)lines->of[KIND_RUNS];
	head->runs6 = (uint32_t)lines->of[KIND_RUNS6];
}

/* All that there is room for.  No kind is ever without any. */
static struct counts share_out(const struct counts *counts, size_t room)
{
	struct counts lines;
	size_t parts = 1;

	for (size_t i = 0; i < KIND_COUNT; i++)
		parts += counts->of[i] / per_lines[i];
	for (size_t i = 0; i < KIND_COUNT; i++)
		lines.of[i] = (room - KIND_COUNT) * (counts->of[i] / per_lines[i]) / parts + 1;
	return lines;
}

/* Fewer lines, and fuller ones, where there is no more room. */
static int place_in_some(struct walk *w, size_t room, struct prefix_table *table)
{
	const struct counts counts = counts_of(w);
	struct counts lines = lines_least;
	bool is_all;
	int err;

	if (room <= BH_START_LINES + KIND_COUNT)
		return -ENOSPC;
	room -= BH_START_LINES;
	do {
		lines = lines_for(&counts, lines);
		is_all = sum(&lines) >= room;
		if (is_all)
			lines = share_out(&counts, room);
		set_lines(w->head, &lines);
		err = place_all(w, table);
		for (size_t i = 0; i < KIND_COUNT; i++)
			lines.of[i] += lines.of[i] / 8;
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
