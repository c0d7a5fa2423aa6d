/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/map.h"

#include "tests/test.h"

#define MANY 20000

static void an_empty_map_has_nothing(void **state)
{
	struct map m = {};

	(void)state;
	assert_null(map_get(&m, "a", 1));
	map_release(&m);
}

static void a_value_is_found_where_it_was_put(void **state)
{
	struct map m = {};
	bool is_new = false;
	uint64_t *value = map_put(&m, "zone", 4, 7, &is_new);

	(void)state;
	assert_true(is_new);
	assert_int_equal(*value, 7);
	*value = 8;
	value = map_put(&m, "zone", 4, 9, &is_new);
	assert_false(is_new);
	assert_int_equal(*value, 8);
	assert_int_equal(*map_get(&m, "zone", 4), 8);
	assert_int_equal(m.count, 1);
	map_release(&m);
	assert_int_equal(m.count, 0);
	assert_null(map_get(&m, "zone", 4));
}

static void room_is_made_beside_what_is_there(void **state)
{
	struct map m = {};
	size_t size;

	(void)state;
	map_put(&m, "zone", 4, 7, NULL);
	map_reserve(&m, MANY);
	size = m.size;
	assert_int_equal(*map_get(&m, "zone", 4), 7);
	for (int i = 0; i < MANY; i++)
		map_put(&m, &i, sizeof(i), 0, NULL);
	assert_int_equal(m.size, size);
	map_reserve(&m, 0);
	assert_int_equal(m.size, size);
	map_release(&m);
}

/* Each key differs from all others in one respect only. */
static const struct {
	const char *name, *key;
	size_t len;
} keys[] = {
	{"empty", "", 0},
	{"one NUL", "\0", 1},
	{"two NULs", "\0\0", 2},
	{"short", "api", 3},
	{"last byte", "apj", 3},
	{"prefix of it", "ap", 2},
	{"as long as fits inside", "0123456789abcdef", 16},
	{"one more", "0123456789abcdef0", 17},
	{"its last byte", "0123456789abcdef1", 17},
};

static void every_byte_of_a_key_counts(void **state)
{
	struct map m = {};

	(void)state;
	for (size_t i = 0; i < COUNT(keys); i++) {
		bool is_new = false;

		map_put(&m, keys[i].key, keys[i].len, i, &is_new);
		assert_row(keys[i].name, is_new);
	}
	for (size_t i = 0; i < COUNT(keys); i++) {
		const uint64_t *value = map_get(&m, keys[i].key, keys[i].len);

		assert_row(keys[i].name, value && *value == i);
	}
	map_release(&m);
}

static void keys_are_copied(void **state)
{
	char key[] = "a key that is too long to be held inline";
	struct map m = {};

	(void)state;
	map_put(&m, key, sizeof(key), 1, NULL);
	key[0] = 'b';
	assert_null(map_get(&m, key, sizeof(key)));
	key[0] = 'a';
	assert_non_null(map_get(&m, key, sizeof(key)));
	map_release(&m);
}

static void nothing_is_lost_when_it_grows(void **state)
{
	struct map m = {};

	(void)state;
	for (uint64_t i = 0; i < MANY; i++)
		map_put(&m, &i, sizeof(i), i * 3, NULL);
	assert_int_equal(m.count, MANY);
	assert_true(m.count < m.size);
	for (uint64_t i = 0; i < 2 * MANY; i++) {
		const uint64_t *value = map_get(&m, &i, sizeof(i));

		if (i < MANY)
			assert_true(value && *value == i * 3);
		else
			assert_null(value);
	}
	map_release(&m);
}

/* Neighbouring keys, as addresses are: in 2^16 buckets, at most a handful share one. */
static void assert_spread(bool is_quick)
{
	static unsigned char buckets[1 << 16];
	unsigned int fullest = 0;

	memset(buckets, 0, sizeof(buckets));
	for (uint32_t i = 0; i < 1 << 16; i++) {
		uint32_t key[4] = {[2] = 0xffff0000, [3] = i << 8};
		uint32_t hash = is_quick ? hash_key(key, sizeof(key))
					 : (uint32_t)hash_bytes(key, sizeof(key), 0);
		unsigned int n = ++buckets[hash & 0xffff];

		fullest = n > fullest ? n : fullest;
	}
	assert_in_range(fullest, 2, 12);
}

static void hashes_spread(void **state)
{
	(void)state;
	assert_spread(false);
	assert_spread(true);
}

/* Short keys that differ in any byte, or in length, have other hashes. */
static void each_byte_changes_the_quick_hash(void **state)
{
	unsigned char key[48] = {};

	(void)state;
	for (size_t len = 0; len < sizeof(key); len++) {
		uint32_t hash = hash_key(key, len);

		for (size_t i = 0; i < len; i++) {
			key[i] ^= 1;
			assert_true(hash_key(key, len) != hash);
			key[i] ^= 1;
		}
		for (size_t other = 0; other < len; other++)
			assert_true(hash_key(key, other) != hash);
	}
}

static void the_seed_and_the_length_change_the_hash(void **state)
{
	static const char zeros[32];

	(void)state;
	assert_true(hash_bytes("key", 3, 1) == hash_bytes("key", 3, 1));
	assert_true(hash_bytes("key", 3, 1) != hash_bytes("key", 3, 2));
	for (size_t a = 0; a < sizeof(zeros); a++) {
		for (size_t b = 0; b < a; b++)
			assert_true(hash_bytes(zeros, a, 0) != hash_bytes(zeros, b, 0));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_map_has_nothing),
		cmocka_unit_test(a_value_is_found_where_it_was_put),
		cmocka_unit_test(room_is_made_beside_what_is_there),
		cmocka_unit_test(every_byte_of_a_key_counts),
		cmocka_unit_test(keys_are_copied),
		cmocka_unit_test(nothing_is_lost_when_it_grows),
		cmocka_unit_test(hashes_spread),
		cmocka_unit_test(each_byte_changes_the_quick_hash),
		cmocka_unit_test(the_seed_and_the_length_change_the_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
