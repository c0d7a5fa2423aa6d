/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <inttypes.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bulkhead.skel.h"
#include "datapath/attached.h"
#include "datapath/internal.h"
#include "datapath/loader.h"
#include "datapath/record.h"
#include "util/cleanup.h"
#include "util/mem.h"

static int endpoints_fd(const struct datapath *dp)
{
	return bpf_map__fd(dp->skel->maps.bh_endpoints);
}

/* Removes from the map the keys for which @is_stale, and counts them. */
static int prune(int fd, size_t key_size, bool (*is_stale)(const void *key, const void *user),
		 const void *user, size_t *ret_count)
{
	_keys_ struct keys keys = {};
	int err = keys_read(fd, key_size, &keys);
	size_t count = 0;

	for (size_t i = 0; !err && i < keys.count; i++) {
		if (!is_stale(KEY_AT(&keys, i), user))
			continue;
		err = bpf_map_delete_elem(fd, KEY_AT(&keys, i));
		count++;
	}
	*ret_count = count;
	return err;
}

/* --- sources --- */

struct source_set {
	uint16_t id;
	struct bh_source_key *keys;
	size_t count;
};

static int compare_sources(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct bh_source_key));
}

static bool is_stale_source(const void *key, const void *user)
{
	const struct source_set *wanted = user;
	const struct bh_source_key *source = key;

	if (source->endpoint != wanted->id)
		return false;
	return !wanted->count || !bsearch(source, wanted->keys, wanted->count,
					  sizeof(*wanted->keys), compare_sources);
}

static struct bh_source_key source_key(uint16_t id, const struct prefix *prefix)
{
	return (struct bh_source_key){
		.prefix_len = BH_SOURCE_ENDPOINT_BITS + prefix->len,
		.endpoint = id,
		.addr = prefix->addr,
	};
}

static bool is_among_sources(const struct workload_endpoint *w, const struct prefix *prefix)
{
	for (size_t i = 0; i < w->source_count; i++) {
		if (!prefix_cmp(&w->sources[i], prefix))
			return true;
	}
	return false;
}

/*
 * New ones first: an address that stays is never missing.  The connections of one that goes end:
 * see is_of_own_address().
 */
static int set_sources(struct datapath *dp, const struct workload_endpoint *w)
{
	size_t count = w->source_count;
	_free_ struct bh_source_key *keys = xcalloc(count + 1, sizeof(*keys));
	_free_ uint32_t *values = xcalloc(count + 1, sizeof(*values));
	struct entries entries = {keys, sizeof(*keys), values, sizeof(*values), count};
	struct source_set wanted = {.id = w->id, .keys = keys};
	int fd = bpf_map__fd(dp->skel->maps.bh_sources);
	struct prefix own;
	size_t gone = 0;
	int err;

	for (size_t i = 0; i < count; i++)
		keys[i] = source_key(w->id, &w->sources[i]);
	own_sources_begin(&dp->own, w->id);
	if (w->link_local) {
		own = prefix_of_addr(w->link_local);
		if (!is_among_sources(w, &own)) {
			values[count] = BH_SOURCE_LINK_ONLY;
			keys[count] = source_key(w->id, &own);
			entries.count++;
		}
	}
	err = entries_put(fd, &entries);
	wanted.count = entries.count;
	qsort(keys, wanted.count, sizeof(*keys), compare_sources);
	if (!err)
		err = prune(fd, sizeof(*keys), is_stale_source, &wanted, &gone);
	if (!err)
		err = fronts_set_owner(dp, w);
	if (!err)
		own_sources_end(&dp->own, w);
	if (gone)
		slots_raise(dp);
	return err;
}

/* --- the machine's own addresses --- */

struct local_set {
	struct bh_local_key *keys; /* sorted, no two equal */
	uint32_t *flags;
	size_t count;
};

static int compare_local_prefixes(const void *a, const void *b)
{
	const struct local_prefix *x = a, *y = b;

	return prefix_cmp(&x->prefix, &y->prefix);
}

static int compare_local_keys(const void *a, const void *b)
{
	const struct bh_local_key *x = a, *y = b;
	int order = addr_cmp(&x->addr, &y->addr);

	return order ? order : (int)x->prefix_len - (int)y->prefix_len;
}

static bool is_stale_local(const void *key, const void *user)
{
	const struct local_set *wanted = user;

	return !wanted->count || !bsearch(key, wanted->keys, wanted->count, sizeof(*wanted->keys),
					  compare_local_keys);
}

static void add_local(struct local_set *set, const struct local_prefix *local)
{
	const struct bh_local_key key = {.prefix_len = local->prefix.len,
					 .addr = local->prefix.addr};

	if (set->count && !compare_local_keys(&set->keys[set->count - 1], &key)) {
		set->flags[set->count - 1] &= local->flags;
		return;
	}
	set->keys[set->count] = key;
	set->flags[set->count++] = local->flags;
}

int datapath_set_local(struct datapath *dp, const struct local_prefix *locals, size_t count)
{
	_free_ struct local_prefix *sorted = xcalloc(count + 1, sizeof(*sorted));
	_free_ struct bh_local_key *keys = xcalloc(count + 1, sizeof(*keys));
	_free_ uint32_t *flags = xcalloc(count + 1, sizeof(*flags));
	struct local_set wanted = {.keys = keys, .flags = flags};
	const struct bpf_map *map = dp->skel->maps.bh_local;
	struct entries entries = {keys, sizeof(*keys), flags, sizeof(*flags), 0};
	size_t gone;
	int err;

	if (count)
		memcpy(sorted, locals, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), compare_local_prefixes);
	for (size_t i = 0; i < count; i++)
		add_local(&wanted, &sorted[i]);
	if (wanted.count > bpf_map__max_entries(map))
		return -E2BIG;
	entries.count = wanted.count;
	own_local_begin(&dp->own);
	err = entries_put(bpf_map__fd(map), &entries);
	if (!err)
		err = prune(bpf_map__fd(map), sizeof(*keys), is_stale_local, &wanted, &gone);
	if (!err)
		own_local_end(&dp->own, keys, flags, wanted.count);
	return err;
}

/* --- endpoints --- */

/* Of interfaces whose low bits are the same one has the quick way; the others are in the hash. */
static int enter_quickly(const struct datapath *dp, uint32_t ifindex,
			 const struct bh_endpoint *endpoint)
{
	int fd = bpf_map__fd(dp->skel->maps.bh_interfaces);
	const __u32 at = ifindex % BH_INTERFACE_ENTRIES;
	struct bh_endpoint there = {};
	int err = bpf_map_lookup_elem(fd, &at, &there);

	if (err || (there.ifindex && there.ifindex != ifindex))
		return err;
	return bpf_map_update_elem(fd, &at, endpoint, BPF_ANY);
}

static int enter_interface(const struct datapath *dp, uint32_t ifindex, struct bh_endpoint endpoint)
{
	int err;

	endpoint.ifindex = ifindex;
	err = bpf_map_update_elem(endpoints_fd(dp), &ifindex, &endpoint, BPF_ANY);
	return err ? err : enter_quickly(dp, ifindex, &endpoint);
}

static int drop_interface(const struct datapath *dp, uint32_t ifindex)
{
	const struct bh_endpoint none = {};
	int err = enter_quickly(dp, ifindex, &none);

	return err ? err : bpf_map_delete_elem(endpoints_fd(dp), &ifindex);
}

int endpoint_forget(struct datapath *dp, uint32_t ifindex)
{
	struct bh_endpoint endpoint;
	int err = bpf_map_lookup_elem(endpoints_fd(dp), &ifindex, &endpoint);

	if (err)
		return err == -ENOENT ? 0 : err;
	err = drop_interface(dp, ifindex);
	if (!err)
		err = connections_leave(dp, endpoint.id);
	if (err || endpoint.kind != BH_ENDPOINT_WORKLOAD)
		return err;
	err = set_sources(dp, &(struct workload_endpoint){.id = endpoint.id});
	return err ? err : counters_clear_endpoint(dp, endpoint.id);
}

/* An interface that was another endpoint leaves nothing of that one behind. */
static int enter(struct datapath *dp, uint32_t ifindex, const struct bh_endpoint *endpoint,
		 bool *ret_is_new)
{
	struct bh_endpoint old;
	int err = bpf_map_lookup_elem(endpoints_fd(dp), &ifindex, &old);

	*ret_is_new = err == -ENOENT;
	if (!err && (old.kind != endpoint->kind || old.id != endpoint->id))
		err = endpoint_forget(dp, ifindex);
	if (err && err != -ENOENT)
		return err;
	err = enter_interface(dp, ifindex, *endpoint);
	return err ? err : connections_join(dp, endpoint->id);
}

/*
 * Programs read every packet as an Ethernet frame.  On a tunnel that has none, whoever sends would
 * choose what they read.  An interface that isn't there is refused by whoever attaches to it.
 */
static bool has_ethernet(uint32_t ifindex)
{
	_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = {};

	if (!if_indextoname(ifindex, request.ifr_name))
		return true;
	return fd >= 0 && !ioctl(fd, SIOCGIFHWADDR, &request) &&
	       (request.ifr_hwaddr.sa_family == ARPHRD_ETHER ||
		request.ifr_hwaddr.sa_family == ARPHRD_LOOPBACK);
}

/* What the workload sends arrives at the ingress of our side of its veth. */
static struct hook_list hooks_of(const struct datapath *dp, uint32_t ifindex,
				 enum bh_endpoint_kind kind)
{
	if (kind == BH_ENDPOINT_IS_HOST)
		return (struct hook_list){
			.of = {{.ifindex = ifindex,
				.xdp = loader_program(dp, PROGRAM_XDP_IN),
				.tc = loader_program(dp, PROGRAM_HOST_IN)},
			       {.ifindex = ifindex,
				.is_egress = true,
				.xdp = -1,
				.tc = loader_program(dp, PROGRAM_HOST_OUT)}},
			.count = 2,
		};
	return (struct hook_list){
		.of = {{.ifindex = ifindex,
			.is_egress = true,
			.xdp = -1,
			.tc = loader_program(dp, PROGRAM_TO)},
		       {.ifindex = ifindex, .xdp = -1, .tc = loader_program(dp, PROGRAM_FROM)}},
		.count = 2,
	};
}

int endpoint_hook(const struct datapath *dp, const struct record *record, struct hook *ret)
{
	struct bh_endpoint endpoint;
	struct hook_list hooks;
	int err = bpf_map_lookup_elem(endpoints_fd(dp), &record->ifindex, &endpoint);

	if (err)
		return err;
	hooks = hooks_of(dp, record->ifindex, endpoint.kind);
	if (record->is_answerer)
		*ret = answerer_hook(dp, record->ifindex);
	else
		*ret = hooks.of[hooks.of[0].is_egress == record->is_egress ? 0 : 1];
	return 0;
}

/* As seen by the endpoint. */
static bool is_ingress(const struct hook *hook, enum bh_endpoint_kind kind)
{
	return hook->is_egress == (kind == BH_ENDPOINT_WORKLOAD);
}

/* Only what is new is refused: on the others a way round that program is better than none. */
static int may_begin(const struct datapath *dp, const struct hook_list *hooks, struct text *reterr)
{
	int err = 0;

	for (size_t i = 0; !err && i < hooks->count; i++)
		err = attach_refuse_other(dp, &hooks->of[i], reterr);
	return err;
}

static int attach_hooks(struct datapath *dp, const struct hook_list *hooks,
			enum bh_endpoint_kind kind, struct text *reterr, struct attachment *ret)
{
	int err = 0;

	for (size_t i = 0; !err && i < hooks->count; i++) {
		const struct hook *hook = &hooks->of[i];

		err = attach_hook(dp, hook, reterr,
				  is_ingress(hook, kind) ? &ret->ingress : &ret->egress);
	}
	return err;
}

/* Where the XDP program is not native, or none, nobody asks for the answerer. */
static int drop_answerer(struct datapath *dp, uint32_t ifindex, const struct bh_endpoint *endpoint)
{
	int err = enter_interface(dp, ifindex, *endpoint);

	if (!err)
		answerer_remove(dp, ifindex);
	return err;
}

/* By an earlier start; one of another release had tables of its own, so ours don't say. */
static bool is_recorded(const struct datapath *dp, const struct hook_list *hooks)
{
	_pin_names_ pin_names names = {};

	for (size_t i = 0; i < hooks->count; i++)
		attached_list(&dp->pins, &hooks->of[i], &names);
	return names.count;
}

/*
 * All hooks or none: but what was enforced before a failure stays so.  The entry comes before the
 * programs, which drop everything on an interface that has none.
 */
static int attach_all(struct datapath *dp, uint32_t ifindex, const struct bh_endpoint *endpoint,
		      struct text *reterr, struct attachment *ret)
{
	bool has_answerer = endpoint->kind == BH_ENDPOINT_IS_HOST && answerer_is_needed(ifindex);
	const struct hook_list hooks = hooks_of(dp, ifindex, endpoint->kind);
	struct bh_endpoint value = *endpoint;
	struct attachment attached = {};
	bool is_new;
	int err;

	if (!has_ethernet(ifindex)) {
		text_addf(reterr,
			  "interface %" PRIu32 " carries no Ethernet frames; tunnels such "
			  "as tun and WireGuard can't be enforced on",
			  ifindex);
		return -EOPNOTSUPP;
	}
	if (has_answerer)
		value.flags |= BH_ENDPOINT_HAS_ANSWERER;
	err = enter(dp, ifindex, &value, &is_new);
	if (err)
		return explain_error(reterr, err, "cannot register interface %" PRIu32, ifindex);
	is_new = is_new && !is_recorded(dp, &hooks);
	if (is_new)
		err = may_begin(dp, &hooks, reterr);
	if (!err && has_answerer)
		err = answerer_attach(dp, ifindex, reterr);
	if (!err)
		err = attach_hooks(dp, &hooks, endpoint->kind, reterr, &attached);
	if (!err && attached.ingress != ATTACH_XDP_NATIVE)
		err = drop_answerer(dp, ifindex, endpoint);
	if (err && is_new)
		datapath_detach(dp, ifindex);
	if (!err)
		*ret = attached;
	return err;
}

int datapath_attach_host(struct datapath *dp, uint32_t ifindex, struct text *reterr,
			 struct attachment *ret)
{
	const struct bh_endpoint endpoint = {.id = BH_ENDPOINT_HOST, .kind = BH_ENDPOINT_IS_HOST};

	return attach_all(dp, ifindex, &endpoint, reterr, ret);
}

static struct bh_endpoint workload_value(const struct workload_endpoint *w)
{
	return (struct bh_endpoint){
		.id = w->id,
		.kind = BH_ENDPOINT_WORKLOAD,
		.flags = w->link_local ? 0 : BH_ENDPOINT_FREE_LINK_LOCAL,
	};
}

int endpoint_enter_workload(struct datapath *dp, const struct workload_endpoint *w)
{
	const struct bh_endpoint value = workload_value(w);
	bool is_new;
	int err = set_sources(dp, w);

	return err ? err : enter(dp, w->ifindex, &value, &is_new);
}

int datapath_attach_workload(struct datapath *dp, const struct workload_endpoint *endpoint,
			     struct text *reterr, struct attachment *ret)
{
	const struct bh_endpoint value = workload_value(endpoint);
	uint32_t ids = bpf_map__max_entries(dp->skel->maps.bh_ep_counts);
	int err;

	if (endpoint->id == BH_ENDPOINT_HOST || endpoint->id >= ids) {
		text_addf(reterr, "endpoint id %u is not within 1..%" PRIu32,
			  (unsigned int)endpoint->id, ids - 1);
		return -ERANGE;
	}
	err = set_sources(dp, endpoint);
	if (err)
		return explain_error(reterr, err, "cannot set the sources of interface %" PRIu32,
				     endpoint->ifindex);
	return attach_all(dp, endpoint->ifindex, &value, reterr, ret);
}

int datapath_verify(const struct datapath *dp, uint32_t ifindex, enum bh_endpoint_kind kind,
		    const struct attachment *attached, struct hook_states *ret)
{
	struct hook_list hooks = hooks_of(dp, ifindex, kind);
	char interface[IF_NAMESIZE];

	if (!if_indextoname(ifindex, interface))
		return -ENODEV;
	if (attached->ingress == ATTACH_XDP_NATIVE && answerer_is_needed(ifindex))
		hooks.of[hooks.count++] = answerer_hook(dp, ifindex);
	ret->count = hooks.count;
	for (size_t i = 0; i < hooks.count; i++) {
		struct hook_state *state = &ret->of[i];
		enum attach_method was;

		hook_look(dp, &hooks.of[i], state);
		state->is_ingress = is_ingress(&hooks.of[i], kind);
		state->is_answerer = hooks.of[i].is_answerer;
		was = state->is_ingress ? attached->ingress : attached->egress;
		if (state->fault == HOOK_INTACT && state->method != was &&
		    attach_method_is_xdp(state->method) && attach_method_is_xdp(was))
			state->fault = HOOK_MODE;
	}
	/* What was asked of an interface that went meanwhile is no answer. */
	return if_indextoname(ifindex, interface) ? 0 : -ENODEV;
}

uint16_t datapath_workload_id(const struct datapath *dp, uint32_t ifindex)
{
	struct bh_endpoint endpoint;

	if (bpf_map_lookup_elem(endpoints_fd(dp), &ifindex, &endpoint) ||
	    endpoint.kind != BH_ENDPOINT_WORKLOAD)
		return 0;
	return endpoint.id;
}

int datapath_detach(struct datapath *dp, uint32_t ifindex)
{
	attached_remove_all(&dp->pins, ifindex);
	return endpoint_forget(dp, ifindex);
}

static bool is_among(uint32_t ifindex, const uint32_t *ifindexes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (ifindexes[i] == ifindex)
			return true;
	}
	return false;
}

int datapath_detach_others(struct datapath *dp, const uint32_t *ifindexes, size_t count)
{
	_pin_names_ pin_names names = {};
	int err = 0;

	pins_list(&dp->pins, PIN_LINK, &names);
	vec_foreach (name, &names) {
		struct record record;

		if (!record_parse(*name, &record) || is_among(record.ifindex, ifindexes, count))
			continue;
		err = datapath_detach(dp, record.ifindex);
		if (err)
			break;
	}
	return err;
}
