/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "datapath/event_places.h"

#include <stdlib.h>

#include <bulkhead/verdict.h>

#include "tests/test.h"

#define RULES (BH_RULE_FIRST + 3 * BH_RULE_PAGE)

/* clang-format off */
static const struct {
	const char *name;
	uint32_t cell; /* without its rule */
	bool has_place;
} cells[] = {
	{"allow",                BH_CELL(0, BH_VERDICT_ALLOW, 0),              false},
	{"allow and log",        BH_CELL(0, BH_VERDICT_ALLOW, BH_CELL_LOG),    true},
	{"allow if it is TLS",   BH_CELL(0, BH_VERDICT_ALLOW, BH_CELL_TLS),    true},
	{"deny",                 BH_CELL(0, BH_VERDICT_DENY, BH_CELL_DENIED),  true},
	{"reject",               BH_CELL(0, BH_VERDICT_REJECT, BH_CELL_DENIED), true},
	{"audit",                BH_CELL(0, BH_VERDICT_AUDIT, BH_CELL_DENIED), true},
};
/* clang-format on */

static bool has_place(const struct bh_event_places *places, uint32_t rule)
{
	return places[rule / BH_RULE_PAGE].rules >> rule % BH_RULE_PAGE & 1;
}

static void add_cell(struct image *image, uint32_t cell)
{
	vec_push(&image->cells.blocks, (struct bh_block){.value = {[3] = cell}});
}

static void what_decides_that_something_is_reported_has_a_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cells); i++) {
		uint32_t rule = BH_RULE_FIRST + BH_RULE_PAGE + 5;
		struct bh_event_places *places;
		struct image image;

		image_init(&image);
		image.rules = RULES;
		add_cell(&image, cells[i].cell | rule);
		places = event_places_make(&image, 0, RULES);
		assert_row(cells[i].name, has_place(places, rule) == cells[i].has_place);
		assert_row(cells[i].name, event_places_needed(&image) ==
						  BH_RULE_FIRST + (uint32_t)cells[i].has_place);
		free(places);
		image_release(&image);
	}
}

static void and_so_it_has_among_others_that_decide_nothing_of_the_kind(void **state)
{
	const uint32_t quiet = BH_RULE_FIRST, told = BH_RULE_FIRST + 1;

	(void)state;
	for (size_t at = 0; at < BH_BLOCK_ENTRIES; at++) {
		struct bh_event_places *places;
		struct bh_block *block;
		struct image image;

		image_init(&image);
		image.rules = RULES;
		add_cell(&image, BH_CELL(quiet, BH_VERDICT_ALLOW, 0));
		block = image.cells.blocks.items;
		for (size_t i = 0; i < BH_BLOCK_ENTRIES; i++)
			block->value[i] = i % 2 ? block->value[3] : BH_CELL_DENIED;
		block->value[at] = BH_CELL(told, BH_VERDICT_DENY, BH_CELL_DENIED);
		places = event_places_make(&image, 0, RULES);
		assert_true(has_place(places, told));
		assert_false(has_place(places, quiet));
		free(places);
		image_release(&image);
	}
}

static void what_decides_later_has_one_too(void **state)
{
	const uint32_t before = BH_RULE_FIRST, after = RULES - 1;
	struct bh_event_places *places;
	struct image image;

	(void)state;
	image_init(&image);
	image.rules = RULES;
	vec_push(&image.timed, (struct bh_block){.value = {BH_CELL_LATER}});
	vec_push(&image.later, (struct bh_later){1, BH_CELL(before, BH_VERDICT_DENY, 0),
						 BH_CELL(after, BH_VERDICT_DENY, 0)});
	places = event_places_make(&image, 0, RULES);
	assert_true(has_place(places, before) && has_place(places, after));
	assert_int_equal(event_places_needed(&image), BH_RULE_FIRST + 2);
	free(places);
	image_release(&image);
}

/* Rule by rule: pages of them are whole, so a page that does not fit has none. */
static void places_follow_each_other_as_far_as_there_is_room(void **state)
{
	const uint32_t first = 1000, room = BH_RULE_PAGE + 20;
	struct bh_event_places *places;
	struct image image;

	(void)state;
	image_init(&image);
	image.rules = RULES;
	for (uint32_t rule = BH_RULE_FIRST; rule < RULES; rule++)
		add_cell(&image, BH_CELL(rule, BH_VERDICT_DENY, 0));
	places = event_places_make(&image, first, room);
	assert_int_equal(places[0].first, first);
	assert_int_equal(places[0].rules, UINT64_MAX);
	assert_int_equal(places[1].rules, 0);
	free(places);
	places = event_places_make(&image, first, RULES);
	assert_int_equal(places[1].first, first + BH_RULE_PAGE);
	assert_int_equal(places[3].rules, 0xffff);
	assert_int_equal(event_places_pages(RULES), 4);
	free(places);
	image_release(&image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_decides_that_something_is_reported_has_a_place),
		cmocka_unit_test(and_so_it_has_among_others_that_decide_nothing_of_the_kind),
		cmocka_unit_test(what_decides_later_has_one_too),
		cmocka_unit_test(places_follow_each_other_as_far_as_there_is_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
