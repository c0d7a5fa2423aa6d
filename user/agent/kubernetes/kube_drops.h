/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which drops at pods are worth an Event: the first ones of each kind, few of a pod and few in all.
 * Those that are like one that was told are its series.
 */
#ifndef AGENT_KUBERNETES_KUBE_DROPS_H
#define AGENT_KUBERNETES_KUBE_DROPS_H

#include <bulkhead/event.h>

#include "agent/events/event_json.h"
#include "util/map.h"
#include "util/vec.h"

#define KUBE_DROPS_WINDOW_NS (30ull * 60 * 1000000000) /* then all of it begins again */
#define KUBE_DROPS_OF_POD    5                         /* kinds in a window */
#define KUBE_DROPS_MAX       50                        /* the same, of all pods */
#define KUBE_DROPS_FIRST_NS  (60ull * 1000000000)      /* until a series is told, then doubled */

struct kube_drop {
	char *pod; /* "namespace/name" */
	char *note;
	uint64_t hash;
	uint64_t count;
	uint64_t told;    /* of the count; 0: it has just happened */
	uint64_t wall_ns; /* the last one */
	uint64_t next_ns; /* when more of them are told */
	uint64_t wait_ns;
};

/* Sends it; may not come back to us. */
typedef void kube_drops_fn(void *user, const struct kube_drop *drop);

struct kube_drops {
	kube_drops_fn *fn;
	void *user;
	struct map kinds; /* -> index into list + 1; 0: one too many */
	VEC(struct kube_drop) list;
	uint64_t since_ns; /* the window; 0: none yet */
	uint64_t left_out; /* drops */
};

void kube_drops_release(struct kube_drops *d);

/* Whatever isn't a drop at a pod is passed over.  @now_ns: CLOCK_MONOTONIC. */
void kube_drops_add(struct kube_drops *d, const struct bh_event *event,
		    const struct event_names *names, uint64_t now_ns);

/* Now and then. */
void kube_drops_tick(struct kube_drops *d, uint64_t now_ns);

/* "dropped what it sent to shop/db 10.0.0.1, tcp/80: rule default, reason policy" */
void kube_drop_note(const struct bh_event *event, const struct event_names *names,
		    struct text *out);

#endif
