/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How a slot becomes what it is to be, entry by entry, and what is left if that ends too early. */
#include "tests/bpf/fixture.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "datapath/table_write.h"
#include "util/mem.h"

/* --- one table --- */

static const struct {
	const char *name;
	uint32_t flags, size, entries, first, bytes;
} writes[] = {
	/* clang-format off */
	{"by the kernel",                BPF_F_RDONLY_PROG, 128, 20000, 3,  19990 * 128},
	{"in place",                     0,                 128, 20000, 3,  19990 * 128},
	{"by the kernel, small entries", BPF_F_RDONLY_PROG,   8, 300000, 7, 299990 * 8},
	{"one by the kernel",            BPF_F_RDONLY_PROG, 256, 2,     1,  256},
	{"part of one by the kernel",    BPF_F_RDONLY_PROG,  64, 40,    39, 20},
	{"part of one in place",         0,                  64, 40,    39, 20},
	{"nothing by the kernel",        BPF_F_RDONLY_PROG,  64, 40,    39, 0},
	{"nothing in place",             0,                  64, 40,    39, 0},
	/* clang-format on */
};

static struct table make_table(size_t row)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE | writes[row].flags);
	struct table table = {
		.fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "filled", sizeof(uint32_t),
				     writes[row].size, writes[row].entries, &opts),
		.entries = writes[row].entries,
		.size = writes[row].size,
		.is_shared = !writes[row].flags,
	};

	assert_row(writes[row].name, table.fd >= 0);
	return table;
}

static char *make_content(size_t row)
{
	char *content = xcalloc(1, (size_t)writes[row].bytes + 1);

	for (uint32_t i = 0; i < writes[row].bytes; i++)
		content[i] = (char)(i * 2654435761u >> 24);
	return content;
}

/* And there is nothing before it. */
static void assert_content(const struct table *table, size_t row, const char *content)
{
	_free_ char *zeros = xcalloc(writes[row].first, table->size);
	size_t before = (size_t)writes[row].first * table->size;
	_table_view_ struct table_view view = {};

	assert_int_equal(table_view_open(table, 0, before + writes[row].bytes, &view), 0);
	assert_row(writes[row].name, !memcmp(view.bytes, zeros, before));
	assert_row(writes[row].name,
		   !memcmp((char *)view.bytes + before, content, writes[row].bytes));
}

static int write_row(const struct table *table, size_t row, const char *content)
{
	return table_write(table, writes[row].first, content, writes[row].bytes);
}

static void what_is_written_is_there_wherever_it_differed(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(writes); i++) {
		const uint32_t last = writes[i].bytes ? writes[i].bytes - 1 : 0;
		const uint32_t places[] = {0, last / 3, last / 2, last};
		_free_ char *content = make_content(i);
		struct table table = make_table(i);

		assert_row(writes[i].name, !write_row(&table, i, content));
		assert_content(&table, i, content);
		for (size_t j = 0; writes[i].bytes && j < COUNT(places); j++) {
			content[places[j]] ^= 1;
			assert_row(writes[i].name, !write_row(&table, i, content));
			assert_content(&table, i, content);
		}
		close(table.fd);
	}
}

/* To nothing else is there access any more. */
static void what_is_there_is_not_written(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(writes); i++) {
		_free_ char *content = make_content(i);
		struct table table = make_table(i);

		if (writes[i].flags && writes[i].bytes) {
			assert_row(writes[i].name, !write_row(&table, i, content));
			assert_row(writes[i].name, !bpf_map_freeze(table.fd));
			assert_row(writes[i].name, !write_row(&table, i, content));
			content[writes[i].bytes - 1] ^= 1;
			assert_row(writes[i].name, write_row(&table, i, content) == -EPERM);
		}
		close(table.fd);
	}
}

/* --- all tables of a slot --- */

/* An entry that every policy of these tests uses. */
static uint32_t used_entry(const struct datapath *dp, enum table_id table, uint32_t slot)
{
	const struct bh_policy *p = tables_header(&dp->tables, slot);

	switch (table) {
	case TABLE_PREFIXES:
		return p->prefixes.line + (10 << 8) / BH_START_LINE_ENTRIES;
	case TABLE_IDENTITIES:
		return p->identity + 1;
	case TABLE_SERVICES:
		return slot * BH_SERVICE_LINES + 443 / BH_SERVICE_LINE_ENTRIES;
	case TABLE_DIRECTORY:
		return p->cells.line;
	case TABLE_BLOCKS:
		return p->cells.block + 1;
	case TABLE_EVENT_PLACES:
		return p->rule / BH_RULE_PAGE;
	case TABLE_KNOWN:
		return (slot * 2 + 1) * BH_KNOWN_LINES - 1;
	case TABLE_LATER:
	case TABLE_POLICIES:
	case TABLE_COUNT:
		break;
	}
	return UINT32_MAX;
}

/* What a swap has no reason to write it still looks at. */
static void a_swap_puts_right_what_is_not_as_it_was_left(void **state)
{
	struct datapath *dp = shared;

	(void)state;
	swap_to(dp, 10, BH_RULE_FIRST);
	swap_to(dp, 10, BH_RULE_FIRST);
	for (enum table_id i = 0; i < TABLE_COUNT; i++) {
		const struct table *table = &dp->tables.of[i];
		uint32_t key = used_entry(dp, i, !datapath_slot(dp));
		char before[256], after[256], other[256];

		assert_true(table->size <= sizeof(before));
		if (key == UINT32_MAX)
			continue;
		assert_int_equal(bpf_map_lookup_elem(table->fd, &key, before), 0);
		memset(other, 0x5a, sizeof(other));
		assert_int_equal(bpf_map_update_elem(table->fd, &key, other, BPF_ANY), 0);
		swap_to(dp, 10, BH_RULE_FIRST);
		assert_int_equal(bpf_map_lookup_elem(table->fd, &key, after), 0);
		if (memcmp(before, after, table->size) != 0)
			fail_msg("table %d is not what it was", (int)i);
		assert_in_force(dp, 10, BH_RULE_FIRST);
	}
}

/* --- an agent that is killed --- */

enum end {
	AFTER_CLEARING,
	AMONG_PREFIXES,
	BEFORE_FLIP,
	ENDS,
};

/* The inactive slot gets another policy, as far as @end. */
static void fill_until(struct datapath *dp, enum end end)
{
	struct tables *t = &dp->tables;
	struct tables_content content = {.slot = !datapath_slot(dp)};
	_text_ struct text why = TEXT_INIT;
	struct bh_policy at;
	struct image image;

	image_make(&image, 30, BH_RULE_FIRST + 3);
	content.image = &image;
	if (tables_check(t, &content, &why) || tables_build(t, &content, &why))
		return;
	at = tables_place(t, &content, datapath_generation(dp) + 1);
	if (tables_clear_header(t, content.slot) || tables_forget_known(t, content.slot))
		return;
	if (end == AMONG_PREFIXES)
		memcpy(tables_prefixes(t, content.slot), content.prefixes.lines,
		       (BH_START_LINES / 2 + 1) * sizeof(*content.prefixes.lines) + 20);
	if (end == BEFORE_FLIP && tables_fill(t, &content, &at))
		return;
	kill(getpid(), SIGKILL);
}

static void be_killed(enum end end)
{
	int status;
	pid_t child = fork();

	if (!child) {
		fill_until(open_at(PINS), end);
		_exit(0);
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* Whatever it had begun, nobody sees, and the next one does as a whole. */
static void who_is_killed_before_the_flip_leaves_the_policy_in_force(void **state)
{
	struct datapath *dp = open_at(PINS);
	uint32_t generation;

	(void)state;
	swap_to(dp, 10, BH_RULE_FIRST);
	generation = swap_to(dp, 20, BH_RULE_FIRST).generation;
	datapath_free(dp);
	for (enum end end = 0; end < ENDS; end++) {
		be_killed(end);
		dp = open_at(PINS);
		assert_true(datapath_is_adopted(dp));
		assert_int_equal(datapath_generation(dp), generation);
		assert_in_force(dp, 20, BH_RULE_FIRST);
		assert_int_equal(tables_header(&dp->tables, !datapath_slot(dp))->generation,
				 end == BEFORE_FLIP ? generation + 1 : 0);
		swap_to(dp, 40, BH_RULE_FIRST + 1);
		assert_in_force(dp, 40, BH_RULE_FIRST + 1);
		generation = swap_to(dp, 20, BH_RULE_FIRST).generation;
		assert_in_force(dp, 20, BH_RULE_FIRST);
		datapath_free(dp);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_there_wherever_it_differed),
		cmocka_unit_test(what_is_there_is_not_written),
		cmocka_unit_test(a_swap_puts_right_what_is_not_as_it_was_left),
		cmocka_unit_test_teardown(who_is_killed_before_the_flip_leaves_the_policy_in_force,
					  remove_all),
	};

	return cmocka_run_group_tests(tests, open_shared, close_shared);
}
