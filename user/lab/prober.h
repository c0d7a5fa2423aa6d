/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sends a batch of probes from this station, all at once, and waits for what comes back. */
#ifndef LAB_PROBER_H
#define LAB_PROBER_H

#include "lab/station.h"
#include "lab/watch.h"

struct attempt {
	int fd; /* -1: over */
	const struct lab_probe *probe;
	uint64_t nonce; /* what must come back */
	bool is_sent;
	enum lab_outcome outcome;
};

struct prober {
	const struct lab_plan *plan;
	int epoll;
	uint32_t count; /* 0: no batch under way */
	uint32_t open;  /* attempts that wait for an answer */
	uint64_t deadline_ns;
	struct attempt attempts[LAB_BATCH];
};

void prober_start(struct prober *p, const struct lab_batch *batch);

/* Something happened to the attempt at @place. */
void prober_handle(struct prober *p, uint32_t place);

int prober_wait_ms(const struct prober *p); /* for epoll_wait; -1: nothing to wait for */
bool prober_is_due(const struct prober *p); /* a batch is complete, or out of time */
void prober_finish(struct prober *p, struct lab_batch_result *ret);

#endif
