/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What was let through only for `mode: audit`: it tells what enforcing would drop. */
#ifndef AGENT_POLICIES_AUDITED_H
#define AGENT_POLICIES_AUDITED_H

#include <bulkhead/event.h>

#include "agent/events/event_json.h"
#include "policy/recording.h"
#include "util/json.h"

#define AUDITED_MAX 10000 /* connections; others are only counted */

struct audited {
	struct recording recording;
	uint64_t since_ns; /* on the wall */
	uint64_t left_out;
};

/* Of one rule, or of the default. */
struct audited_rule {
	char *name;
	uint64_t connections; /* by source, destination and service */
	uint64_t events;
	char *example; /* "app 10.0.16.10 -> db 10.0.32.10 tcp/7001" */
};

struct audited_drops {
	uint64_t connections;
	VEC(struct audited_rule) rules;
};

/* Takes events with verdict audit; @names are theirs. */
void audited_add(struct audited *a, const struct bh_event *event, const struct event_names *names);

/* What of it @next would drop. */
void audited_find(const struct audited *a, const struct compiled *next, struct audited_drops *ret);
void audited_json(const struct audited *a, const struct audited_drops *drops, struct json *j,
		  const char *key);
void audited_drops_release(struct audited_drops *drops);
#define _audited_drops_ _cleanup_(audited_drops_release)

void audited_release(struct audited *a);

#endif
