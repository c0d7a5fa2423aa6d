/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a policy needs that outgrew its tables: an agent's note for its next start. */
#ifndef AGENT_POLICIES_ROOM_H
#define AGENT_POLICIES_ROOM_H

#include "datapath/datapath.h"

#define ROOM_FILE "room"

/* -EEXIST: there is a note of no less, so this agent has made all the room that it says. */
int room_keep(const char *directory, const struct table_room *room);

/* -ENOENT: there is none, or none that can be read. */
int room_recall(const char *directory, struct table_room *ret);

/* What it was for is in force. */
void room_forget(const char *directory);

#endif
