/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/bpf/rig.h"

#include <arpa/inet.h>
#include <sys/mman.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/fragment_bucket.h"
#include "bulkhead.skel.h"
#include "policy/load.h"
#include "util/clock.h"
#include "util/diag.h"
#include "util/mem.h"

#define NS_PER_S UINT64_C(1000000000)
#define ADOPT_NS (3600 * NS_PER_S)

/* What every policy of these tests begins with. */
static const char document_head[] =
	"apiVersion: bulkhead.dev/v1\n"
	"kind: ZonePolicy\n"
	"metadata: {name: test}\n"
	"spec:\n"
	"  zones:\n"
	"    - {name: front, cidrs: [10.77.1.0/24, 'fd77:1::/64']}\n"
	"    - {name: back, cidrs: [10.77.2.0/24, 'fd77:2::/64']}\n"
	"    - {name: watch, cidrs: [10.77.3.0/24, 'fd77:3::/64'], mode: audit}\n"
	"    - {name: loose, cidrs: [10.77.4.0/24, 'fd77:4::/64'], mode: off}\n"
	"  workloads:\n"
	"    - {name: client, zone: front, addresses: [10.77.1.1, 'fd77:1::1'], labels: {app: c}}\n"
	"    - {name: server, zone: back, addresses: [10.77.2.1, 'fd77:2::1'], labels: {app: s}}\n"
	"  rules:\n";

static void on_event(const struct bh_event *event, const struct bh_event_packet *packet, void *user)
{
	struct rig *rig = user;

	rig->event = *event;
	rig->has_packet = packet != NULL;
	if (packet)
		rig->packet = *packet;
	rig->events++;
}

void rig_set_workload(struct rig *rig, const struct bh_endpoint *workload)
{
	const struct bulkhead_bpf *skel = rig->dp->skel;
	const __u32 ifindex = RIG_IFINDEX, at = RIG_IFINDEX % BH_INTERFACE_ENTRIES;
	struct bh_endpoint endpoint = {};

	if (workload)
		endpoint = *workload;
	bpf_map_delete_elem(bpf_map__fd(skel->maps.bh_endpoints), &ifindex);
	if (workload)
		bpf_map_update_elem(bpf_map__fd(skel->maps.bh_endpoints), &ifindex, &endpoint,
				    BPF_ANY);
	endpoint.ifindex = workload ? ifindex : 0;
	bpf_map_update_elem(bpf_map__fd(skel->maps.bh_interfaces), &at, &endpoint, BPF_ANY);
}

/* Among the workload and those before it. */
static void divide_tables(struct rig *rig)
{
	const struct bh_endpoint workload = {.id = RIG_ENDPOINT, .kind = BH_ENDPOINT_WORKLOAD};

	rig_set_workload(rig, &workload);
	assert_int_equal(connections_share(rig->dp), 0);
}

struct rig *rig_new(uint32_t event_rate)
{
	const struct datapath_config config = {
		.event_rate = event_rate,
		.conn_lines = RIG_CONN_LINES,
	};

	return rig_new_config(&config);
}

/* WHOLE_WAY=1 in the environment: for any test. */
struct rig *rig_new_config(const struct datapath_config *given)
{
	_text_ struct text why = TEXT_INIT;
	struct rig *rig = xcalloc(1, sizeof(*rig));
	struct datapath_config config = *given;

	config.is_whole |= getenv("WHOLE_WAY") != NULL;
	if (datapath_open(&config, &why, &rig->dp))
		fail_msg("programs are not loaded: %s", why.buf);
	divide_tables(rig);
	if (datapath_events_open(rig->dp, on_event, rig))
		fail_msg("events are not opened");
	rig_stand(rig, SERVER);
	return rig;
}

static void drop_policy(struct rig *rig)
{
	compiled_free(rig->compiled);
	policy_free(rig->policy);
	rig->compiled = NULL;
	rig->policy = NULL;
	rig->rules = NULL;
}

void rig_free(struct rig *rig)
{
	drop_policy(rig);
	datapath_free(rig->dp);
	free(rig);
}

int rig_setup(void **state)
{
	*state = rig_new(0);
	return 0;
}

int rig_teardown(void **state)
{
	rig_free(*state);
	return 0;
}

void rig_document(struct rig *rig, const char *yaml)
{
	struct bh_addr host[] = {end_addr(NODE, false), end_addr(NODE, true)};
	const struct environment env = {.host = host, .host_count = COUNT(host)};
	struct source source = source_of("test.yaml", yaml, strlen(yaml));
	_text_ struct text why = TEXT_INIT;
	_diags_ struct diags diags = {};
	struct datapath_swap swap;

	drop_policy(rig);
	if (policy_load_sources(&source, 1, &diags, &rig->policy) ||
	    policy_compile(rig->policy, &env, &diags, &rig->compiled)) {
		diags_print(&diags, stderr);
		fail_msg("not a policy: %s", yaml);
	}
	if (datapath_try_policy(rig->dp, &rig->compiled->image, rig->revert_at_ns, &why, &swap))
		fail_msg("policy is not in force: %s", why.buf);
}

void rig_policy(struct rig *rig, const char *rules)
{
	_text_ struct text yaml = TEXT_INIT;

	text_add(&yaml, document_head);
	text_add(&yaml, rules);
	rig_document(rig, yaml.buf);
	rig->rules = rules;
}

void rig_no_policy(struct rig *rig)
{
	drop_policy(rig);
	rig->dp->tables.control->active = 0;
}

void rig_bump(struct rig *rig)
{
	slots_raise(rig->dp);
}

void rig_builtins_off(struct rig *rig, uint32_t mask)
{
	rig->dp->tables.control->builtins_off = mask;
}

void rig_clock(struct rig *rig, uint64_t wall_s)
{
	rig->dp->tables.control->wall_offset_ns = wall_s * NS_PER_S + NS_PER_S / 2 -
						  clock_boot_ns();
}

void rig_heartbeat(struct rig *rig, int seconds)
{
	rig->dp->tables.control->heartbeat_ns =
		seconds < 0 ? 0 : clock_monotonic_ns() - (uint64_t)seconds * NS_PER_S;
}

void rig_adopt(struct rig *rig, bool is_open)
{
	rig->dp->tables.control->adopt_ifindex = UINT32_MAX;
	rig->dp->tables.control->adopt_until_ns = is_open ? clock_monotonic_ns() + ADOPT_NS : 0;
}

void rig_stand(struct rig *rig, enum end end)
{
	rig->stand = end;
}

const char *rig_rule_name(const struct rig *rig, uint32_t rule)
{
	return rule == BH_RULE_NONE ? "none" : compiled_rule_name(rig->compiled, rule);
}

/* --- what the programs remember --- */

void rig_forget(struct rig *rig)
{
	const struct bpf_map *fragments = rig->dp->skel->maps.bh_fragments;

	assert_int_equal(connections_forget(rig->dp), 0);
	assert_int_equal(entries_zero(bpf_map__fd(fragments), bpf_map__max_entries(fragments),
				      bpf_map__value_size(fragments)),
			 0);
}

/* Both halves of the table. */
struct lines {
	struct bh_conn *near;
	struct bh_conn_rest *far;
	size_t count;
};

void *rig_share(const struct bpf_map *map, size_t *ret_size)
{
	void *bytes;

	*ret_size = (size_t)bpf_map__max_entries(map) * bpf_map__value_size(map);
	bytes = mmap(NULL, *ret_size, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);
	assert_true(bytes != MAP_FAILED);
	return bytes;
}

static struct lines share_lines(const struct rig *rig)
{
	struct lines lines;
	size_t size;

	lines.near = rig_share(rig->dp->skel->maps.bh_conns, &size);
	lines.far = rig_share(rig->dp->skel->maps.bh_conn_rests, &size);
	lines.count = size / sizeof(*lines.far);
	return lines;
}

static void unshare_lines(const struct lines *lines)
{
	munmap(lines->near, lines->count * sizeof(*lines->near));
	munmap(lines->far, lines->count * sizeof(*lines->far));
}

static void age_connections(const struct rig *rig, uint32_t seconds)
{
	struct lines lines = share_lines(rig);

	for (size_t i = 0; i < lines.count; i++)
		lines.near[i].seen -= BH_TICKS_OF_S(seconds) + 1;
	unshare_lines(&lines);
}

/* Before its kind there are ticks, which are modulo. */
static __u64 aged_limiter(__u64 limiter, uint32_t seconds)
{
	__u64 mask = (__u64)BH_LIMITER_TICK_MAX << BH_LIMITER_COUNT_BITS;
	__u64 began = limiter - ((__u64)seconds * BH_LIMITER_TICKS << BH_LIMITER_COUNT_BITS);

	return (limiter & ~mask) | (began & mask);
}

static void age_limiters(const struct rig *rig, uint32_t seconds)
{
	int fd = bpf_map__fd(rig->dp->skel->maps.bh_limiters);
	struct bh_limiter_line line;

	for (__u32 at = 0; at < BH_LIMITER_LINES; at++) {
		assert_int_equal(bpf_map_lookup_elem(fd, &at, &line), 0);
		for (int i = 0; i < BH_LIMITER_WAYS; i++)
			line.way[i] = aged_limiter(line.way[i], seconds);
		assert_int_equal(bpf_map_update_elem(fd, &at, &line, BPF_ANY), 0);
	}
}

static void age_fragments(const struct rig *rig, uint32_t seconds)
{
	const struct bpf_map *map = rig->dp->skel->maps.bh_fragments;
	struct fragment_bucket bucket;

	for (__u32 at = 0; at < bpf_map__max_entries(map); at++) {
		assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(map), &at, &bucket), 0);
		for (int i = 0; i < BH_FRAGMENT_WAYS; i++)
			bucket.entry[i].seen_ns -= bucket.entry[i].seen_ns ? seconds * NS_PER_S : 0;
		assert_int_equal(bpf_map_update_elem(bpf_map__fd(map), &at, &bucket, BPF_ANY), 0);
	}
}

void rig_age(struct rig *rig, uint32_t seconds)
{
	age_connections(rig, seconds);
	age_fragments(rig, seconds);
	age_limiters(rig, seconds);
	rig->dp->tables.control->flood_until = 0;
}

/* Which end of the key, as connection.h says it. */
static int first_end(const struct bh_addr addr[2], const uint16_t port[2])
{
	int order = memcmp(&addr[0], &addr[1], sizeof(addr[0]));

	if (!order)
		order = memcmp(&port[0], &port[1], sizeof(port[0]));
	return order <= 0 ? 0 : 1;
}

static struct bh_conn_key key_of(const struct packet_spec *spec, uint16_t endpoint, int *ret_first)
{
	const struct bh_addr addr[2] = {packet_src(spec), packet_dst(spec)};
	const uint16_t port[2] = {htons(packet_sport(spec)), htons(packet_dport(spec))};
	int first = first_end(addr, port);

	*ret_first = first;
	return (struct bh_conn_key){
		.addr = {addr[first], addr[!first]},
		.port = {port[first], port[!first]},
		.endpoint = endpoint,
		.proto = packet_proto(spec),
		.ip_version = spec->is_v6 ? 6 : 4,
	};
}

struct wanted {
	struct bh_conn_key key;
	struct connection *ret;
	bool is_found;
};

static bool look_for(const struct connection *conn, void *user)
{
	struct wanted *wanted = user;

	if (memcmp(&conn->key, &wanted->key, sizeof(conn->key)))
		return true;
	*wanted->ret = *conn;
	wanted->is_found = true;
	return false;
}

int rig_connection(struct rig *rig, const struct packet_spec *spec, uint16_t endpoint,
		   struct seen_connection *ret)
{
	int first;
	struct connection conn;
	struct wanted wanted = {.key = key_of(spec, endpoint, &first), .ret = &conn};

	assert_int_equal(datapath_each_connection(rig->dp, look_for, &wanted), 0);
	if (!wanted.is_found)
		return -ENOENT;
	*ret = (struct seen_connection){
		.conn = conn,
		.is_embryonic = !(conn.line.flags & BH_CONN_SETTLED),
		.is_opener = conn.line.opener == first,
	};
	return 0;
}

/* The line that has the connection; lines->count: none has. */
static size_t find_line(const struct lines *lines, const struct bh_conn_key *wanted)
{
	struct bh_conn_key key;
	size_t i;

	for (i = 0; i < lines->count; i++) {
		bh_conn_key_of(&lines->near[i], &lines->far[i], &key);
		if (!memcmp(&key, wanted, sizeof(key)))
			break;
	}
	return i;
}

void rig_forget_connection(struct rig *rig, const struct packet_spec *spec, uint16_t endpoint)
{
	int first;
	const struct bh_conn_key key = key_of(spec, endpoint, &first);
	struct lines lines = share_lines(rig);
	size_t line = find_line(&lines, &key);

	if (line < lines.count) {
		__u32 bucket = (__u32)line / BH_CONN_WAYS;
		int fd = bpf_map__fd(rig->dp->skel->maps.bh_conn_tags);
		struct bh_conn_tags tags;

		assert_int_equal(bpf_map_lookup_elem(fd, &bucket, &tags), 0);
		tags.tag[line % BH_CONN_WAYS] = 0;
		assert_int_equal(bpf_map_update_elem(fd, &bucket, &tags, BPF_ANY), 0);
		lines.near[line].ip_version = 0;
	}
	unshare_lines(&lines);
}
