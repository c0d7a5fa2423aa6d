/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which policy a packet is judged by. */
#ifndef BPF_IN_FORCE_H
#define BPF_IN_FORCE_H

#include "config.h"
#include "maps.h"
#include "order.h"
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
	__u64 beat = READ_NOW(control->heartbeat_ns);

	return beat && elapsed_ns(beat, now) > (__s64)(bh_down_after_s * NS_PER_S);
}

/* Whether that is so, and the policy in the slot says what happens then. */
static __always_inline bool is_agent_down(const struct bh_control *control, __u32 slot, __u64 now)
{
	return (READ_NOW(control->down_slots) >> slot & 1) && is_heartbeat_late(control, now);
}

/*
 * Which slot is in force, as which generation; read once for each packet, so none sees two
 * policies. Who goes back, agent or program, goes back to the same word: there is no order in which
 * the agent's two stores could be seen that brings the newer policy back.
 */
static __always_inline __u64 active_word(const struct bh_control *control, __u64 now,
					 bool *ret_is_reverted)
{
	__u64 active = READ_NOW(control->active), revert_at = READ_NOW(control->revert_at_ns);

	*ret_is_reverted = false;
	if (!revert_at)
		return active;
	/* Nearly always it is over here; or the compiler joins the two questions, and asks both. */
	asm volatile("" : "+r"(revert_at));
	*ret_is_reverted = now >= revert_at;
	return *ret_is_reverted ? READ_NOW(control->revert_to) : active;
}

/* False: there is none. */
static __always_inline bool find_in_force(const struct bh_control *control, __u64 now,
					  struct in_force *ret)
{
	const struct bh_policy *policy;
	__u64 active;
	__u32 slot;

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
	ret->is_agent_down = is_agent_down(control, slot, now);
	return true;
}

#endif
