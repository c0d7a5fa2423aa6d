/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The agents of a lab: one on the node, or one on every station, run as a user would run them. */
#ifndef LAB_AGENTS_H
#define LAB_AGENTS_H

#include "lab/scratch.h"
#include "lab/station.h"

struct lab_agent {
	pid_t pid;
	int out;          /* where it says that it is ready */
	int netns;        /* borrowed */
	const char *name; /* borrowed; of its files */
};

typedef VEC(struct lab_agent) lab_agents;

struct agents_setup {
	const struct lab_plan *plan;
	const char *const *files; /* of the policy */
	size_t file_count;
	const struct scratch *scratch;
	uint32_t repetitions; /* of every probe: so many more events */
	const struct lab_space *node;
	const struct lab_space *stations;
	bool is_hosts; /* an agent on every station */
	int signals;   /* process_open() */
	lab_progress_fn *progress;
	void *user; /* for it */
};

/* Starts them all and waits until all enforce.  -errno with a sentence in @reterr. */
int agents_start(const struct agents_setup *setup, lab_agents *ret, struct text *reterr);

/* Appends what `observe -o json` prints of each. */
int agents_observe(const struct agents_setup *setup, const lab_agents *agents, struct text *out,
		   struct text *reterr);

void agents_kill(lab_agents *agents);

#endif
