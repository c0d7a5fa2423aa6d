/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/numbering.h"

#include <stdlib.h>

#include "util/mem.h"

#define PLACES_FIRST 256

static void resize(struct numbering *n, size_t size)
{
	struct numbering_place *old = n->places;
	size_t old_size = n->size;

	n->size = size;
	n->places = xcalloc(size, sizeof(*n->places));
	for (size_t i = 0; i < old_size; i++) {
		size_t at = old[i].hash & (size - 1);

		if (!old[i].number)
			continue;
		while (n->places[at].number)
			at = (at + 1) & (size - 1);
		n->places[at] = old[i];
	}
	free(old);
}

void numbering_reserve(struct numbering *n, size_t more)
{
	size_t size = n->size ? n->size : PLACES_FIRST;

	while ((n->count + more) * 2 > size)
		size *= 2;
	if (size > n->size)
		resize(n, size);
}

void numbering_release(struct numbering *n)
{
	free(n->places);
	*n = (struct numbering){};
}
