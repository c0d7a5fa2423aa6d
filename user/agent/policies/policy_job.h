/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A policy that is prepared in a thread of its own, while in the loop addresses move in the one in
 * force.  One at a time.  The thread has what its preparation (preparation.h) has; of what it
 * borrows, the loop changes nothing before it is over: no policy is freed, nor compiled, meanwhile.
 */
#ifndef AGENT_POLICIES_POLICY_JOB_H
#define AGENT_POLICIES_POLICY_JOB_H

#include "agent/loop.h"
#include "agent/policies/preparation.h"

struct policy_input;
struct policy_job;
struct policy_set;

struct policy_job_plan {
	struct loop *loop;
	const struct policy_input *input; /* its texts' contents are taken over */
	const struct kube_table *objects; /* until it is over; instead of the set's */
	/*
	 * In the loop; may begin the next.  -ECANCELED: what it was made of is not right any more,
	 * and it has to begin again.
	 */
	void (*over)(void *user, struct preparation *p);
	void *user;
};

/* Where there is no thread to be had, it is over when this returns. */
void policy_job_begin(struct policy_set *set, const struct policy_job_plan *plan);

/* Nothing will come of it, as it will say; its thread has ended.  NULL: there is none. */
void policy_job_stop(struct policy_job *job);

/* The same, and it is never over. */
void policy_job_free(struct policy_job *job);

#endif
