/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <bpf/libbpf.h>

#include "bulkhead.skel.h"
#include "datapath/internal.h"

/* A record of another size is none of ours. */
static int on_record(void *user, void *data, size_t size)
{
	struct datapath *dp = user;

	if (size >= sizeof(struct bh_event_packet))
		dp->event(data, data, dp->event_user);
	else if (size >= sizeof(struct bh_event))
		dp->event(data, NULL, dp->event_user);
	return ++dp->event_count < DATAPATH_EVENTS_AT_ONCE ? 0 : -EAGAIN;
}

int datapath_events_open(struct datapath *dp, event_fn *fn, void *user)
{
	int fd = bpf_map__fd(dp->skel->maps.bh_events);

	datapath_events_close(dp);
	dp->event = fn;
	dp->event_user = user;
	dp->ring = ring_buffer__new(fd, on_record, dp, NULL);
	return dp->ring ? 0 : -errno;
}

void datapath_events_close(struct datapath *dp)
{
	ring_buffer__free(dp->ring);
	dp->ring = NULL;
}

int datapath_events_fd(const struct datapath *dp)
{
	return dp->ring ? ring_buffer__epoll_fd(dp->ring) : -EBADF;
}

int datapath_events_consume(struct datapath *dp)
{
	int err;

	if (!dp->ring)
		return -EBADF;
	dp->event_count = 0;
	err = ring_buffer__consume(dp->ring);
	return err < 0 && err != -EAGAIN ? err : dp->event_count;
}

void datapath_events_sleep(struct datapath *dp)
{
	__atomic_store_n(&dp->tables.control->event_sleep, 1, __ATOMIC_SEQ_CST);
}

void datapath_events_want_packets(struct datapath *dp, bool is_wanted)
{
	__atomic_store_n(&dp->tables.control->event_bytes, is_wanted ? BH_PACKET_BYTES : 0,
			 __ATOMIC_RELAXED);
}
