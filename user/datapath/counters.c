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

int counters_read(struct datapath *dp, const struct bpf_map *map, uint32_t first, size_t count,
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

/* --- accounts --- */

size_t datapath_cpus(const struct datapath *dp)
{
	return (size_t)dp->cpus;
}

int datapath_read_accounts(struct datapath *dp, struct accounts *ret_sum, struct accounts *ret_cpus)
{
	const size_t words = sizeof(struct bh_account) / sizeof(word);
	_free_ struct bh_account *values = xcalloc((size_t)dp->cpus * BH_ACCOUNTS, sizeof(*values));
	uint32_t keys[BH_ACCOUNTS];
	int err;

	number_keys(keys, 0, BH_ACCOUNTS);
	err = read_values(dp->skel->maps.bh_books, keys, BH_ACCOUNTS, (char *)values,
			  (size_t)dp->cpus * sizeof(*values));
	for (size_t i = 0; !err && i < BH_ACCOUNTS; i++) {
		const struct bh_account *cpus = values + i * (size_t)dp->cpus;

		sum_cpus(dp, (const word *)cpus, (word *)&ret_sum->of[i], words);
		for (int cpu = 0; ret_cpus && cpu < dp->cpus; cpu++)
			ret_cpus[cpu].of[i] = cpus[cpu];
	}
	return err;
}

struct books books_of_tally(const struct bh_tally *tally)
{
	return (struct books){
		.produced = tally->delivered + tally->suppressed + tally->lost,
		.delivered = tally->delivered,
		.suppressed = tally->suppressed,
		.lost = tally->lost,
	};
}

void tally_add(struct bh_tally *sum, const struct bh_tally *tally)
{
	sum->delivered += tally->delivered;
	sum->suppressed += tally->suppressed;
	sum->lost += tally->lost;
}

struct books accounts_of_verdict(const struct accounts *accounts, enum bh_verdict verdict)
{
	struct bh_tally sum = {};

	for (unsigned int r = 0; r < BH_REASON_COUNT; r++)
		tally_add(&sum, &accounts->of[BH_ACCOUNT_AT(verdict, r)].events);
	return books_of_tally(&sum);
}

/* All packets of @reason that were dropped. */
static struct bh_account drops_of(const struct accounts *accounts, unsigned int reason)
{
	struct bh_account sum = {};

	for (unsigned int v = 0; v < BH_VERDICT_COUNT; v++) {
		const struct bh_account *account = &accounts->of[BH_ACCOUNT_AT(v, reason)];

		if (BH_VERDICT_PASSES(v))
			continue;
		tally_add(&sum.events, &account->events);
		sum.bytes += account->bytes;
	}
	return sum;
}

struct books accounts_of_reason(const struct accounts *accounts, enum bh_reason reason)
{
	const struct bh_account drops = drops_of(accounts, reason);

	return books_of_tally(&drops.events);
}

struct books accounts_of_drops(const struct accounts *accounts)
{
	struct bh_tally sum = {};

	for (unsigned int r = 0; r < BH_REASON_COUNT; r++) {
		const struct bh_account drops = drops_of(accounts, r);

		tally_add(&sum, &drops.events);
	}
	return books_of_tally(&sum);
}

struct bh_count accounts_drops(const struct accounts *accounts, enum bh_reason reason)
{
	const struct bh_account drops = drops_of(accounts, reason);

	return (struct bh_count){books_of_tally(&drops.events).produced, drops.bytes};
}

int datapath_read_drops(struct datapath *dp, struct bh_count ret[static BH_REASON_COUNT])
{
	struct accounts accounts;
	int err = datapath_read_accounts(dp, &accounts, NULL);

	for (unsigned int r = 0; !err && r < BH_REASON_COUNT; r++)
		ret[r] = accounts_drops(&accounts, r);
	return err;
}

int datapath_read_books(struct datapath *dp, struct books ret[static BH_VERDICT_COUNT])
{
	struct accounts accounts;
	int err = datapath_read_accounts(dp, &accounts, NULL);

	for (unsigned int v = 0; !err && v < BH_VERDICT_COUNT; v++)
		ret[v] = accounts_of_verdict(&accounts, v);
	return err;
}

/* --- the other counters --- */

int datapath_read_rejects(struct datapath *dp, struct bh_rejects *ret)
{
	return counters_read(dp, dp->skel->maps.bh_rejects, 0, 1, ret);
}

int datapath_read_flow_books(struct datapath *dp, struct bh_flow_books *ret)
{
	return counters_read(dp, dp->skel->maps.bh_flow_books, 0, 1, ret);
}

int datapath_read_endpoint(struct datapath *dp, uint16_t id, struct bh_endpoint_count *ret)
{
	return counters_read(dp, dp->skel->maps.bh_ep_counts, id, 1, ret);
}

int datapath_read_endpoints(struct datapath *dp, size_t count, struct bh_endpoint_count *ret)
{
	if (count > bpf_map__max_entries(dp->skel->maps.bh_ep_counts))
		return -EINVAL;
	return counters_read(dp, dp->skel->maps.bh_ep_counts, 0, count, ret);
}

int counters_clear(struct datapath *dp, const struct bpf_map *map, uint32_t first, uint32_t count)
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

int counters_clear_endpoint(struct datapath *dp, uint16_t id)
{
	return counters_clear(dp, dp->skel->maps.bh_ep_counts, id, 1);
}
