/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the agent counts, for Prometheus.  What there is of labels is bounded: zones, rules, reasons
 * and configured interfaces, and never an address. */
#ifndef AGENT_METRICS_METRICS_H
#define AGENT_METRICS_METRICS_H

#include <bulkhead/event.h>

#include "agent/events/event_json.h"

struct agent;
struct metrics;

#define METRICS_RULES_MAX 4096 /* rules that are told one by one; the others are added up */

/* All of these do nothing with NULL for the metrics, which is an agent that has none. */
struct metrics *metrics_new(void);
void metrics_free(struct metrics *m);

void metrics_event(struct metrics *m, const struct bh_event *event,
		   const struct event_names *names);
void metrics_sample(struct agent *a); /* every second */

/* When that was last, CLOCK_MONOTONIC; 0: never. */
uint64_t metrics_sampled_ns(const struct metrics *m);

void metrics_text(struct agent *a, struct text *out);

#endif
