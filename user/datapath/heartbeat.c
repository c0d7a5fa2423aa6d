/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bulkhead.skel.h"
#include "datapath/internal.h"
#include "util/clock.h"

#define NS_PER_S       INT64_C(1000000000)
#define JIFFIES_ZERO_S 300 /* jiffies count from so long before 2^32: include/linux/jiffies.h */
#define TOLERANCE_NS   NS_PER_S

/* What kernels are built with (CONFIG_HZ). */
static const int64_t rates[] = {100, 250, 300, 1000};

static int read_clocks(const struct datapath *dp, struct bh_clock *ret)
{
	const __u32 key = 0;
	int err = program_run_alone(dp->skel->progs.bh_read_clock, 1);

	return err ? err : bpf_map_lookup_elem(bpf_map__fd(dp->skel->maps.bh_clock), &key, ret);
}

static int64_t distance_ns(const struct bh_clock *clock, int64_t rate)
{
	int64_t since = (int64_t)(clock->jiffies - (UINT64_C(1) << 32)) + JIFFIES_ZERO_S * rate;
	int64_t distance = since * (NS_PER_S / rate) - (int64_t)clock->monotonic_ns;

	return distance < 0 ? -distance : distance;
}

/* How many jiffies a second has, by how many there were since the machine started; 0: unclear. */
static int64_t find_rate(const struct bh_clock *clock)
{
	int64_t found = 0;

	for (size_t i = 0; i < COUNT(rates); i++) {
		if (distance_ns(clock, rates[i]) > TOLERANCE_NS)
			continue;
		if (found)
			return 0;
		found = rates[i];
	}
	return found;
}

/* Whether a clock of ours, read before and after the kernel's, is the same one. */
static bool is_between(uint64_t before, uint64_t kernel, uint64_t after)
{
	return kernel + TOLERANCE_NS >= before && kernel <= after + TOLERANCE_NS;
}

int heartbeat_check_clocks(const struct datapath *dp, struct text *reterr)
{
	uint64_t monotonic = clock_monotonic_ns(), boot = clock_boot_ns();
	struct bh_clock kernel;
	int err = read_clocks(dp, &kernel);

	if (err)
		return explain_error(reterr, err, "cannot read the kernel's clocks");
	if (is_between(monotonic, kernel.monotonic_ns, clock_monotonic_ns()) &&
	    is_between(boot, kernel.boot_ns, clock_boot_ns()))
		return 0;
	text_add(reterr, "the clocks of this process are not the machine's: it is in a time "
			 "namespace, and deadlines of policies would be wrong; run the agent "
			 "outside ('nsenter --time=/proc/1/ns/time bulkhead run ...')");
	return -EOPNOTSUPP;
}

/* As long as it doesn't succeed, programs read the exact clock. */
static void set_tick(struct datapath *dp)
{
	struct bh_control *control = dp->tables.control;
	uint64_t jiffy_ns, offset;
	struct bh_clock clock;
	int64_t rate;

	if (read_clocks(dp, &clock))
		return;
	rate = find_rate(&clock);
	if (!rate)
		return;
	jiffy_ns = (uint64_t)(NS_PER_S / rate);
	/* One less: the tick may have been over nearly, and nobody's clock shall be ahead. */
	offset = clock.monotonic_ns - (clock.jiffies + 1) * jiffy_ns;
	__atomic_store_n(&control->jiffies_offset_ns, offset, __ATOMIC_RELEASE);
	__atomic_store_n(&control->jiffy_ns, jiffy_ns, __ATOMIC_RELEASE);
}

void heartbeat_set_clock(struct datapath *dp)
{
	/* Modulo 2^64, as programs add it up. */
	uint64_t offset = clock_wall_ns() - clock_boot_ns();

	__atomic_store_n(&dp->tables.control->wall_offset_ns, offset, __ATOMIC_RELAXED);
	set_tick(dp);
}

void datapath_beat(struct datapath *dp)
{
	heartbeat_set_clock(dp);
	__atomic_store_n(&dp->tables.control->heartbeat_ns, clock_monotonic_ns(), __ATOMIC_RELAXED);
}
