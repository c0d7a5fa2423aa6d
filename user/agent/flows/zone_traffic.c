/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/flows/zone_traffic.h"

#include <stdbool.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/mem.h"

static struct zone_total *find(struct zone_traffic *traffic, enum bh_endpoint_kind kind,
			       const char *zone)
{
	vec_foreach (total, &traffic->list) {
		if (total->kind == kind && !strcmp(total->zone, zone))
			return total;
	}
	if (traffic->list.count >= ZONE_TRAFFIC_MAX)
		return NULL;
	vec_push(&traffic->list, (struct zone_total){.zone = xstrdup(zone), .kind = kind});
	return &traffic->list.items[traffic->list.count - 1];
}

/* Counts of an id begin at zero when another endpoint gets it. */
static uint64_t grown(uint64_t now, uint64_t seen)
{
	return now >= seen ? now - seen : now;
}

static void add_grown(struct bh_count *total, const struct bh_count *now,
		      const struct bh_count *seen)
{
	bool is_anew = now->packets < seen->packets;

	total->packets += grown(now->packets, seen->packets);
	total->bytes += is_anew ? now->bytes : grown(now->bytes, seen->bytes);
}

void zone_traffic_add(struct zone_traffic *traffic, uint16_t id, enum bh_endpoint_kind kind,
		      const char *zone, const struct bh_endpoint_count *now)
{
	struct zone_total *total = find(traffic, kind, zone);
	struct bh_endpoint_count *seen;

	while (traffic->seen.count <= id)
		vec_push(&traffic->seen, (struct bh_endpoint_count){});
	seen = &traffic->seen.items[id];
	for (size_t i = 0; total && i < COUNT(now->passed); i++) {
		add_grown(&total->count.passed[i], &now->passed[i], &seen->passed[i]);
		add_grown(&total->count.dropped[i], &now->dropped[i], &seen->dropped[i]);
	}
	*seen = *now;
}

void zone_traffic_release(struct zone_traffic *traffic)
{
	vec_foreach (total, &traffic->list)
		free(total->zone);
	vec_release(&traffic->list);
	vec_release(&traffic->seen);
}
