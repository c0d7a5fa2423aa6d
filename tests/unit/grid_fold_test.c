/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/image.h"

#include "policy/grid.h"
#include "tests/test.h"
#include "util/mem.h"

#define BLOCKS  4
#define COLUMNS 70 /* three columns of blocks, the last one not full */

/* A row for each string, a block for each letter of it. */
static void make_grid(struct image_grid *g, const char *const *rows)
{
	struct grid_builder b;

	grid_builder_init(&b, g, COLUMNS);
	for (uint32_t i = 1; i < BLOCKS; i++) {
		struct bh_block block = {};

		for (uint32_t j = 0; j < BH_BLOCK_ENTRIES; j++)
			block.value[j] = i * 100 + j;
		grid_builder_block(&b, &block);
	}
	for (; *rows; rows++) {
		uint32_t *directory = grid_builder_rows(&b, 1);

		for (uint32_t i = 0; i < g->stride; i++)
			directory[i] = (uint32_t)((*rows)[i] - '0');
	}
	grid_builder_release(&b);
}

static const struct {
	const char *name;
	const char *rows[5];
	uint32_t folded_rows, folded_stride;
} cases[] = {
	{"nothing", {NULL}, 0, 1},
	{"all alike", {"000", "000", "000"}, 1, 1},
	{"all alike, but not zero", {"111", "111"}, 1, 1},
	{"one column differs", {"001", "002", "003"}, 3, 2},
	{"each row differs", {"000", "111", "222"}, 3, 1},
	{"rows come again", {"012", "000", "012", "000"}, 2, 3},
	{"outer columns are alike", {"010", "121", "313"}, 3, 2},
	{"alike but in the last row", {"111", "222", "112"}, 3, 2},
	{"a change elsewhere, of the same kind", {"000", "100", "110"}, 3, 3},
};

static void a_folded_grid_holds_what_the_grid_held(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		_grid_fold_ struct grid_fold fold = {};
		struct image_grid g;

		make_grid(&g, cases[i].rows);
		grid_fold(&g, &fold);
		assert_row(cases[i].name, fold.grid.rows == cases[i].folded_rows);
		assert_row(cases[i].name, fold.grid.stride == cases[i].folded_stride);
		for (uint32_t row = 0; row < g.rows; row++) {
			for (uint32_t column = 0; column < COLUMNS; column++)
				assert_row(cases[i].name,
					   image_grid_get(&fold.grid, grid_fold_row(&fold, row),
							  grid_fold_column(&fold, column)) ==
						   image_grid_get(&g, row, column));
		}
		grid_release(&g);
	}
}

/* The outer blocks of each row have one place. */
static void a_grid_whose_blocks_share_places_folds_too(void **state)
{
	static const uint32_t part_of[] = {0, 1, 0}, directory[] = {1, 2, 1, 1, 3, 1};
	_grid_fold_ struct grid_fold fold = {};
	struct grid_builder b;
	struct image_grid g;

	(void)state;
	make_grid(&g, (const char *const[]){NULL});
	b = (struct grid_builder){.grid = &g};
	grid_builder_part(&b, part_of, 2);
	memcpy(grid_builder_rows(&b, 3), directory, sizeof(directory));
	grid_fold(&g, &fold);
	assert_int_equal(fold.grid.stride, 2);
	for (uint32_t row = 0; row < g.rows; row++) {
		for (uint32_t column = 0; column < COLUMNS; column++)
			assert_int_equal(image_grid_get(&fold.grid, grid_fold_row(&fold, row),
							grid_fold_column(&fold, column)),
					 image_grid_get(&g, row, column));
	}
	assert_int_equal(image_grid_get(&g, 0, 64), 100);
	assert_int_equal(image_grid_get(&g, 0, 32), 200);
	grid_release(&g);
}

static void what_was_not_there_is_nowhere(void **state)
{
	const char *const rows[] = {"012", NULL};
	_grid_fold_ struct grid_fold fold = {};
	struct image_grid g;

	(void)state;
	make_grid(&g, rows);
	grid_fold(&g, &fold);
	assert_int_equal(grid_fold_row(&fold, 1), GRID_NOWHERE);
	assert_int_equal(grid_fold_column(&fold, COLUMNS), GRID_NOWHERE);
	grid_release(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_folded_grid_holds_what_the_grid_held),
		cmocka_unit_test(a_grid_whose_blocks_share_places_folds_too),
		cmocka_unit_test(what_was_not_there_is_nowhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
