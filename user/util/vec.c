/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/vec.h"

#include <stdint.h>

#include "util/mem.h"

#define FIRST_BYTES 64 /* or one item */

void *vec_grow(void *items, size_t want, size_t *size, size_t item_size)
{
	size_t room = *size ? *size : FIRST_BYTES / item_size;

	if (want <= *size)
		return items;
	if (!room)
		room = 1;
	while (room < want)
		room = room > SIZE_MAX / 2 ? want : room * 2;
	items = xrealloc(items, room, item_size);
	*size = room;
	return items;
}
