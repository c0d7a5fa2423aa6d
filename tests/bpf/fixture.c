/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/bpf/fixture.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bulkhead.skel.h"
#include "util/mem.h"

void run_command(const char *command)
{
	if (system(command))
		fail_msg("failed: %s", command);
}

int enter_namespaces(void **state)
{
	(void)state;
	if (unshare(CLONE_NEWNET | CLONE_NEWNS) ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("bpf", BPFFS, "bpf", 0, NULL))
		return -1;
	return 0;
}

int remove_all(void **state)
{
	size_t links;

	(void)state;
	datapath_remove(PINS, &links);
	if (if_nametoindex("bh0"))
		run_command("ip link del bh0");
	return 0;
}

struct datapath *open_at(const char *bpffs)
{
	const struct datapath_config config = {.bpffs = bpffs, .event_rate = 10, .adopt_s = 30};
	_text_ struct text why = TEXT_INIT;
	struct datapath *dp = NULL;

	if (datapath_open(&config, &why, &dp))
		fail_msg("%s", why.buf);
	return dp;
}

bool is_there(const char *path)
{
	struct stat st;

	return !stat(path, &st);
}

void read_entry(const struct bpf_map *map, uint32_t key, void *ret)
{
	if (bpf_map_lookup_elem(bpf_map__fd(map), &key, ret))
		fail_msg("%s has no entry %u", bpf_map__name(map), key);
}

void grid_init(struct image_grid *g, uint32_t rows, uint32_t columns)
{
	g->rows = rows;
	g->columns = columns;
	g->stride = (columns + BH_BLOCK_ENTRIES - 1) / BH_BLOCK_ENTRIES;
	for (uint32_t i = 0; i < rows * g->stride; i++)
		vec_push(&g->directory, 0);
	vec_push(&g->blocks, (struct bh_block){});
}

/* Every value gets a block of its own. */
struct datapath *shared;

int open_shared(void **state)
{
	int err = enter_namespaces(state);

	if (!err)
		shared = open_at(NULL);
	return err;
}

int close_shared(void **state)
{
	(void)state;
	datapath_free(shared);
	return 0;
}

static void grid_set(struct image_grid *g, uint32_t row, uint32_t column, uint32_t value)
{
	uint32_t *at = &g->directory.items[row * g->stride + column / BH_BLOCK_ENTRIES];

	if (!*at) {
		*at = (uint32_t)g->blocks.count;
		vec_push(&g->blocks, (struct bh_block){});
	}
	g->blocks.items[*at].value[column % BH_BLOCK_ENTRIES] = value;
}

void image_add_prefix(struct image *image, uint32_t word, uint8_t len, uint32_t identity)
{
	struct image_prefix entry = {.identity = identity};

	entry.prefix.addr.word[2] = htonl(0xffff);
	entry.prefix.addr.word[3] = htonl(word);
	entry.prefix.len = BH_V4_PREFIX_LEN + len;
	vec_push(&image->prefixes, entry);
}

void image_make(struct image *image, uint32_t last, uint32_t rule)
{
	*image = (struct image){.service_classes = 2, .rules = rule + 1};
	image_add_prefix(image, 0x0a000000, 8, 1);
	image_add_prefix(image, 0x0a000000 + last, 32, 2);
	for (uint32_t i = 0; i < 3; i++)
		vec_push(&image->identities, (struct image_identity){.class = i});
	image->services = xcalloc(BH_SERVICE_LINES, sizeof(*image->services));
	image->services[443 / BH_SERVICE_LINE_ENTRIES].class[443 % BH_SERVICE_LINE_ENTRIES] = 1;
	grid_init(&image->pairs, 3, 3);
	grid_set(&image->pairs, 1, 2, 1);
	grid_init(&image->cells, 2, 2);
	grid_set(&image->cells, 1, 1, BH_CELL(rule, BH_VERDICT_ALLOW, 0));
}

void image_free(struct image *image)
{
	vec_release(&image->prefixes);
	vec_release(&image->identities);
	vec_release(&image->pairs.directory);
	vec_release(&image->pairs.blocks);
	vec_release(&image->cells.directory);
	vec_release(&image->cells.blocks);
	vec_release(&image->later);
	vec_release(&image->timed);
	free(image->services);
}

struct datapath_swap swap_to(struct datapath *dp, uint32_t last, uint32_t rule)
{
	_image_ struct image image;
	_text_ struct text why = TEXT_INIT;
	struct datapath_swap swap = {};

	image_make(&image, last, rule);
	if (datapath_swap_policy(dp, &image, &why, &swap))
		fail_msg("%s", why.buf);
	return swap;
}

/* --- the programs' way through the maps, by descriptors --- */

static uint32_t identity_of(const struct datapath *dp, uint32_t slot, uint32_t address)
{
	const struct bh_prefixes *head = &tables_header(&dp->tables, slot)->prefixes;
	const struct table *table = &dp->tables.of[TABLE_PREFIXES];
	size_t size = (size_t)(table->entries / BH_SLOTS) * table->size;
	struct bh_addr a = {{0, 0, htonl(0xffff), htonl(address)}};
	_table_view_ struct table_view view = {};

	assert_int_equal(table_view_open(table, head->line, size, &view), 0);
	return prefix_lines_identity(view.bytes, head, &a);
}

static uint32_t grid_value(const struct datapath *dp, const struct bh_grid *g, uint32_t row,
			   uint32_t column)
{
	uint32_t at = row * g->stride + column / BH_BLOCK_ENTRIES;
	struct bh_directory_line line;
	struct bh_block block;

	if (row >= g->rows || column >= g->columns)
		return 0;
	read_entry(dp->skel->maps.bh_directory, g->line + at / BH_LINE_ENTRIES, &line);
	read_entry(dp->skel->maps.bh_blocks, g->block + line.block[at % BH_LINE_ENTRIES], &block);
	return block.value[column % BH_BLOCK_ENTRIES];
}

uint32_t decide_by_maps(const struct datapath *dp, uint32_t src, uint32_t dst, uint16_t port)
{
	struct bh_identity from, to;
	struct bh_service_line line;
	struct bh_control control;
	struct bh_policy policy;
	uint32_t slot, row;

	read_entry(dp->skel->maps.bh_control, 0, &control);
	slot = BH_ACTIVE_SLOT(control.active);
	read_entry(dp->skel->maps.bh_policies, slot, &policy);
	assert_int_equal(policy.slot, slot);
	read_entry(dp->skel->maps.bh_identities, policy.identity + identity_of(dp, slot, src),
		   &from);
	read_entry(dp->skel->maps.bh_identities, policy.identity + identity_of(dp, slot, dst), &to);
	read_entry(dp->skel->maps.bh_services,
		   slot * BH_SERVICE_LINES + port / BH_SERVICE_LINE_ENTRIES, &line);
	row = grid_value(dp, &policy.pairs, from.row, to.column);
	return grid_value(dp, &policy.cells, row, line.class[port % BH_SERVICE_LINE_ENTRIES]);
}

void assert_in_force(const struct datapath *dp, uint32_t last, uint32_t rule)
{
	uint32_t allow = BH_CELL(rule, BH_VERDICT_ALLOW, 0);

	assert_int_equal(decide_by_maps(dp, 0x0a010101, 0x0a000000 + last, 443), allow);
	assert_int_equal(decide_by_maps(dp, 0x0a010101, 0x0a000000 + last, 442), 0);
	assert_int_equal(decide_by_maps(dp, 0x0a010101, 0x0a000000 + last + 1, 443), 0);
	assert_int_equal(decide_by_maps(dp, 0x0a010101, 0x0a000000 + last - 1, 443), 0);
	assert_int_equal(decide_by_maps(dp, 0x0b010101, 0x0a000000 + last, 443), 0);
}
