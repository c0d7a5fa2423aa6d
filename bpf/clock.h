/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What time it is, to the kernel's timer tick: reading the clock itself costs like a hash lookup.
 */
#ifndef BPF_CLOCK_H
#define BPF_CLOCK_H

#include "maps.h"

/* Nanoseconds of CLOCK_MONOTONIC; some milliseconds behind, where the agent knows the tick. */
static __always_inline __u64 clock_coarse_ns(const struct bh_control *control)
{
	if (!control || !control->jiffy_ns)
		return bpf_ktime_get_ns();
	return bpf_jiffies64() * control->jiffy_ns + control->jiffies_offset_ns;
}

/* All clocks at once, so that the agent can tell one by the other. */
static __always_inline void clock_compare(void)
{
	__u32 zero = 0;
	struct bh_clock *clock = bpf_map_lookup_elem(&bh_clock, &zero);

	if (!clock)
		return;
	clock->jiffies = bpf_jiffies64();
	clock->monotonic_ns = bpf_ktime_get_ns();
	clock->boot_ns = bpf_ktime_get_boot_ns();
}

#endif
