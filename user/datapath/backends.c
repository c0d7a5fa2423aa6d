/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bulkhead.skel.h"
#include "datapath/entries.h"
#include "datapath/internal.h"
#include "datapath/netfilter.h"
#include "util/address.h"
#include "util/mem.h"

typedef VEC(struct bh_addr) addresses;

static int backends_fd(const struct datapath *dp)
{
	return bpf_map__fd(dp->skel->maps.bh_backends);
}

/* --- who is behind what --- */

static int compare_places(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct backend_place));
}

static void add_places(const struct bh_front *front, const struct bh_backends *backends,
		       backend_places *out)
{
	for (uint32_t i = 0; i < backends->count && i < BH_BACKENDS_MAX; i++)
		vec_push(out, ((struct backend_place){backends->of[i].addr, front->addr}));
}

static void take_places(struct datapath *dp, backend_places *places)
{
	if (places->count)
		qsort(places->items, places->count, sizeof(*places->items), compare_places);
	vec_release(&dp->backend_places);
	dp->backend_places = *places;
}

const struct backend_place *backends_find(const struct datapath *dp, const struct bh_addr *a,
					  size_t *ret_count)
{
	const backend_places *places = &dp->backend_places;
	size_t low = 0, high = places->count, end;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (memcmp(&places->items[middle].backend, a, sizeof(*a)) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (end = low; end < places->count; end++) {
		if (memcmp(&places->items[end].backend, a, sizeof(*a)) != 0)
			break;
	}
	*ret_count = end - low;
	return places->items + low;
}

/* --- what programs read --- */

static bool is_as_wanted(const struct datapath *dp, const struct front_backends *wanted)
{
	struct bh_backends there;

	return !bpf_map_lookup_elem(backends_fd(dp), &wanted->front, &there) &&
	       !memcmp(&there, &wanted->backends, sizeof(there));
}

static bool is_decidable(const struct front_backends *f)
{
	return f->backends.count && f->backends.count <= BH_BACKENDS_MAX;
}

static int enter_backends(const struct datapath *dp, const struct front_backends *list,
			  size_t count, addresses *changed)
{
	int err = 0;

	for (size_t i = 0; !err && i < count; i++) {
		if (!is_decidable(&list[i]) || is_as_wanted(dp, &list[i]))
			continue;
		vec_push(changed, list[i].front.addr);
		err = bpf_map_update_elem(backends_fd(dp), &list[i].front, &list[i].backends,
					  BPF_ANY);
	}
	return err;
}

static int compare_key(const void *key, const void *item)
{
	return memcmp(key, &((const struct front_backends *)item)->front, sizeof(struct bh_front));
}

static int drop_backends(const struct datapath *dp, const struct front_backends *list, size_t count,
			 addresses *changed)
{
	_keys_ struct keys keys = {};
	int err = keys_read(backends_fd(dp), sizeof(struct bh_front), &keys);

	for (size_t i = 0; !err && i < keys.count; i++) {
		const struct bh_front *key = KEY_AT(&keys, i);
		const struct front_backends *wanted = NULL;

		if (count)
			wanted = bsearch(key, list, count, sizeof(*list), compare_key);
		if (wanted && is_decidable(wanted))
			continue;
		vec_push(changed, key->addr);
		err = bpf_map_delete_elem(backends_fd(dp), key);
	}
	return err;
}

static int check_room(const struct datapath *dp, size_t count, struct text *reterr)
{
	uint32_t room = bpf_map__max_entries(dp->skel->maps.bh_backends);

	if (count <= room)
		return 0;
	text_addf(reterr, "%zu addresses of Services are more than %u", count, room);
	return -E2BIG;
}

/* Programs know one front for every address of this machine, whichever the family. */
static int enter_fronts(struct datapath *dp, const struct front_backends *list, size_t count)
{
	_free_ struct bh_front *fronts = xcalloc(count + 1, sizeof(*fronts));
	int err;

	for (size_t i = 0; i < count; i++) {
		fronts[i] = list[i].front;
		if (addr_is_any(&fronts[i].addr))
			fronts[i].addr = (struct bh_addr){};
	}
	count = fronts_sort(fronts, count);
	err = fronts_enter(dp, fronts, count, BH_FRONT_BACKENDS);
	if (err >= 0)
		dp->fronts = count;
	return err;
}

/* Connections to all addresses of this machine are of no single one. */
static void raise_changed(struct datapath *dp, const addresses *changed)
{
	vec_foreach (a, changed) {
		if (addr_is_any(a)) {
			slots_raise(dp);
			return;
		}
	}
	slots_raise_for(dp, changed->items, changed->count);
}

/* What passed to be decided behind is decided again before nobody does that any more. */
static void leave(struct datapath *dp)
{
	if (!dp->is_leaving)
		return;
	slots_raise(dp);
	if (slots_wait(dp))
		return;
	netfilter_remove(&dp->pins);
	dp->is_leaving = false;
}

int datapath_set_backends(struct datapath *dp, const struct front_backends *list, size_t count,
			  struct text *reterr)
{
	addresses changed = {};
	backend_places places = {};
	int err = 0, gone = 0;

	if (datapath_asks_backends(dp))
		err = check_room(dp, count, reterr);
	if (err || !datapath_asks_backends(dp))
		return err;
	for (size_t i = 0; i < count; i++) {
		if (is_decidable(&list[i]))
			add_places(&list[i].front, &list[i].backends, &places);
	}
	take_places(dp, &places);
	err = enter_backends(dp, list, count, &changed);
	if (!err)
		err = gone = enter_fronts(dp, list, count);
	if (err >= 0)
		err = drop_backends(dp, list, count, &changed);
	if (!err)
		fronts_set_builtin(dp, count > 0);
	if (gone)
		slots_raise(dp);
	else
		raise_changed(dp, &changed);
	if (!err)
		leave(dp);
	vec_release(&changed);
	return err ? explain_error(reterr, err, "cannot enter the backends of Services") : 0;
}

/* --- what an earlier start left --- */

void backends_clear(struct datapath *dp)
{
	addresses changed = {};

	drop_backends(dp, NULL, 0, &changed);
	vec_release(&changed);
}

static int recall_places(struct datapath *dp)
{
	_keys_ struct keys keys = {};
	backend_places places = {};
	int err = keys_read(backends_fd(dp), sizeof(struct bh_front), &keys);

	for (size_t i = 0; !err && i < keys.count; i++) {
		struct bh_backends there;

		err = bpf_map_lookup_elem(backends_fd(dp), KEY_AT(&keys, i), &there);
		if (!err)
			add_places(KEY_AT(&keys, i), &there, &places);
	}
	take_places(dp, &places);
	return err;
}

/* What passed to be decided behind would be decided nowhere. */
static int drop_others(const struct datapath *dp, size_t *ret_left)
{
	int fd = bpf_map__fd(dp->skel->maps.bh_fronts);
	_keys_ struct keys keys = {};
	int err = keys_read(fd, sizeof(struct bh_front), &keys);
	size_t left = 0;

	for (size_t i = 0; !err && i < keys.count; i++) {
		uint32_t kind;

		err = bpf_map_lookup_elem(fd, KEY_AT(&keys, i), &kind);
		if (!err && kind == BH_FRONT_BACKENDS)
			left++;
		else if (!err)
			err = bpf_map_delete_elem(fd, KEY_AT(&keys, i));
	}
	*ret_left = left;
	return err;
}

static int count_all(const struct datapath *dp, size_t *ret)
{
	_keys_ struct keys keys = {};
	int err = keys_read(bpf_map__fd(dp->skel->maps.bh_fronts), sizeof(struct bh_front), &keys);

	*ret = keys.count;
	return err;
}

int backends_begin(struct datapath *dp)
{
	int err;

	dp->is_leaving = netfilter_is_attached(&dp->pins);
	err = dp->is_leaving ? count_all(dp, &dp->fronts) : drop_others(dp, &dp->fronts);
	if (!err)
		err = recall_places(dp);
	fronts_set_builtin(dp, !err && dp->fronts > 0);
	return err;
}
