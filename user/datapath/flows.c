/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <string.h>
#include <sys/mman.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bulkhead.skel.h"
#include "datapath/internal.h"
#include "util/mem.h"

#define RECORDS_AT_ONCE 512

/*
 * The ring as the kernel shows it: the reader's page, the writers' page, then the records, twice in
 * a row, so that none is in two parts.  libbpf's reader says of every record that it was read; this
 * one says so when a batch is in its file.
 */
struct flow_ring {
	int fd;
	size_t page;
	uint64_t size;
	uint64_t *read_at;          /* where the reader is */
	const uint64_t *written_at; /* where the writers are */
	const char *records;
	uint64_t next; /* where it will be: past what was shown */
};

int flows_size(struct datapath *dp, const struct datapath_config *config)
{
	uint32_t lines = dp->skel->rodata->bh_conn_mask + 1;
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

static void *map_pages(const struct flow_ring *ring, size_t size, int protection, size_t offset)
{
	void *bytes = mmap(NULL, size, protection, MAP_SHARED, ring->fd, (off_t)offset);

	return bytes == MAP_FAILED ? NULL : bytes;
}

int datapath_flows_open(struct datapath *dp)
{
	struct flow_ring *ring = xcalloc(1, sizeof(*ring));
	int err;

	datapath_flows_close(dp);
	dp->flows = ring;
	ring->fd = bpf_map__fd(dp->skel->maps.bh_flows);
	ring->size = bpf_map__max_entries(dp->skel->maps.bh_flows);
	ring->page = (size_t)sysconf(_SC_PAGESIZE);
	ring->read_at = map_pages(ring, ring->page, PROT_READ | PROT_WRITE, 0);
	if (ring->read_at)
		ring->written_at = map_pages(ring, ring->page + 2 * ring->size, PROT_READ,
					     ring->page);
	if (!ring->read_at || !ring->written_at) {
		err = -errno;
		datapath_flows_close(dp);
		return err;
	}
	ring->records = (const char *)ring->written_at + ring->page;
	ring->next = *ring->read_at;
	return 0;
}

void datapath_flows_close(struct datapath *dp)
{
	struct flow_ring *ring = TAKE_PTR(dp->flows);

	if (!ring)
		return;
	if (ring->written_at)
		munmap((void *)ring->written_at, ring->page + 2 * ring->size);
	if (ring->read_at)
		munmap(ring->read_at, ring->page);
	free(ring);
}

int datapath_flows_fd(const struct datapath *dp)
{
	return dp->flows->fd;
}

uint64_t datapath_flows_position(const struct datapath *dp)
{
	return *dp->flows->read_at;
}

size_t datapath_flows_read(struct datapath *dp, flow_fn *fn, void *user)
{
	struct flow_ring *ring = dp->flows;
	uint64_t end = __atomic_load_n(ring->written_at, __ATOMIC_ACQUIRE), at = *ring->read_at;
	size_t count = 0;

	while (at < end && count < RECORDS_AT_ONCE) {
		const uint32_t *head = (const void *)(ring->records + (at & (ring->size - 1)));
		uint32_t word = __atomic_load_n(head, __ATOMIC_ACQUIRE);
		uint32_t len = word & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);

		if (word & BPF_RINGBUF_BUSY_BIT)
			break;
		if (!(word & BPF_RINGBUF_DISCARD_BIT) && len >= sizeof(struct bh_flow)) {
			fn((const void *)((const char *)head + BPF_RINGBUF_HDR_SZ), user);
			count++;
		}
		at += (len + BPF_RINGBUF_HDR_SZ + 7) & ~UINT64_C(7);
	}
	ring->next = at;
	if (!count)
		datapath_flows_done(dp);
	return count;
}

void datapath_flows_done(struct datapath *dp)
{
	__atomic_store_n(dp->flows->read_at, dp->flows->next, __ATOMIC_RELEASE);
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
