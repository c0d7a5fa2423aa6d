/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Denied packets of one window of the flow log, added up by what they are alike in. */
#ifndef AGENT_FLOWS_DENIED_FLOWS_H
#define AGENT_FLOWS_DENIED_FLOWS_H

#include <bulkhead/event.h>

#include "util/map.h"
#include "util/vec.h"

#define DENIED_FLOWS_MAX 8192 /* more of them in a window have no lines */

/* Of one endpoint, direction, five-tuple, rule and reason. */
struct denied_flow {
	struct bh_event first;
	uint64_t last_ns; /* CLOCK_MONOTONIC */
	uint64_t packets;
	uint64_t bytes;
	uint8_t tcp_flags; /* of any of them */
};

/* In the order of appearance.  A zeroed one is empty. */
struct denied_flows {
	struct map places;
	VEC(struct denied_flow) list;
	uint64_t packets; /* of them all */
};

/* What is no IP, has no room, or was not dropped, is left out. */
void denied_flows_add(struct denied_flows *d, const struct bh_event *event);
void denied_flows_release(struct denied_flows *d);

#endif
