/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What `observe -o json` printed, as far as a lab looks at it. */
#ifndef LAB_EVENTS_H
#define LAB_EVENTS_H

#include "lab/plan.h"

struct lab_event {
	struct bh_addr src, dst;
	struct lab_service service; /* what was spoken to @dst */
	char *verdict;              /* "deny", "reject" or "audit" */
	char *rule;
	char *reason;
	char *near; /* NULL: nothing came near */
	uint64_t count;
};

struct lab_events {
	VEC(struct lab_event) list;
	size_t bad_lines; /* that are no event at all */
};

/* Whether packets with the verdict of that name are dropped. */
bool lab_event_verdict_drops(const char *verdict);

/* Adds the dropped and audited ones of IP packets; others are no concern of a probe. */
void lab_events_read(const char *lines, struct lab_events *events);
void lab_events_release(struct lab_events *events);
#define _lab_events_ _cleanup_(lab_events_release)

#endif
