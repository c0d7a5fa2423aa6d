/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The daemon's detection: what it sees, and where its alerts go. */
#ifndef AGENT_DETECT_ALERTS_H
#define AGENT_DETECT_ALERTS_H

#include "agent/detect/detect.h"
#include "agent/events/events_hub.h"
#include "util/json.h"

#define ALERTS_HISTORY 1000

struct alerts {
	struct detect *detect;
	struct events_hub *hub; /* theirs alone: events, whose books balance, are in another */
};

void alerts_init(struct alerts *a, const struct detect_config *config);
void alerts_release(struct alerts *a);

/* An alert goes to the hub and to the log. */
void alerts_take_event(struct alerts *a, const struct bh_event *event,
		       const struct event_names *names);

/* {"BD001": N, …}: alerts since the start. */
void alerts_json(const struct alerts *a, struct json *j, const char *key);

#endif
