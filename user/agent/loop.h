/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The one event loop: descriptors, timers and signals.  Everything runs in one thread, but for
 * work.h: what compiles a cluster's policy, and what writes its last-good file.
 */
#ifndef AGENT_LOOP_H
#define AGENT_LOOP_H

#include <stdint.h>

#define LOOP_READ  1u
#define LOOP_WRITE 2u

struct loop;
struct loop_watch;
struct loop_timer;

typedef void loop_watch_fn(void *user, unsigned int ready); /* LOOP_* that won't block */
typedef void loop_fn(void *user);

int loop_new(struct loop **ret);
void loop_free(struct loop *loop); /* also of every watch and timer that is left */

void loop_run(struct loop *loop); /* until loop_stop() */
void loop_stop(struct loop *loop);

/*
 * Watches for nothing yet: see loop_watch_want().  An error on the descriptor is reported as ready
 * for both, so that the owner meets it in its next call.
 */
int loop_watch_new(struct loop *loop, int fd, loop_watch_fn *fn, void *user,
		   struct loop_watch **ret);
void loop_watch_want(struct loop_watch *w, unsigned int want);

/* May be called from the watch's own callback; the descriptor may be closed afterwards. */
void loop_watch_free(struct loop_watch *w);

struct loop_timer *loop_timer_new(struct loop *loop, loop_fn *fn, void *user);

/* Starts over if it was running; @repeat_ms 0: once. */
void loop_timer_start(struct loop_timer *t, uint64_t first_ms, uint64_t repeat_ms);
void loop_timer_stop(struct loop_timer *t);

int loop_on_signal(struct loop *loop, int signal, loop_fn *fn, void *user);

#endif
