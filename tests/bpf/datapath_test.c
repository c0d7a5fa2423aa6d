/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/bpf/fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <glob.h>
#include <net/if.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bulkhead.skel.h"
#include "datapath/loader.h"
#include "util/mem.h"

/* --- policies --- */

static void programs_find_what_was_swapped_in(void **state)
{
	struct datapath *dp = shared;

	(void)state;
	assert_false(datapath_is_adopted(dp));
	assert_int_equal(datapath_generation(dp), 0);
	for (uint32_t i = 1; i <= 5; i++) {
		struct datapath_swap swap = swap_to(dp, 10 * i, BH_RULE_FIRST + i);

		assert_int_equal(swap.generation, i);
		assert_int_equal(swap.slot, (i + 1) % 2);
		assert_int_equal(tables_header(&dp->tables, swap.slot)->generation, i);
		assert_int_equal(datapath_generation(dp), i);
		assert_in_force(dp, 10 * i, BH_RULE_FIRST + i);
	}
}

/* By the programs' own way; the next fills of both slots must not be misled by the change. */
static void an_address_moves_in_place_as_a_generation_of_its_own(void **state)
{
	_datapath_ struct datapath *dp = open_at(NULL);
	const uint32_t allow = BH_CELL(BH_RULE_FIRST, BH_VERDICT_ALLOW, 0);
	struct bh_addr a = {{0, 0, htonl(0xffff), htonl(0x0a000014)}};

	(void)state;
	assert_int_equal(datapath_set_identity(dp, &a, 1, true), -EINVAL);
	swap_to(dp, 10, BH_RULE_FIRST);
	assert_int_equal(datapath_set_identity(dp, &a, 3, true), -EINVAL);
	assert_int_equal(datapath_set_identity(dp, &a, 2, true), 0);
	assert_int_equal(datapath_generation(dp), 2);
	assert_int_equal(datapath_slot(dp), 0);
	assert_int_equal(decide_by_maps(dp, 0x0a010101, 0x0a000014, 443), allow);
	assert_int_equal(decide_by_maps(dp, 0x0a010101, 0x0a00000a, 443), allow);
	assert_int_equal(datapath_set_identity(dp, &a, 1, false), 0);
	assert_int_equal(datapath_set_identity(dp, &a, 1, false), 0);
	assert_int_equal(datapath_generation(dp), 4);
	assert_in_force(dp, 10, BH_RULE_FIRST);
	assert_int_equal(datapath_set_identity(dp, &a, 2, true), 0);
	for (uint32_t i = 1; i <= 3; i++) {
		swap_to(dp, 10, BH_RULE_FIRST + i);
		assert_in_force(dp, 10, BH_RULE_FIRST + i);
	}
}

struct flaw {
	const char *name;
	void (*apply)(struct image *image);
	int err;
	const char *word; /* in the sentence */
};

static void too_many_identities(struct image *image)
{
	while (image->identities.count <= BH_IDENTITY_ENTRIES_DEFAULT / 2)
		vec_push(&image->identities, (struct image_identity){});
}

static void too_many_prefixes(struct image *image)
{
	for (uint32_t i = 0; i < BH_PREFIX_LINES_DEFAULT / 2 * BH_RUN_WAYS; i++)
		image_add_prefix(image, 0x0b000000 + i * BH_RUN_ADDRESSES, 32, 1);
}

static void too_many_rules(struct image *image)
{
	image->rules = BH_RULE_ENTRIES / 2 + 1;
}

static void too_many_blocks(struct image *image)
{
	while (image->pairs.blocks.count <= BH_BLOCKS / 2)
		vec_push(&image->pairs.blocks, (struct bh_block){});
}

static void too_many_lines(struct image *image)
{
	vec_release(&image->cells.directory);
	vec_release(&image->cells.blocks);
	grid_init(&image->cells, BH_DIRECTORY_LINES / 2 * BH_LINE_ENTRIES, 1);
}

static void stray_block(struct image *image)
{
	image->cells.directory.items[0] = (uint32_t)image->cells.blocks.count;
}

static void stray_identity(struct image *image)
{
	image->prefixes.items[1].identity = (uint32_t)image->identities.count;
}

static void short_directory(struct image *image)
{
	image->pairs.rows++;
}

static void too_many_changes(struct image *image)
{
	while (image->later.count <= BH_LATER_ENTRIES / 2)
		vec_push(&image->later, (struct bh_later){});
}

static void add_change(struct image *image, uint32_t next, uint32_t cell)
{
	vec_push(&image->later, (struct bh_later){.until_s = 1, .next = next});
	vec_foreach (block, &image->cells.blocks)
		vec_push(&image->timed, *block);
	image->timed.items[1].value[0] = cell;
}

static void circular_change(struct image *image)
{
	add_change(image, BH_CELL_LATER, BH_CELL_LATER);
}

static void stray_change(struct image *image)
{
	add_change(image, 0, BH_CELL_LATER | 1);
}

static void changes_without_blocks(struct image *image)
{
	add_change(image, 0, 0);
	image->timed.count--;
}

static const struct flaw flaws[] = {
	/* clang-format off */
	{"identities", too_many_identities, -E2BIG,  "'bh_identities'"},
	{"prefixes",   too_many_prefixes,   -E2BIG,  "'bh_prefixes'"},
	{"rules",      too_many_rules,      -E2BIG,  "'bh_rule_counts'"},
	{"blocks",     too_many_blocks,     -E2BIG,  "'bh_blocks'"},
	{"lines",      too_many_lines,      -E2BIG,  "'bh_directory'"},
	{"block",      stray_block,         -EINVAL, "contradict"},
	{"identity",   stray_identity,      -EINVAL, "contradict"},
	{"directory",  short_directory,     -EINVAL, "contradict"},
	{"changes",    too_many_changes,    -E2BIG,  "'bh_later'"},
	{"circle",     circular_change,     -EINVAL, "contradict"},
	{"change",     stray_change,        -EINVAL, "contradict"},
	{"no blocks",  changes_without_blocks, -EINVAL, "contradict"},
	/* clang-format on */
};

static void a_refused_policy_leaves_the_old_one(void **state)
{
	struct datapath *dp = shared;
	uint32_t generation;

	(void)state;
	generation = swap_to(dp, 10, BH_RULE_FIRST).generation;
	for (size_t i = 0; i < COUNT(flaws); i++) {
		_text_ struct text why = TEXT_INIT;
		_image_ struct image image;
		struct datapath_swap swap;
		int err;

		image_make(&image, 20, BH_RULE_FIRST);
		flaws[i].apply(&image);
		err = datapath_swap_policy(dp, &image, &why, &swap);
		if (err != flaws[i].err || !strstr(why.buf, flaws[i].word))
			fail_msg("%s: %d, '%s'", flaws[i].name, err, why.buf);
		assert_int_equal(datapath_generation(dp), generation);
		assert_in_force(dp, 10, BH_RULE_FIRST);
	}
	assert_int_equal(swap_to(dp, 20, BH_RULE_FIRST).generation, generation + 1);
}

static void a_restart_finds_the_policy_in_force(void **state)
{
	struct datapath *dp = open_at(PINS);
	uint64_t adopt_until;

	(void)state;
	swap_to(dp, 10, BH_RULE_FIRST);
	swap_to(dp, 20, BH_RULE_FIRST);
	adopt_until = dp->tables.control->adopt_until_ns;
	assert_int_not_equal(adopt_until, 0);
	assert_true(dp->tables.control->adopt_ifindex >= if_nametoindex("lo"));
	datapath_free(dp);

	dp = open_at(PINS);
	assert_true(datapath_is_adopted(dp));
	assert_int_equal(datapath_generation(dp), 2);
	assert_int_equal(datapath_slot(dp), 1);
	assert_int_equal(dp->tables.control->adopt_until_ns, adopt_until);
	assert_in_force(dp, 20, BH_RULE_FIRST);
	assert_int_equal(swap_to(dp, 30, BH_RULE_FIRST + 1).generation, 3);
	assert_in_force(dp, 30, BH_RULE_FIRST + 1);
	swap_to(dp, 40, BH_RULE_FIRST);
	assert_in_force(dp, 40, BH_RULE_FIRST);
	datapath_free(dp);
}

static void a_generation_is_never_zero(void **state)
{
	struct datapath *dp = shared;

	(void)state;
	dp->tables.control->active = BH_ACTIVE(UINT32_MAX, 1);
	assert_int_equal(swap_to(dp, 10, BH_RULE_FIRST).generation, 1);
	assert_in_force(dp, 10, BH_RULE_FIRST);
}

/* Half of all numbers further, what was never changed would look as if it were changed later. */
static void what_does_not_change_never_gets_so_old_that_it_looks_new(void **state)
{
	_datapath_ struct datapath *dp = open_at(NULL);
	const struct tables *t = &dp->tables;
	const struct bh_addr a = {{0, 0, htonl(0xffff), htonl(0x0a000014)}};
	const uint32_t kept = BH_GENERATIONS_KEPT;
	uint32_t generation;

	(void)state;
	swap_to(dp, 10, BH_RULE_FIRST);
	t->control->active = BH_ACTIVE(t->control->since + 2 * kept + 1, datapath_slot(dp));
	for (int i = 0; i < BH_EPOCHS; i++)
		slots_raise_for(dp, &a, 1);
	generation = datapath_generation(dp);
	assert_true(generation - t->control->since <= kept + BH_EPOCHS);
	for (int i = 0; i < BH_EPOCHS; i++)
		assert_true(generation - t->epochs->changed[i] <= kept + BH_EPOCHS);
	slots_raise(dp);
	assert_int_equal(t->control->since, generation + 1);
}

/* --- what another build pinned --- */

static uint32_t id_of_map(int fd)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);

	assert_true(fd >= 0);
	assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &len), 0);
	close(fd);
	return info.id;
}

static uint32_t pinned_id(const char *map)
{
	_text_ struct text path = TEXT_INIT;

	text_addf(&path, "%s/maps/%s", PINS, map);
	return id_of_map(bpf_obj_get(path.buf));
}

static void repin(const char *map, int fd)
{
	_text_ struct text path = TEXT_INIT;

	assert_true(fd >= 0);
	text_addf(&path, "%s/maps/%s", PINS, map);
	unlink(path.buf);
	assert_int_equal(bpf_obj_pin(fd, path.buf), 0);
	close(fd);
}

static void other_version(struct datapath *dp)
{
	dp->tables.control->layout++;
}

static void other_value(struct datapath *dp)
{
	(void)dp;
	repin("bh_room", bpf_map_create(BPF_MAP_TYPE_ARRAY, "bh_room", 4, 24, 1, NULL));
}

static void other_count(struct datapath *dp)
{
	(void)dp;
	repin("bh_ep_counts", bpf_map_create(BPF_MAP_TYPE_PERCPU_ARRAY, "bh_ep_counts", 4,
					     sizeof(struct bh_endpoint_count), 7, NULL));
}

static void smaller_control(struct datapath *dp)
{
	(void)dp;
	repin("bh_control", bpf_map_create(BPF_MAP_TYPE_ARRAY, "bh_control", 4, 8, 1, NULL));
}

static void no_map(struct datapath *dp)
{
	(void)dp;
	unlink(PINS "/maps/bh_room");
	assert_int_equal(bpf_obj_pin(loader_program(dp, PROGRAM_TO), PINS "/maps/bh_room"), 0);
}

/* What was there is as it was until ours is complete. */
static void pins_of_another_layout_are_replaced_once_ours_are_complete(void **state)
{
	static const struct {
		const char *name;
		void (*change)(struct datapath *dp);
		const char *says;
	} rows[] = {
		{"another version", other_version, "layout"},
		{"values of another size", other_value, "'bh_room'"},
		{"another number of entries", other_count, "'bh_ep_counts'"},
		{"a control word of another size", smaller_control, "'bh_control'"},
		{"no map at all", no_map, "'bh_room'"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct datapath *dp = open_at(PINS);
		_text_ struct text why = TEXT_INIT;
		uint32_t conns = pinned_id("bh_conns");

		print_message("%s\n", rows[i].name);
		assert_null(datapath_beside(dp));
		swap_to(dp, 10, BH_RULE_FIRST);
		rows[i].change(dp);
		datapath_free(dp);

		dp = open_at(PINS);
		assert_non_null(datapath_beside(dp));
		assert_non_null(strstr(datapath_beside(dp), rows[i].says));
		assert_false(datapath_is_adopted(dp));
		assert_int_equal(pinned_id("bh_conns"), conns);
		swap_to(dp, 20, BH_RULE_FIRST);
		datapath_free(dp); /* it ends before all is attached */
		assert_int_equal(pinned_id("bh_conns"), conns);

		dp = open_at(PINS);
		swap_to(dp, 30, BH_RULE_FIRST);
		assert_int_equal(datapath_settle(dp, &why), 0);
		assert_null(datapath_beside(dp));
		assert_int_not_equal(pinned_id("bh_conns"), conns);
		datapath_free(dp);

		dp = open_at(PINS);
		assert_null(datapath_beside(dp));
		assert_true(datapath_is_adopted(dp));
		assert_in_force(dp, 30, BH_RULE_FIRST);
		datapath_free(dp);
		remove_all(NULL);
	}
}

/* What the program does with an ARP request, which is for the whole way, and passes by it. */
static uint32_t arp_through(int program)
{
	/* clang-format off */
	static const uint8_t frame[64] = {
		[12] = 0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, 1,
		[28] = 192, 0, 2, 7,
		[38] = 192, 0, 2, 1,
	};
	/* clang-format on */
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame));

	assert_int_equal(bpf_prog_test_run_opts(program, &opts), 0);
	return opts.retval;
}

static size_t count_rests(void)
{
	glob_t found = {};
	size_t count;

	glob(PINS "/rest/*-*", 0, NULL, &found);
	count = found.gl_pathc;
	globfree(&found);
	return count;
}

/* A program that stays at its hook as the agent ends, until all are another start's. */
static void programs_go_on_where_no_agent_is(void **state)
{
	struct datapath *dp = open_at(PINS);
	_close_ int program = dup(loader_program(dp, PROGRAM_XDP_IN));
	_text_ struct text why = TEXT_INIT;

	(void)state;
	assert_int_equal(arp_through(program), XDP_DROP);
	swap_to(dp, 10, BH_RULE_FIRST);
	assert_int_equal(arp_through(program), XDP_PASS);
	other_version(dp);
	datapath_free(dp);
	assert_int_equal(arp_through(program), XDP_PASS);

	dp = open_at(PINS);
	assert_non_null(datapath_beside(dp));
	assert_int_equal(count_rests(), 4);
	assert_int_equal(arp_through(program), XDP_PASS);
	swap_to(dp, 20, BH_RULE_FIRST);
	assert_int_equal(datapath_settle(dp, &why), 0);
	assert_int_equal(count_rests(), 2);
	datapath_free(dp);

	dp = open_at(PINS);
	assert_true(datapath_is_adopted(dp));
	assert_int_equal(count_rests(), 2);
	assert_int_equal(arp_through(loader_program(dp, PROGRAM_XDP_IN)), XDP_PASS);
	datapath_free(dp);
}

static void only_a_bpf_filesystem_takes_pins(void **state)
{
	const struct datapath_config config = {.bpffs = "/sys/kernel/bulkhead"};
	_text_ struct text why = TEXT_INIT;
	struct datapath *dp = NULL;

	(void)state;
	assert_int_equal(datapath_open(&config, &why, &dp), -ENODEV);
	assert_string_equal(why.buf, "'/sys/kernel/bulkhead' is not on a bpf filesystem; mount -t "
				     "bpf bpf /sys/fs/bpf");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* This one first: it says what a fresh one is like. */
		cmocka_unit_test(programs_find_what_was_swapped_in),
		cmocka_unit_test(an_address_moves_in_place_as_a_generation_of_its_own),
		cmocka_unit_test(a_refused_policy_leaves_the_old_one),
		cmocka_unit_test_teardown(a_restart_finds_the_policy_in_force, remove_all),
		cmocka_unit_test(a_generation_is_never_zero),
		cmocka_unit_test(what_does_not_change_never_gets_so_old_that_it_looks_new),
		cmocka_unit_test_teardown(
			pins_of_another_layout_are_replaced_once_ours_are_complete, remove_all),
		cmocka_unit_test_teardown(programs_go_on_where_no_agent_is, remove_all),
		cmocka_unit_test(only_a_bpf_filesystem_takes_pins),
	};

	return cmocka_run_group_tests(tests, open_shared, close_shared);
}
