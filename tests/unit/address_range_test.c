/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/address_range.h"

#include "tests/test.h"

struct range_case {
	const char *name;
	const char *in;     /* prefixes, with blanks between */
	const char *cover;  /* the fewest that are the same */
	const char *hull;   /* around those of the first one's family */
	const char *beside; /* what the hull has besides */
};

/* clang-format off */
static const struct range_case cases[] = {
	{ "one address",     "10.0.0.7", "10.0.0.7", "10.0.0.7", "" },
	{ "halves join",     "10.0.0.128/25 10.0.0.0/25", "10.0.0.0/24", "10.0.0.0/24", "" },
	{ "neighbours that are no prefix", "10.0.0.1 10.0.0.2", "10.0.0.1 10.0.0.2",
	  "10.0.0.0/30", "10.0.0.0 10.0.0.3" },
	{ "all but one",     "10.0.0.0/31 10.0.0.3", "10.0.0.0/31 10.0.0.3", "10.0.0.0/30",
	  "10.0.0.2" },
	{ "all of IPv4",     "0.0.0.0/1 128.0.0.0/1", "0.0.0.0/0", "0.0.0.0/0", "" },
	{ "families apart",  "fd00::/64 10.0.0.0/8", "10.0.0.0/8 fd00::/64", "10.0.0.0/8", "" },
	{ "the last address", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	  "" },
	{ "IPv6 on one side", "fd00::/65", "fd00::/65", "fd00::/65", "" },
};
/* clang-format on */

static void parse(const char *s, address_ranges *out)
{
	_free_ char *copy = strdup(s);
	char *rest = copy, *word;
	struct prefix p;

	while ((word = strsep(&rest, " "))) {
		assert_null(prefix_parse(word, &p, NULL));
		vec_push(out, prefix_range(&p));
	}
	address_ranges_normalise(out);
}

static void format(const address_ranges *r, struct text *out)
{
	prefix_list cover = {};
	char buf[ADDRESS_STRLEN];

	text_reset(out);
	address_ranges_cover(r, &cover);
	vec_foreach (prefix, &cover)
		text_addf(out, "%s%s", out->len ? " " : "", prefix_format(prefix, buf));
	vec_release(&cover);
}

static size_t count_of_first_family(const address_ranges *r)
{
	size_t n = 1;

	while (n < r->count &&
	       address_number_is_v4(r->items[n].lo) == address_number_is_v4(r->items[0].lo))
		n++;
	return n;
}

static void ranges_are_told_by_few_prefixes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct range_case *c = &cases[i];
		address_ranges ranges = {}, beside = {};
		_text_ struct text out = TEXT_INIT;
		char buf[ADDRESS_STRLEN];
		struct prefix hull;
		size_t n;

		parse(c->in, &ranges);
		format(&ranges, &out);
		assert_row_string(c->name, out.buf, c->cover);
		n = count_of_first_family(&ranges);
		hull = address_ranges_hull(ranges.items, n);
		assert_row_string(c->name, prefix_format(&hull, buf), c->hull);
		address_ranges_beside(ranges.items, n, &hull, &beside);
		format(&beside, &out);
		assert_row_string(c->name, out.buf, c->beside);
		vec_release(&ranges);
		vec_release(&beside);
	}
}

/* The IPv4 range cuts the numbers of IPv6, but not its prefixes. */
static void all_of_ipv6_is_one_prefix(void **state)
{
	address_ranges all = {};
	_text_ struct text out = TEXT_INIT;

	(void)state;
	vec_push(&all, (struct address_range){0, V4_NUMBER_FIRST - 1});
	vec_push(&all, (struct address_range){V4_NUMBER_LAST + 1, ADDRESS_NUMBER_MAX});
	address_ranges_normalise(&all);
	format(&all, &out);
	assert_string_equal(out.buf, "::/0");
	vec_push(&all, (struct address_range){V4_NUMBER_FIRST, V4_NUMBER_LAST});
	address_ranges_normalise(&all);
	format(&all, &out);
	assert_string_equal(out.buf, "0.0.0.0/0 ::/0");
	vec_release(&all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_are_told_by_few_prefixes),
		cmocka_unit_test(all_of_ipv6_is_one_prefix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
