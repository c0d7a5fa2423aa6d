/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What denied packets tell about somebody who moves sideways: events in, alerts out.  The clock is
 * the events' own; memory is bounded (DETECT_BYTES_MAX), and nobody can push out what is known of
 * another.
 */
#ifndef AGENT_DETECT_DETECT_H
#define AGENT_DETECT_DETECT_H

#include <stdbool.h>

#include <bulkhead/event.h>

#include "agent/detect/detect_config.h"
#include "agent/events/event_json.h"
#include "policy/model.h"
#include "util/text.h"

/* With as many endpoints, workloads and attackers as there is room for. */
#define DETECT_BYTES_MAX (32ul * 1024 * 1024)

/* Borrows everything from the call that raised it. */
struct alert {
	enum detection id;
	const struct bh_event *event; /* the one that was too many */
	const struct event_names *names;
	bool is_crowd;  /* the source is several addresses, more than are kept apart */
	uint32_t value; /* in the unit of the threshold */
	uint32_t pairs; /* BD001, BD002: not 0 if neither one host nor one port tells it all, but */
	uint32_t hosts; /* so many pairs of these hosts */
	uint32_t ports; /* and ports */
	uint32_t window_s;
	uint32_t interval_ms; /* BD006 */
	uint64_t span_ns;     /* from the first that counts to the last */
	uint64_t count;       /* how often it was due since the last alert of this source and id */
};

typedef void alert_fn(const struct alert *alert, void *user);

struct detect;

struct detect *detect_new(const struct detect_config *config, alert_fn *fn, void *user);
void detect_free(struct detect *d);

/* Events in about the order of their times. */
void detect_event(struct detect *d, const struct bh_event *event, const struct event_names *names);

/* Which workloads there are from now on: who is new is quiet since then. */
void detect_workloads(struct detect *d, const struct policy *policy, uint64_t now_ns);

/* Alerts since the start. */
uint64_t detect_count(const struct detect *d, enum detection id);

const char *detection_code(enum detection id); /* "BD001" */

/* One sentence in plain words, without a full stop. */
void alert_text(const struct alert *alert, struct text *out);

/*
 * On one line, without its end: type "alert", id, time, source {ip, workload, zone, labels} (no ip:
 * several addresses; of BD008 the interface and whose it is), target {the same} (not of BD008),
 * interface, evidence {the count in its unit, window_s, span_s, service, let_through, …}, count
 * (how often it was due since the last one of this source and id), text (one sentence).
 */
void alert_json(const struct alert *alert, struct text *out);

#endif
