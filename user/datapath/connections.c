/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bulkhead.skel.h"
#include "datapath/internal.h"
#include "util/mem.h"

#define CONN_BATCH 1024
#define NS_PER_S   UINT64_C(1000000000)

struct conn_batch {
	struct bh_conn_key keys[CONN_BATCH];
	struct bh_conn conns[CONN_BATCH];
};

static bool visit(const struct conn_batch *batch, size_t count, connection_fn *fn, void *user)
{
	for (size_t i = 0; i < count; i++) {
		if (!fn(&batch->keys[i], &batch->conns[i], user))
			return false;
	}
	return true;
}

/* Programs go on writing meanwhile: an entry that moves may be seen twice, or not at all. */
static int each_in(int fd, connection_fn *fn, void *user, bool *go_on)
{
	_free_ struct conn_batch *batch = xmalloc(sizeof(*batch));
	bool is_first = true;
	__u32 place; /* of the bucket that is next */
	int err = 0;

	while (!err && *go_on) {
		__u32 count = CONN_BATCH;

		err = bpf_map_lookup_batch(fd, is_first ? NULL : &place, &place, batch->keys,
					   batch->conns, &count, NULL);
		if (err && err != -ENOENT)
			return err;
		*go_on = visit(batch, count, fn, user);
		is_first = false;
	}
	return 0;
}

int datapath_each_connection(struct datapath *dp, connection_fn *fn, void *user)
{
	bool go_on = true;
	int err = each_in(bpf_map__fd(dp->skel->maps.bh_conns), fn, user, &go_on);

	if (!err && go_on)
		err = each_in(bpf_map__fd(dp->skel->maps.bh_embryonic), fn, user, &go_on);
	return err;
}

struct sweep {
	int fd;
	uint64_t now_ns;
	uint64_t left;
	int deleted;
};

static bool is_expired(const struct bh_conn *conn, uint64_t now_ns)
{
	return conn->seen_ns + conn->timeout_s * NS_PER_S < now_ns;
}

/*
 * The entry may have begun a new life since it was read.  Between this second look and the delete
 * it may still do so; the worst is then that this connection's next packet is judged as one of no
 * known connection.
 */
static bool sweep_one(const struct bh_conn_key *key, const struct bh_conn *seen, void *user)
{
	struct sweep *sweep = user;
	struct bh_conn conn;

	if (is_expired(seen, sweep->now_ns) && !bpf_map_lookup_elem(sweep->fd, key, &conn) &&
	    is_expired(&conn, sweep->now_ns) && !bpf_map_delete_elem(sweep->fd, key))
		sweep->deleted++;
	else
		sweep->left++;
	return true;
}

int datapath_sweep(struct datapath *dp, uint64_t now_ns)
{
	const struct bpf_map *maps[] = {dp->skel->maps.bh_conns, dp->skel->maps.bh_embryonic};
	uint64_t *counts[] = {&dp->conns, &dp->embryonic};
	struct sweep sweep = {.now_ns = now_ns};
	bool go_on = true;

	for (size_t i = 0; i < COUNT(maps); i++) {
		int err;

		sweep.fd = bpf_map__fd(maps[i]);
		sweep.left = 0;
		err = each_in(sweep.fd, sweep_one, &sweep, &go_on);
		if (err)
			return err;
		*counts[i] = sweep.left;
	}
	return sweep.deleted;
}
