/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/fuzz/packet_world.h"

#include <stdlib.h>

#include <bulkhead/connection.h>

#include "datapath/crafted.h"
#include "datapath/datapath.h"
#include "datapath/entries.h"
#include "datapath/own_lines.h"
#include "datapath/table_view.h"
#include "datapath/tables.h"
#include "policy/compile.h"
#include "policy/load.h"
#include "util/diag.h"

#define ADOPT_NS (5 * NS_PER_S)

#define HEAD                                                                                       \
	"apiVersion: bulkhead.dev/v1\n"                                                            \
	"kind: ZonePolicy\n"                                                                       \
	"metadata: {name: test}\n"                                                                 \
	"spec:\n"

#define ENDS                                                                                       \
	"    - {name: watch, cidrs: [10.77.3.0/24, 'fd77:3::/64'], mode: audit}\n"                 \
	"    - {name: loose, cidrs: [10.77.4.0/24, 'fd77:4::/64'], mode: off}\n"                   \
	"  workloads:\n"                                                                           \
	"    - {name: client, zone: front, addresses: [10.77.1.1, 'fd77:1::1']}\n"                 \
	"    - {name: server, zone: back, addresses: [10.77.2.1, 'fd77:2::1']}\n"                  \
	"  rules:\n"

/* Worlds of a set have its policies, one in each slot. */
static const char *const texts[SETS][BH_SLOTS] = {
	{
		HEAD "  zones:\n"
		     "    - {name: front, cidrs: [10.77.1.0/24, 'fd77:1::/64']}\n"
		     "    - {name: back, cidrs: [10.77.2.0/24, 'fd77:2::/64']}\n" ENDS
		     "    - {name: web, from: client, to: server, services: [tcp/443, udp/443, "
		     "sctp/443, proto/47]}\n"
		     "    - {name: ping, from: front, to: back, services: [icmp/echo-request, "
		     "icmp6/echo-request], log: true}\n"
		     "    - {name: no, from: any, to: back, services: [tcp/1-80, udp/1-80, "
		     "icmp/13], action: reject}\n"
		     "    - {name: tls, from: client, to: server, services: tcp/8443, require: "
		     "tls}\n",
		HEAD "  zones:\n"
		     "    - {name: front, cidrs: [10.77.1.0/24, 'fd77:1::/64']}\n"
		     "    - {name: back, cidrs: [10.77.2.0/24, 'fd77:2::/64']}\n" ENDS
		     "    - {name: spare, from: server, to: client, services: any}\n"
		     "    - {name: wide, from: outside, to: any, services: tcp/8443}\n"
		     "    - {name: tls, from: client, to: server, services: tcp/443, require: "
		     "tls}\n"
		     "    - {name: no, from: any, to: any, services: any, action: reject}\n",
	},
	{
		HEAD "  failsafe:\n"
		     "    - {direction: ingress, services: tcp/22, from: front}\n"
		     "  zones:\n"
		     "    - {name: front, cidrs: [10.77.1.0/24, 'fd77:1::/64'], whenAgentIsDown: "
		     "closed}\n"
		     "    - {name: back, cidrs: [10.77.2.0/24, 'fd77:2::/64'], whenAgentIsDown: "
		     "open}\n" ENDS
		     "    - {name: soon, from: client, to: server, services: [tcp/443, udp/443], "
		     "expires: '2026-01-01T00:00:10Z'}\n"
		     "    - {name: late, from: any, to: server, services: [tcp/443, udp/53], "
		     "expires: '2026-01-01T00:01:30Z', log: true}\n"
		     "    - {name: not-yet, from: outside, to: server, services: any, action: "
		     "reject, expires: '2026-01-01T00:00:40Z'}\n",
		HEAD
		"  mode: audit\n"
		"  zones:\n"
		"    - {name: front, cidrs: [10.77.0.0/16, 'fd77::/16']}\n"
		"    - {name: back, cidrs: [10.77.2.0/24, 'fd77:2::/64'], mode: enforce}\n" ENDS
		"    - {name: web, from: front, to: back, services: tcp/443}\n"
		"    - {name: rest, from: front, to: front, services: any, log: true}\n",
	},
};

static struct policy *policies[SETS][BH_SLOTS];
static struct bh_addr hosts[4]; /* two of the node, and the workload's two */
static struct switches now;
static uint32_t generation, since, slot;

_Static_assert(SETS *SIDES <= HOST_WORLDS, "a world for each side of each set");

/* In place of the calls of datapath/entries.h: a table's descriptor is its number. */
int entries_put(int fd, const struct entries *entries)
{
	const struct host_map map = host_table((enum host_table)fd);
	int err = 0;

	for (size_t i = 0; !err && i < entries->count; i++)
		err = host_map_update(&map, (const char *)entries->keys + i * entries->key_size,
				      (const char *)entries->values + i * entries->value_size, 0);
	return err;
}

static void put(enum host_table table, const void *key, const void *value)
{
	const struct host_map map = host_table(table);

	if (host_map_update(&map, key, value, 0))
		abort();
}

static void *first_of(enum host_table table)
{
	const struct host_map map = host_table(table);
	const uint32_t zero = 0;

	return host_map_lookup(&map, &zero);
}

static struct table table_of(enum host_table table)
{
	const struct host_map map = host_table(table);

	return (struct table){
		.fd = (int)table,
		.entries = map.max_entries,
		.size = (uint32_t)map.value_size,
	};
}

/* As the kernel's, without pages: a table's descriptor is its number. */
int table_view_open(const struct table *table, uint32_t first, size_t size, struct table_view *ret)
{
	char *bytes = first_of((enum host_table)table->fd);

	(void)size;
	*ret = (struct table_view){.bytes = bytes + (size_t)first * table->size};
	return 0;
}

int table_view_share(const struct table *table, uint32_t first, size_t size, struct table_view *ret)
{
	return table_view_open(table, first, size, ret);
}

void table_view_close(struct table_view *view)
{
	*view = (struct table_view){};
}

static struct tables tables_of_world(void)
{
	return (struct tables){
		.control = first_of(HOST_CONTROL),
		.policies = first_of(HOST_POLICIES),
		.of =
			{
				[TABLE_PREFIXES] = table_of(HOST_PREFIXES),
				[TABLE_IDENTITIES] = table_of(HOST_IDENTITIES),
				[TABLE_SERVICES] = table_of(HOST_SERVICES),
				[TABLE_DIRECTORY] = table_of(HOST_DIRECTORY),
				[TABLE_BLOCKS] = table_of(HOST_BLOCKS),
				[TABLE_LATER] = table_of(HOST_LATER),
				[TABLE_POLICIES] = table_of(HOST_POLICIES),
				[TABLE_KNOWN] = table_of(HOST_KNOWN),
				[TABLE_EVENT_PLACES] = table_of(HOST_EVENT_PLACES),
			},
		.prefix_hash = {.key = {1, 3, 5, 7, 11, 13}, .factor = 0x9e3779b97f4a7c15},
		.rule_entries = host_table(HOST_RULES).max_entries * BH_RULE_PAGE,
		.event_entries = host_table(HOST_RULE_EVENTS).max_entries * BH_RULE_PAGE,
	};
}

static void fill_slot(const struct image *image, uint32_t to)
{
	const struct tables tables = tables_of_world();
	_tables_content_ struct tables_content content = {.image = image, .slot = to};
	_text_ struct text why = TEXT_INIT;
	struct bh_policy at;

	if (tables_check(&tables, &content, &why) || tables_build(&tables, &content, &why))
		abort();
	at = tables_place(&tables, &content, 1);
	if (tables_forget_known(&tables, to) || tables_fill(&tables, &content, &at))
		abort();
}

/* In lines, as in the tries. */
static void fill_own_lines(void)
{
	const struct own_lines lines = {first_of(HOST_SOURCE_LINES), first_of(HOST_LOCAL_HEAD),
					first_of(HOST_LOCAL_LINES)};
	const struct bh_addr server[] = {end_addr(SERVER, false), end_addr(SERVER, true)};
	const struct prefix sources[] = {prefix_of_addr(&server[0]), prefix_of_addr(&server[1])};
	const struct workload_endpoint workload = {
		.id = HOST_ENDPOINT, .sources = sources, .source_count = COUNT(sources)};
	const uint32_t flags[COUNT(hosts)] = {};
	struct bh_local_key keys[COUNT(hosts)];

	for (size_t i = 0; i < COUNT(hosts); i++)
		keys[i] = (struct bh_local_key){128, hosts[i]};
	own_sources_end(&lines, &workload);
	own_local_end(&lines, keys, flags, COUNT(hosts));
}

/* This machine is the server, and so is the workload on it; the node is nobody else's. */
static void fill_ends(void)
{
	const struct bh_endpoint workload = {
		.id = HOST_ENDPOINT, .kind = BH_ENDPOINT_WORKLOAD, .ifindex = HOST_IFINDEX};
	const uint32_t ifindex = HOST_IFINDEX, nothing = 0;

	put(HOST_ENDPOINTS, &ifindex, &workload);
	put(HOST_INTERFACES, &ifindex, &workload);
	for (size_t i = 0; i < 4; i++) {
		const struct bh_source_key key = {BH_SOURCE_ENDPOINT_BITS + 128, HOST_ENDPOINT,
						  end_addr(SERVER, i & 1)};

		const struct bh_local_key local = {128, hosts[i]};

		put(HOST_SOURCES, &key, &nothing);
		put(HOST_LOCAL, &local, &nothing);
	}
	fill_own_lines();
}

/* Small shares: a world begins with few connections. */
static void divide_connections(void)
{
	const struct bh_conn_setup setup = {
		.embryonic_each = 1,
		.embryonic_before = 1,
		.fragments_each = 2,
		.settled_each = 2,
		.settled_shared = 3,
	};
	const uint32_t zero = 0;

	put(HOST_CONN_SETUP, &zero, &setup);
}

static void load(unsigned int set, uint32_t to)
{
	const struct environment env = {hosts, 2, WALL_START};
	struct source source = source_of("p", texts[set][to], strlen(texts[set][to]));
	_compiled_ struct compiled *c = NULL;
	_diags_ struct diags d = {};

	if (policy_load_sources(&source, 1, &d, &policies[set][to]) ||
	    policy_compile(policies[set][to], &env, &d, &c)) {
		diags_print(&d, stderr);
		abort();
	}
	for (unsigned int side = 0; side < SIDES; side++) {
		host_choose_world(set * SIDES + side);
		fill_slot(&c->image, to);
		if (to)
			continue;
		fill_ends();
		divide_connections();
	}
}

void world_make(void)
{
	for (size_t i = 0; i < 4; i++)
		hosts[i] = end_addr(i < 2 ? NODE : SERVER, i & 1);
	for (unsigned int set = 0; set < SETS; set++) {
		for (uint32_t to = 0; to < BH_SLOTS; to++)
			load(set, to);
	}
	host_maps_keep();
}

void world_choose(unsigned int side)
{
	host_choose_world(now.set * SIDES + side);
}

static void write_control(void)
{
	struct bh_control control = {
		.active = now.has_policy ? BH_ACTIVE(generation, slot) : 0,
		.since = since,
		.adopt_ifindex = UINT32_MAX,
		.adopt_until_ns = now.is_adopting ? START_NS + ADOPT_NS : 0,
		.builtins_off = now.builtins_off,
		.heartbeat_ns = now.is_beating ? START_NS : 0,
		.wall_offset_ns = WALL_START * NS_PER_S - (START_NS + host_boot_ahead_ns),
		.down_slots = now.is_beating ? 3 : 0,
		.secret =
			{
				.key = {1, 3, 5, 7, 11, 13, 17, 19, 23, 29},
				.factor = 0x9e3779b97f4a7c15,
			},
	};
	const uint32_t zero = 0;

	control.secret.v4 = bh_conn_hash_v4(control.secret.key);
	for (unsigned int side = 0; side < SIDES; side++) {
		world_choose(side);
		put(HOST_CONTROL, &zero, &control);
	}
}

void world_begin(const struct switches *switches)
{
	host_maps_reset();
	now = *switches;
	generation = since = 1;
	slot = 0;
	host_now_ns = START_NS;
	host_boot_ahead_ns = 77 * NS_PER_S;
	write_control();
}

void world_flip(bool is_other)
{
	since = ++generation;
	if (is_other)
		slot = !slot;
	write_control();
}

void world_change(const struct bh_addr *a)
{
	uint64_t word[2];

	memcpy(word, a ? a : &hosts[0], sizeof(word));
	generation++;
	for (unsigned int side = 0; side < SIDES; side++) {
		struct bh_epochs *epochs;

		world_choose(side);
		epochs = first_of(HOST_EPOCHS);
		epochs->changed[BH_EPOCH_AT(word[0], word[1])] = generation;
	}
	write_control();
}

struct reference_answer world_decide(const struct reference_question *q)
{
	const struct reference reference = {
		.policy = policies[now.set][slot],
		.hosts = hosts,
		.host_count = 2,
		.now = WALL_START + (int64_t)((host_now_ns - START_NS) / NS_PER_S),
	};

	return reference_decide(&reference, q);
}

bool world_has_policy(void)
{
	return now.has_policy;
}

bool world_is_local(const struct bh_addr *a)
{
	for (size_t i = 0; i < 4; i++) {
		if (!addr_cmp(a, &hosts[i]))
			return true;
	}
	return false;
}

bool world_is_workload(const struct bh_addr *a)
{
	return !addr_cmp(a, &hosts[2]) || !addr_cmp(a, &hosts[3]);
}
