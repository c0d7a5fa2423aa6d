/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A process that holds a network namespace, and lives no longer than the lab.  A station's answers
 * on every probed port, and probes on command; the node's only forwards.
 */
#ifndef LAB_STATION_H
#define LAB_STATION_H

#include <sys/types.h>

#include "lab/plan.h"

#define LAB_BATCH 128 /* probes that a station has under way at once */

/* What the lab tells a station over its control socket, and what it hears back. */
struct lab_batch {
	uint32_t timeout_ms;
	uint32_t count;
	uint32_t probe[LAB_BATCH]; /* indices into the plan's probes */
};

struct lab_batch_result {
	uint32_t count;
	uint8_t outcome[LAB_BATCH]; /* enum lab_outcome */
};

struct lab_space {
	pid_t pid;
	int control; /* a packet socket; readable also when the process is gone */
	int netns;
};

/* clang-format off */
#define LAB_SPACE_INIT { .pid = 0, .control = -1, .netns = -1 }
/* clang-format on */

struct lab_role {
	const char *name;            /* of the process */
	bool is_node;                /* forwards between the others */
	const struct lab_plan *plan; /* NULL: runs no servers and no probes */
};

/* Waits until the namespace is made and the servers listen. -errno with a sentence in @reterr. */
int lab_space_open(const struct lab_role *role, struct lab_space *ret, struct text *reterr);
void lab_space_close(struct lab_space *space);

#endif
