/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "policy/image.h"
#include "util/mem.h"

#define ROOM   (BH_PREFIX_LINES / BH_SLOTS)
#define MANY   100000
#define POINTS 200000

static const struct bh_prefix_hash hash = {
	.key = {0x9e3779b9, 0x7f4a7c15, 0x85ebca6b, 0xc2b2ae35, 0x27d4eb2f, 0x165667b1},
	.factor = UINT64_C(0xd6e8feb86659fd93),
};

static uint64_t state_of_random = 88172645463325252;

static uint32_t identities; /* that there are: few, or more than 16 bits number */

static uint32_t below(uint32_t bound)
{
	state_of_random ^= state_of_random << 13;
	state_of_random ^= state_of_random >> 7;
	state_of_random ^= state_of_random << 17;
	return (uint32_t)(state_of_random >> 32) % bound;
}

static void begin(struct image *image)
{
	image_init(image);
	for (uint32_t i = 0; i < identities; i++)
		vec_push(&image->identities, (struct image_identity){});
}

static struct bh_addr v4(uint32_t word)
{
	return (struct bh_addr){{0, 0, htonl(0xffff), htonl(word)}};
}

/* Of either family; in few enough places that prefixes are nested. */
static struct bh_addr random_addr(bool is_v4)
{
	struct bh_addr a = v4(below(4) << 30 | below(1 << 30));

	if (is_v4)
		return a;
	for (unsigned int i = 0; i < 4; i++)
		a.word[i] = htonl(below(4) ? below(UINT32_MAX) & 0xf000000f : 0);
	return a;
}

static struct prefix cut(const struct bh_addr *a, unsigned int len)
{
	const struct bh_prefix whole = prefix_entry_of(a, 0);
	const struct bh_prefix kept = prefix_entry_cut(&whole, len ? len : 1);

	if (!len)
		return (struct prefix){};
	return (struct prefix){
		.addr = {{htonl(kept.high >> 32), htonl((uint32_t)kept.high), htonl(kept.low >> 32),
			  htonl((uint32_t)kept.low)}},
		.len = (uint8_t)len,
	};
}

static int compare(const void *a, const void *b)
{
	const struct image_prefix *left = a, *right = b;

	return prefix_cmp(&left->prefix, &right->prefix);
}

/* Sorted, and of equal ones the first only. */
static void order(struct image *image)
{
	size_t kept = 0;

	if (image->prefixes.count)
		qsort(image->prefixes.items, image->prefixes.count, sizeof(*image->prefixes.items),
		      compare);
	for (size_t i = 0; i < image->prefixes.count; i++) {
		struct image_prefix *p = &image->prefixes.items[i];

		if (!kept || compare(p, &image->prefixes.items[kept - 1]))
			image->prefixes.items[kept++] = *p;
	}
	image->prefixes.count = kept;
}

static void add(struct image *image, struct prefix p)
{
	vec_push(&image->prefixes, (struct image_prefix){p, below(identities)});
}

static uint32_t naive(const struct image *image, const struct bh_addr *a)
{
	const struct image_prefix *best = NULL;

	vec_foreach (p, &image->prefixes) {
		if (prefix_has(&p->prefix, a) && (!best || p->prefix.len > best->prefix.len))
			best = p;
	}
	return best ? best->identity : 0;
}

static void build(const struct image *image, struct prefix_table *ret)
{
	int err = prefix_table_build(image, &hash, ROOM, ret);

	if (err)
		fail_msg("%d: %zu prefixes, %zu entries", err, image->prefixes.count, ret->entries);
	assert_int_equal(ret->entries, prefix_table_entries(image));
	assert_int_equal(prefix_lines_used(ret->lines, &ret->head), ret->entries);
}

static void assert_equal(const struct prefix_table *t, const struct bh_addr *a, uint32_t want)
{
	uint32_t got = prefix_lines_identity(t->lines, &t->head, a);
	char buf[ADDRESS_STRLEN];

	if (got != want)
		fail_msg("%s: %u, not %u", addr_format(a, buf), got, want);
}

/* Addresses in, and at the edges of, one prefix. */
static struct bh_addr point_in(const struct prefix *p)
{
	struct bh_addr in = p->addr, last = prefix_last(p);

	switch (below(4)) {
	case 0:
		return in;
	case 1:
		return last;
	}
	for (unsigned int i = 0; i < 4; i++)
		in.word[i] |= last.word[i] & below(UINT32_MAX);
	return in;
}

static void small_tables_are_searched_as_by_trying_all(void **state)
{
	(void)state;
	for (int round = 0; round < 300; round++) {
		_prefix_table_ struct prefix_table t = {};
		struct image image;

		begin(&image);
		for (uint32_t i = below(60); i; i--) {
			bool is_v4 = below(2);
			struct bh_addr a = random_addr(is_v4);

			add(&image, cut(&a, is_v4 ? 96 + below(33) : below(129)));
		}
		order(&image);
		build(&image, &t);
		for (int i = 0; i < 300; i++) {
			struct bh_addr a = random_addr(below(2));

			if (image.prefixes.count && below(4))
				a = point_in(
					&image.prefixes.items[below((uint32_t)image.prefixes.count)]
						 .prefix);
			assert_equal(&t, &a, naive(&image, &a));
		}
		image_release(&image);
	}
}

static void check_many(struct image *image)
{
	_prefix_table_ struct prefix_table t = {};

	order(image);
	build(image, &t);
	print_message("# %zu prefixes: %zu entries in %u lines and %u of runs\n",
		      image->prefixes.count, t.entries, t.head.lines, t.head.runs);
	for (int i = 0; i < POINTS; i++) {
		const struct image_prefix *p =
			&image->prefixes.items[below((uint32_t)image->prefixes.count)];
		struct bh_addr a = below(8) ? point_in(&p->prefix) : random_addr(below(2));

		assert_equal(&t, &a, image_identity(image, &a));
	}
	image_release(image);
}

static void a_hundred_thousand_hosts_are_found(void **state)
{
	struct image image;

	(void)state;
	begin(&image);
	for (uint32_t i = 0; i < MANY; i++) {
		struct bh_addr a = v4(0x0a000000 + i);

		add(&image, cut(&a, 128));
	}
	check_many(&image);
}

static void a_hundred_thousand_cidrs_are_found(void **state)
{
	for (int is_v4 = 0; is_v4 < 2; is_v4++) {
		struct image image;

		(void)state;
		begin(&image);
		for (uint32_t i = 0; i < MANY; i++) {
			struct bh_addr a = random_addr(is_v4);

			if (!is_v4)
				a.word[0] = htonl(0x20000000 | below(1 << 28));
			add(&image, cut(&a, is_v4 ? 96 + 8 + below(25) : 20 + below(45)));
		}
		check_many(&image);
	}
}

/* Every length there is, each in the one before. */
static void prefixes_of_every_length_are_found(void **state)
{
	_prefix_table_ struct prefix_table t = {};
	struct bh_addr ones = {{UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX}};
	struct bh_addr four = v4(UINT32_MAX);
	struct image image;

	(void)state;
	begin(&image);
	for (unsigned int len = 0; len <= 128; len++) {
		add(&image, cut(&ones, len));
		add(&image, cut(&four, len));
	}
	order(&image);
	build(&image, &t);
	vec_foreach (p, &image.prefixes) {
		struct bh_addr last = prefix_last(&p->prefix);

		assert_equal(&t, &p->prefix.addr, naive(&image, &p->prefix.addr));
		assert_equal(&t, &last, naive(&image, &last));
	}
	image_release(&image);
}

static void what_does_not_fit_is_refused(void **state)
{
	struct prefix_table t = {};
	struct image image;

	(void)state;
	begin(&image);
	for (uint32_t i = 0; i < 100; i++) {
		struct bh_addr a = v4(i << 8);

		add(&image, cut(&a, 120));
		add(&image, cut(&a, 126));
	}
	order(&image);
	assert_int_equal(prefix_table_build(&image, &hash, BH_START_LINES + 36, &t), -E2BIG);
	assert_int_equal(t.entries, 200);
	assert_null(t.lines);
	assert_int_equal(prefix_table_build(&image, &hash, BH_START_LINES + 60, &t), 0);
	prefix_table_release(&t);
	image_release(&image);
}

/* An IPv6 address: IPv4 ones are in runs. */
static struct bh_addr v6(uint32_t word)
{
	return (struct bh_addr){{htonl(0x20010db8), 0, 0, htonl(word)}};
}

static void drop(struct prefix_table *t, const struct bh_addr *a, uint32_t around)
{
	const struct bh_prefix entry = prefix_entry_of(a, around);

	prefix_lines_drop(t->lines, &t->head, &entry);
}

static int put(struct prefix_table *t, const struct bh_addr *a, uint32_t identity)
{
	const struct bh_prefix entry = prefix_entry_of(a, identity);
	int err = prefix_lines_put(t->lines, &t->head, &entry);

	if (err != -ENOSPC)
		return err;
	prefix_lines_clear_way(t->lines, &t->head, &entry);
	prefix_lines_forget(t->lines, &t->head);
	return prefix_lines_put(t->lines, &t->head, &entry);
}

static void an_address_comes_and_goes_in_place(void **state)
{
	(void)state;
	for (int is_v4 = 0; is_v4 < 2; is_v4++) {
		struct bh_addr (*const of)(uint32_t) = is_v4 ? v4 : v6;
		_prefix_table_ struct prefix_table t = {};
		struct bh_addr net = of(0x0a000000);
		struct image image;

		begin(&image);
		add(&image, cut(&net, 104));
		build(&image, &t);
		for (uint32_t i = 0; i < 20000; i++) {
			struct bh_addr a = of(0x0a000000 + below(4000));
			uint32_t identity = 1 + below(identities);

			assert_int_equal(put(&t, &a, identity), 0);
			assert_equal(&t, &a, identity);
			a = of(0x0a000000 + below(4000));
			drop(&t, &a, image.prefixes.items[0].identity);
			assert_equal(&t, &a, image.prefixes.items[0].identity);
		}
		image_release(&image);
	}
}

/* Whether its run was there, or is made for one of them. */
static void neighbours_of_one_that_comes_and_goes_keep_theirs(void **state)
{
	_prefix_table_ struct prefix_table t = {};
	struct bh_addr net = v4(0x0a000000), half = v4(0x0a000004), one = v4(0x0a000006);
	struct image image;

	(void)state;
	begin(&image);
	vec_push(&image.prefixes, (struct image_prefix){cut(&net, 104), 1});
	vec_push(&image.prefixes, (struct image_prefix){cut(&net, 120), 2});
	vec_push(&image.prefixes, (struct image_prefix){cut(&half, 126), 3});
	vec_push(&image.prefixes, (struct image_prefix){cut(&one, 128), 4});
	order(&image);
	build(&image, &t);
	for (int round = 0; round < 2; round++) {
		for (uint32_t i = 0; i < 1024; i++) {
			struct bh_addr a = v4(0x0a000000 + i);

			assert_int_equal(put(&t, &a, 5), 0);
			for (uint32_t other = i & ~15u; other < (i | 15u) + 1; other++) {
				struct bh_addr near = v4(0x0a000000 + other);

				assert_equal(&t, &near, other == i ? 5 : naive(&image, &near));
			}
			drop(&t, &a, naive(&image, &a));
			assert_equal(&t, &a, naive(&image, &a));
		}
	}
	image_release(&image);
}

/* A program that has loaded its word may still compare its address. */
static void the_place_of_one_that_is_gone_is_kept_for_it(void **state)
{
	_prefix_table_ struct prefix_table t = {};
	struct image image;
	uint32_t count = 0;
	int err = 0;

	(void)state;
	begin(&image);
	build(&image, &t);
	for (uint32_t i = 0; !err; i++) {
		struct bh_addr a = v6(i);
		const struct bh_prefix entry = prefix_entry_of(&a, 1);

		err = prefix_lines_put(t.lines, &t.head, &entry);
		count += !err;
		drop(&t, &a, 0);
	}
	assert_int_equal(err, -ENOSPC);
	assert_int_equal(prefix_lines_used(t.lines, &t.head), 0);
	for (uint32_t i = 0; i < count; i++) {
		struct bh_addr a = v6(i);
		const struct bh_prefix entry = prefix_entry_of(&a, 2);

		assert_int_equal(prefix_lines_put(t.lines, &t.head, &entry), 0);
	}
	assert_int_equal(prefix_lines_used(t.lines, &t.head), count);
	image_release(&image);
}

/* --- addresses that change --- */

#define CHANGING 3000 /* addresses: more than an image keeps apart */

static struct bh_addr changing(uint32_t i)
{
	return v4(0x0a000000 + i * 5);
}

/* Each one: within what is around it, or listed, and once. */
static void assert_listed(const struct image *image, const uint32_t *now)
{
	_image_listing_ struct image_listing listing = image_list(image);
	size_t listed = 1; /* the prefix around them */

	for (uint32_t i = 0; i < CHANGING; i++) {
		const struct bh_addr a = changing(i);

		assert_int_equal(image_identity(image, &a), now[i]);
		listed += now[i] != 1;
	}
	assert_int_equal(listing.count, listed);
	for (size_t i = 1; i < listing.count; i++)
		assert_true(compare(&listing.items[i - 1], &listing.items[i]) < 0);
}

static void addresses_that_change_are_listed_as_if_they_had_been_so(void **state)
{
	const struct bh_addr net = v4(0x0a000000);
	uint32_t now[CHANGING];
	struct image image;

	(void)state;
	begin(&image);
	vec_push(&image.prefixes, (struct image_prefix){cut(&net, 104), 1});
	for (uint32_t i = 0; i < CHANGING; i++)
		now[i] = 1;
	for (int round = 0; round < 8; round++) {
		for (int i = 0; i < 500; i++) {
			uint32_t which = below(CHANGING), identity = below(4);
			const struct bh_addr a = changing(which);

			now[which] = identity;
			assert_int_equal(image_set_identity(&image, &a, identity), identity != 1);
		}
		assert_listed(&image, now);
	}
	image_release(&image);
}

/* --- no place --- */

/* Scattered, each another one, and in a run of its own. */
static struct bh_addr scattered(bool is_v4, uint32_t i)
{
	uint32_t word = 0x0a000000 + (i * 7919 * BH_RUN_ADDRESSES & 0xffffff);

	return is_v4 ? v4(word) : v6(word);
}

static void assert_all_are_there(const struct prefix_table *t, bool is_v4, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct bh_addr a = scattered(is_v4, i);

		assert_equal(t, &a, 1 + i % identities);
	}
}

static void fill(struct prefix_table *t, bool is_v4, uint32_t count)
{
	uint32_t moved = 0;

	for (uint32_t i = 0; i < count; i++) {
		struct bh_addr a = scattered(is_v4, i);
		const struct bh_prefix entry = prefix_entry_of(&a, 1 + i % identities);
		int err = prefix_lines_put(t->lines, &t->head, &entry);

		if (err == -ENOSPC) {
			prefix_lines_clear_way(t->lines, &t->head, &entry);
			if (!(moved++ % 64))
				assert_all_are_there(t, is_v4, i);
			prefix_lines_forget(t->lines, &t->head);
			err = prefix_lines_put(t->lines, &t->head, &entry);
		}
		assert_int_equal(err, 0);
	}
	assert_true(moved > 0);
	assert_all_are_there(t, is_v4, count);
	assert_int_equal(prefix_lines_used(t->lines, &t->head), count);
}

/* Three of five, or four of six, are what it is made for; a policy isn't compiled for the next few.
 */
static void others_move_for_what_comes_until_four_of_five_places_are_taken(void **state)
{
	(void)state;
	for (int is_v4 = 0; is_v4 < 2; is_v4++) {
		_prefix_table_ struct prefix_table t = {};
		struct image image;

		begin(&image);
		build(&image, &t);
		fill(&t, is_v4, is_v4 ? t.head.runs * BH_RUN_WAYS * 4 / 5 : t.head.lines * 4);
		image_release(&image);
	}
}

static int have_few(void **state)
{
	(void)state;
	identities = 1000;
	return 0;
}

static int have_many(void **state)
{
	(void)state;
	identities = 3 * BH_RUN_IDENTITIES;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_tables_are_searched_as_by_trying_all),
		cmocka_unit_test(prefixes_of_every_length_are_found),
		cmocka_unit_test(a_hundred_thousand_hosts_are_found),
		cmocka_unit_test(a_hundred_thousand_cidrs_are_found),
		cmocka_unit_test(what_does_not_fit_is_refused),
		cmocka_unit_test(an_address_comes_and_goes_in_place),
		cmocka_unit_test(neighbours_of_one_that_comes_and_goes_keep_theirs),
		cmocka_unit_test(the_place_of_one_that_is_gone_is_kept_for_it),
		cmocka_unit_test(addresses_that_change_are_listed_as_if_they_had_been_so),
		cmocka_unit_test(others_move_for_what_comes_until_four_of_five_places_are_taken),
	};

	int failed = cmocka_run_group_tests_name("few identities", tests, have_few, NULL);

	return failed + cmocka_run_group_tests_name("many identities", tests, have_many, NULL);
}
