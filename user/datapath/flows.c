/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bulkhead.skel.h"
#include "datapath/internal.h"

#define RECORDS_AT_ONCE 512

/* Who wants the records of the present reading. */
struct reader {
	flow_fn *fn;
	void *user;
};

int flows_size(struct datapath *dp, const struct datapath_config *config)
{
	uint32_t lines = bpf_map__max_entries(dp->skel->maps.bh_conns);
	int err;

	dp->skel->rodata->bh_flow_ticks = BH_TICKS_OF_S(config->flow_interval_s);
	if (!config->flow_interval_s)
		return 0;
	err = bpf_map__set_max_entries(dp->skel->maps.bh_flows, BH_FLOW_RING_BYTES);
	return err ? err : bpf_map__set_max_entries(dp->skel->maps.bh_flow_told, lines);
}

bool flows_are_logged(const struct datapath *dp)
{
	return dp->skel->rodata->bh_flow_ticks != 0;
}

bool flows_own(const struct datapath *dp, const struct bpf_map *map)
{
	return map == dp->skel->maps.bh_flows || map == dp->skel->maps.bh_flow_told ||
	       map == dp->skel->maps.bh_flow_mark;
}

int datapath_flows_open(struct datapath *dp)
{
	const struct bpf_map *map = dp->skel->maps.bh_flows;

	datapath_flows_close(dp);
	return ring_open(bpf_map__fd(map), bpf_map__max_entries(map), &dp->flows);
}

void datapath_flows_close(struct datapath *dp)
{
	ring_close(&dp->flows);
}

int datapath_flows_fd(const struct datapath *dp)
{
	return bpf_map__fd(dp->skel->maps.bh_flows);
}

uint64_t datapath_flows_position(const struct datapath *dp)
{
	return *dp->flows.read_at;
}

static bool on_record(const void *record, size_t size, void *user)
{
	const struct reader *reader = user;

	if (size < sizeof(struct bh_flow))
		return false;
	reader->fn(record, reader->user);
	return true;
}

size_t datapath_flows_read(struct datapath *dp, flow_fn *fn, void *user)
{
	struct reader reader = {fn, user};
	size_t count = ring_read(&dp->flows, RECORDS_AT_ONCE, on_record, &reader);

	if (!count)
		datapath_flows_done(dp);
	return count;
}

void datapath_flows_done(struct datapath *dp)
{
	ring_done(&dp->flows);
}

int datapath_flows_mark(const struct datapath *dp, const struct bh_flow_mark *mark)
{
	const __u32 zero = 0;

	return bpf_map_update_elem(bpf_map__fd(dp->skel->maps.bh_flow_mark), &zero, mark, BPF_ANY);
}

int datapath_flows_marked(const struct datapath *dp, struct bh_flow_mark *ret)
{
	const __u32 zero = 0;

	return bpf_map_lookup_elem(bpf_map__fd(dp->skel->maps.bh_flow_mark), &zero, ret);
}
