/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* When something is tried again that is refused for now: soon at first, then ever more seldom. */
#ifndef AGENT_KUBERNETES_KUBE_RETRY_H
#define AGENT_KUBERNETES_KUBE_RETRY_H

#include <stdint.h>

#define KUBE_RETRY_FIRST_MS 2000
#define KUBE_RETRY_MOST_MS  300000

struct kube_retry {
	uint64_t wait_ms;    /* the last one; 0: it was never refused */
	uint64_t refused_ns; /* when; CLOCK_MONOTONIC */
};

/*
 * It was refused: how long to wait.  What was not refused for longer than the last wait can
 * explain is refused for the first time.
 */
uint64_t kube_retry_wait(struct kube_retry *r, uint64_t now_ns);

/* A number below @below, or 0.  Nothing depends on that nobody foresees it. */
uint64_t kube_chance(uint64_t below);

/* Half of it is chance: a cluster's agents don't come back all at once. */
uint64_t kube_about(uint64_t ms);

#endif
