/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How many events came from which zone to which.  What was suppressed or lost isn't seen here. */
#ifndef AGENT_FLOWS_ZONE_PAIRS_H
#define AGENT_FLOWS_ZONE_PAIRS_H

#include <bulkhead/verdict.h>

#include "util/map.h"
#include "util/vec.h"

#define ZONE_PAIRS_MAX 1000 /* and one more for all the others */

#define ZONE_PAIRS_OTHER "(other)" /* no zone has such a name */

struct zone_pair {
	char *from;
	char *to;
	uint64_t events[BH_VERDICT_COUNT];
};

/* In the order of appearance.  A zeroed one is empty. */
struct zone_pairs {
	struct map places;
	VEC(struct zone_pair) list;
	size_t last; /* found: mostly the next one's, too */
};

/* Names may be NULL: of no zone. */
void zone_pairs_add(struct zone_pairs *pairs, const char *from, const char *to,
		    unsigned int verdict);
void zone_pairs_release(struct zone_pairs *pairs);

#endif
