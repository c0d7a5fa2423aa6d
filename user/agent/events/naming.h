/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The data path's numbers in the policy's words.  Identities and rules are numbered anew in every
 * generation: one that is forgotten is named by its address in the policy in force.
 */
#ifndef AGENT_EVENTS_NAMING_H
#define AGENT_EVENTS_NAMING_H

#include <bulkhead/event.h>

#include "agent/events/event_json.h"
#include "agent/kubernetes/kube_pods.h"
#include "agent/policies/policy_version.h"
#include "util/map.h"

#define NAMING_PLACES 256 /* a power of two */

/* An end that was named in the present batch. */
struct named_end {
	uint64_t batch;
	struct bh_addr addr;
	uint32_t generation, identity;
	struct event_end names;
};

struct naming {
	const struct policy_version *current; /* NULL: no policy yet */
	const struct policy_version *previous;
	struct map near_places; /* of a denial in the policy in force, into nears */
	VEC(char *) nears;      /* NULL: nothing is near */
	uint64_t asked_ns;      /* when the present second of questions began */
	unsigned int asked;     /* how many it had */
	struct text rule_at;    /* what the last names pointed to */

	/* Many events at once, between which nothing changes. */
	bool is_batch;
	uint64_t batch;
	uint64_t wall_from_ns; /* the wall's time at 0 of CLOCK_MONOTONIC */
	struct named_end ends[NAMING_PLACES];
	const struct kube_pods *pods; /* who they are; NULL: as the policy says */
};

#define NAMING_INIT                                                                                \
	{                                                                                          \
		.rule_at = TEXT_INIT                                                               \
	}

void naming_release(struct naming *n);

/* After a switch; @previous may be NULL. */
void naming_update(struct naming *n, const struct policy_version *current,
		   const struct policy_version *previous);

/*
 * An identity in its words; one in no zone and no workload is of zone "outside" or "host", and of
 * several pods one is named.
 */
void naming_identity(const struct policy_version *v, uint32_t identity, struct event_end *ret);

/* An identity of a generation, or the address if that is forgotten. */
void naming_end(const struct naming *n, uint32_t generation, uint32_t identity,
		const struct bh_addr *addr, struct event_end *ret);

/* NULL if the policy's rules of that generation are forgotten. */
const char *naming_rule(const struct naming *n, uint32_t generation, uint32_t rule);

/* "FILE:LINE" of a rule of the policy. */
void naming_rule_at(const struct policy *policy, uint32_t rule, struct text *out);

/* Between these two no policy and no address may change, and a step of the wall's clock waits. */
void naming_batch_begin(struct naming *n);
void naming_batch_end(struct naming *n);

/*
 * Everything but interface and endpoint, which aren't the policy's.  Strings are good until the
 * next call or switch.  What is near is left out where a flood asks for too much of it.
 */
void naming_event(struct naming *n, const struct bh_event *event, struct event_names *ret);

#endif
