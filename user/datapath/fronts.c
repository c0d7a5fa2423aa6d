/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <inttypes.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bulkhead.skel.h"
#include "datapath/internal.h"
#include "datapath/loader.h"
#include "datapath/netfilter.h"
#include "translated.skel.h"
#include "util/mem.h"

#define FRONT_BIT (1u << BH_BUILTIN_FRONT)

static int fronts_fd(const struct datapath *dp)
{
	return bpf_map__fd(dp->skel->maps.bh_fronts);
}

static int owners_fd(const struct datapath *dp)
{
	return bpf_map__fd(dp->skel->maps.bh_owners);
}

/* --- the program --- */

static int configure(const struct datapath *dp, const struct translated_bpf *skel)
{
	skel->rodata->bh_event_rate = dp->skel->rodata->bh_event_rate;
	skel->rodata->bh_lane_each = dp->skel->rodata->bh_lane_each;
	skel->rodata->bh_flow_ticks = dp->skel->rodata->bh_flow_ticks;
	skel->rodata->bh_down_after_s = dp->skel->rodata->bh_down_after_s;
	skel->rodata->bh_conn_mask = dp->skel->rodata->bh_conn_mask;
	skel->rodata->bh_is_weakly_ordered = dp->skel->rodata->bh_is_weakly_ordered;
	bpf_program__set_type(skel->progs.bh_translated, PROGRAM_TYPE_NETFILTER);
	bpf_program__set_expected_attach_type(skel->progs.bh_translated, ATTACH_TYPE_NETFILTER);
	return loader_share(dp, skel->obj);
}

/* Kernels before 6.4 don't know the kind of program. */
static void load(struct datapath *dp)
{
	struct translated_bpf *skel = translated_bpf__open();
	int err = skel ? configure(dp, skel) : -errno;

	if (!err)
		err = translated_bpf__load(skel);
	if (!err) {
		dp->translated_fd = dup(bpf_program__fd(skel->progs.bh_translated));
		if (dp->translated_fd < 0)
			err = -errno;
	}
	if (err)
		explain_error(&dp->fronts_trouble, err,
			      "this kernel takes no program at netfilter's hooks (Linux 6.4), or "
			      "says nothing of its connection tracking");
	translated_bpf__destroy(skel);
}

/* --- the fronts --- */

static int compare_fronts(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct bh_front));
}

/* Removes all but the @count sorted ones. */
static int prune(const struct datapath *dp, const struct bh_front *wanted, size_t count,
		 size_t *ret_gone)
{
	_keys_ struct keys keys = {};
	int err = keys_read(fronts_fd(dp), sizeof(*wanted), &keys);
	size_t gone = 0;

	for (size_t i = 0; !err && i < keys.count; i++) {
		const void *key = KEY_AT(&keys, i);

		if (count && bsearch(key, wanted, count, sizeof(*wanted), compare_fronts))
			continue;
		err = bpf_map_delete_elem(fronts_fd(dp), key);
		gone++;
	}
	*ret_gone = gone;
	return err;
}

size_t fronts_sort(struct bh_front *fronts, size_t count)
{
	size_t kept = 0;

	qsort(fronts, count, sizeof(*fronts), compare_fronts);
	for (size_t i = 0; i < count; i++) {
		if (!kept || compare_fronts(&fronts[kept - 1], &fronts[i]) != 0)
			fronts[kept++] = fronts[i];
	}
	return kept;
}

static int put(const struct datapath *dp, const struct bh_front *fronts, size_t count,
	       enum bh_front_kind kind)
{
	_free_ uint32_t *values = xcalloc(count + 1, sizeof(*values));
	const struct entries entries = {fronts, sizeof(*fronts), values, sizeof(*values), count};

	for (size_t i = 0; i < count; i++)
		values[i] = kind;
	return entries_put(fronts_fd(dp), &entries);
}

int fronts_enter(const struct datapath *dp, const struct bh_front *sorted, size_t count,
		 enum bh_front_kind kind)
{
	size_t gone = 0;
	int err = put(dp, sorted, count, kind);

	if (!err)
		err = prune(dp, sorted, count, &gone);
	return err ? err : (int)gone;
}

void fronts_set_builtin(struct datapath *dp, bool is_on)
{
	dp->tables.control->builtins_off = is_on ? dp->builtins_off & ~FRONT_BIT
						 : dp->builtins_off | FRONT_BIT;
}

static bool is_wanted(const struct datapath *dp)
{
	return dp->translated_fd >= 0 && !(dp->builtins_off & FRONT_BIT);
}

bool datapath_asks_backends(const struct datapath *dp)
{
	return dp->has_fronts && dp->translated_fd < 0 && !(dp->builtins_off & FRONT_BIT);
}

static int attach(struct datapath *dp, struct text *reterr)
{
	int err = netfilter_attach(&dp->pins, dp->translated_fd);

	if (err)
		return explain_error(reterr, err, "cannot attach to netfilter's hooks");
	dp->is_translating = true;
	return 0;
}

/* Those that stay are never missing; the connections of the others end. */
int datapath_set_fronts(struct datapath *dp, const struct bh_front *fronts, size_t count,
			struct text *reterr)
{
	_free_ struct bh_front *sorted = xcalloc(count + 1, sizeof(*sorted));
	int err = 0;

	if (!is_wanted(dp))
		return 0;
	if (count > bpf_map__max_entries(dp->skel->maps.bh_fronts)) {
		text_addf(reterr, "%zu addresses of Services are more than %u", count,
			  bpf_map__max_entries(dp->skel->maps.bh_fronts));
		return -E2BIG;
	}
	if (count)
		memcpy(sorted, fronts, count * sizeof(*sorted));
	count = fronts_sort(sorted, count);
	if (count && !dp->is_translating)
		err = attach(dp, reterr);
	if (err)
		return err;
	err = fronts_enter(dp, sorted, count, BH_FRONT_BEHIND);
	if (err < 0)
		return explain_error(reterr, err, "cannot enter the addresses of Services");
	dp->fronts = count;
	fronts_set_builtin(dp, count > 0);
	if (err > 0)
		slots_raise(dp);
	return 0;
}

const char *datapath_fronts_trouble(const struct datapath *dp)
{
	return dp->fronts_trouble.len ? dp->fronts_trouble.buf : NULL;
}

size_t datapath_fronts(const struct datapath *dp, bool *ret_is_attached)
{
	*ret_is_attached = netfilter_is_attached(&dp->pins);
	return dp->fronts;
}

int datapath_repair_fronts(struct datapath *dp)
{
	int err;

	if (dp->is_leaving && !netfilter_is_attached(&dp->pins)) {
		err = backends_begin(dp);
		slots_raise(dp);
		return err;
	}
	if (!dp->is_translating || datapath_is_removed(dp))
		return 0;
	return netfilter_repair(&dp->pins, dp->translated_fd);
}

/* What is there is another build's, and reads other maps. */
void fronts_settle(struct datapath *dp)
{
	if (!dp->is_translating && !dp->is_leaving)
		netfilter_remove(&dp->pins);
}

static void take_away(struct datapath *dp)
{
	size_t gone;

	fronts_set_builtin(dp, false);
	prune(dp, NULL, 0, &gone);
	backends_clear(dp);
	netfilter_remove(&dp->pins);
}

/* What an earlier start left goes on with our program, if it can. */
int fronts_begin(struct datapath *dp, const struct datapath_config *config, struct text *reterr)
{
	_keys_ struct keys keys = {};
	int err;

	dp->builtins_off = config->builtins_off;
	dp->has_fronts = config->has_fronts;
	if (config->has_fronts && config->is_netfilter_off)
		text_add(&dp->fronts_trouble, "programs at netfilter's hooks are turned off");
	else if (config->has_fronts)
		load(dp);
	if (dp->beside.len) { /* what is in force is none of ours yet */
		fronts_set_builtin(dp, false);
		return 0;
	}
	if (datapath_asks_backends(dp)) {
		err = backends_begin(dp);
		return err ? explain_error(reterr, err, "cannot read who is behind Services") : 0;
	}
	if (!is_wanted(dp)) {
		take_away(dp);
		return 0;
	}
	err = keys_read(fronts_fd(dp), sizeof(struct bh_front), &keys);
	if (!err && keys.count)
		err = attach(dp, reterr);
	if (!err)
		err = put(dp, (const struct bh_front *)keys.bytes, keys.count, BH_FRONT_BEHIND);
	if (err)
		return err;
	backends_clear(dp);
	dp->fronts = keys.count;
	fronts_set_builtin(dp, keys.count > 0);
	return 0;
}

/* --- who has which address --- */

static struct bh_owner_key owner_key(const struct prefix *prefix)
{
	return (struct bh_owner_key){.prefix_len = prefix->len, .addr = prefix->addr};
}

static bool is_owned(const struct workload_endpoint *w, const struct bh_owner_key *key)
{
	for (size_t i = 0; i < w->source_count; i++) {
		const struct bh_owner_key own = owner_key(&w->sources[i]);

		if (!memcmp(&own, key, sizeof(own)))
			return true;
	}
	return false;
}

/* One that another endpoint has taken meanwhile is its own. */
static int drop_owned(const struct datapath *dp, const struct workload_endpoint *w)
{
	_keys_ struct keys keys = {};
	int err = keys_read(owners_fd(dp), sizeof(struct bh_owner_key), &keys);

	for (size_t i = 0; !err && i < keys.count; i++) {
		const struct bh_owner_key *key = KEY_AT(&keys, i);
		struct bh_endpoint owner;

		err = bpf_map_lookup_elem(owners_fd(dp), key, &owner);
		if (!err && owner.id == w->id && !is_owned(w, key))
			err = bpf_map_delete_elem(owners_fd(dp), key);
	}
	return err;
}

int fronts_set_owner(struct datapath *dp, const struct workload_endpoint *w)
{
	const struct bh_endpoint value = {
		.id = w->id,
		.kind = BH_ENDPOINT_WORKLOAD,
		.ifindex = w->ifindex,
	};
	int err = 0;

	for (size_t i = 0; !err && i < w->source_count; i++) {
		const struct bh_owner_key key = owner_key(&w->sources[i]);

		err = bpf_map_update_elem(owners_fd(dp), &key, &value, BPF_ANY);
	}
	return err ? err : drop_owned(dp, w);
}

void fronts_release(struct datapath *dp)
{
	if (dp->translated_fd >= 0)
		close(dp->translated_fd);
	text_release(&dp->fronts_trouble);
	vec_release(&dp->backend_places);
}
