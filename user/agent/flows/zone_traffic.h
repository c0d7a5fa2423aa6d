/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the endpoints of each zone let through and dropped.  It only grows, while endpoints come and
 * go. */
#ifndef AGENT_FLOWS_ZONE_TRAFFIC_H
#define AGENT_FLOWS_ZONE_TRAFFIC_H

#include <stdint.h>

#include <bulkhead/counters.h>
#include <bulkhead/endpoint.h>

#include "util/vec.h"

#define ZONE_TRAFFIC_MAX 1000 /* zones; the others are none of them */

struct zone_total {
	char *zone;
	enum bh_endpoint_kind kind;
	struct bh_endpoint_count count;
};

/* A zeroed one is empty. */
struct zone_traffic {
	VEC(struct zone_total) list;
	VEC(struct bh_endpoint_count) seen; /* by endpoint id, when it was last added */
};

/* What endpoint @id, which is of @zone, has counted now. */
void zone_traffic_add(struct zone_traffic *traffic, uint16_t id, enum bh_endpoint_kind kind,
		      const char *zone, const struct bh_endpoint_count *now);
void zone_traffic_release(struct zone_traffic *traffic);

#endif
