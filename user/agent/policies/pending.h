/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A policy that is in force until a deadline, unless somebody confirms it.  The kernel has the
 * deadline, and so has the disk: whichever of agent and machine dies, the policy before comes back.
 */
#ifndef AGENT_POLICIES_PENDING_H
#define AGENT_POLICIES_PENDING_H

#include "agent/policies/change.h"

#define PENDING_FILE "pending.json" /* in the state directory */

/* Once, after the loop is there. */
void pending_init(struct agent *a);

/* What is left from an agent before us; true: *ret is the policy to go back to. */
bool pending_recover(struct agent *a, struct policy_version **ret);

/* That policy, or another one, is in force. */
void pending_recovered(struct agent *a);

/* Puts @next in force, which it takes over, and starts the clock. */
int pending_begin(struct agent *a, struct policy_version *next, const struct wish *wish,
		  struct text *reterr);

/* -EBUSY with a sentence in @reterr while one waits. */
int pending_refuse(const struct agent *a, struct text *reterr);

/* When it ends, on the wall; 0: nothing waits. */
uint64_t pending_until(const struct agent *a);

/* -ENOENT: nothing waits; -ETIME: too late, and the policy before is in force. */
int pending_confirm(struct agent *a, const struct caller *who);

/* Goes back now.  -ENOENT: nothing waits. */
int pending_go_back(struct agent *a, const struct caller *who, const char *note);

/* Goes back if it is time. */
void pending_check(struct agent *a);

#endif
