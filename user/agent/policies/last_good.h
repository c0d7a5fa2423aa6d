/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The last policy that was in force, on disk: what the next start falls back on. */
#ifndef AGENT_POLICIES_LAST_GOOD_H
#define AGENT_POLICIES_LAST_GOOD_H

#include <stdbool.h>

#include "agent/loop.h"
#include "agent/policies/last_good_text.h"
#include "agent/policies/policy_version.h"

#define LAST_GOOD_FILE "last-good"

struct last_good_job;

struct last_good {
	const char *directory;
	bool is_failing;  /* which was logged */
	bool is_behind;   /* of the cluster's pods, some are others than when they were written */
	uint64_t kept_ns; /* CLOCK_MONOTONIC; 0: nothing was written yet */
	struct last_good_job *job; /* is writing; NULL: none is */
};

/*
 * Writes it, unless it is there already, with the pods of a cluster; NULL: there is none.  A
 * failure is logged and does no harm to what is there; calling again tries again.
 */
void last_good_keep(struct last_good *lg, struct loaded_policy *loaded,
		    const struct kube_table *pods);

/*
 * The same, of what it is now, while the loop goes on: of a large cluster it takes as long as many
 * changes.  One at a time; while one is under way this does nothing.
 */
void last_good_begin(struct last_good *lg, struct loop *loop, struct loaded_policy *loaded,
		     const struct kube_table *pods);

/* Waits for the one that is under way. */
void last_good_finish(struct last_good *lg);

/* Whether it is time to, for who comes by often. */
bool last_good_is_due(const struct last_good *lg, const struct loaded_policy *loaded,
		      bool is_cluster);

/* -ENOENT: there is none.  Else -errno with a sentence in @reterr: it is not to be trusted. */
int last_good_read(const struct last_good *lg, struct text *reterr, source_list *ret);

#endif
