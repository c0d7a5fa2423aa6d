/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/bpf/fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bulkhead.skel.h"
#include "util/mem.h"

/* Without pins, and with what the tests before left in it: loading is what takes the time. */
static struct datapath *shared;

static int open_shared(void **state)
{
	int err = enter_namespaces(state);

	if (!err)
		shared = open_at(NULL);
	return err;
}

static int close_shared(void **state)
{
	(void)state;
	datapath_free(shared);
	return 0;
}

/* --- the programs' way through the maps, by descriptors --- */

static uint32_t identity_of(const struct datapath *dp, uint32_t slot, uint32_t address)
{
	struct bh_prefix_key key = {.prefix_len = BH_SLOT_BITS + 128, .slot = slot};
	uint32_t identity;

	key.addr.word[2] = htonl(0xffff);
	key.addr.word[3] = htonl(address);
	if (bpf_map_lookup_elem(bpf_map__fd(dp->skel->maps.bh_prefixes), &key, &identity))
		return 0;
	return identity;
}

static uint32_t grid_value(const struct datapath *dp, const struct bh_grid *g, uint32_t row,
			   uint32_t column)
{
	uint32_t at = row * g->stride + column / BH_BLOCK_ENTRIES;
	struct bh_directory_line line;
	struct bh_block block;

	if (row >= g->rows || column >= g->columns)
		return 0;
	read_entry(dp->skel->maps.bh_directory, g->line + at / BH_LINE_ENTRIES, &line);
	read_entry(dp->skel->maps.bh_blocks, g->block + line.block[at % BH_LINE_ENTRIES], &block);
	return block.value[column % BH_BLOCK_ENTRIES];
}

/* The cell for tcp from @src to @dst in the policy in force. */
static uint32_t decide(const struct datapath *dp, uint32_t src, uint32_t dst, uint16_t port)
{
	struct bh_identity from, to;
	struct bh_service_line line;
	struct bh_control control;
	struct bh_policy policy;
	uint32_t slot, row;

	read_entry(dp->skel->maps.bh_control, 0, &control);
	slot = BH_ACTIVE_SLOT(control.active);
	read_entry(dp->skel->maps.bh_policies, slot, &policy);
	assert_int_equal(policy.slot, slot);
	read_entry(dp->skel->maps.bh_identities, policy.identity + identity_of(dp, slot, src),
		   &from);
	read_entry(dp->skel->maps.bh_identities, policy.identity + identity_of(dp, slot, dst), &to);
	read_entry(dp->skel->maps.bh_services,
		   slot * BH_SERVICE_LINES + port / BH_SERVICE_LINE_ENTRIES, &line);
	row = grid_value(dp, &policy.pairs, from.class, to.class);
	return grid_value(dp, &policy.cells, row, line.class[port % BH_SERVICE_LINE_ENTRIES]);
}

/* What image_make(last, rule) says, and nothing that another image said. */
static void assert_in_force(const struct datapath *dp, uint32_t last, uint32_t rule)
{
	uint32_t allow = BH_CELL(rule, BH_VERDICT_ALLOW, 0);

	assert_int_equal(decide(dp, 0x0a010101, 0x0a000000 + last, 443), allow);
	assert_int_equal(decide(dp, 0x0a010101, 0x0a000000 + last, 442), 0);
	assert_int_equal(decide(dp, 0x0a010101, 0x0a000000 + last + 1, 443), 0);
	assert_int_equal(decide(dp, 0x0a010101, 0x0a000000 + last - 1, 443), 0);
	assert_int_equal(decide(dp, 0x0b010101, 0x0a000000 + last, 443), 0);
}

/* --- policies --- */

static void programs_find_what_was_swapped_in(void **state)
{
	struct datapath *dp = shared;

	(void)state;
	assert_false(datapath_is_adopted(dp));
	assert_int_equal(datapath_generation(dp), 0);
	for (uint32_t i = 1; i <= 5; i++) {
		struct datapath_swap swap = swap_to(dp, 10 * i, BH_RULE_FIRST + i);

		assert_int_equal(swap.generation, i);
		assert_int_equal(swap.slot, (i + 1) % 2);
		assert_int_equal(tables_header(&dp->tables, swap.slot)->generation, i);
		assert_int_equal(datapath_generation(dp), i);
		assert_in_force(dp, 10 * i, BH_RULE_FIRST + i);
	}
}

/* By the programs' own way; the next fills of both slots must not be misled by the change. */
static void an_address_moves_in_place_as_a_generation_of_its_own(void **state)
{
	_datapath_ struct datapath *dp = open_at(NULL);
	const uint32_t allow = BH_CELL(BH_RULE_FIRST, BH_VERDICT_ALLOW, 0);
	struct bh_addr a = {{0, 0, htonl(0xffff), htonl(0x0a000014)}};

	(void)state;
	assert_int_equal(datapath_set_identity(dp, &a, 1, true), -EINVAL);
	swap_to(dp, 10, BH_RULE_FIRST);
	assert_int_equal(datapath_set_identity(dp, &a, 3, true), -EINVAL);
	assert_int_equal(datapath_set_identity(dp, &a, 2, true), 0);
	assert_int_equal(datapath_generation(dp), 2);
	assert_int_equal(datapath_slot(dp), 0);
	assert_int_equal(decide(dp, 0x0a010101, 0x0a000014, 443), allow);
	assert_int_equal(decide(dp, 0x0a010101, 0x0a00000a, 443), allow);
	assert_int_equal(datapath_set_identity(dp, &a, 1, false), 0);
	assert_int_equal(datapath_set_identity(dp, &a, 1, false), 0);
	assert_int_equal(datapath_generation(dp), 4);
	assert_in_force(dp, 10, BH_RULE_FIRST);
	assert_int_equal(datapath_set_identity(dp, &a, 2, true), 0);
	for (uint32_t i = 1; i <= 3; i++) {
		swap_to(dp, 10, BH_RULE_FIRST + i);
		assert_in_force(dp, 10, BH_RULE_FIRST + i);
	}
}

struct flaw {
	const char *name;
	void (*apply)(struct image *image);
	int err;
	const char *word; /* in the sentence */
};

static void too_many_identities(struct image *image)
{
	while (image->identities.count <= BH_IDENTITY_ENTRIES / 2)
		vec_push(&image->identities, (struct bh_identity){});
}

static void too_many_prefixes(struct image *image)
{
	for (uint32_t i = 0; i < BH_PREFIX_ENTRIES / 2; i++)
		image_add_prefix(image, 0x0b000000 + i, 32, 1);
}

static void too_many_rules(struct image *image)
{
	image->rules = BH_RULE_ENTRIES / 2 + 1;
}

static void too_many_blocks(struct image *image)
{
	while (image->pairs.blocks.count <= BH_BLOCKS / 2)
		vec_push(&image->pairs.blocks, (struct bh_block){});
}

static void too_many_lines(struct image *image)
{
	vec_release(&image->cells.directory);
	vec_release(&image->cells.blocks);
	grid_init(&image->cells, BH_DIRECTORY_LINES / 2 * BH_LINE_ENTRIES, 1);
}

static void stray_block(struct image *image)
{
	image->cells.directory.items[0] = (uint32_t)image->cells.blocks.count;
}

static void stray_identity(struct image *image)
{
	image->prefixes.items[1].identity = (uint32_t)image->identities.count;
}

static void short_directory(struct image *image)
{
	image->pairs.rows++;
}

static void too_many_changes(struct image *image)
{
	while (image->later.count <= BH_LATER_ENTRIES / 2)
		vec_push(&image->later, (struct bh_later){});
}

static void add_change(struct image *image, uint32_t next, uint32_t cell)
{
	vec_push(&image->later, (struct bh_later){.until_s = 1, .next = next});
	vec_foreach (block, &image->cells.blocks)
		vec_push(&image->timed, *block);
	image->timed.items[1].value[0] = cell;
}

static void circular_change(struct image *image)
{
	add_change(image, BH_CELL_LATER, BH_CELL_LATER);
}

static void stray_change(struct image *image)
{
	add_change(image, 0, BH_CELL_LATER | 1);
}

static void changes_without_blocks(struct image *image)
{
	add_change(image, 0, 0);
	image->timed.count--;
}

static const struct flaw flaws[] = {
	/* clang-format off */
	{"identities", too_many_identities, -E2BIG,  "'bh_identities'"},
	{"prefixes",   too_many_prefixes,   -E2BIG,  "'bh_prefixes'"},
	{"rules",      too_many_rules,      -E2BIG,  "'bh_rule_counts'"},
	{"blocks",     too_many_blocks,     -E2BIG,  "'bh_blocks'"},
	{"lines",      too_many_lines,      -E2BIG,  "'bh_directory'"},
	{"block",      stray_block,         -EINVAL, "contradict"},
	{"identity",   stray_identity,      -EINVAL, "contradict"},
	{"directory",  short_directory,     -EINVAL, "contradict"},
	{"changes",    too_many_changes,    -E2BIG,  "'bh_later'"},
	{"circle",     circular_change,     -EINVAL, "contradict"},
	{"change",     stray_change,        -EINVAL, "contradict"},
	{"no blocks",  changes_without_blocks, -EINVAL, "contradict"},
	/* clang-format on */
};

static void a_refused_policy_leaves_the_old_one(void **state)
{
	struct datapath *dp = shared;
	uint32_t generation;

	(void)state;
	generation = swap_to(dp, 10, BH_RULE_FIRST).generation;
	for (size_t i = 0; i < COUNT(flaws); i++) {
		_text_ struct text why = TEXT_INIT;
		_image_ struct image image;
		struct datapath_swap swap;
		int err;

		image_make(&image, 20, BH_RULE_FIRST);
		flaws[i].apply(&image);
		err = datapath_swap_policy(dp, &image, &why, &swap);
		if (err != flaws[i].err || !strstr(why.buf, flaws[i].word))
			fail_msg("%s: %d, '%s'", flaws[i].name, err, why.buf);
		assert_int_equal(datapath_generation(dp), generation);
		assert_in_force(dp, 10, BH_RULE_FIRST);
	}
	assert_int_equal(swap_to(dp, 20, BH_RULE_FIRST).generation, generation + 1);
}

static void a_restart_finds_the_policy_in_force(void **state)
{
	struct datapath *dp = open_at(PINS);
	uint64_t adopt_until;

	(void)state;
	swap_to(dp, 10, BH_RULE_FIRST);
	swap_to(dp, 20, BH_RULE_FIRST);
	adopt_until = dp->tables.control->adopt_until_ns;
	assert_int_not_equal(adopt_until, 0);
	datapath_free(dp);

	dp = open_at(PINS);
	assert_true(datapath_is_adopted(dp));
	assert_int_equal(datapath_generation(dp), 2);
	assert_int_equal(datapath_slot(dp), 1);
	assert_int_equal(dp->tables.control->adopt_until_ns, adopt_until);
	assert_in_force(dp, 20, BH_RULE_FIRST);
	assert_int_equal(swap_to(dp, 30, BH_RULE_FIRST + 1).generation, 3);
	assert_in_force(dp, 30, BH_RULE_FIRST + 1);
	swap_to(dp, 40, BH_RULE_FIRST);
	assert_in_force(dp, 40, BH_RULE_FIRST);
	datapath_free(dp);
}

static void a_generation_is_never_zero(void **state)
{
	struct datapath *dp = shared;

	(void)state;
	dp->tables.control->active = BH_ACTIVE(UINT32_MAX, 1);
	assert_int_equal(swap_to(dp, 10, BH_RULE_FIRST).generation, 1);
	assert_in_force(dp, 10, BH_RULE_FIRST);
}

static void pins_of_another_layout_are_refused(void **state)
{
	const struct datapath_config config = {.bpffs = PINS};
	_text_ struct text why = TEXT_INIT;
	struct datapath *dp = open_at(PINS);
	size_t links;

	(void)state;
	dp->tables.control->layout = BH_LAYOUT_VERSION + 1;
	datapath_free(dp);
	dp = NULL;
	assert_int_equal(datapath_open(&config, &why, &dp), -EPROTO);
	assert_non_null(strstr(why.buf, "layout"));
	assert_null(dp);
	assert_int_equal(datapath_remove(PINS, &links), 0);
	assert_false(is_there(PINS));
}

static void only_a_bpf_filesystem_takes_pins(void **state)
{
	const struct datapath_config config = {.bpffs = "/sys/kernel/bulkhead"};
	_text_ struct text why = TEXT_INIT;
	struct datapath *dp = NULL;

	(void)state;
	assert_int_equal(datapath_open(&config, &why, &dp), -ENODEV);
	assert_string_equal(why.buf, "'/sys/kernel/bulkhead' is not on a bpf filesystem; mount -t "
				     "bpf bpf /sys/fs/bpf");
}

/* --- counters, connections, events --- */

static void counts_are_summed_over_cpus_and_cleared(void **state)
{
	struct datapath *dp = shared;
	_free_ struct bh_count *cpus = xcalloc((size_t)dp->cpus, sizeof(*cpus));
	uint32_t rule = BH_RULE_FIRST, slot, key;
	struct bh_count counts[BH_RULE_FIRST + 1];

	(void)state;
	swap_to(dp, 10, rule);
	swap_to(dp, 20, rule);
	slot = datapath_slot(dp);
	key = slot * (BH_RULE_ENTRIES / 2) + rule;
	for (int i = 0; i < dp->cpus; i++)
		cpus[i] = (struct bh_count){.packets = 1, .bytes = 100};
	bpf_map_update_elem(bpf_map__fd(dp->skel->maps.bh_rule_counts), &key, cpus, BPF_ANY);
	assert_int_equal(datapath_read_rules(dp, slot, rule + 1, counts), 0);
	assert_int_equal(counts[rule].packets, dp->cpus);
	assert_int_equal(counts[rule].bytes, dp->cpus * 100);
	assert_int_equal(counts[0].packets, 0);
	swap_to(dp, 30, rule);
	assert_int_equal(datapath_read_rules(dp, slot, rule + 1, counts), 0);
	assert_int_equal(counts[rule].packets, dp->cpus);
	swap_to(dp, 40, rule);
	assert_int_equal(datapath_read_rules(dp, slot, rule + 1, counts), 0);
	assert_int_equal(counts[rule].packets, 0);
}

static void count_packets(const struct datapath *dp, uint32_t slot, uint32_t rule, uint64_t packets)
{
	_free_ struct bh_count *cpus = xcalloc((size_t)dp->cpus, sizeof(*cpus));
	uint32_t key = slot * (BH_RULE_ENTRIES / 2) + rule;

	cpus[0] = (struct bh_count){.packets = packets};
	bpf_map_update_elem(bpf_map__fd(dp->skel->maps.bh_rule_counts), &key, cpus, BPF_ANY);
}

static uint64_t packets_of(struct datapath *dp, uint32_t slot, uint32_t rule)
{
	_free_ struct bh_count *counts = xcalloc(rule + 1, sizeof(*counts));

	assert_int_equal(datapath_read_rules(dp, slot, rule + 1, counts), 0);
	return counts[rule].packets;
}

/* Each by itself: two policies of as many rules are swapped in, then it is tidied so often. */
static void counts_are_cleared_when_there_is_time_or_else_by_the_swap(void **state)
{
	const uint32_t rule = 40000;
	struct datapath *dp = shared;

	(void)state;
	for (int times = 0; times < 5; times++) {
		uint32_t idle;

		swap_to(dp, 10, rule);
		idle = datapath_slot(dp);
		swap_to(dp, 20, rule);
		for (uint32_t i = 0; i < rule; i += 100) {
			count_packets(dp, idle, i, 1);
			count_packets(dp, !idle, i, 2);
		}
		count_packets(dp, idle, rule, 1);
		for (int i = 0; i < times; i++)
			assert_int_equal(datapath_tidy(dp), i < 2);
		assert_int_equal(packets_of(dp, idle, rule), times < 3);
		assert_int_equal(packets_of(dp, idle, 100), times < 1);
		assert_int_equal(packets_of(dp, !idle, 100), 2);
		swap_to(dp, 30, BH_RULE_FIRST);
		assert_int_equal(datapath_slot(dp), idle);
		for (uint32_t i = 0; i < rule; i += 100)
			assert_int_equal(packets_of(dp, idle, i), 0);
		assert_int_equal(packets_of(dp, idle, rule), 0);
		assert_int_equal(packets_of(dp, !idle, 100), 2);
	}
}

static void a_restart_clears_what_was_not_cleared_before(void **state)
{
	const uint32_t rule = 20000;
	struct datapath *dp = open_at(PINS);
	uint32_t idle;

	(void)state;
	swap_to(dp, 10, rule);
	idle = datapath_slot(dp);
	swap_to(dp, 20, rule);
	assert_int_equal(datapath_tidy(dp), 1);
	count_packets(dp, idle, 1, 1);
	count_packets(dp, idle, rule, 1);
	datapath_free(dp);

	dp = open_at(PINS);
	swap_to(dp, 30, rule);
	assert_int_equal(datapath_slot(dp), idle);
	assert_int_equal(packets_of(dp, idle, 1), 0);
	assert_int_equal(packets_of(dp, idle, rule), 0);
	datapath_free(dp);
}

/* What a swap has no reason to write it still looks at. */
static void a_swap_puts_right_what_is_not_as_it_was_left(void **state)
{
	static const struct bh_block zero;
	struct datapath *dp = shared;
	const struct bh_policy *header;
	uint32_t key;

	(void)state;
	for (int i = 0; i < 2; i++) {
		swap_to(dp, 10, BH_RULE_FIRST);
		header = tables_header(&dp->tables, datapath_slot(dp));
		key = i ? header->pairs.block + 1 : header->cells.block + 1;
		swap_to(dp, 10, BH_RULE_FIRST);
		bpf_map_update_elem(bpf_map__fd(dp->skel->maps.bh_blocks), &key, &zero, BPF_ANY);
		swap_to(dp, 10, BH_RULE_FIRST);
		assert_in_force(dp, 10, BH_RULE_FIRST);
	}
}

/* That is silent for ten seconds at most. */
static void add_connection(struct datapath *dp, uint32_t line, uint16_t port, uint64_t seen_ns)
{
	const struct bh_conn conn = {
		.key = {.port = {port, 0}, .proto = IPPROTO_TCP, .is_used = 1},
		.seen = BH_TICKS(seen_ns),
		.timeout = BH_TIMEOUT_TCP_CLOSING,
	};

	assert_int_equal(
		bpf_map_update_elem(bpf_map__fd(dp->skel->maps.bh_conns), &line, &conn, BPF_ANY),
		0);
}

static bool count_ports(const struct bh_conn *conn, void *user)
{
	*(unsigned int *)user += conn->key.port[0];
	return true;
}

static bool count_one(const struct bh_conn *conn, void *user)
{
	(void)conn;
	++*(unsigned int *)user;
	return false;
}

static void a_sweep_frees_what_expired(void **state)
{
	struct datapath *dp = shared;
	uint64_t second = 1000000000, now = 100 * second;
	unsigned int ports = 0, seen = 0;

	(void)state;
	add_connection(dp, 0, 1, now);
	add_connection(dp, 7, 2, now - 11 * second);
	add_connection(dp, 63, 4, now - 10 * second + second / 100);
	add_connection(dp, 64, 8, now - 9 * second);
	add_connection(dp, BH_CONN_LINES - 1, 16, now - 20 * second);
	assert_int_equal(datapath_each_connection(dp, count_ports, &ports), 0);
	assert_int_equal(ports, 1 + 2 + 4 + 8 + 16);
	assert_int_equal(datapath_each_connection(dp, count_one, &seen), 0);
	assert_int_equal(seen, 1);
	assert_int_equal(datapath_sweep(dp, now), 2);
	ports = 0;
	assert_int_equal(datapath_each_connection(dp, count_ports, &ports), 0);
	assert_int_equal(ports, 1 + 4 + 8);
	assert_int_equal(datapath_sweep(dp, 1000 * second), 3);
}

/* Half of what may settle is divided; one alone has it all, but for what the others may claim. */
static void endpoints_share_the_table(void **state)
{
	static const struct {
		const char *name;
		uint16_t ids[3];
		size_t count;
		uint32_t shares;
	} rows[] = {
		{"the machine alone", {0}, 0, 1},
		{"one workload", {1}, 1, 2},
		{"three", {1, 2, 3}, 3, 4},
		{"ids with gaps", {9, 2}, 2, 10},
	};
	struct datapath *dp = shared;
	int fd = bpf_map__fd(dp->skel->maps.bh_endpoints);
	uint32_t settled = BH_CONN_LINES / 16 * BH_CONN_SETTLED_PARTS;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct bh_conn_setup setup;
		const __u32 key = 0;

		for (__u32 j = 0; j < rows[i].count; j++) {
			struct bh_endpoint endpoint = {.id = rows[i].ids[j],
						       .kind = BH_ENDPOINT_WORKLOAD};

			bpf_map_update_elem(fd, &j, &endpoint, BPF_ANY);
		}
		assert_int_equal(connections_share(dp), 0);
		bpf_map_lookup_elem(bpf_map__fd(dp->skel->maps.bh_conn_setup), &key, &setup);
		assert_row(rows[i].name, setup.settled_each == settled / 2 / rows[i].shares);
		assert_row(rows[i].name,
			   setup.settled_shared + (rows[i].shares - 1) * setup.settled_each ==
				   settled);
		assert_row(rows[i].name,
			   setup.embryonic_each == BH_CONN_LINES / 8 / rows[i].shares);
		for (__u32 j = 0; j < rows[i].count; j++)
			bpf_map_delete_elem(fd, &j);
	}
}

static void count_event(const struct bh_event *event, void *user)
{
	if (event->verdict == BH_VERDICT_DENY && event->reason)
		++*(unsigned int *)user;
}

/* No policy is in force, so the packet is dropped whatever it is. */
static void a_drop_is_counted_and_reported(void **state)
{
	struct datapath *dp = shared;
	char frame[64] = {[12] = 0x08, [14] = 0x45, [17] = 50, [23] = 17};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame));
	struct bh_count drops[BH_REASON_COUNT];
	struct bh_books books[BH_VERDICT_COUNT];
	unsigned int events = 0;
	uint64_t packets = 0;

	(void)state;
	dp->tables.control->active = 0;
	assert_int_equal(datapath_events_open(dp, count_event, &events), 0);
	assert_true(datapath_events_fd(dp) >= 0);
	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(dp->skel->progs.bh_xdp_in), &opts),
			 0);
	assert_int_equal(opts.retval, XDP_DROP);
	assert_int_equal(datapath_read_drops(dp, drops), 0);
	for (size_t i = 0; i < BH_REASON_COUNT; i++)
		packets += drops[i].packets;
	assert_int_equal(packets, 1);
	assert_int_equal(datapath_events_consume(dp), 1);
	assert_int_equal(events, 1);
	assert_int_equal(datapath_read_books(dp, books), 0);
	assert_int_equal(books[BH_VERDICT_DENY].produced, 1);
	assert_int_equal(books[BH_VERDICT_DENY].delivered, 1);
	datapath_events_close(dp);
}

static void tables_say_how_full_they_are(void **state)
{
	_datapath_ struct datapath *dp = open_at(NULL);
	struct table_fill tables[32];
	size_t count;
	unsigned int known = 0;

	(void)state;
	swap_to(dp, 10, BH_RULE_FIRST);
	count = datapath_tables(dp, tables, COUNT(tables));
	assert_in_range(count, 1, COUNT(tables));
	for (size_t i = 0; i < count; i++) {
		if (!strcmp(tables[i].name, "bh_prefixes"))
			known += tables[i].used == 2;
		if (!strcmp(tables[i].name, "bh_blocks"))
			known += tables[i].bytes >= BH_BLOCKS * sizeof(struct bh_block) &&
				 tables[i].used == 4;
		if (!strcmp(tables[i].name, "bh_identities"))
			known += tables[i].used == 3;
	}
	assert_int_equal(known, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* This one first: it says what a fresh one is like. */
		cmocka_unit_test(programs_find_what_was_swapped_in),
		cmocka_unit_test(an_address_moves_in_place_as_a_generation_of_its_own),
		cmocka_unit_test(a_refused_policy_leaves_the_old_one),
		cmocka_unit_test_teardown(a_restart_finds_the_policy_in_force, remove_all),
		cmocka_unit_test(a_generation_is_never_zero),
		cmocka_unit_test_teardown(pins_of_another_layout_are_refused, remove_all),
		cmocka_unit_test(only_a_bpf_filesystem_takes_pins),
		cmocka_unit_test(counts_are_summed_over_cpus_and_cleared),
		cmocka_unit_test(counts_are_cleared_when_there_is_time_or_else_by_the_swap),
		cmocka_unit_test_teardown(a_restart_clears_what_was_not_cleared_before, remove_all),
		cmocka_unit_test(a_swap_puts_right_what_is_not_as_it_was_left),
		cmocka_unit_test(a_sweep_frees_what_expired),
		cmocka_unit_test(endpoints_share_the_table),
		cmocka_unit_test(a_drop_is_counted_and_reported),
		cmocka_unit_test(tables_say_how_full_they_are),
	};

	return cmocka_run_group_tests(tests, open_shared, close_shared);
}
