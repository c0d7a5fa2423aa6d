/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/image.h"

#include <string.h>

#include "policy/grid.h"
#include "util/mem.h"

void image_init(struct image *image)
{
	memset(image, 0, sizeof(*image));
}

void image_release(struct image *image)
{
	vec_release(&image->prefixes);
	vec_release(&image->changed);
	vec_release(&image->identities);
	free(image->services);
	grid_release(&image->pairs);
	grid_release(&image->cells);
	vec_release(&image->later);
	vec_release(&image->timed);
	image_init(image);
}

/* --- prefixes --- */

#define CHANGED_MAX 1024 /* then they become part of the long list, as one */

#define UNLISTED UINT32_MAX /* as an identity of what has changed: what is around it says it */

/* How many prefixes are not after @p. */
static size_t count_until(const image_prefixes *list, const struct prefix *p)
{
	size_t lo = 0, hi = list->count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (prefix_cmp(&list->items[mid].prefix, p) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Where @p is; or else false, and how many are before it. */
static bool find(const image_prefixes *list, const struct prefix *p, size_t *ret)
{
	size_t count = count_until(list, p);
	bool is_there = count && !prefix_cmp(&list->items[count - 1].prefix, p);

	*ret = count - is_there;
	return is_there;
}

/* What the longest of the first @count prefixes that has @a says. */
static uint32_t identity_among(const struct image *image, size_t count, const struct bh_addr *a)
{
	const struct image_prefix *prefixes = image->prefixes.items;

	/* What holds @a holds all between itself and @a: no more bits than these two share. */
	while (count && !prefix_has(&prefixes[count - 1].prefix, a)) {
		struct prefix at = prefix_common(&prefixes[count - 1].prefix.addr, a);

		count = count_until(&image->prefixes, &at);
	}
	return count ? prefixes[count - 1].identity : 0;
}

uint32_t image_identity(const struct image *image, const struct bh_addr *a)
{
	struct prefix at = prefix_of_addr(a);
	bool is_changed, is_listed;
	size_t place;

	is_changed = find(&image->changed, &at, &place);
	if (is_changed && image->changed.items[place].identity != UNLISTED)
		return image->changed.items[place].identity;
	is_listed = find(&image->prefixes, &at, &place);
	return identity_among(image, place + (is_listed && !is_changed), a);
}

/* Both lists as one, without what isn't listed any more; there is room for all. */
static size_t join(const struct image *image, struct image_prefix *out)
{
	const image_prefixes *old = &image->prefixes, *new = &image->changed;
	size_t i = 0, j = 0, count = 0;

	while (i < old->count || j < new->count) {
		int order = i == old->count ? 1
			    : j == new->count
				    ? -1
				    : prefix_cmp(&old->items[i].prefix, &new->items[j].prefix);

		if (order < 0)
			out[count++] = old->items[i];
		else if (new->items[j].identity != UNLISTED)
			out[count++] = new->items[j];
		i += order <= 0;
		j += order >= 0;
	}
	return count;
}

struct image_listing image_list(const struct image *image)
{
	struct image_listing listing = {image->prefixes.items, image->prefixes.count, NULL};

	if (!image->changed.count)
		return listing;
	listing.own = xcalloc(image->prefixes.count + image->changed.count, sizeof(*listing.own));
	listing.count = join(image, listing.own);
	listing.items = listing.own;
	return listing;
}

void image_listing_release(struct image_listing *listing)
{
	free(listing->own);
}

static void settle(struct image *image)
{
	struct image_listing listing = image_list(image);
	size_t room = image->prefixes.count + image->changed.count;

	vec_release(&image->prefixes);
	vec_release(&image->changed);
	image->prefixes = (image_prefixes){listing.own, listing.count, room};
}

/* A change isn't entered into the long list: half of that would have to make room. */
bool image_set_identity(struct image *image, const struct bh_addr *a, uint32_t identity)
{
	const struct prefix prefix = prefix_of_addr(a);
	struct image_prefix change = {prefix, identity};
	bool is_needed, is_changed;
	size_t at;

	find(&image->prefixes, &prefix, &at);
	is_needed = identity_among(image, at, a) != identity;
	if (!is_needed)
		change.identity = UNLISTED;
	is_changed = find(&image->changed, &prefix, &at);
	if (is_changed)
		image->changed.items[at] = change;
	else
		vec_insert(&image->changed, at, change);
	if (image->changed.count == CHANGED_MAX)
		settle(image);
	return is_needed;
}

/* --- the same lookups as the programs make --- */

uint32_t image_service_class(const struct image *image, enum bh_service_table t, uint16_t number)
{
	size_t line = (size_t)t * BH_SERVICE_TABLE_LINES + number / BH_SERVICE_LINE_ENTRIES;

	if (line >= BH_SERVICE_LINES)
		return 0;
	return image->services[line].class[number % BH_SERVICE_LINE_ENTRIES];
}

uint32_t image_grid_get(const struct image_grid *g, uint32_t row, uint32_t column)
{
	uint32_t block, place;

	if (row >= g->rows || column >= g->columns)
		return 0;
	place = image_grid_place(g, column / BH_BLOCK_ENTRIES);
	block = g->directory.items[(size_t)row * g->stride + place];
	return g->blocks.items[block].value[column % BH_BLOCK_ENTRIES];
}

static uint32_t class_of(const struct image *image, const struct bh_addr *a)
{
	return image->identities.items[image_identity(image, a)].class;
}

uint32_t image_row(const struct image *image, const struct bh_addr *src, const struct bh_addr *dst)
{
	return image_grid_get(&image->pairs, class_of(image, src), class_of(image, dst));
}

uint32_t image_decide(const struct image *image, const struct bh_addr *src,
		      const struct bh_addr *dst, enum bh_service_table t, uint16_t number)
{
	return image_grid_get(&image->cells, image_row(image, src, dst),
			      image_service_class(image, t, number));
}

/* The decision of a cell as programs have it. */
static uint32_t cell_at(const struct image *image, uint32_t cell, int64_t now)
{
	while (cell & BH_CELL_LATER) {
		const struct bh_later *later = &image->later.items[BH_CELL_LATER_AT(cell)];

		cell = now < (int64_t)later->until_s ? later->cell : later->next;
	}
	return cell;
}

void image_split_timed(struct image *image)
{
	if (!image->later.count)
		return;
	vec_foreach (block, &image->cells.blocks) {
		vec_push(&image->timed, *block);
		for (size_t i = 0; i < BH_BLOCK_ENTRIES; i++)
			block->value[i] = cell_at(image, block->value[i], INT64_MIN);
	}
}

uint32_t image_cell_at(const struct image *image, uint32_t row, uint32_t service_class, int64_t now)
{
	const struct image_grid *g = &image->cells;
	uint32_t block;

	if (!image->timed.count || row >= g->rows || service_class >= g->columns)
		return image_grid_get(g, row, service_class);
	block = g->directory.items[(size_t)row * g->stride + service_class / BH_BLOCK_ENTRIES];
	return cell_at(image, image->timed.items[block].value[service_class % BH_BLOCK_ENTRIES],
		       now);
}
