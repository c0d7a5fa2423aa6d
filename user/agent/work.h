/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What takes long, in a thread of its own while the loop goes on.  The thread has @run's @user to
 * itself until @run has returned: it is given all that it reads, or what nobody changes meanwhile,
 * and touches nothing else.
 */
#ifndef AGENT_WORK_H
#define AGENT_WORK_H

#include "agent/loop.h"

struct work;

struct work_plan {
	loop_fn *run;  /* in the thread */
	loop_fn *over; /* in the loop, after it; once, and unless it is freed before */
	void *user;
};

int work_begin(struct loop *loop, const struct work_plan *plan, struct work **ret); /* -errno */

/* Until @run has returned; @over is still to come. */
void work_wait(struct work *w);

/* The same, and @over does not come any more; also from @over itself.  NULL: nothing. */
void work_free(struct work *w);

#endif
