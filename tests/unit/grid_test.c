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

static uint32_t add_value(struct image_grid *g, uint32_t value)
{
	const struct bh_block block = {.value = {value}};

	return grid_add_block(g, &block);
}

static void assert_values(const struct image_grid *g, const uint32_t *values, size_t count)
{
	assert_int_equal(g->blocks.count, count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(g->blocks.items[i].value[0], values[i]);
}

/* Whoever of them goes first, also when two go on from the same place. */
static void copies_keep_what_they_have(void **state)
{
	static const uint32_t expected[][5] = {{0, 1}, {0, 1, 2, 3}, {0, 1, 4}, {0, 1, 2, 3, 5}};
	static const size_t counts[] = {2, 4, 3, 5};

	(void)state;
	for (size_t released = 0; released < COUNT(counts); released++) {
		_grid_builder_ struct grid_builder b = {};
		struct image_grid g[COUNT(counts)];

		grid_builder_init(&b, &g[0], 1);
		add_value(&g[0], 1);
		grid_copy(&g[1], &g[0]);
		assert_int_equal(add_value(&g[1], 2), 2);
		assert_int_equal(add_value(&g[1], 3), 3);
		grid_copy(&g[2], &g[0]);
		assert_int_equal(add_value(&g[2], 4), 2);
		grid_copy(&g[3], &g[1]);
		add_value(&g[3], 5);
		assert_ptr_equal(g[0].blocks.items, g[3].blocks.items);
		grid_release(&g[released]);
		for (size_t i = 0; i < COUNT(counts); i++) {
			if (i != released)
				assert_values(&g[i], expected[i], counts[i]);
		}
		for (size_t i = 0; i < COUNT(counts); i++) {
			if (i != released)
				grid_release(&g[i]);
		}
	}
}

static void a_copy_grows_elsewhere_than_the_grid_it_was_made_from(void **state)
{
	_grid_builder_ struct grid_builder b = {};
	struct image_grid g, copy;

	(void)state;
	grid_builder_init(&b, &g, 1);
	grid_copy(&copy, &g);
	for (uint32_t i = 1; i < 1000; i++)
		assert_int_equal(add_value(&copy, i), i);
	assert_int_equal(g.blocks.count, 1);
	assert_int_equal(g.blocks.items[0].value[0], 0);
	grid_release(&g);
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_equal(copy.blocks.items[i].value[0], i);
	grid_release(&copy);
}

/* A change to a block that is separate is none to those that it shared a place with. */
static void a_block_that_is_separated_has_a_place_of_its_own(void **state)
{
	static const uint32_t part_of[] = {0, 1, 0};
	_grid_builder_ struct grid_builder b = {};
	struct image_grid g, copy;
	uint64_t blocks = 1u << 2 | 1u << 1;
	uint32_t *directory;

	(void)state;
	grid_builder_init(&b, &g, 70);
	grid_builder_part(&b, part_of, 2);
	directory = grid_builder_rows(&b, 2);
	directory[0] = directory[2] = add_value(&g, 5);
	directory[3] = add_value(&g, 6);
	grid_copy(&copy, &g);
	grid_separate(&copy, &blocks);
	assert_int_equal(copy.stride, 3);
	copy.directory.items[3 + image_grid_place(&copy, 2)] = add_value(&copy, 7);
	grid_separate(&copy, &blocks);
	assert_int_equal(copy.stride, 3);
	assert_int_equal(g.stride, 2);
	for (uint32_t column = 0; column < 70; column += 32) {
		assert_int_equal(image_grid_get(&copy, 0, column), image_grid_get(&g, 0, column));
		assert_int_equal(image_grid_get(&copy, 1, column),
				 column == 64 ? 7 : image_grid_get(&g, 1, column));
	}
	assert_int_equal(image_grid_get(&g, 1, 64), 5);
	assert_int_equal(image_grid_get(&g, 1, 32), 6);
	grid_release(&g);
	grid_release(&copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_blocks_are_one),
		cmocka_unit_test(a_value_is_where_it_was_put),
		cmocka_unit_test(places_outside_are_zero),
		cmocka_unit_test(copies_keep_what_they_have),
		cmocka_unit_test(a_block_that_is_separated_has_a_place_of_its_own),
		cmocka_unit_test(a_copy_grows_elsewhere_than_the_grid_it_was_made_from),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
