/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "datapath/event_places.h"

#include <bulkhead/verdict.h>

#include "util/mem.h"

uint32_t event_places_pages(uint32_t rules)
{
	return (rules + BH_RULE_PAGE - 1) / BH_RULE_PAGE;
}

/* Not 0: what the policy's rule decided is reported.  Built-in rules have their places anyway. */
static uint32_t reported(uint32_t cell)
{
	const uint32_t told = BH_CELL(0, BH_CELL_VERDICT(UINT32_MAX), BH_CELL_LOG | BH_CELL_TLS);

	if (BH_CELL_RULE(cell) < BH_RULE_FIRST)
		return 0;
	return (cell & told) ^ BH_CELL(0, BH_VERDICT_ALLOW, 0);
}

/* Of a cell that changes the decisions are in image.later. */
static void mark_cell(const struct image *image, uint32_t cell, uint64_t *marks)
{
	uint32_t rule = BH_CELL_RULE(cell);

	if (cell & BH_CELL_LATER || rule >= image->rules || !reported(cell))
		return;
	marks[rule / BH_RULE_PAGE] |= 1ull << rule % BH_RULE_PAGE;
}

/* Most blocks have none that is reported, which all of their cells are asked at once. */
static void mark_block(const struct image *image, const struct bh_block *block, uint64_t *marks)
{
	uint32_t any = 0;

	for (size_t i = 0; i < BH_BLOCK_ENTRIES; i++)
		any |= reported(block->value[i]);
	for (size_t i = 0; any && i < BH_BLOCK_ENTRIES; i++)
		mark_cell(image, block->value[i], marks);
}

/* Programs know of a rule by cells only, and of built-in ones by themselves.  A bit for each rule;
 * yours to free. */
static uint64_t *marks_of(const struct image *image)
{
	uint64_t *marks = xcalloc(event_places_pages(image->rules) + 1, sizeof(*marks));

	marks[0] = (1ull << BH_RULE_FIRST) - 1;
	if (image->later.count) {
		vec_foreach (block, &image->timed)
			mark_block(image, block, marks);
	} else {
		vec_foreach (block, &image->cells.blocks)
			mark_block(image, block, marks);
	}
	vec_foreach (change, &image->later) {
		mark_cell(image, change->cell, marks);
		mark_cell(image, change->next, marks);
	}
	return marks;
}

uint32_t event_places_needed(const struct image *image)
{
	_free_ uint64_t *marks = marks_of(image);
	uint32_t count = 0;

	for (uint32_t i = 0; i < event_places_pages(image->rules); i++)
		count += (uint32_t)__builtin_popcountll(marks[i]);
	return count;
}

struct bh_event_places *event_places_make(const struct image *image, uint32_t first, uint32_t room)
{
	uint32_t pages = event_places_pages(image->rules), used = 0;
	struct bh_event_places *places = xcalloc(pages + 1, sizeof(*places));
	_free_ uint64_t *marks = marks_of(image);

	for (uint32_t i = 0; i < pages; i++) {
		uint32_t count = (uint32_t)__builtin_popcountll(marks[i]);

		if (used + count > room)
			break;
		places[i] = (struct bh_event_places){.rules = marks[i], .first = first + used};
		used += count;
	}
	return places;
}
