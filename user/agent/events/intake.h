/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Events on their way from the kernel to whoever wants them. */
#ifndef AGENT_EVENTS_INTAKE_H
#define AGENT_EVENTS_INTAKE_H

#include "agent/events/repeats.h"
#include "agent/loop.h"
#include "util/text.h"

struct agent;

struct intake {
	struct loop_watch *watch; /* of the bell; only while it is quiet there */
	struct loop_timer *timer; /* looks for events, only while it isn't */
	unsigned int idle;        /* looks in a row that found nothing */
	struct repeats repeats;
	uint64_t read; /* events since the start */

	/* Where lines are written, again and again. */
	struct text line;
	struct text packet;
};

/* clang-format off */
#define INTAKE_INIT { .line = TEXT_INIT, .packet = TEXT_INIT }
/* clang-format on */

/* -errno; what fails leaves something to release. */
int intake_open(struct agent *a);
void intake_release(struct intake *in);

/* Reads what there is, and what was held: the history is complete then, but under a flood. */
void intake_drain(struct agent *a);

/* Once a second. */
void intake_tick(struct agent *a);

#endif
