/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "policy/image.h"
#include "tests/prefixes.h"
#include "util/mem.h"

#define ROOM   (BH_PREFIX_LINES / BH_SLOTS)
#define MANY   100000
#define POINTS 200000

static const struct bh_prefix_hash hash = {
	.key = {0x9e3779b9, 0x7f4a7c15, 0x85ebca6b, 0xc2b2ae35, 0x27d4eb2f, 0x165667b1},
	.factor = UINT64_C(0xd6e8feb86659fd93),
};

static uint32_t identities; /* that there are: few, or more than 16 bits number */

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

static struct bh_addr v6(uint32_t word)
{
	return (struct bh_addr){{htonl(0x20010db8), 0, 0, htonl(word)}};
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

static void add(struct image *image, struct prefix p)
{
	vec_push(&image->prefixes, (struct image_prefix){p, below(identities)});
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
	print_message("# %zu prefixes: %zu entries in %u lines and %u, %u of runs\n",
		      image->prefixes.count, t.entries, t.head.lines, t.head.runs, t.head.runs6);
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
	struct bh_addr (*const of[])(uint32_t) = {v4, v6};

	(void)state;
	for (size_t n = 0; n < 2 * COUNT(of); n++) {
		uint32_t apart = n < COUNT(of) ? 1 : 31; /* in runs, or each in one */
		struct image image;

		begin(&image);
		for (uint32_t i = 0; i < MANY; i++) {
			struct bh_addr a = of[n % COUNT(of)](0x0a000000 + i * apart);

			add(&image, cut(&a, 128));
		}
		check_many(&image);
	}
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

static void nest(struct image *image, struct bh_addr (*of)(uint32_t))
{
	static const struct {
		uint32_t word;
		unsigned int len;
	} nested[] = {{0, 104}, {0, 120}, {4, 126}, {6, 128}, {0x100, 124}, {0x10a, 127}};

	begin(image);
	for (uint32_t i = 0; i < COUNT(nested); i++) {
		struct bh_addr a = of(0x0a000000 + nested[i].word);

		vec_push(&image->prefixes, (struct image_prefix){cut(&a, nested[i].len), 1 + i});
	}
	order(image);
}

/* Whether its run was there, or is made for one of them. */
static void neighbours_of_one_that_comes_and_goes_keep_theirs(void **state)
{
	struct bh_addr (*const families[])(uint32_t) = {v4, v6};

	(void)state;
	for (size_t n = 0; n < 2 * COUNT(families); n++) {
		struct bh_addr (*const of)(uint32_t) = families[n % COUNT(families)];
		_prefix_table_ struct prefix_table t = {};
		struct image image;

		nest(&image, of);
		build(&image, &t);
		for (uint32_t i = 0; i < 1024; i++) {
			struct bh_addr a = of(0x0a000000 + i);

			assert_int_equal(put(&t, &a, 9), 0);
			for (uint32_t other = i & ~15u; other < (i | 15u) + 1; other++) {
				struct bh_addr near = of(0x0a000000 + other);

				assert_equal(&t, &near, other == i ? 9 : naive(&image, &near));
			}
			drop(&t, &a, naive(&image, &a));
			assert_equal(&t, &a, naive(&image, &a));
		}
		image_release(&image);
	}
}

/* --- any change among any prefixes --- */

static void random_prefixes(struct image *image, uint32_t count)
{
	begin(image);
	while (count--) {
		bool is_v4 = below(2);
		struct bh_addr a = random_addr(is_v4);

		/* More of the longest, which are together in runs. */
		add(image, cut(&a, below(2) ? 120 + below(9)
				   : is_v4  ? 96 + below(33)
					    : below(129)));
	}
	order(image);
}

/* One of a prefix, or near one that was changed before. */
static struct bh_addr somewhere(const struct image *image)
{
	struct bh_addr a = random_addr(below(2));

	if (!image->prefixes.count)
		return a;
	a = point_in(&image->prefixes.items[below((uint32_t)image->prefixes.count)].prefix);
	a.word[3] ^= htonl(below(32));
	return a;
}

static void take_out(struct image *image, const struct bh_addr *a)
{
	const struct prefix whole = prefix_of_addr(a);

	vec_foreach (p, &image->prefixes) {
		if (prefix_cmp(&p->prefix, &whole))
			continue;
		*p = image->prefixes.items[--image->prefixes.count];
		return;
	}
}

/* In the table, and in the image, which is then in no order. */
static void change(struct prefix_table *t, struct image *image, const struct bh_addr *a)
{
	uint32_t identity = below(identities);

	take_out(image, a);
	if (below(3)) {
		assert_int_equal(put(t, a, identity), 0);
		vec_push(&image->prefixes, (struct image_prefix){prefix_of_addr(a), identity});
	} else {
		drop(t, a, naive(image, a));
	}
}

static void changes_in_place_are_found_as_by_trying_all(void **state)
{
	(void)state;
	for (int round = 0; round < 60; round++) {
		_prefix_table_ struct prefix_table t = {};
		struct image image;

		random_prefixes(&image, below(60));
		build(&image, &t);
		for (int i = 0; i < 200; i++) {
			struct bh_addr a = somewhere(&image);

			change(&t, &image, &a);
			for (int look = 0; look < 8; look++) {
				assert_equal(&t, &a, naive(&image, &a));
				a = somewhere(&image);
			}
		}
		image_release(&image);
	}
}

/* Programs may still look there, and it may come back. */
static void the_run_of_one_that_is_gone_is_kept_for_it(void **state)
{
	struct bh_addr (*const families[])(uint32_t) = {v4, v6};

	(void)state;
	for (size_t n = 0; n < COUNT(families); n++) {
		_prefix_table_ struct prefix_table t = {};
		struct image image;
		uint32_t count = 0;
		int err = 0;

		begin(&image);
		build(&image, &t);
		for (; !err; count += !err) {
			struct bh_addr a = families[n](count * BH_RUN_ADDRESSES);
			const struct bh_prefix entry = prefix_entry_of(&a, 1);

			err = prefix_lines_put(t.lines, &t.head, &entry);
			drop(&t, &a, 0);
			assert_equal(&t, &a, 0);
		}
		assert_int_equal(err, -ENOSPC);
		assert_int_equal(prefix_lines_used(t.lines, &t.head), count);
		for (uint32_t i = 0; i < count; i++) {
			struct bh_addr a = families[n](i * BH_RUN_ADDRESSES);
			const struct bh_prefix entry = prefix_entry_of(&a, 2);

			assert_int_equal(prefix_lines_put(t.lines, &t.head, &entry), 0);
			assert_equal(&t, &a, 2);
		}
		assert_int_equal(prefix_lines_used(t.lines, &t.head), count);
		image_release(&image);
	}
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

/* Two of three, or five of eight, are what it is made for; a policy isn't compiled for the next
 * few.
 */
static void others_move_for_what_comes_until_four_of_five_places_are_taken(void **state)
{
	(void)state;
	for (int is_v4 = 0; is_v4 < 2; is_v4++) {
		_prefix_table_ struct prefix_table t = {};
		struct image image;

		begin(&image);
		build(&image, &t);
		fill(&t, is_v4,
		     is_v4 ? t.head.runs * BH_RUN_WAYS * 4 / 5
			   : t.head.runs6 * BH_RUN6_WAYS * 4 / 5);
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
		cmocka_unit_test(the_run_of_one_that_is_gone_is_kept_for_it),
		cmocka_unit_test(changes_in_place_are_found_as_by_trying_all),
		cmocka_unit_test(addresses_that_change_are_listed_as_if_they_had_been_so),
		cmocka_unit_test(others_move_for_what_comes_until_four_of_five_places_are_taken),
	};

	int failed = cmocka_run_group_tests_name("few identities", tests, have_few, NULL);

	return failed + cmocka_run_group_tests_name("many identities", tests, have_many, NULL);
}
