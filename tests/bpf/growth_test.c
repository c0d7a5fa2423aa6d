/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Tables are made for a policy; a larger one that a start brings gets larger tables. */
#include "tests/bpf/fixture.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bulkhead.skel.h"

/* Every table that a policy fills; bh_policies says where things are in the others. */
static const struct {
	const char *name;
	uint32_t least, most;
} tables[] = {
	{"bh_prefixes", BH_PREFIX_LINES_LEAST, BH_PREFIX_LINES},
	{"bh_identities", BH_IDENTITY_ENTRIES_LEAST, BH_IDENTITY_ENTRIES},
	{"bh_directory", BH_DIRECTORY_LINES_LEAST, BH_DIRECTORY_LINES},
	{"bh_blocks", BH_BLOCKS_LEAST, BH_BLOCKS},
	{"bh_rule_counts", BH_RULE_ENTRIES_LEAST / BH_RULE_PAGE, BH_RULE_ENTRIES / BH_RULE_PAGE},
	{"bh_policies", BH_SLOTS, BH_SLOTS},
};

#define BLOCKS 3 /* of the tables */

static struct datapath *dp; /* each test begins with what the one before left */

static struct datapath *open_for(const struct image *image)
{
	const struct datapath_config config = {.bpffs = PINS, .image = image};
	_text_ struct text why = TEXT_INIT;
	struct datapath *ret = NULL;

	if (datapath_open(&config, &why, &ret))
		fail_msg("%s", why.buf);
	return ret;
}

static struct bpf_map *map_at(size_t i)
{
	return bpf_object__find_map_by_name(dp->skel->obj, tables[i].name);
}

static uint32_t entries_of(size_t i)
{
	return bpf_map__max_entries(map_at(i));
}

static void assert_least(void)
{
	for (size_t i = 0; i < COUNT(tables); i++)
		assert_row(tables[i].name, entries_of(i) == tables[i].least);
}

static void assert_large(void)
{
	for (size_t i = 0; i < COUNT(tables); i++)
		assert_row(tables[i].name,
			   entries_of(i) <= tables[i].most && (entries_of(i) > tables[i].least ||
							       tables[i].least == tables[i].most));
}

static void add_blocks(struct image *image)
{
	while (image->cells.blocks.count <= BH_BLOCKS_LEAST / BH_SLOTS)
		vec_push(&image->cells.blocks, (struct bh_block){.value = {1}});
}

/* Too large for each of the smallest tables, and with room in the largest. */
static void make_large(struct image *image)
{
	image_make(image, 30, BH_RULE_FIRST + 1);
	add_blocks(image);
	while (image->identities.count <= BH_IDENTITY_ENTRIES_LEAST / BH_SLOTS)
		vec_push(&image->identities, (struct image_identity){});
	for (uint32_t i = 0; i < BH_PREFIX_LINES_LEAST; i++)
		image_add_prefix(image, 0x0b000000 + i * BH_RUN_ADDRESSES, 32, 0);
	while (image->cells.rows * image->cells.stride <=
	       BH_DIRECTORY_LINES_LEAST / BH_SLOTS * BH_LINE_ENTRIES) {
		for (uint32_t i = 0; i < image->cells.stride; i++)
			vec_push(&image->cells.directory, 0);
		image->cells.rows++;
	}
	image->rules = BH_RULE_ENTRIES_LEAST / BH_SLOTS + 1;
}

static void restart(const struct image *image)
{
	datapath_free(dp);
	dp = open_for(image);
}

static void a_small_policy_has_small_tables(void **state)
{
	_image_ struct image image;

	(void)state;
	image_make(&image, 10, BH_RULE_FIRST);
	restart(&image);
	swap_to(dp, 10, BH_RULE_FIRST);
	swap_to(dp, 20, BH_RULE_FIRST);
	assert_least();
	assert_in_force(dp, 20, BH_RULE_FIRST);
}

static void tables_are_made_for_what_did_not_fit(void **state)
{
	struct datapath_config config = {.bpffs = PINS, .is_growing = true};
	_text_ struct text why = TEXT_INIT;
	_image_ struct image image;
	struct table_room room;
	uint32_t usual[COUNT(tables)];

	(void)state;
	if (datapath_open(&config, &why, &dp))
		fail_msg("%s", why.buf);
	for (size_t i = 0; i < COUNT(tables); i++)
		usual[i] = entries_of(i);
	datapath_free(dp);
	remove_all(state);
	make_large(&image);
	assert_true(datapath_room(&image, &room));
	config.room = &room;
	if (datapath_open(&config, &why, &dp))
		fail_msg("%s", why.buf);
	assert_large();
	for (size_t i = 0; i < COUNT(tables); i++)
		assert_row(tables[i].name,
			   usual[i] >= tables[i].least && usual[i] <= tables[i].most);
	assert_true(usual[BLOCKS] < tables[BLOCKS].most);
	datapath_free(TAKE_PTR(dp));
	remove_all(state);
}

static void one_that_does_not_fit_is_refused_while_the_agent_runs(void **state)
{
	_text_ struct text why = TEXT_INIT;
	_image_ struct image image;
	struct datapath_swap swap;

	(void)state;
	make_large(&image);
	assert_int_equal(datapath_swap_policy(dp, &image, &why, &swap), -E2BIG);
	assert_non_null(strstr(why.buf, "; a start with this policy makes room"));
	assert_in_force(dp, 20, BH_RULE_FIRST);
}

/* As if a start had ended when only some of the new ones had names. */
static void new_tables_without_headers_are_forgotten(void **state)
{
	int other = dup(bpf_map__fd(dp->skel->maps.bh_directory));
	_image_ struct image image;

	(void)state;
	assert_int_equal(pins_put(&dp->pins, PIN_MAP, "bh_blocks-grown", other), 0);
	image_make(&image, 10, BH_RULE_FIRST);
	restart(&image);
	assert_least();
	assert_in_force(dp, 20, BH_RULE_FIRST);
	assert_false(is_there(PINS "/maps/bh_blocks-grown"));
}

static void only_what_is_too_small_is_replaced(void **state)
{
	_image_ struct image image;

	(void)state;
	image_make(&image, 10, BH_RULE_FIRST);
	add_blocks(&image);
	restart(&image);
	for (size_t i = 0; i < COUNT(tables); i++)
		assert_row(tables[i].name, i == BLOCKS || entries_of(i) == tables[i].least);
	assert_true(entries_of(BLOCKS) > BH_BLOCKS_LEAST);
	assert_in_force(dp, 20, BH_RULE_FIRST);
	assert_false(is_there(PINS "/maps/bh_blocks-grown"));
}

/* Back to where a start is that ended before it gave new tables, but the first, their names. */
static void rename_back(size_t i, int old)
{
	_text_ struct text grown = TEXT_INIT;

	text_addf(&grown, "%s-grown", tables[i].name);
	if (pins_rename(&dp->pins, PIN_MAP, tables[i].name, grown.buf) ||
	    pins_put(&dp->pins, PIN_MAP, tables[i].name, old))
		fail_msg("%s", tables[i].name);
}

static void a_start_makes_room_and_decides_as_before(void **state)
{
	_text_ struct text why = TEXT_INIT;
	_image_ struct image image;
	struct datapath_swap swap;
	int old[COUNT(tables)];

	(void)state;
	for (size_t i = 0; i < COUNT(tables); i++)
		old[i] = dup(bpf_map__fd(map_at(i)));
	make_large(&image);
	restart(&image);
	assert_large();
	assert_true(datapath_is_adopted(dp));
	assert_int_equal(datapath_generation(dp), 2);
	assert_in_force(dp, 20, BH_RULE_FIRST);
	dp->tables.control->active = BH_ACTIVE(2, !datapath_slot(dp));
	assert_in_force(dp, 10, BH_RULE_FIRST); /* what it may go back to */
	if (datapath_swap_policy(dp, &image, &why, &swap))
		fail_msg("%s", why.buf);
	assert_in_force(dp, 30, BH_RULE_FIRST + 1);
	close(old[0]);
	for (size_t i = 1; i < COUNT(tables); i++)
		rename_back(i, old[i]);
}

static void new_tables_with_headers_are_what_counts(void **state)
{
	(void)state;
	restart(NULL);
	assert_large();
	assert_in_force(dp, 30, BH_RULE_FIRST + 1);
	assert_false(is_there(PINS "/maps/bh_policies-grown"));
	datapath_free(dp);
	remove_all(state);
}

static uint32_t fronts_of(bool has_fronts, const struct image *image)
{
	const struct datapath_config config = {
		.bpffs = PINS, .image = image, .has_fronts = has_fronts};
	_text_ struct text why = TEXT_INIT;
	uint32_t fronts;

	if (datapath_open(&config, &why, &dp))
		fail_msg("%s", why.buf);
	fronts = bpf_map__max_entries(dp->skel->maps.bh_fronts);
	if (fronts == BH_FRONT_ENTRIES)
		assert_int_equal(bpf_map__max_entries(dp->skel->maps.bh_backends),
				 BH_BACKEND_ENTRIES);
	if (datapath_generation(dp))
		assert_in_force(dp, 10, BH_RULE_FIRST);
	else
		swap_to(dp, 10, BH_RULE_FIRST);
	datapath_free(TAKE_PTR(dp));
	return fronts;
}

static void services_get_their_tables_when_there_are_any(void **state)
{
	_image_ struct image image;

	image_make(&image, 10, BH_RULE_FIRST);
	assert_int_equal(fronts_of(false, &image), 1);
	assert_int_equal(fronts_of(true, &image), BH_FRONT_ENTRIES);
	assert_false(is_there(PINS "/maps/bh_fronts-grown"));
	assert_int_equal(fronts_of(false, &image), BH_FRONT_ENTRIES);
	remove_all(state);
	assert_int_equal(fronts_of(true, &image), BH_FRONT_ENTRIES);
	remove_all(state);
}

/* Where those of built-in rules are, by which most is denied: programs know it without asking. */
static void assert_places_begin(uint32_t slot)
{
	const struct bh_policy *policy = tables_header(&dp->tables, slot);
	const struct bh_event_places *places;
	_table_view_ struct table_view view = {};

	assert_int_equal(table_view_open(&dp->tables.of[TABLE_EVENT_PLACES],
					 policy->rule / BH_RULE_PAGE, sizeof(*places), &view),
			 0);
	places = view.bytes;
	assert_int_equal(places->first, slot * dp->tables.event_entries / BH_SLOTS);
	assert_int_equal(places->rules, (1u << BH_RULE_FIRST) - 1);
}

static void events_have_places_in_larger_tables_too(void **state)
{
	const uint32_t entries = BH_EVENT_PLACES_LEAST, rule = BH_RULE_FIRST;
	_image_ struct image image;

	image_make(&image, 10, rule);
	restart(&image);
	swap_to(dp, 10, rule);
	swap_to(dp, 20, rule);
	assert_int_equal(dp->tables.event_entries, entries);
	image.rules += entries;
	for (uint32_t i = 0; i < entries / BH_SLOTS; i++)
		vec_push(&image.cells.blocks, (struct bh_block){.value = {rule + i}});
	restart(&image);
	assert_true(dp->tables.event_entries > entries);
	assert_places_begin(0);
	assert_places_begin(1);
	assert_in_force(dp, 20, rule);
	datapath_free(TAKE_PTR(dp));
	remove_all(state);
}

static void a_million_identities_find_room(void **state)
{
	_text_ struct text why = TEXT_INIT;
	struct datapath_swap swap;
	_image_ struct image image;
	struct table_room room;

	image_make(&image, 10, BH_RULE_FIRST);
	while (image.identities.count <= 1000000)
		vec_push(&image.identities, (struct image_identity){});
	image.prefixes.items[1].identity = 1000000;
	image.identities.items[1000000] = image.identities.items[2];
	assert_true(datapath_room(&image, &room));
	dp = open_for(&image);
	if (datapath_swap_policy(dp, &image, &why, &swap))
		fail_msg("%s", why.buf);
	assert_in_force(dp, 10, BH_RULE_FIRST);
	datapath_free(TAKE_PTR(dp));
	remove_all(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_are_made_for_what_did_not_fit),
		cmocka_unit_test(a_small_policy_has_small_tables),
		cmocka_unit_test(one_that_does_not_fit_is_refused_while_the_agent_runs),
		cmocka_unit_test(new_tables_without_headers_are_forgotten),
		cmocka_unit_test(only_what_is_too_small_is_replaced),
		cmocka_unit_test(a_start_makes_room_and_decides_as_before),
		cmocka_unit_test(new_tables_with_headers_are_what_counts),
		cmocka_unit_test(services_get_their_tables_when_there_are_any),
		cmocka_unit_test(events_have_places_in_larger_tables_too),
		cmocka_unit_test(a_million_identities_find_room),
	};

	return cmocka_run_group_tests(tests, enter_namespaces, NULL);
}
