/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/test.h"

#include <arpa/inet.h>
#include <string.h>

#include "datapath/datapath.h"
#include "datapath/own_lines.h"
#include "util/mem.h"

#define UNSURE UINT32_MAX /* the trie is asked */
#define NOT    (UINT32_MAX - 1)

#define MANY (2 * BH_LOCAL_LINES) /* so that some lines are full */

static struct bh_source_line sources[BH_ENDPOINT_ENTRIES];
static struct bh_local_line lines[BH_LOCAL_LINES];
static struct bh_local_head head;
static const struct own_lines own = {sources, &head, lines};

static struct bh_addr v4(uint32_t word)
{
	return (struct bh_addr){{0, 0, htonl(0xffff), htonl(word)}};
}

static struct bh_addr v6(uint32_t first, uint32_t last)
{
	return (struct bh_addr){{htonl(first), 0, 0, htonl(last)}};
}

/* As in bpf/own_address.h. */
static uint32_t ask_local(struct bh_addr a)
{
	bool is_v4 = prefix_is_v4(&(struct prefix){a, 128});
	uint32_t bit = ntohl(a.word[is_v4 ? 3 : 0]) >> 16;
	const struct bh_local_line *line;
	uint64_t half[2];

	memcpy(half, &a, sizeof(half));
	line = &lines[BH_LOCAL_LINE(half[0], half[1])];
	if (!head.stamp || head.stamp & 1)
		return UNSURE;
	for (uint32_t i = 0; i < line->count; i++) {
		if (!addr_cmp(&line->addr[i], &a))
			return line->flags[i];
	}
	if (line->has_more ||
	    head.has_shorter[is_v4 ? BH_LOCAL_V4 : BH_LOCAL_V6][bit / 64] >> bit % 64 & 1)
		return UNSURE;
	return NOT;
}

static void set_local(const struct prefix *prefixes, const uint32_t *flags, size_t count)
{
	_free_ struct bh_local_key *keys = xcalloc(count + 1, sizeof(*keys));

	for (size_t i = 0; i < count; i++)
		keys[i] = (struct bh_local_key){prefixes[i].len, prefixes[i].addr};
	own_local_begin(&own);
	assert_int_equal(ask_local(v4(0)), UNSURE);
	own_local_end(&own, keys, flags, count);
}

static void whole_addresses_are_known_and_shorter_prefixes_are_the_tries(void **state)
{
	const struct prefix prefixes[] = {
		{v4(0x7f000000), 96 + 8}, {v4(0x0a010203), 128},       {v4(0x0a4d0000), 96 + 20},
		{v6(0xfd770000, 1), 128}, {v6(0x20010000, 0), 16 + 8},
	};
	const uint32_t flags[COUNT(prefixes)] = {0, BH_LOCAL_GROUP, BH_LOCAL_ANYONE, 0, 0};
	const struct prefix all = {{}, 0};
	const uint32_t none = 0;

	(void)state;
	set_local(prefixes, flags, COUNT(prefixes));
	assert_int_equal(ask_local(v4(0x0a010203)), BH_LOCAL_GROUP);
	assert_int_equal(ask_local(v6(0xfd770000, 1)), 0);
	assert_int_equal(ask_local(v4(0x0a010204)), NOT);
	assert_int_equal(ask_local(v6(0xfd770000, 2)), NOT);
	assert_int_equal(ask_local(v4(0x7f000000)), UNSURE);
	assert_int_equal(ask_local(v4(0x7fffffff)), UNSURE);
	assert_int_equal(ask_local(v4(0x80000000)), NOT);
	assert_int_equal(ask_local(v4(0x0a4d0001)), UNSURE);
	assert_int_equal(ask_local(v4(0x0a4e0000)), NOT);
	assert_int_equal(ask_local(v6(0x20010000, 7)), UNSURE);
	assert_int_equal(ask_local(v6(0x20020000, 7)), NOT);

	set_local(&all, &none, 1);
	assert_int_equal(ask_local(v4(0x0a010203)), UNSURE);
	assert_int_equal(ask_local(v6(0xfd770000, 1)), UNSURE);
	set_local(NULL, NULL, 0);
	assert_int_equal(ask_local(v4(0x0a010203)), NOT);
}

static void what_finds_no_room_is_never_unknown(void **state)
{
	_free_ struct prefix *prefixes = xcalloc(MANY, sizeof(*prefixes));
	_free_ uint32_t *flags = xcalloc(MANY, sizeof(*flags));
	uint32_t unsure = 0;

	(void)state;
	for (uint32_t i = 0; i < MANY; i++)
		prefixes[i] = (struct prefix){i % 2 ? v4(0x0a000000 + i) : v6(0xfd000000, i), 128};
	set_local(prefixes, flags, MANY);
	for (uint32_t i = 0; i < MANY; i++) {
		uint32_t answer = ask_local(prefixes[i].addr);

		assert_int_not_equal(answer, NOT);
		unsure += answer == UNSURE;
	}
	assert_in_range(unsure, 1, MANY / 2);
}

static void a_line_of_sources_has_whole_addresses_and_says_if_there_are_more(void **state)
{
	struct prefix prefixes[BH_SOURCE_LINE_ADDRESSES + 1];
	struct workload_endpoint w = {.id = 3, .sources = prefixes, .source_count = 2};
	const struct bh_addr link_local = v6(0xfe800000, 1);
	const struct bh_source_line *line = &sources[w.id];
	uint32_t stamp;

	(void)state;
	for (uint32_t i = 0; i < COUNT(prefixes); i++)
		prefixes[i] = (struct prefix){v4(i + 1), 128};
	own_sources_begin(&own, w.id);
	assert_true(line->stamp & 1);
	own_sources_end(&own, &w);
	stamp = line->stamp;
	assert_true(stamp && !(stamp & 1));
	assert_int_equal(line->count, 2);
	assert_false(line->has_more);
	assert_false(addr_cmp(&line->addr[1], &prefixes[1].addr));

	prefixes[0].len = 120;
	own_sources_begin(&own, w.id);
	own_sources_end(&own, &w);
	assert_int_not_equal(line->stamp, stamp);
	assert_int_equal(line->count, 1);
	assert_true(line->has_more);

	prefixes[0].len = 128;
	w.source_count = COUNT(prefixes);
	own_sources_end(&own, &w);
	assert_int_equal(line->count, BH_SOURCE_LINE_ADDRESSES);
	assert_true(line->has_more);

	w.source_count = 0;
	own_sources_end(&own, &w);
	assert_int_equal(line->count, 0);
	assert_false(line->has_more);
	w.link_local = &link_local;
	own_sources_end(&own, &w);
	assert_true(line->has_more);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_addresses_are_known_and_shorter_prefixes_are_the_tries),
		cmocka_unit_test(what_finds_no_room_is_never_unknown),
		cmocka_unit_test(a_line_of_sources_has_whole_addresses_and_says_if_there_are_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
