/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Everything that metrics are made of, read once, and the families that tell it. */
#ifndef AGENT_METRICS_METRICS_VIEW_H
#define AGENT_METRICS_METRICS_VIEW_H

#include "agent/flows/zone_pairs.h"
#include "agent/flows/zone_traffic.h"
#include "agent/metrics/endpoint_groups.h"
#include "agent/metrics/process_usage.h"
#include "agent/parts.h"
#include "util/exposition.h"

#define METRICS_TABLES_MAX 64

struct metrics {
	struct zone_pairs pairs;
	struct zone_traffic traffic;
	uint64_t sampled_ns;      /* CLOCK_MONOTONIC */
	uint64_t sampled_wall_ns; /* the same on the wall */
};

struct metrics_view {
	const struct agent *agent;
	const struct metrics *metrics;
	const struct loaded_policy *loaded;
	struct bh_count drops[BH_REASON_COUNT];
	struct books books[BH_VERDICT_COUNT];
	struct bh_rejects rejects;
	struct table_fill tables[METRICS_TABLES_MAX];
	size_t table_count;
	endpoint_groups groups;
	struct process_usage usage;
};

typedef void samples_fn(const struct metrics_view *v, const char *name, struct text *out);

/* All samples of one name. */
struct family {
	const char *name;
	enum metric_type type;
	samples_fn *add;
	const char *help;
};

extern const struct family state_families[], count_families[];
extern const size_t state_family_count, count_family_count;

#endif
