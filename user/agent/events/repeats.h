/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Events that are alike but for their time: the first is told at once, the others as a number. */
#ifndef AGENT_EVENTS_REPEATS_H
#define AGENT_EVENTS_REPEATS_H

#include <stdbool.h>
#include <stdint.h>

#include <bulkhead/event.h>

#define REPEATS_PLACES 2048 /* kinds that are remembered at once; a power of two */
#define REPEATS_NS     1000000000ull

/* So many events; the record is the last one's. */
typedef void repeats_fn(void *user, const struct bh_event *event, uint64_t count);

struct repeat {
	struct bh_event event; /* the last one */
	uint64_t told_ns;      /* when one of them was; 0: this place is free */
	uint64_t held;         /* since then */
};

struct repeats {
	struct repeat *places;
	repeats_fn *fn;
	void *user;
	uint64_t held; /* in all */
};

void repeats_init(struct repeats *r, repeats_fn *fn, void *user);
void repeats_release(struct repeats *r);

/*
 * Whether the event is held: no longer than the next repeats_tell() after REPEATS_NS, nor than
 * until another kind needs the place.  Else it is the caller's to tell.  Each event is one of
 * those, or in one count.
 */
bool repeats_hold(struct repeats *r, const struct bh_event *event);

/* Hands on what is held since before @before_ns, CLOCK_MONOTONIC; UINT64_MAX: everything. */
void repeats_tell(struct repeats *r, uint64_t before_ns);

#endif
