/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bulkhead.skel.h"
#include "datapath/internal.h"
#include "util/mem.h"

#define CLEAR_BYTES (1024 * 1024) /* of zeroes in one batch */

/* Every counter is made of these. */
typedef uint64_t word;

/* Sums @words counters of one key over the CPUs; @scratch holds them all. */
static int read_sum(struct datapath *dp, const struct bpf_map *map, uint32_t key, word *scratch,
		    word *ret)
{
	size_t words = bpf_map__value_size(map) / sizeof(word);
	int err = bpf_map_lookup_elem(bpf_map__fd(map), &key, scratch);

	if (err)
		return err;
	memset(ret, 0, words * sizeof(word));
	for (size_t i = 0; i < (size_t)dp->cpus * words; i++)
		ret[i % words] += scratch[i];
	return 0;
}

/* Keys first..first+count-1 into the array @ret of the map's values. */
static int read_sums(struct datapath *dp, const struct bpf_map *map, uint32_t first, size_t count,
		     void *ret)
{
	size_t size = bpf_map__value_size(map);
	_free_ word *scratch = xcalloc((size_t)dp->cpus, size);
	int err = 0;

	for (size_t i = 0; !err && i < count; i++)
		err = read_sum(dp, map, first + (uint32_t)i, scratch,
			       (word *)((char *)ret + i * size));
	return err;
}

int datapath_read_drops(struct datapath *dp, struct bh_count ret[static BH_REASON_COUNT])
{
	return read_sums(dp, dp->skel->maps.bh_drops, 0, BH_REASON_COUNT, ret);
}

int datapath_read_rejects(struct datapath *dp, struct bh_rejects *ret)
{
	return read_sums(dp, dp->skel->maps.bh_rejects, 0, 1, ret);
}

int datapath_read_books(struct datapath *dp, struct bh_books ret[static BH_VERDICT_COUNT])
{
	return read_sums(dp, dp->skel->maps.bh_books, 0, BH_VERDICT_COUNT, ret);
}

int datapath_read_endpoint(struct datapath *dp, uint16_t id, struct bh_endpoint_count *ret)
{
	return read_sums(dp, dp->skel->maps.bh_ep_counts, id, 1, ret);
}

int datapath_read_rules(struct datapath *dp, uint32_t slot, size_t count, struct bh_count *ret)
{
	uint32_t half = dp->tables.rule_entries / 2;

	if (slot >= BH_SLOTS || count > half)
		return -EINVAL;
	return read_sums(dp, dp->skel->maps.bh_rule_counts, slot * half, count, ret);
}

static int clear(struct datapath *dp, const struct bpf_map *map, uint32_t first, uint32_t count)
{
	size_t size = (size_t)dp->cpus * bpf_map__value_size(map);
	uint32_t chunk = size < CLEAR_BYTES ? (uint32_t)(CLEAR_BYTES / size) : 1;
	_free_ void *zeroes = xcalloc(chunk, size);
	_free_ uint32_t *keys = xcalloc(chunk, sizeof(*keys));
	int err = 0;

	for (uint32_t at = 0; !err && at < count; at += chunk) {
		uint32_t n = count - at < chunk ? count - at : chunk;
		const struct entries entries = {keys, sizeof(*keys), zeroes, size, n};

		for (uint32_t i = 0; i < n; i++)
			keys[i] = first + at + i;
		err = entries_put(bpf_map__fd(map), &entries);
	}
	return err;
}

int counters_clear_rules(struct datapath *dp, uint32_t slot, uint32_t count)
{
	uint32_t half = dp->tables.rule_entries / 2;

	if (count > half)
		count = half;
	return clear(dp, dp->skel->maps.bh_rule_counts, slot * half, count);
}

int counters_clear_endpoint(struct datapath *dp, uint16_t id)
{
	return clear(dp, dp->skel->maps.bh_ep_counts, id, 1);
}
