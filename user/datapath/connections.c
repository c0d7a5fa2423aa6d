/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bulkhead.skel.h"
#include "datapath/info.h"
#include "datapath/internal.h"
#include "util/clock.h"
#include "util/mem.h"

#define READ_TRIES      3
#define FORMER_PARTS_NS (60 * UINT64_C(1000000000))

static const __u32 zero;

static uint32_t lines_of(const struct datapath *dp)
{
	return bpf_map__max_entries(dp->skel->maps.bh_conns);
}

/* Those in which connections settle. */
static uint32_t settled_lines_of(const struct datapath *dp)
{
	return dp->skel->rodata->bh_conn_mask + 1;
}

static size_t size_of(const struct bpf_map *map)
{
	return (size_t)bpf_map__max_entries(map) * bpf_map__value_size(map);
}

/* MAP_FAILED and errno. */
static void *share(const struct bpf_map *map, int protection)
{
	return mmap(NULL, size_of(map), protection, MAP_SHARED, bpf_map__fd(map), 0);
}

/* --- setting up --- */

static uint32_t greatest_power_of_two(uint32_t limit)
{
	return 1u << (31 - __builtin_clz(limit | 1));
}

/* As many as a pinned table has, else as was asked for. */
static uint32_t conn_lines(const struct datapath *dp, const struct datapath_config *config)
{
	_close_ int fd = pins_get(&dp->pins, PIN_MAP, "bh_conns");
	struct bpf_map_info info;
	uint32_t lines;

	if (!map_info(fd, &info) && info.type == BPF_MAP_TYPE_ARRAY) {
		lines = greatest_power_of_two(info.max_entries);
		if (lines >= BH_CONN_GROUP_LINES && info.max_entries == BH_CONN_ALL_OF(lines))
			return lines;
	}
	return config->conn_lines ? config->conn_lines : BH_CONN_LINES;
}

int connections_size(struct datapath *dp, const struct datapath_config *config)
{
	uint32_t settled = conn_lines(dp, config), all = BH_CONN_ALL_OF(settled);
	const struct {
		struct bpf_map *map;
		uint32_t entries;
	} wants[] = {
		{dp->skel->maps.bh_conns, all},
		{dp->skel->maps.bh_conn_rests, all},
		{dp->skel->maps.bh_conn_tags, all / BH_CONN_WAYS},
		{dp->skel->maps.bh_conn_locks, all / BH_CONN_GROUP_LINES + 1},
		{dp->skel->maps.bh_embryonic, (all - settled) / BH_CONN_WAYS},
	};
	int err = 0;

	dp->skel->rodata->bh_conn_mask = settled - 1;
	for (size_t i = 0; !err && i < COUNT(wants); i++)
		err = bpf_map__set_max_entries(wants[i].map, wants[i].entries);
	return err;
}

static int read_setup(const struct datapath *dp, struct bh_conn_setup *ret)
{
	return bpf_map_lookup_elem(bpf_map__fd(dp->skel->maps.bh_conn_setup), &zero, ret);
}

static int write_setup(const struct datapath *dp, const struct bh_conn_setup *setup)
{
	return bpf_map_update_elem(bpf_map__fd(dp->skel->maps.bh_conn_setup), &zero, setup,
				   BPF_ANY);
}

/* The highest id of an endpoint, and one: so many shares there are. */
static int count_shares(const struct datapath *dp, uint32_t *ret)
{
	int fd = bpf_map__fd(dp->skel->maps.bh_endpoints), err;
	_keys_ struct keys keys = {};

	*ret = 1;
	err = keys_read(fd, sizeof(__u32), &keys);
	for (size_t i = 0; !err && i < keys.count; i++) {
		struct bh_endpoint endpoint;

		if (!bpf_map_lookup_elem(fd, KEY_AT(&keys, i), &endpoint) && endpoint.id >= *ret)
			*ret = endpoint.id + 1u;
	}
	return err;
}

/*
 * Buckets of each endpoint.  What is entered when the parts are others is looked for in two places
 * for a while, so parts change when the shares have doubled, or are a quarter.
 */
static uint32_t embryonic_each(const struct datapath *dp, uint32_t shares, uint32_t present)
{
	uint32_t parts = greatest_power_of_two(2 * shares - 1);
	uint32_t each = bpf_map__max_entries(dp->skel->maps.bh_embryonic) / parts;

	if (!each)
		each = 1;
	return each == 2 * present ? present : each;
}

/* Nobody is looked for elsewhere where nobody is. */
static bool has_embryonic(const struct datapath *dp)
{
	const struct bpf_map *map = dp->skel->maps.bh_conn_tags;
	const struct bh_conn_tags *tags = share(map, PROT_READ);
	uint32_t first = settled_lines_of(dp) / BH_CONN_WAYS, all = bpf_map__max_entries(map);
	bool is_any = tags == MAP_FAILED;

	for (uint32_t i = first; !is_any && i < all; i++) {
		for (int way = 0; way < BH_CONN_WAYS; way++)
			is_any |= tags[i].tag[way] != 0;
	}
	if (tags != MAP_FAILED)
		munmap((void *)(uintptr_t)tags, size_of(map));
	return is_any;
}

/*
 * Half of the settled ones is divided equally, and belongs to each endpoint whatever others do.
 * Whoever wants more may have it as long as what the others may claim stays free.
 */
static int divide(struct datapath *dp, uint32_t shares)
{
	uint32_t settled = settled_lines_of(dp) / 16 * BH_CONN_SETTLED_PARTS, before;
	struct bh_conn_setup setup;
	int err = read_setup(dp, &setup);

	if (err)
		return err;
	before = setup.embryonic_each;
	setup.settled_each = settled / shares / 2;
	setup.settled_shared = settled - (shares - 1) * setup.settled_each;
	setup.embryonic_each = embryonic_each(dp, shares, before);
	if (setup.embryonic_each != before) {
		setup.embryonic_before = has_embryonic(dp) ? before : setup.embryonic_each;
		dp->parts_changed_ns = clock_monotonic_ns();
	}
	setup.fragments_each = bpf_map__max_entries(dp->skel->maps.bh_fragments) / shares;
	err = write_setup(dp, &setup);
	if (!err)
		dp->shares = shares;
	return err;
}

int connections_share(struct datapath *dp)
{
	uint32_t shares;
	int err = count_shares(dp, &shares);

	return err ? err : divide(dp, shares);
}

int connections_join(struct datapath *dp, uint16_t id)
{
	return id < dp->shares ? 0 : divide(dp, id + 1u);
}

int connections_leave(struct datapath *dp, uint16_t id)
{
	return id + 1u < dp->shares ? 0 : connections_share(dp);
}

/* The secrets of a table stay as long as what was entered by them. */
int connections_set_up(struct datapath *dp, bool is_fresh)
{
	struct bh_conn_secret *secret = &dp->tables.control->secret;

	if (is_fresh && getrandom(secret, sizeof(*secret), 0) != sizeof(*secret))
		return -EIO;
	if (is_fresh) {
		secret->factor |= 1;
		secret->v4 = bh_conn_hash_v4(secret->key);
	}
	dp->parts_changed_ns = clock_monotonic_ns();
	return connections_share(dp);
}

/* --- reading --- */

static void put_together(const struct bh_conn *line, const struct bh_conn_rest *rest,
			 struct connection *ret)
{
	*ret = (struct connection){.line = *line, .created = rest->created};
	bh_conn_key_of(line, rest, &ret->key);
	for (int i = 0; i < 2; i++) {
		ret->packets[i] = bh_conn_packets(line, rest, i);
		ret->bytes[i] = bh_conn_bytes(line, rest, i);
	}
}

/* False if the line is free, or does not keep still. */
static bool read_line(const struct bh_conn *line, const struct bh_conn_rest *rest,
		      struct connection *ret)
{
	for (int i = 0; i < READ_TRIES; i++) {
		uint32_t stamp = __atomic_load_n(&line->stamp, __ATOMIC_ACQUIRE);

		put_together(line, rest, ret);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (stamp == __atomic_load_n(&line->stamp, __ATOMIC_RELAXED) && !(stamp & 1))
			return ret->key.ip_version;
	}
	return false;
}

static void each_line(uint32_t count, const struct bh_conn *lines, const struct bh_conn_rest *rests,
		      connection_fn *fn, void *user)
{
	struct connection conn;

	for (uint32_t i = 0; i < count; i++) {
		if (lines[i].ip_version && read_line(&lines[i], &rests[i], &conn) &&
		    !fn(&conn, user))
			return;
	}
}

int datapath_each_connection(struct datapath *dp, connection_fn *fn, void *user)
{
	const struct bpf_map *near = dp->skel->maps.bh_conns, *far = dp->skel->maps.bh_conn_rests;
	void *lines = share(near, PROT_READ), *rests;
	int err = 0;

	if (lines == MAP_FAILED)
		return -errno;
	rests = share(far, PROT_READ);
	if (rests == MAP_FAILED) {
		err = -errno;
	} else {
		each_line(lines_of(dp), lines, rests, fn, user);
		munmap(rests, size_of(far));
	}
	munmap(lines, size_of(near));
	return err;
}

uint32_t datapath_timeout_s(const struct connection *conn)
{
	static const uint32_t seconds[BH_TIMEOUT_COUNT] = {
#define X(id, seconds) [BH_TIMEOUT_##id] = (seconds),
		BH_TIMEOUTS(X)
#undef X
	};
	uint8_t timeout = conn->line.timeout;

	return timeout < BH_TIMEOUT_COUNT ? seconds[timeout] : 0;
}

/* --- sweeping --- */

/* By then whoever has not been answered has given up. */
static int forget_former_parts(const struct datapath *dp, uint64_t now_ns)
{
	struct bh_conn_setup setup;
	int err = read_setup(dp, &setup);

	if (err || setup.embryonic_before == setup.embryonic_each ||
	    now_ns < dp->parts_changed_ns + FORMER_PARTS_NS)
		return err;
	setup.embryonic_before = setup.embryonic_each;
	return write_setup(dp, &setup);
}

int datapath_sweep(struct datapath *dp, uint64_t now_ns)
{
	uint32_t runs = lines_of(dp) / BH_SWEEP_LINES;
	uint32_t buckets = bpf_map__max_entries(dp->skel->maps.bh_fragments);
	int fd = bpf_map__fd(dp->skel->maps.bh_sweep), err;
	struct bh_sweep sweep = {.now_ns = now_ns};

	err = bpf_map_update_elem(fd, &zero, &sweep, BPF_ANY);
	if (!err)
		err = program_run_alone(dp->skel->progs.bh_sweep_lines,
					runs > buckets ? runs : buckets);
	if (!err)
		err = bpf_map_lookup_elem(fd, &zero, &sweep);
	if (!err)
		err = forget_former_parts(dp, now_ns);
	if (err)
		return err;
	dp->settled = sweep.settled;
	dp->embryonic = sweep.embryonic;
	dp->fragments = sweep.fragments;
	return (int)sweep.expired;
}

/* --- forgetting --- */

static int zero_shared(const struct bpf_map *map)
{
	void *bytes = share(map, PROT_READ | PROT_WRITE);

	if (bytes == MAP_FAILED)
		return -errno;
	memset(bytes, 0, size_of(map));
	munmap(bytes, size_of(map));
	return 0;
}

static int zero_values(const struct bpf_map *map)
{
	return entries_zero(bpf_map__fd(map), bpf_map__max_entries(map), bpf_map__value_size(map));
}

int connections_forget(const struct datapath *dp)
{
	int err = zero_shared(dp->skel->maps.bh_conns);

	if (!err)
		err = zero_shared(dp->skel->maps.bh_conn_rests);
	if (!err)
		err = zero_shared(dp->skel->maps.bh_conn_tags);
	if (!err)
		err = zero_values(dp->skel->maps.bh_embryonic);
	if (!err)
		err = zero_values(dp->skel->maps.bh_shares);
	if (!err)
		err = zero_values(dp->skel->maps.bh_room);
	if (!err)
		err = zero_values(dp->skel->maps.bh_flow_told);
	return err;
}
