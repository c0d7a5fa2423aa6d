/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The policies of the packet fuzzer in the maps of its worlds, and the agent's switches. */
#ifndef FUZZ_PACKET_WORLD_H
#define FUZZ_PACKET_WORLD_H

#include "tests/fuzz/host.h"
#include "tests/reference/reference.h"

#define SETS       2 /* of policies; one set has one in each slot */
#define SIDES      2 /* worlds that must agree: one with XDP, one with tc alone */
#define SIDE_XDP   0
#define SIDE_TC    1
#define START_NS   (1000 * NS_PER_S)
#define WALL_START 1767225600 /* 2026-01-01T00:00:00Z: expiries in the policies count from here */

/* What an agent may do to one run. */
struct switches {
	unsigned int set;
	bool has_policy;
	bool is_beating; /* there was a heartbeat at the start; none follows */
	bool is_adopting;
	uint32_t builtins_off;
};

/* Loads and compiles them all; ends the process if that fails. */
void world_make(void);

/* Everything is as after world_make(), with these switches. */
void world_begin(const struct switches *switches);

/* Makes @side's maps those of the programs. */
void world_choose(unsigned int side);

/* The other policy of the set, or the same one again, in a new generation. */
void world_flip(bool is_other);

/* Decisions about the address (NULL: about the node's) are void, in a new generation; others hold,
 * as it turns out to be whose it was. */
void world_change(const struct bh_addr *a);

/* What the policy in force says now. */
struct reference_answer world_decide(const struct reference_question *q);

bool world_has_policy(void);
bool world_is_local(const struct bh_addr *a);

/* What the workload may send from. */
bool world_is_workload(const struct bh_addr *a);

#endif
