/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <inttypes.h>
#include <net/if.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bulkhead.skel.h"
#include "datapath/attached.h"
#include "datapath/internal.h"
#include "datapath/kept.h"
#include "datapath/loader.h"
#include "datapath/older.h"
#include "datapath/pinned_maps.h"
#include "datapath/rest.h"
#include "util/clock.h"
#include "util/map.h"
#include "util/mem.h"

#define MAC_GROUP 0x01u /* of the first byte: multicast */
#define MAC_LOCAL 0x02u /* of nobody's range */

/* clang-format off */
/* How many entries maps get; growth.c says it of tables; the rest have the size of what indexes them.
 */
static const struct {
	const char *map;
	uint32_t entries;
} sizes[] = {
	{"bh_endpoints", BH_ENDPOINT_ENTRIES},
	{"bh_ep_counts", BH_ENDPOINT_ENTRIES},
	{"bh_sources",   BH_SOURCE_ENTRIES},
	{"bh_local",     BH_LOCAL_ENTRIES},
	{"bh_owners",    BH_OWNER_ENTRIES},
	{"bh_fronts",    BH_FRONT_ENTRIES},
	{"bh_backends",  BH_BACKEND_ENTRIES},
	{"bh_shares",    BH_ENDPOINT_ENTRIES},
	{"bh_fragments", BH_FRAGMENT_BUCKETS},
	{"bh_limiters",  BH_LIMITER_LINES},
	{"bh_events",    BH_RING_BYTES},
};
/* clang-format on */

int explain_error(struct text *reterr, int err, const char *format, ...)
{
	char reason[128];
	va_list args;

	va_start(args, format);
	text_vaddf(reterr, format, args);
	va_end(args);
	libbpf_strerror(err, reason, sizeof(reason));
	text_addf(reterr, ": %s", reason);
	return err;
}

struct bulkhead_bpf *object_open(void)
{
	struct bulkhead_bpf *skel;

	older_begin();
	skel = bulkhead_bpf__open();
	if (skel)
		older_configure(skel);
	return skel;
}

uint64_t object_hash(void)
{
	size_t size;
	const void *object = bulkhead_bpf__elf_bytes(&size);

	return hash_bytes(object, size, 0);
}

/* By which the programs know their own answers to rejected packets. */
static int choose_secrets(struct datapath *dp)
{
	uint8_t mac[sizeof(dp->skel->rodata->bh_answer_mac)];
	uint32_t mark;
	uint64_t tag;

	if (getrandom(mac, sizeof(mac), 0) != sizeof(mac) ||
	    getrandom(&mark, sizeof(mark), 0) != sizeof(mark) ||
	    getrandom(&tag, sizeof(tag), 0) != sizeof(tag))
		return -EIO;
	mac[0] = (mac[0] & ~MAC_GROUP) | MAC_LOCAL;
	memcpy((uint8_t *)dp->skel->rodata->bh_answer_mac, mac, sizeof(mac));
	dp->skel->rodata->bh_answer_mark = mark | 1;
	dp->skel->rodata->bh_answer_tag = tag | 1;
	return 0;
}

static int configure(struct datapath *dp, const struct datapath_config *config)
{
	int err = choose_secrets(dp);

	if (!err)
		err = connections_size(dp, config);
	if (!err)
		err = flows_size(dp, config);
	if (!err)
		err = events_size(dp);
#if !defined(__x86_64__)
	dp->skel->rodata->bh_is_weakly_ordered = true;
#endif
	/* No kind has so many events. */
	if (config->event_rate <= BH_LIMITER_COUNT_MAX)
		dp->skel->rodata->bh_event_rate = config->event_rate;
	dp->skel->rodata->bh_has_events = !config->is_silent;
	dp->skel->rodata->bh_is_quick = !config->is_whole;
	if (config->down_after_s)
		dp->skel->rodata->bh_down_after_s = config->down_after_s;
	dp->skel->rodata->bh_vlan = config->vlan;
	for (size_t i = 0; !err && i < COUNT(sizes); i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(dp->skel->obj, sizes[i].map);

		err = map ? bpf_map__set_max_entries(map, sizes[i].entries) : -ENOENT;
	}
	return err;
}

/* Array elements are padded to 8 bytes, and a map is mapped in whole pages. */
static size_t mapped_size(const struct bpf_map *map)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t size = (size_t)bpf_map__max_entries(map) * ((bpf_map__value_size(map) + 7) & ~7u);

	return (size + page - 1) & ~(page - 1);
}

static void *share(const struct bpf_map *map, int protection)
{
	void *bytes = mmap(NULL, mapped_size(map), protection, MAP_SHARED, bpf_map__fd(map), 0);

	return bytes == MAP_FAILED ? NULL : bytes;
}

static const struct bpf_map *map_of(const struct datapath *dp, enum table_id table)
{
	switch (table) {
	case TABLE_PREFIXES:
		return dp->skel->maps.bh_prefixes;
	case TABLE_IDENTITIES:
		return dp->skel->maps.bh_identities;
	case TABLE_SERVICES:
		return dp->skel->maps.bh_services;
	case TABLE_DIRECTORY:
		return dp->skel->maps.bh_directory;
	case TABLE_BLOCKS:
		return dp->skel->maps.bh_blocks;
	case TABLE_LATER:
		return dp->skel->maps.bh_later;
	case TABLE_POLICIES:
		return dp->skel->maps.bh_policies;
	case TABLE_KNOWN:
		return dp->skel->maps.bh_known;
	case TABLE_EVENT_PLACES:
		return dp->skel->maps.bh_event_places;
	case TABLE_COUNT:
		break;
	}
	return NULL;
}

/* Only what is read or written at any time stays shared; see table_view.h. */
static int share_tables(struct datapath *dp, struct text *reterr)
{
	struct tables *t = &dp->tables;

	t->rule_entries = BH_RULE_PAGE * bpf_map__max_entries(dp->skel->maps.bh_rule_counts);
	t->event_entries = BH_RULE_PAGE * bpf_map__max_entries(dp->skel->maps.bh_rule_events);
	t->control = share(dp->skel->maps.bh_control, PROT_READ | PROT_WRITE);
	t->epochs = share(dp->skel->maps.bh_epochs, PROT_READ | PROT_WRITE);
	t->policies = share(dp->skel->maps.bh_policies, PROT_READ);
	if (!t->control || !t->epochs || !t->policies)
		return explain_error(reterr, -errno, "cannot share memory with the kernel");
	for (int i = 0; i < TABLE_COUNT; i++) {
		const struct bpf_map *map = map_of(dp, i);

		t->of[i] = (struct table){
			.fd = bpf_map__fd(map),
			.entries = bpf_map__max_entries(map),
			.size = bpf_map__value_size(map),
			.is_shared = !(bpf_map__map_flags(map) & BPF_F_RDONLY_PROG),
		};
	}
	return 0;
}

static int share_own_lines(struct datapath *dp, struct text *reterr)
{
	struct own_lines *own = &dp->own;

	own->sources = share(dp->skel->maps.bh_source_lines, PROT_READ | PROT_WRITE);
	own->head = share(dp->skel->maps.bh_local_head, PROT_READ | PROT_WRITE);
	own->local = share(dp->skel->maps.bh_local_lines, PROT_READ | PROT_WRITE);
	if (!own->sources || !own->head || !own->local)
		return explain_error(reterr, -errno, "cannot share memory with the kernel");
	return 0;
}

static void unshare(void *bytes, const struct bpf_map *map)
{
	if (bytes)
		munmap(bytes, mapped_size(map));
}

static void unshare_own_lines(struct datapath *dp)
{
	unshare(dp->own.sources, dp->skel->maps.bh_source_lines);
	unshare(dp->own.head, dp->skel->maps.bh_local_head);
	unshare(dp->own.local, dp->skel->maps.bh_local_lines);
}

static void unshare_tables(struct datapath *dp)
{
	struct tables *t = &dp->tables;

	unshare(t->control, dp->skel->maps.bh_control);
	unshare(t->epochs, dp->skel->maps.bh_epochs);
	for (uint32_t slot = 0; slot < BH_SLOTS; slot++)
		tables_leave_prefixes(t, slot);
	unshare((void *)t->policies, dp->skel->maps.bh_policies);
}

/* Interfaces are numbered in the order in which they come. */
static uint32_t newest_interface(void)
{
	struct if_nameindex *all = if_nameindex();
	uint32_t newest = 0;

	if (!all)
		return 0;
	for (const struct if_nameindex *i = all; i->if_index; i++) {
		if (i->if_index > newest)
			newest = i->if_index;
	}
	if_freenameindex(all);
	return newest;
}

static void start_adoption(struct bh_control *control, uint32_t seconds)
{
	if (!seconds)
		return;
	control->adopt_ifindex = newest_interface();
	control->adopt_until_ns = clock_monotonic_ns() + seconds * UINT64_C(1000000000);
}

static void start_control(struct datapath *dp, const struct datapath_config *config)
{
	struct bh_control *control = dp->tables.control;

	control->builtins_off = config->builtins_off;
	heartbeat_set_clock(dp);
	if (dp->is_fresh) {
		control->layout = pinned_maps_layout(dp);
		start_adoption(control, config->adopt_s);
	}
	dp->is_adopted = control->active != 0;
	dp->is_grace_due = dp->is_adopted && !config->has_waited;
}

/* Kept as long as a table is, so that the next one finds most of its lines written. */
static int choose_prefix_hash(struct datapath *dp)
{
	const struct bh_policy *header = tables_header(&dp->tables, datapath_slot(dp));
	struct bh_prefix_hash *hash = &dp->tables.prefix_hash;

	if (header->generation)
		*hash = header->prefixes.hash;
	else if (getrandom(hash, sizeof(*hash), 0) != sizeof(*hash))
		return -EIO;
	hash->factor |= 1;
	return 0;
}

/* What the maps hold before any program of ours reads them. */
static int begin(struct datapath *dp, const struct datapath_config *config, struct text *reterr)
{
	int err = growth_fill(dp);

	if (err)
		return explain_error(reterr, err, "cannot move the policy to larger tables");
	start_control(dp, config);
	err = choose_prefix_hash(dp);
	if (err)
		return explain_error(reterr, err, "cannot choose a random number");
	err = fronts_begin(dp, config, reterr);
	if (err)
		return err;
	err = connections_set_up(dp, dp->is_fresh);
	return err ? explain_error(reterr, err, "cannot set up the connection table") : 0;
}

/* What an earlier start left, as far as it is ours, and the rest anew. */
static int load(struct datapath *dp, const struct datapath_config *config, struct text *reterr)
{
	int err = pinned_maps_adopt(dp, reterr);

	if (err)
		return err;
	err = kept_take(dp, config->kinds_off);
	if (err)
		return explain_error(reterr, err, "cannot use pinned programs again");
	return loader_load(dp, reterr);
}

static int keep(struct datapath *dp, struct text *reterr)
{
	int err = dp->beside.len ? 0 : pinned_maps_keep(dp, reterr);

	if (!err)
		err = rest_keep(dp, reterr);
	if (!err)
		kept_pin(dp);
	return err;
}

static int open_object(struct datapath *dp, const struct datapath_config *config,
		       struct text *reterr)
{
	int err;

	dp->skel = object_open();
	if (!dp->skel)
		return explain_error(reterr, -errno, "cannot read the programs");
	err = configure(dp, config);
	if (!err)
		err = growth_settle(dp);
	if (err)
		return explain_error(reterr, err, "cannot size the maps");
	err = pinned_maps_compare(dp, reterr);
	if (err)
		return err;
	err = growth_choose(dp, config);
	if (err)
		return explain_error(reterr, err, "cannot size the maps");
	dp->skel->rodata->bh_rules_each =
		BH_RULE_PAGE * bpf_map__max_entries(dp->skel->maps.bh_rule_counts) / BH_SLOTS;
	dp->skel->rodata->bh_events_each =
		BH_RULE_PAGE * bpf_map__max_entries(dp->skel->maps.bh_rule_events) / BH_SLOTS;
	err = load(dp, config, reterr);
	if (!err)
		err = heartbeat_check_clocks(dp, reterr);
	if (!err)
		err = share_tables(dp, reterr);
	if (!err)
		err = share_own_lines(dp, reterr);
	if (!err)
		err = begin(dp, config, reterr);
	return err ? err : keep(dp, reterr);
}

/* Programs on hooks are replaced one by one; what they read, all at once. */
static int take_over(struct datapath *dp, struct text *reterr)
{
	int err = attached_refresh(dp, reterr);

	if (err)
		return err;
	rest_settle(dp);
	err = growth_finish(dp);
	return err ? explain_error(reterr, err, "cannot rename maps under '%s'", dp->pins.dir) : 0;
}

int datapath_open(const struct datapath_config *config, struct text *reterr, struct datapath **ret)
{
	_datapath_ struct datapath *dp = xcalloc(1, sizeof(*dp));
	int err;

	loader_init();
	loader_begin(dp);
	dp->beside = dp->fronts_trouble = (struct text)TEXT_INIT;
	dp->translated_fd = -1;
	dp->methods_off = config->methods_off;
	dp->kinds_off = config->kinds_off;
	dp->settled = dp->embryonic = dp->fragments = UINT64_MAX;
	dp->cpus = libbpf_num_possible_cpus();
	if (dp->cpus < 0)
		return explain_error(reterr, dp->cpus, "cannot count the CPUs");
	err = pins_init(&dp->pins, config->bpffs, reterr);
	if (!err)
		err = open_object(dp, config, reterr);
	if (!err && !dp->beside.len)
		err = take_over(dp, reterr);
	if (err) {
		if (dp->pins.dir)
			pins_rmdir(&dp->pins);
		return err;
	}
	*ret = TAKE_PTR(dp);
	return 0;
}

/* Links that no pin keeps end with their descriptor; filters of clsact have to be told. */
static void detach_held(struct datapath *dp)
{
	if (!dp->pins.dir)
		attached_remove_all(&dp->pins, 0);
}

void datapath_free(struct datapath *dp)
{
	if (!dp)
		return;
	detach_held(dp);
	pins_release(&dp->pins);
	text_release(&dp->beside);
	fronts_release(dp);
	if (dp->skel) {
		unshare_tables(dp);
		unshare_own_lines(dp);
	}
	datapath_events_close(dp);
	datapath_flows_close(dp);
	loader_release(dp);
	bulkhead_bpf__destroy(dp->skel);
	free(dp);
}

void datapath_freep(struct datapath **dp)
{
	datapath_free(*dp);
}

bool datapath_is_in_force(const char *bpffs)
{
	const struct pins pins = {.dir = (char *)bpffs};

	return pinned_maps_are_in_force(&pins);
}

bool datapath_is_adopted(const struct datapath *dp)
{
	return dp->is_adopted;
}

const char *datapath_beside(const struct datapath *dp)
{
	return dp->beside.len ? dp->beside.buf : NULL;
}

int datapath_settle(struct datapath *dp, struct text *reterr)
{
	int err = dp->beside.len ? pinned_maps_keep(dp, reterr) : 0;

	if (err)
		return err;
	if (dp->beside.len)
		rest_settle(dp);
	text_reset(&dp->beside);
	fronts_settle(dp);
	return 0;
}
