/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/vec.h"

#include <stdint.h>
#include <string.h>

#include "util/mem.h"

#define FIRST_BYTES 64 /* or one item */

void *vec_grow(void *items, size_t count, size_t more, size_t *size, size_t item_size)
{
	size_t room = *size ? *size : FIRST_BYTES / item_size;
	void *own = *size ? items : NULL;

	if (count + more <= *size)
		return items;
	if (*size)
		room = room > SIZE_MAX / 2 ? SIZE_MAX : room * 2;
	if (room < count + more)
		room = count + more;
	own = xrealloc(own, room, item_size);
	if (!*size && count)
		memcpy(own, items, count * item_size);
	*size = room;
	return own;
}
