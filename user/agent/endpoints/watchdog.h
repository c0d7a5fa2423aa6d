/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sees to it that our programs stay where they were attached, and first of all that are there. */
#ifndef AGENT_ENDPOINTS_WATCHDOG_H
#define AGENT_ENDPOINTS_WATCHDOG_H

#include "agent/endpoints/endpoints.h"
#include "agent/loop.h"

/* The last time that something was wrong. */
struct watchdog_last {
	char name[IF_NAMESIZE]; /* empty: never */
	struct text what;
	uint64_t at_ns;       /* on the wall */
	uint64_t repaired_ns; /* on the wall; 0: it wasn't, or not by us */
};

struct watchdog {
	struct endpoints *endpoints;
	enum watchdog_action action;
	struct loop_timer *timer;
	bool is_soon;     /* the timer runs out sooner than usual */
	uint64_t cost_ms; /* of the last round, on the CPU */
	uint64_t faults[HOOK_FAULTS];
	uint64_t repairs;
	struct watchdog_last last;
};

/* Looks at every endpoint several times a second from now on. */
void watchdog_start(struct watchdog *w, struct loop *loop, struct endpoints *endpoints,
		    enum watchdog_action action);
void watchdog_release(struct watchdog *w);

/* Something has changed: looks at once, but not all the time. */
void watchdog_soon(struct watchdog *w);

const char *watchdog_action_word(enum watchdog_action action);

/* What is wrong with an endpoint now; NULL: nothing, or its interface is gone. */
const char *watchdog_trouble(const struct endpoint *e);

#endif
