/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bulkhead.skel.h"
#include "datapath/internal.h"

#define MEMLOCK    "memlock:\t"
#define FDINFO_LEN 256

/* What the kernel says of the descriptor; 0 if it does not say. */
static uint64_t memory_of(int fd)
{
	char line[FDINFO_LEN];
	_text_ struct text path = TEXT_INIT;
	_fclose_ FILE *info = NULL;
	uint64_t bytes = 0;

	text_addf(&path, "/proc/self/fdinfo/%d", fd);
	info = fopen(path.buf, "re");
	while (info && fgets(line, sizeof(line), info)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, MEMLOCK, strlen(MEMLOCK)) &&
		    text_to_u64(line + strlen(MEMLOCK), 0, UINT64_MAX, &bytes))
			break;
	}
	return bytes;
}

static uint64_t grid_lines(const struct bh_grid *g)
{
	return ((uint64_t)g->rows * g->stride + BH_LINE_ENTRIES - 1) / BH_LINE_ENTRIES;
}

/*
 * Block numbers are given in order, so the highest one says how many there are.  0 if they can't be
 * read.
 */
static uint64_t grid_blocks(const struct tables *t, const struct bh_grid *g)
{
	uint64_t entries = (uint64_t)g->rows * g->stride;
	_table_view_ struct table_view view = {};
	uint32_t highest = 0;
	const uint32_t *directory;

	if (table_view_open(&t->of[TABLE_DIRECTORY], g->line, entries * sizeof(*directory), &view))
		return 0;
	directory = view.bytes;
	for (uint64_t i = 0; i < entries; i++) {
		if (directory[i] > highest)
			highest = directory[i];
	}
	return entries ? (uint64_t)highest + 1 : 0;
}

enum sum {
	SUM_PREFIXES,
	SUM_IDENTITIES,
	SUM_SERVICES,
	SUM_LINES,
	SUM_BLOCKS,
	SUM_RULES,
	SUM_COUNT,
};

static uint64_t prefixes_used(const struct tables *t, const struct bh_policy *p)
{
	const struct bh_prefix_line *there = t->prefixes[p->slot].bytes;
	_table_view_ struct table_view view = {};

	if (there)
		return prefix_lines_used(there, &p->prefixes);
	if (tables_view_prefixes(t, p->slot, &view))
		return 0;
	return prefix_lines_used(view.bytes, &p->prefixes);
}

static void add_slot(const struct tables *t, const struct bh_policy *p, uint64_t sums[SUM_COUNT])
{
	if (!p->generation)
		return;
	sums[SUM_PREFIXES] += prefixes_used(t, p);
	sums[SUM_IDENTITIES] += p->identities;
	sums[SUM_SERVICES] += BH_SERVICE_LINES;
	sums[SUM_LINES] += grid_lines(&p->pairs) + grid_lines(&p->cells);
	sums[SUM_BLOCKS] += grid_blocks(t, &p->pairs) + grid_blocks(t, &p->cells);
	sums[SUM_RULES] += p->rules;
}

static uint64_t keys_used(const struct bpf_map *map)
{
	_keys_ struct keys keys = {};
	int err = keys_read(bpf_map__fd(map), bpf_map__key_size(map), &keys);

	return err ? UINT64_MAX : keys.count;
}

/* Some of two tables is kept free, and an entry of two others holds several. */
static uint64_t capacity_of(const struct datapath *dp, const struct bpf_map *map)
{
	uint64_t entries = bpf_map__max_entries(map);

	if (map == dp->skel->maps.bh_prefixes)
		return BH_SLOTS * (uint64_t)tables_prefix_room((uint32_t)entries / BH_SLOTS);
	if (map == dp->skel->maps.bh_rule_counts)
		return entries * BH_RULE_PAGE;
	if (map == dp->skel->maps.bh_conns)
		return (dp->skel->rodata->bh_conn_mask + 1) / 16 * BH_CONN_SETTLED_PARTS;
	if (map == dp->skel->maps.bh_embryonic)
		return entries * BH_CONN_WAYS;
	return map == dp->skel->maps.bh_fragments ? entries * BH_FRAGMENT_WAYS : entries;
}

size_t datapath_tables(struct datapath *dp, struct table_fill *ret, size_t size)
{
	uint64_t sums[SUM_COUNT] = {};
	size_t count = 0;

	for (int slot = 0; slot < BH_SLOTS; slot++)
		add_slot(&dp->tables, tables_header(&dp->tables, (uint32_t)slot), sums);
	{
		const struct {
			const struct bpf_map *map;
			uint64_t used;
		} all[] = {
			{dp->skel->maps.bh_prefixes, sums[SUM_PREFIXES]},
			{dp->skel->maps.bh_identities, sums[SUM_IDENTITIES]},
			{dp->skel->maps.bh_services, sums[SUM_SERVICES]},
			{dp->skel->maps.bh_directory, sums[SUM_LINES]},
			{dp->skel->maps.bh_blocks, sums[SUM_BLOCKS]},
			{dp->skel->maps.bh_known, UINT64_MAX},
			{dp->skel->maps.bh_later, UINT64_MAX},
			{dp->skel->maps.bh_rule_counts, sums[SUM_RULES]},
			{dp->skel->maps.bh_event_places, UINT64_MAX},
			{dp->skel->maps.bh_rule_events, UINT64_MAX},
			{dp->skel->maps.bh_rare_events, keys_used(dp->skel->maps.bh_rare_events)},
			{dp->skel->maps.bh_endpoints, keys_used(dp->skel->maps.bh_endpoints)},
			{dp->skel->maps.bh_sources, keys_used(dp->skel->maps.bh_sources)},
			{dp->skel->maps.bh_local, keys_used(dp->skel->maps.bh_local)},
			{dp->skel->maps.bh_source_lines, UINT64_MAX},
			{dp->skel->maps.bh_local_lines, UINT64_MAX},
			{dp->skel->maps.bh_owners, keys_used(dp->skel->maps.bh_owners)},
			{dp->skel->maps.bh_fronts, dp->fronts},
			{dp->skel->maps.bh_backends, keys_used(dp->skel->maps.bh_backends)},
			{dp->skel->maps.bh_conns, dp->settled},
			{dp->skel->maps.bh_conn_rests, UINT64_MAX},
			{dp->skel->maps.bh_conn_tags, UINT64_MAX},
			{dp->skel->maps.bh_embryonic, dp->embryonic},
			{dp->skel->maps.bh_fragments, dp->fragments},
			{dp->skel->maps.bh_limiters, UINT64_MAX},
			{dp->skel->maps.bh_lane_events, UINT64_MAX},
			{dp->skel->maps.bh_events, UINT64_MAX},
		};

		for (count = 0; count < COUNT(all); count++) {
			if (count < size)
				ret[count] = (struct table_fill){
					.name = bpf_map__name(all[count].map),
					.used = all[count].used,
					.capacity = capacity_of(dp, all[count].map),
					.bytes = memory_of(bpf_map__fd(all[count].map)),
				};
		}
	}
	return count;
}
