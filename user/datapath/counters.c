/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bulkhead.skel.h"
#include "datapath/internal.h"
#include "util/mem.h"

#define CHUNK_BYTES (1024 * 1024) /* of values in one batch */

/* Every counter is made of these. */
typedef uint64_t word;

static void number_keys(uint32_t *keys, uint32_t first, size_t count)
{
	for (size_t i = 0; i < count; i++)
		keys[i] = first + (uint32_t)i;
}

static int read_singly(const struct bpf_map *map, const uint32_t *keys, size_t count, char *values,
		       size_t size)
{
	int err = 0;

	for (size_t i = 0; !err && i < count; i++)
		err = bpf_map_lookup_elem(bpf_map__fd(map), &keys[i], values + i * size);
	return err;
}

/*
 * The values of @count keys that follow each other, @size bytes each.  Kernels before 5.13 have no
 * batches of per-CPU arrays.
 */
static int read_values(const struct bpf_map *map, const uint32_t *keys, size_t count, char *values,
		       size_t size)
{
	_free_ uint32_t *read = xcalloc(count, sizeof(*read));
	__u32 before = keys[0] - 1, last, done = (__u32)count;
	int err = bpf_map_lookup_batch(bpf_map__fd(map), keys[0] ? &before : NULL, &last, read,
				       values, &done, NULL);

	if ((!err || err == -ENOENT) && done == count && !memcmp(read, keys, count * sizeof(*keys)))
		return 0;
	return read_singly(map, keys, count, values, size);
}

/* What the CPUs have of one key, @words each. */
static void sum_cpus(const struct datapath *dp, const word *values, word *ret, size_t words)
{
	memset(ret, 0, words * sizeof(word));
	for (int cpu = 0; cpu < dp->cpus; cpu++) {
		for (size_t i = 0; i < words; i++)
			ret[i] += *values++;
	}
}

/* Keys first..first+count-1, each summed over the CPUs, into the array @ret of the map's values. */
static int read_sums(struct datapath *dp, const struct bpf_map *map, uint32_t first, size_t count,
		     void *ret)
{
	size_t words = bpf_map__value_size(map) / sizeof(word);
	size_t size = (size_t)dp->cpus * bpf_map__value_size(map);
	size_t chunk = size < CHUNK_BYTES ? CHUNK_BYTES / size : 1;
	_free_ word *values = NULL;
	_free_ uint32_t *keys = NULL;
	word *sums = ret;
	int err = 0;

	if (chunk > count)
		chunk = count;
	values = xcalloc(chunk + 1, size);
	keys = xcalloc(chunk + 1, sizeof(*keys));
	for (size_t at = 0; !err && at < count; at += chunk) {
		size_t n = count - at < chunk ? count - at : chunk;

		number_keys(keys, first + (uint32_t)at, n);
		err = read_values(map, keys, n, (char *)values, size);
		for (size_t i = 0; !err && i < n; i++)
			sum_cpus(dp, values + i * size / sizeof(word), sums + (at + i) * words,
				 words);
	}
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

int datapath_read_flow_books(struct datapath *dp, struct bh_flow_books *ret)
{
	return read_sums(dp, dp->skel->maps.bh_flow_books, 0, 1, ret);
}

int datapath_read_books(struct datapath *dp, struct bh_books ret[static BH_VERDICT_COUNT])
{
	return read_sums(dp, dp->skel->maps.bh_books, 0, BH_VERDICT_COUNT, ret);
}

int datapath_read_endpoint(struct datapath *dp, uint16_t id, struct bh_endpoint_count *ret)
{
	return read_sums(dp, dp->skel->maps.bh_ep_counts, id, 1, ret);
}

int datapath_read_endpoints(struct datapath *dp, size_t count, struct bh_endpoint_count *ret)
{
	if (count > bpf_map__max_entries(dp->skel->maps.bh_ep_counts))
		return -EINVAL;
	return read_sums(dp, dp->skel->maps.bh_ep_counts, 0, count, ret);
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
	uint32_t chunk = size < CHUNK_BYTES ? (uint32_t)(CHUNK_BYTES / size) : 1;
	_free_ void *zeroes = xcalloc(chunk, size);
	_free_ uint32_t *keys = xcalloc(chunk, sizeof(*keys));
	int err = 0;

	for (uint32_t at = 0; !err && at < count; at += chunk) {
		uint32_t n = count - at < chunk ? count - at : chunk;
		const struct entries entries = {keys, sizeof(*keys), zeroes, size, n};

		number_keys(keys, first + at, n);
		err = entries_put(bpf_map__fd(map), &entries);
	}
	return err;
}

int counters_clear_rules(struct datapath *dp, uint32_t slot, uint32_t first, uint32_t count)
{
	uint32_t half = dp->tables.rule_entries / 2;

	if (first > half)
		first = half;
	if (count > half - first)
		count = half - first;
	return clear(dp, dp->skel->maps.bh_rule_counts, slot * half + first, count);
}

int counters_clear_endpoint(struct datapath *dp, uint16_t id)
{
	return clear(dp, dp->skel->maps.bh_ep_counts, id, 1);
}
