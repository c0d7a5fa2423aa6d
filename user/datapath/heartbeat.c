/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "datapath/internal.h"
#include "util/clock.h"

void heartbeat_set_clock(struct datapath *dp)
{
	/* Modulo 2^64, as programs add it up. */
	uint64_t offset = clock_wall_ns() - clock_boot_ns();

	__atomic_store_n(&dp->tables.control->wall_offset_ns, offset, __ATOMIC_RELAXED);
}

void datapath_beat(struct datapath *dp)
{
	heartbeat_set_clock(dp);
	__atomic_store_n(&dp->tables.control->heartbeat_ns, clock_monotonic_ns(), __ATOMIC_RELAXED);
}
