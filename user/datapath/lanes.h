/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Events as programs leave them, each CPU in a lane of its own; read as one row, oldest first. */
#ifndef DATAPATH_LANES_H
#define DATAPATH_LANES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bulkhead/event.h>

/* One that has events, while they are read. */
struct lane_head {
	struct bh_lane *lane;
	const struct bh_event *events;
	uint64_t at, end; /* the next one, and past the last */
};

/* Both arrays are shared with programs; {} has no events. */
struct lanes {
	struct bh_lane *of;
	const struct bh_event *events;
	uint32_t count, each;
	struct lane_head *heads; /* as many */
};

/* Events of each, for so many CPUs: a power of two. */
uint32_t lanes_each(uint32_t cpus);

/* @events may be NULL while none are read. */
void lanes_init(struct lanes *lanes, struct bh_lane *of, const struct bh_event *events,
		uint32_t count, uint32_t each);
void lanes_release(struct lanes *lanes); /* but not what is shared */

/* Whether some event waits to be read. */
bool lanes_have_any(const struct lanes *lanes);

typedef void lane_fn(const struct bh_event *event, void *user);

/*
 * How many there were, @most at most; then their places are free for others.  Of several lanes the
 * oldest event comes first, as far as they were there when it began.
 */
size_t lanes_read(struct lanes *lanes, size_t most, lane_fn *fn, void *user);

#endif
