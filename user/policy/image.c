/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/image.h"

#include <string.h>

#include "policy/grid.h"

void image_init(struct image *image)
{
	memset(image, 0, sizeof(*image));
}

void image_release(struct image *image)
{
	vec_release(&image->prefixes);
	vec_release(&image->identities);
	free(image->services);
	grid_release(&image->pairs);
	grid_release(&image->cells);
	image_init(image);
}

/* The last prefix that is not after @p, or NULL. */
static const struct image_prefix *last_until(const struct image *image, const struct prefix *p)
{
	size_t lo = 0, hi = image->prefixes.count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (prefix_cmp(&image->prefixes.items[mid].prefix, p) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo ? &image->prefixes.items[lo - 1] : NULL;
}

uint32_t image_identity(const struct image *image, const struct bh_addr *a)
{
	struct prefix at = prefix_of_addr(a);
	const struct image_prefix *found = last_until(image, &at);

	/* What holds @a holds all between itself and @a: no more bits than these two share. */
	while (found && !prefix_has(&found->prefix, a)) {
		at = prefix_common(&found->prefix.addr, a);
		found = last_until(image, &at);
	}
	return found ? found->identity : 0;
}

uint32_t image_service_class(const struct image *image, enum bh_service_table t, uint16_t number)
{
	size_t line = (size_t)t * BH_SERVICE_TABLE_LINES + number / BH_SERVICE_LINE_ENTRIES;

	if (line >= BH_SERVICE_LINES)
		return 0;
	return image->services[line].class[number % BH_SERVICE_LINE_ENTRIES];
}

uint32_t image_grid_get(const struct image_grid *g, uint32_t row, uint32_t column)
{
	uint32_t block;

	if (row >= g->rows || column >= g->columns)
		return 0;
	block = g->directory.items[(size_t)row * g->stride + column / BH_BLOCK_ENTRIES];
	return g->blocks.items[block].value[column % BH_BLOCK_ENTRIES];
}

static uint32_t class_of(const struct image *image, const struct bh_addr *a)
{
	return image->identities.items[image_identity(image, a)].class;
}

uint32_t image_decide(const struct image *image, const struct bh_addr *src,
		      const struct bh_addr *dst, enum bh_service_table t, uint16_t number)
{
	uint32_t row = image_grid_get(&image->pairs, class_of(image, src), class_of(image, dst));

	return image_grid_get(&image->cells, row, image_service_class(image, t, number));
}
