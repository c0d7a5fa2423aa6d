/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What an agent begins with: the policy that it was given, else the last good one, else a stance.
 */
#ifndef AGENT_POLICIES_FIRST_POLICY_H
#define AGENT_POLICIES_FIRST_POLICY_H

#include "agent/policies/last_good.h"
#include "agent/policies/policy_set.h"

struct first_policy_input {
	struct policy_input given;
	const struct last_good *last_good;
	bool is_cluster; /* which is asked later; until then, what it was like before counts */
	const char
		*fallback; /* FALLBACK_CLOSED, FALLBACK_OPEN or a policy's path; NULL: see below */
	bool is_in_force;  /* an earlier agent left one */
};

/* Words of agent.yaml. */
#define FALLBACK_CLOSED "closed" /* nothing passes but built-in rules */
#define FALLBACK_OPEN   "open"   /* everything does, and is reported */

/*
 * Logs what it takes, and why.  Where no last good policy was ever written, and no fallback is
 * declared, there is nothing to begin with: -EINVAL.  One that is there and can't be trusted is
 * followed by the fallback, closed if none is declared or if that is no good, either.  A policy
 * that an earlier agent left in force is better than a fallback: then it is -EINVAL, too.
 */
int first_policy_prepare(struct policy_set *set, const struct first_policy_input *input,
			 struct text *reterr, struct policy_version **ret);

#endif
