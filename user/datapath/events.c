/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <bpf/libbpf.h>

#include "bulkhead.skel.h"
#include "datapath/internal.h"

static void on_event(const struct bh_event *event, void *user)
{
	const struct datapath *dp = user;

	dp->event(event, NULL, dp->event_user);
}

/* A shorter one was there to wake us. */
static bool on_record(const void *data, size_t size, void *user)
{
	const struct datapath *dp = user;

	if (size < sizeof(struct bh_event_packet))
		return false;
	dp->event(data, data, dp->event_user);
	return true;
}

int events_size(struct datapath *dp)
{
	uint32_t cpus = (uint32_t)dp->cpus, each = lanes_each(cpus);
	int err = bpf_map__set_max_entries(dp->skel->maps.bh_lanes, cpus);

	dp->skel->rodata->bh_lane_each = each;
	return err ? err : bpf_map__set_max_entries(dp->skel->maps.bh_lane_events, cpus * each);
}

static int open_lanes(struct datapath *dp)
{
	const struct bpf_map *ends = dp->skel->maps.bh_lanes;
	const struct bpf_map *events = dp->skel->maps.bh_lane_events;
	const struct table of_ends = {.fd = bpf_map__fd(ends),
				      .entries = bpf_map__max_entries(ends),
				      .size = sizeof(struct bh_lane)};
	int err = table_view_share(&of_ends, 0, (size_t)of_ends.entries * of_ends.size,
				   &dp->lane_ends);

	if (!err)
		lanes_init(&dp->lanes, dp->lane_ends.bytes, NULL, of_ends.entries,
			   bpf_map__max_entries(events) / of_ends.entries);
	return err;
}

/* They stay mapped until the reader sleeps: to map them takes longer than to read a few. */
static int see_events(struct datapath *dp)
{
	const struct bpf_map *events = dp->skel->maps.bh_lane_events;
	const struct table table = {.fd = bpf_map__fd(events),
				    .entries = bpf_map__max_entries(events),
				    .size = sizeof(struct bh_event)};
	int err = 0;

	if (!dp->lane_events.bytes)
		err = table_view_open(&table, 0, (size_t)table.entries * table.size,
				      &dp->lane_events);
	dp->lanes.events = dp->lane_events.bytes;
	return err;
}

static int read_lanes(struct datapath *dp, size_t *ret)
{
	int err = lanes_have_any(&dp->lanes) ? see_events(dp) : 0;

	*ret = 0;
	if (!err && dp->lanes.events)
		*ret = lanes_read(&dp->lanes, DATAPATH_EVENTS_AT_ONCE, on_event, dp);
	return err;
}

int datapath_events_open(struct datapath *dp, event_fn *fn, void *user)
{
	const struct bpf_map *map = dp->skel->maps.bh_events;
	int err;

	datapath_events_close(dp);
	dp->event = fn;
	dp->event_user = user;
	err = open_lanes(dp);
	if (!err)
		err = ring_open(bpf_map__fd(map), bpf_map__max_entries(map), &dp->packets);
	if (err)
		datapath_events_close(dp);
	return err;
}

void datapath_events_close(struct datapath *dp)
{
	ring_close(&dp->packets);
	lanes_release(&dp->lanes);
	table_view_close(&dp->lane_ends);
	table_view_close(&dp->lane_events);
}

int datapath_events_fd(const struct datapath *dp)
{
	return dp->packets.read_at ? bpf_map__fd(dp->skel->maps.bh_events) : -EBADF;
}

int datapath_events_consume(struct datapath *dp)
{
	size_t count;
	int err;

	if (!dp->packets.read_at)
		return -EBADF;
	err = read_lanes(dp, &count);
	if (err)
		return err;
	count += ring_read(&dp->packets, DATAPATH_EVENTS_AT_ONCE - count, on_record, dp);
	ring_done(&dp->packets);
	return (int)count;
}

void datapath_events_sleep(struct datapath *dp)
{
	table_view_close(&dp->lane_events);
	dp->lanes.events = NULL;
	__atomic_store_n(&dp->tables.control->event_sleep, 1, __ATOMIC_SEQ_CST);
}

void datapath_events_want_packets(struct datapath *dp, bool is_wanted)
{
	__atomic_store_n(&dp->tables.control->event_bytes, is_wanted ? BH_PACKET_BYTES : 0,
			 __ATOMIC_RELAXED);
}
