/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/places.h"

#include "tests/test.h"

#include "util/map.h"

#define ROUNDS 200000
#define KEYS   3000

/* A word is its key; few hashes are different, so that places are looked for. */
static uint64_t hash_of(const void *user, uint64_t word)
{
	(void)user;
	return hash_bytes(&word, sizeof(word), 0) & ~7ull;
}

static bool is_word(const void *user, uint64_t word, const void *key)
{
	(void)user;
	return word == *(const uint64_t *)key;
}

static const struct places_kind kind = {hash_of, is_word, NULL};

static uint64_t *find(const struct places *p, uint64_t word)
{
	return places_find(p, &kind, hash_of(NULL, word), &word);
}

static void what_is_in_it_is_found_and_nothing_else(void **state)
{
	struct places p = {};

	(void)state;
	assert_null(find(&p, 1));
	for (uint64_t word = 1; word <= KEYS; word++)
		places_add(&p, &kind, word);
	assert_int_equal(p.count, KEYS);
	for (uint64_t word = 1; word <= KEYS; word++)
		assert_int_equal(*find(&p, word), word);
	assert_null(find(&p, KEYS + 1));
	places_release(&p);
	assert_null(find(&p, 1));
}

static void it_stays_small_however_many_come_and_go(void **state)
{
	bool is_there[KEYS + 1] = {};
	struct places p = {};
	uint64_t random = 1;
	size_t count = 0;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		uint64_t word, *place;

		random = hash_bytes(&random, sizeof(random), 0);
		word = random % KEYS + 1;
		place = find(&p, word);
		assert_int_equal(place != NULL, is_there[word]);
		if (place)
			places_drop(&p, place);
		else
			places_add(&p, &kind, word);
		is_there[word] = !place;
		count += place ? -1 : 1;
		assert_int_equal(p.count, count);
	}
	assert_true(p.size <= 8192);
	places_release(&p);
}

static void room_is_made_once(void **state)
{
	struct places p = {};
	size_t size;

	(void)state;
	places_add(&p, &kind, 1);
	places_reserve(&p, &kind, KEYS);
	size = p.size;
	for (uint64_t word = 2; word <= KEYS; word++)
		places_add(&p, &kind, word);
	assert_int_equal(p.size, size);
	assert_int_equal(*find(&p, 1), 1);
	places_release(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_in_it_is_found_and_nothing_else),
		cmocka_unit_test(it_stays_small_however_many_come_and_go),
		cmocka_unit_test(room_is_made_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
