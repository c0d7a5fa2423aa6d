/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/test.h"

#include "policy/grid.h"

static void equal_blocks_are_one(void **state)
{
	_grid_builder_ struct grid_builder b = {};
	struct image_grid g;
	struct bh_block block = {};

	(void)state;
	grid_builder_init(&b, &g, 40);
	assert_int_equal(grid_builder_block(&b, &block), 0);
	for (uint32_t i = 1; i < 2000; i++) {
		block.value[i % BH_BLOCK_ENTRIES] = i;
		assert_int_equal(grid_builder_block(&b, &block), i);
	}
	assert_int_equal(grid_builder_block(&b, &block), 1999);
	assert_int_equal(grid_builder_block(&b, &(struct bh_block){}), 0);
	assert_int_equal(g.blocks.count, 2000);
	grid_release(&g);
}

static void a_value_is_where_it_was_put(void **state)
{
	_grid_builder_ struct grid_builder b = {};
	struct image_grid g;
	struct bh_block block = {};
	uint32_t *directory;

	(void)state;
	grid_builder_init(&b, &g, 40);
	assert_int_equal(g.stride, 2);
	block.value[7] = 99;
	directory = grid_builder_rows(&b, 3);
	directory[2 * g.stride + 1] = grid_builder_block(&b, &block);
	assert_int_equal(image_grid_get(&g, 2, 39), 99);
	assert_int_equal(image_grid_get(&g, 2, 7), 0);
	assert_int_equal(image_grid_get(&g, 1, 39), 0);
	assert_int_equal(grid_lines(&g), 1);
	grid_release(&g);
}

static void places_outside_are_zero(void **state)
{
	_grid_builder_ struct grid_builder b = {};
	struct image_grid g;
	struct bh_block block = {.value = {[1] = 5, [2] = 6}};

	(void)state;
	grid_builder_init(&b, &g, 2);
	*grid_builder_rows(&b, 1) = grid_builder_block(&b, &block);
	assert_int_equal(image_grid_get(&g, 0, 1), 5);
	assert_int_equal(image_grid_get(&g, 0, 2), 0);
	assert_int_equal(image_grid_get(&g, 1, 1), 0);
	grid_release(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_blocks_are_one),
		cmocka_unit_test(a_value_is_where_it_was_put),
		cmocka_unit_test(places_outside_are_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
