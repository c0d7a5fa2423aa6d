/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A policy that is larger than the tables it finds at a start gets larger ones.  They begin with
 * what the old ones hold, so that programs decide alike while one after the other is replaced.
 *
 * New ones are pinned as NAME-grown, the headers last.  From then on they are what counts: a start
 * that finds them finishes what was begun, and drops them if the headers are missing.
 */
#include <inttypes.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bulkhead.skel.h"
#include "datapath/event_places.h"
#include "datapath/info.h"
#include "datapath/internal.h"
#include "datapath/table_view.h"
#include "util/mem.h"

#define GROWN    "-grown"
#define NAME_LEN 64

enum grown {
	GROWN_PREFIXES,
	GROWN_IDENTITIES,
	GROWN_DIRECTORY,
	GROWN_BLOCKS,
	GROWN_RULES,
	GROWN_RULE_EVENTS,
	GROWN_FRONTS,
	GROWN_BACKENDS,
	GROWN_RARE_EVENTS, /* these two say by rule where its events are, and change with any */
	GROWN_EVENT_PLACES,
	GROWN_HEADERS, /* last: they say where the others' entries are, and change with any */
	GROWN_COUNT
};

_Static_assert(GROWN_COUNT <= TABLE_ROOM_MAX, "all of them are told of");

struct capacity {
	const char *map;
	uint32_t least, usual, unsaid, most; /* over both slots */
	enum table_id table;                 /* TABLE_COUNT: none that is filled by a policy */
};

/* Of a large cluster: many pods in much fewer kinds, for which most rows of decisions are alike. */
#define USUAL_PREFIX_LINES (BH_PREFIX_LINES_DEFAULT / 2)
#define USUAL_IDENTITIES   (BH_IDENTITY_ENTRIES_DEFAULT / 8)
#define USUAL_BLOCKS       (BH_BLOCKS / 4)

#define RULE_PAGES       (BH_RULE_ENTRIES / BH_RULE_PAGE)
#define RULE_PAGES_LEAST (BH_RULE_ENTRIES_LEAST / BH_RULE_PAGE)

/* A rule that finds no place there is counted elsewhere, more slowly. */
#define EVENT_PAGES_LEAST (BH_EVENT_PLACES_LEAST / BH_RULE_PAGE)

#define FRONTS_NONE 1 /* where there are no Services: a map has one entry at least */

/* What changes whenever another table does. */
#define GROWN_WITH_ANY (1u << GROWN_RARE_EVENTS | 1u << GROWN_EVENT_PLACES | 1u << GROWN_HEADERS)

static const struct capacity capacities[GROWN_COUNT] = {
	[GROWN_PREFIXES] = {"bh_prefixes", BH_PREFIX_LINES_LEAST, USUAL_PREFIX_LINES,
			    BH_PREFIX_LINES_DEFAULT, BH_PREFIX_LINES, TABLE_PREFIXES},
	[GROWN_IDENTITIES] = {"bh_identities", BH_IDENTITY_ENTRIES_LEAST, USUAL_IDENTITIES,
			      BH_IDENTITY_ENTRIES_DEFAULT, BH_IDENTITY_ENTRIES, TABLE_IDENTITIES},
	[GROWN_DIRECTORY] = {"bh_directory", BH_DIRECTORY_LINES_LEAST, BH_DIRECTORY_LINES,
			     BH_DIRECTORY_LINES, BH_DIRECTORY_LINES, TABLE_DIRECTORY},
	[GROWN_BLOCKS] = {"bh_blocks", BH_BLOCKS_LEAST, USUAL_BLOCKS, BH_BLOCKS, BH_BLOCKS,
			  TABLE_BLOCKS},
	[GROWN_RULES] = {"bh_rule_counts", RULE_PAGES_LEAST, RULE_PAGES / 4, RULE_PAGES, RULE_PAGES,
			 TABLE_COUNT},
	[GROWN_RULE_EVENTS] = {"bh_rule_events", EVENT_PAGES_LEAST, RULE_PAGES / 16,
			       RULE_PAGES / 16, RULE_PAGES, TABLE_COUNT},
	[GROWN_FRONTS] = {"bh_fronts", FRONTS_NONE, BH_FRONT_ENTRIES, BH_FRONT_ENTRIES,
			  BH_FRONT_ENTRIES, TABLE_COUNT},
	[GROWN_BACKENDS] = {"bh_backends", FRONTS_NONE, BH_BACKEND_ENTRIES, BH_BACKEND_ENTRIES,
			    BH_BACKEND_ENTRIES, TABLE_COUNT},
	[GROWN_RARE_EVENTS] = {"bh_rare_events", RULE_PAGES, RULE_PAGES, RULE_PAGES, RULE_PAGES,
			       TABLE_COUNT},
	[GROWN_EVENT_PLACES] = {"bh_event_places", RULE_PAGES_LEAST, RULE_PAGES / 4, RULE_PAGES,
				RULE_PAGES, TABLE_EVENT_PLACES},
	[GROWN_HEADERS] = {"bh_policies", BH_SLOTS, BH_SLOTS, BH_SLOTS, BH_SLOTS, TABLE_POLICIES},
};

static struct bpf_map *map_of(const struct datapath *dp, enum grown i)
{
	return bpf_object__find_map_by_name(dp->skel->obj, capacities[i].map);
}

static const char *grown_name(enum grown i, char ret[static NAME_LEN])
{
	snprintf(ret, NAME_LEN, "%s" GROWN, capacities[i].map);
	return ret;
}

/* --- how many entries --- */

/* In one slot. */
static void find_needs(const struct image *image, uint64_t ret[static GROWN_COUNT])
{
	ret[GROWN_PREFIXES] = prefix_table_lines(image);
	ret[GROWN_IDENTITIES] = image->identities.count;
	ret[GROWN_DIRECTORY] = tables_lines(image);
	ret[GROWN_BLOCKS] = image->pairs.blocks.count + image->cells.blocks.count;
	ret[GROWN_RULES] = event_places_pages(image->rules);
	ret[GROWN_RULE_EVENTS] = event_places_pages(event_places_needed(image));
	ret[GROWN_EVENT_PLACES] = ret[GROWN_RULES];
	ret[GROWN_HEADERS] = 1;
}

bool datapath_room(const struct image *image, struct table_room *ret)
{
	uint64_t *needs = ret->of;

	*ret = (struct table_room){};
	find_needs(image, needs);
	if (prefix_table_entries(image) > IMAGE_PREFIXES_MAX ||
	    image->later.count > IMAGE_LATER_MAX)
		return false;
	for (enum grown i = GROWN_IDENTITIES; i < GROWN_COUNT; i++) {
		if (needs[i] > capacities[i].most / BH_SLOTS)
			return false;
	}
	return true;
}

/*
 * A table that is outgrown costs a start, which is noticed by nobody but the agent: so what is kept
 * free of a large one is little, and a small one is as large as BH_*_LEAST says.
 */
#define ROOM_PART 8

static uint32_t entries_for(const struct capacity *c, uint64_t need)
{
	uint64_t roomy = BH_SLOTS * (need + need / ROOM_PART);

	if (roomy > c->most)
		return c->most;
	return roomy < c->least ? c->least : (uint32_t)roomy;
}

static uint32_t pinned_entries(const struct datapath *dp, enum grown i)
{
	_close_ int fd = pins_get(&dp->pins, PIN_MAP, capacities[i].map);
	struct bpf_map_info info;

	return map_info(fd, &info) ? 0 : info.max_entries;
}

static uint32_t choose(struct datapath *dp, enum grown i, uint64_t need)
{
	const struct capacity *c = &capacities[i];
	uint32_t wanted = entries_for(c, need);
	uint32_t pinned = dp->is_fresh ? 0 : pinned_entries(dp, i);

	if (pinned && (pinned / BH_SLOTS >= need || pinned >= wanted))
		return pinned;
	if (pinned)
		dp->grown |= 1u << i | GROWN_WITH_ANY;
	return wanted;
}

/* --- what an earlier start left --- */

static bool is_pinned(const struct datapath *dp, const char *name)
{
	_close_ int fd = pins_get(&dp->pins, PIN_MAP, name);

	return fd >= 0;
}

int growth_settle(struct datapath *dp)
{
	char name[NAME_LEN];

	if (is_pinned(dp, grown_name(GROWN_HEADERS, name)))
		return growth_finish(dp);
	for (enum grown i = 0; i < GROWN_COUNT; i++)
		pins_drop(&dp->pins, PIN_MAP, grown_name(i, name));
	return 0;
}

int growth_choose(struct datapath *dp, const struct datapath_config *config)
{
	bool is_known = config->image || config->room || !dp->is_fresh;
	uint64_t needs[GROWN_COUNT] = {};
	int err = 0;

	if (config->image)
		find_needs(config->image, needs);
	if (config->has_fronts) {
		needs[GROWN_FRONTS] = BH_FRONT_ENTRIES / BH_SLOTS;
		needs[GROWN_BACKENDS] = BH_BACKEND_ENTRIES / BH_SLOTS;
	}
	for (enum grown i = 0; !err && i < GROWN_COUNT; i++) {
		uint64_t room = config->room ? config->room->of[i] : 0;
		uint64_t need = room > needs[i] ? room : needs[i];
		uint32_t entries = config->is_growing ? capacities[i].usual : capacities[i].unsaid;

		if (is_known)
			entries = choose(dp, i, need);
		err = bpf_map__set_max_entries(map_of(dp, i), entries);
	}
	return err;
}

/* GROWN_COUNT: none of these. */
static enum grown grown_of(const struct datapath *dp, const struct bpf_map *map)
{
	enum grown i = 0;

	while (i < GROWN_COUNT && map_of(dp, i) != map)
		i++;
	return i;
}

bool growth_sizes(const struct datapath *dp, const struct bpf_map *map)
{
	return grown_of(dp, map) < GROWN_COUNT;
}

bool growth_replaces(const struct datapath *dp, const struct bpf_map *map)
{
	enum grown i = grown_of(dp, map);

	return i < GROWN_COUNT && dp->grown & 1u << i;
}

/* --- from the small one to the large one --- */

/* Where entry @at of slot @slot is, as the slot begins where the half of the table does. */
static uint32_t moved(const struct datapath *dp, enum grown i, uint32_t slot, uint32_t at)
{
	uint32_t from = pinned_entries(dp, i) / BH_SLOTS;
	uint32_t to = bpf_map__max_entries(map_of(dp, i)) / BH_SLOTS;

	return at - slot * from + slot * to;
}

static int fill_table(const struct datapath *dp, enum grown i)
{
	const struct capacity *c = &capacities[i];
	_close_ int fd = pins_get(&dp->pins, PIN_MAP, c->map);
	const struct table from = {
		.fd = fd, .entries = pinned_entries(dp, i), .size = dp->tables.of[c->table].size};
	uint32_t half = from.entries / BH_SLOTS;
	int err = fd < 0 ? fd : 0;

	for (uint32_t slot = 0; !err && slot < BH_SLOTS; slot++) {
		size_t size = (size_t)half * from.size;
		_table_view_ struct table_view view = {};

		err = table_view_open(&from, slot * half, size, &view);
		if (!err)
			err = tables_write(&dp->tables, c->table, moved(dp, i, slot, slot * half),
					   view.bytes, size);
	}
	return err;
}

/* Those of built-in rules, whose page it is: the others' are told by nobody but the agent that has
 * gone. */
static int fill_counts(const struct datapath *dp, enum grown i)
{
	_close_ int fd = pins_get(&dp->pins, PIN_MAP, capacities[i].map);
	_free_ void *counts = xcalloc((size_t)dp->cpus, bpf_map__value_size(map_of(dp, i)));
	uint32_t half = pinned_entries(dp, i) / BH_SLOTS;
	int err = fd < 0 ? fd : 0;

	for (uint32_t slot = 0; !err && slot < BH_SLOTS; slot++) {
		uint32_t from = slot * half;
		uint32_t to = moved(dp, i, slot, from);

		err = bpf_map_lookup_elem(fd, &from, counts);
		if (!err)
			err = bpf_map_update_elem(bpf_map__fd(map_of(dp, i)), &to, counts, BPF_ANY);
	}
	return err;
}

/* Where a page's first place is has moved with the slot's half of them. */
static int fill_places(const struct datapath *dp)
{
	_close_ int fd = pins_get(&dp->pins, PIN_MAP, capacities[GROWN_EVENT_PLACES].map);
	const struct table from = {.fd = fd,
				   .entries = pinned_entries(dp, GROWN_EVENT_PLACES),
				   .size = sizeof(struct bh_event_places)};
	uint32_t half = from.entries / BH_SLOTS;
	_free_ struct bh_event_places *places = xcalloc(half + 1, sizeof(*places));
	int err = fd < 0 ? fd : 0;

	for (uint32_t slot = 0; !err && slot < BH_SLOTS; slot++) {
		uint32_t by = BH_RULE_PAGE * moved(dp, GROWN_RULE_EVENTS, slot, 0);
		size_t size = (size_t)half * from.size;
		_table_view_ struct table_view view = {};

		err = table_view_open(&from, slot * half, size, &view);
		if (err)
			break;
		memcpy(places, view.bytes, size);
		for (uint32_t i = 0; i < half; i++)
			places[i].first += by;
		err = tables_write(&dp->tables, TABLE_EVENT_PLACES,
				   moved(dp, GROWN_EVENT_PLACES, slot, slot * half), places, size);
	}
	return err;
}

static int fill_headers(const struct datapath *dp)
{
	_close_ int fd = pins_get(&dp->pins, PIN_MAP, capacities[GROWN_HEADERS].map);
	int err = fd < 0 ? fd : 0;

	for (uint32_t slot = 0; !err && slot < BH_SLOTS; slot++) {
		struct bh_policy p;

		err = bpf_map_lookup_elem(fd, &slot, &p);
		if (err || !p.generation)
			continue;
		p.identity = moved(dp, GROWN_IDENTITIES, slot, p.identity);
		p.rule = moved(dp, GROWN_RULES, slot, p.rule / BH_RULE_PAGE) * BH_RULE_PAGE;
		p.pairs.line = moved(dp, GROWN_DIRECTORY, slot, p.pairs.line);
		p.cells.line = moved(dp, GROWN_DIRECTORY, slot, p.cells.line);
		p.pairs.block = moved(dp, GROWN_BLOCKS, slot, p.pairs.block);
		p.cells.block = moved(dp, GROWN_BLOCKS, slot, p.cells.block);
		p.prefixes.line = moved(dp, GROWN_PREFIXES, slot, p.prefixes.line);
		err = tables_write(&dp->tables, TABLE_POLICIES, slot, &p, sizeof(p));
	}
	return err;
}

static int fill(const struct datapath *dp, enum grown i)
{
	switch (i) {
	case GROWN_PREFIXES:
	case GROWN_IDENTITIES:
	case GROWN_DIRECTORY:
	case GROWN_BLOCKS:
		return fill_table(dp, i);
	case GROWN_RULES:
	case GROWN_RULE_EVENTS:
		return fill_counts(dp, i);
	case GROWN_EVENT_PLACES:
		return fill_places(dp);
	case GROWN_HEADERS:
		return fill_headers(dp);
	case GROWN_FRONTS: /* there were none */
	case GROWN_BACKENDS:
	case GROWN_RARE_EVENTS: /* as the others' counts: told by nobody */
	case GROWN_COUNT:
		break;
	}
	return 0;
}

int growth_fill(struct datapath *dp)
{
	char name[NAME_LEN];
	int err = 0;

	for (enum grown i = 0; !err && i < GROWN_COUNT; i++) {
		if (!(dp->grown & 1u << i))
			continue;
		err = fill(dp, i);
		if (!err)
			err = pins_put(&dp->pins, PIN_MAP, grown_name(i, name),
				       dup(bpf_map__fd(map_of(dp, i))));
	}
	return err;
}

int growth_finish(const struct datapath *dp)
{
	char name[NAME_LEN];
	int err = 0;

	for (enum grown i = 0; !err && i < GROWN_COUNT; i++) {
		err = pins_rename(&dp->pins, PIN_MAP, grown_name(i, name), capacities[i].map);
		if (err == -ENOENT)
			err = 0;
	}
	return err;
}
