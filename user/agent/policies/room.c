/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/policies/room.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "agent/policies/durable.h"
#include "util/cleanup.h"

/* A number a line, for each table. */
int room_recall(const char *directory, struct table_room *ret)
{
	_text_ struct text content = TEXT_INIT;
	struct table_room room;
	char *at;

	if (durable_read(directory, ROOM_FILE, &content))
		return -ENOENT;
	at = content.buf;
	for (size_t i = 0; i < TABLE_ROOM_MAX; i++) {
		char *end = strchr(at, '\n');

		if (!end)
			return -ENOENT;
		*end = '\0';
		if (!text_to_u64(at, 0, UINT32_MAX, &room.of[i]))
			return -ENOENT;
		at = end + 1;
	}
	*ret = room;
	return 0;
}

static bool is_within(const struct table_room *room, const struct table_room *other)
{
	for (size_t i = 0; i < TABLE_ROOM_MAX; i++) {
		if (room->of[i] > other->of[i])
			return false;
	}
	return true;
}

int room_keep(const char *directory, const struct table_room *room)
{
	_text_ struct text content = TEXT_INIT;
	struct table_room before;

	if (!room_recall(directory, &before) && is_within(room, &before))
		return -EEXIST;
	for (size_t i = 0; i < TABLE_ROOM_MAX; i++)
		text_addf(&content, "%" PRIu64 "\n", room->of[i]);
	return durable_write(directory, ROOM_FILE, &content);
}

void room_forget(const char *directory)
{
	(void)durable_remove(directory, ROOM_FILE);
}
