/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Who was denied on the way to a workload. */
#ifndef AGENT_DETECT_DETECT_TARGETS_H
#define AGENT_DETECT_DETECT_TARGETS_H

#include <bulkhead/event.h>

#include "agent/detect/detect_suspects.h"

#define TARGETS_MAX        1024
#define TARGET_SOURCES_MAX 64

struct targets;

/* Of one target, within the window. */
struct arrivals {
	struct tally *tally;
	bool is_new; /* this source; else the next two are not known */
	uint32_t sources;
	uint64_t since_ns;
};

struct targets *targets_new(uint64_t window_ns);
void targets_free(struct targets *t);

/*
 * Somebody was denied to the workload of this name, or to an address without.  A target that only
 * one source was denied to gives way to another; false if there is no place.
 */
bool targets_add(struct targets *t, const char *name, const struct bh_event *event,
		 struct arrivals *ret);

#endif
