/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the daemon does when something happens: a drop, a swap, a link, a second, a request. */
#ifndef AGENT_REACTIONS_H
#define AGENT_REACTIONS_H

#include "agent/parts.h"

/* Makes the loop, with its signals and timers, none of which runs yet.  -errno. */
int reactions_init(struct agent *a);

/* From now on; with a sentence in @why. */
int reactions_to_events(struct agent *a, struct text *why);

/* For those who tell of them. */
struct policy_hooks reactions_to_swaps(struct agent *a);
struct rtnl_events reactions_to_links(struct agent *a);
void reaction_to_end(void *agent);                                /* of a client's following */
void reaction_to_age(struct agent *a, bool is_memory_short);      /* of the policy before */
bool reaction_to_ask(void *agent, const struct request *request); /* whether it has to wait */
bool reaction_to_request(void *agent, struct request *request, struct text *out);

/* The cluster's policy is not in the making any more: what waited for that has its turn. */
void reaction_to_made(struct agent *a);

/* Sets the clockwork going. */
void reactions_start(struct agent *a);
void reactions_end(struct agent *a); /* what the next start needs is kept */

#endif
