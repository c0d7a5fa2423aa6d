/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which policy a packet is judged by. */
#ifndef BPF_IN_FORCE_H
#define BPF_IN_FORCE_H

#include "config.h"
#include "maps.h"
#include "packet.h"

struct in_force {
	const struct bh_control *control;
	const struct bh_policy *policy;
	__u32 slot;
	__u32 generation;
	bool is_reverted;   /* a program has gone back to it by itself */
	bool is_agent_down; /* and the policy says of some zone what happens then */
};

/* The agent has beaten, but not for a while. */
static __always_inline bool is_heartbeat_late(const struct bh_control *control, __u64 now)
{
	__u64 beat = *(volatile const __u64 *)&control->heartbeat_ns;

	return beat && elapsed_ns(beat, now) > (__s64)(bh_down_after_s * NS_PER_S);
}

/*
 * Which slot is in force, as which generation; read once for each packet, so none sees two
 * policies. Who goes back, agent or program, goes back to the same word: there is no order in which
 * the agent's two stores could be seen that brings the newer policy back.
 */
static __always_inline __u64 active_word(const struct bh_control *control, __u64 now,
					 bool *ret_is_reverted)
{
	__u64 active = *(volatile const __u64 *)&control->active;
	__u64 revert_at = *(volatile const __u64 *)&control->revert_at_ns;

	*ret_is_reverted = revert_at && now >= revert_at;
	if (*ret_is_reverted)
		return *(volatile const __u64 *)&control->revert_to;
	return active;
}

/* False: there is none. */
static __always_inline bool find_in_force(__u64 now, struct in_force *ret)
{
	const struct bh_control *control;
	const struct bh_policy *policy;
	__u32 zero = 0, slot;
	__u64 active;

	control = bpf_map_lookup_elem(&bh_control, &zero);
	if (!control)
		return false;
	active = active_word(control, now, &ret->is_reverted);
	if (!active)
		return false;
	slot = BH_ACTIVE_SLOT(active);
	policy = bpf_map_lookup_elem(&bh_policies, &slot);
	if (!policy)
		return false;
	ret->control = control;
	ret->policy = policy;
	ret->slot = slot;
	ret->generation = BH_ACTIVE_GENERATION(active);
	ret->is_agent_down = (policy->flags & BH_POLICY_DOWN) && is_heartbeat_late(control, now);
	return true;
}

#endif
