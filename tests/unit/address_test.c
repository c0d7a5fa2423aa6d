/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/address.h"

#include "tests/test.h"

struct format_case {
	const char *text, *canonical;
	uint8_t len;
};

/* clang-format off */
static const struct format_case good[] = {
	{ "10.0.0.0/20",          "10.0.0.0/20",       116 },
	{ "10.0.0.10",            "10.0.0.10",         128 },
	{ "10.0.0.10/32",         "10.0.0.10",         128 },
	{ "0.0.0.0/0",            "0.0.0.0/0",         96 },
	{ "255.255.255.254/31",   "255.255.255.254/31", 127 },
	{ "::/0",                 "::/0",              0 },
	{ "::",                   "::",                128 },
	{ "fd00::/64",            "fd00::/64",         64 },
	{ "FD00:0000::1",         "fd00::1",           128 },
	{ "2001:0db8::/32",       "2001:db8::/32",     32 },
	{ "1:0:0:2:0:0:0:3",      "1:0:0:2::3",        128 },
	{ "::1.2.3.4",            "::1.2.3.4",         128 },
	{ "8000::/1",             "8000::/1",          1 },
};
/* clang-format on */

static void a_prefix_is_printed_in_its_one_form(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		const struct format_case *c = &good[i];
		char seen[ADDRESS_STRLEN];
		struct prefix p = {};
		const char *wrong = prefix_parse(c->text, &p, NULL);

		assert_row_string(c->text, wrong ? wrong : "", "");
		assert_row(c->text, p.len == c->len);
		assert_row_string(c->text, prefix_format(&p, seen), c->canonical);
	}
}

struct bad_case {
	const char *text, *wrong;
};

#define NOT_AN_ADDRESS "not an address; write one such as 10.0.0.10 or fd00::10"
#define NOT_V4         "an IPv4 address is four numbers from 0 to 255, such as 10.0.0.10"
#define NOT_V6         "not an IPv6 address, such as fd00::10"
#define NO_ZEROS       "leading zeros are ambiguous; leave them out"
#define NO_SCOPE       "scope ids are not accepted; leave out '%' and what follows"
#define NO_MAPPED      "IPv4-mapped IPv6 is not accepted; write the IPv4 address itself"
#define NO_PREFIX      "netmask notation is not accepted, and this mask is no prefix"
#define LEN_V4         "the prefix length of IPv4 is a number from 0 to 32"
#define LEN_V6         "the prefix length of IPv6 is a number from 0 to 128"
#define LEN_ZERO       "the prefix length has a leading zero; leave it out"

/* clang-format off */
static const struct bad_case bad[] = {
	{ "",                       NOT_AN_ADDRESS },
	{ "/24",                    NOT_AN_ADDRESS },
	{ "api",                    NOT_AN_ADDRESS },
	{ " 10.0.0.1",              NOT_AN_ADDRESS },
	{ "10.0.0.1\n",             NOT_AN_ADDRESS },
	{ "10.0.0",                 NOT_V4 },
	{ "10.0.0.256",             NOT_V4 },
	{ "10.0.0.0.1",             NOT_V4 },
	{ "10",                     NOT_V4 },
	{ "10.0.0.010",             NO_ZEROS },
	{ "00.0.0.0/0",             NO_ZEROS },
	{ "fe80::1%eth0",           NO_SCOPE },
	{ "fe80::%eth0/64",         NO_SCOPE },
	{ "::ffff:10.0.0.1",        NO_MAPPED },
	{ "::ffff:0:0/96",          NO_MAPPED },
	{ "fd00::1::2",             NOT_V6 },
	{ "fd00::12345",            NOT_V6 },
	{ "10.0.0.0/33",            LEN_V4 },
	{ "10.0.0.0/",              LEN_V4 },
	{ "10.0.0.0/-1",            LEN_V4 },
	{ "10.0.0.0/8/8",           LEN_V4 },
	{ "fd00::/129",             LEN_V6 },
	{ "fd00::/4294967360",      LEN_V6 },
	{ "10.0.0.0/08",            LEN_ZERO },
	{ "10.0.0.0/255.255.240.0", "netmask notation is not accepted; write /20" },
	{ "0.0.0.0/0.0.0.0",        "netmask notation is not accepted; write /0" },
	{ "10.0.0.0/255.0.255.0",   NO_PREFIX },
	{ "10.0.0.0/255.256.0.0",   "netmask notation is not accepted; write a prefix length" },
	{ "10.0.5.1/20",            "host bits are set; 10.0.0.0/20 is the network" },
	{ "10.0.0.1/0",             "host bits are set; 0.0.0.0/0 is the network" },
	{ "fd00::1/64",             "host bits are set; fd00::/64 is the network" },
	{ "ff00::/7",               "host bits are set; fe00::/7 is the network" },
};
/* clang-format on */

static void a_refusal_says_what_would_be_right(void **state)
{
	_text_ struct text reterr = TEXT_INIT;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		const struct bad_case *c = &bad[i];
		struct prefix p = {.len = 77};
		const char *wrong = prefix_parse(c->text, &p, &reterr);

		assert_row_string(c->text, wrong ? wrong : "", c->wrong);
		assert_row(c->text, p.len == 77);
		assert_row(c->text, prefix_parse(c->text, &p, NULL));
	}
}

static void a_single_address_has_no_prefix_length(void **state)
{
	struct bh_addr a;

	(void)state;
	assert_non_null(addr_parse("10.0.0.0/32", &a));
	assert_null(addr_parse("10.0.0.0", &a));
	assert_true(addr_is_v4(&a));
	assert_null(addr_parse("fd00::", &a));
	assert_false(addr_is_v4(&a));
}

static struct prefix prefix(const char *s)
{
	struct prefix p = {};

	assert_null(prefix_parse(s, &p, NULL));
	return p;
}

struct contains_case {
	const char *outer, *inner;
	bool contains;
};

/* clang-format off */
static const struct contains_case contents[] = {
	{ "10.0.0.0/8",   "10.1.0.0/16",   true },
	{ "10.0.0.0/8",   "10.0.0.0/8",    true },
	{ "10.1.0.0/16",  "10.0.0.0/8",    false },
	{ "10.0.0.0/8",   "11.0.0.0/16",   false },
	{ "10.0.16.0/20", "10.0.31.255",   true },
	{ "10.0.16.0/20", "10.0.32.0",     false },
	{ "10.0.0.1",     "10.0.0.1",      true },
	{ "10.0.0.1",     "10.0.0.0",      false },
	{ "0.0.0.0/0",    "255.1.2.3",     true },
	{ "0.0.0.0/0",    "fd00::1",       false },
	{ "::/0",         "fd00::1",       true },
	{ "::/0",         "10.0.0.1",      true },
	{ "fd00::/63",    "fd00:0:0:1::",  true },
	{ "fd00::/63",    "fd00:0:0:2::",  false },
};
/* clang-format on */

static void a_prefix_contains_what_lies_in_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(contents); i++) {
		const struct contains_case *c = &contents[i];
		struct prefix outer = prefix(c->outer), inner = prefix(c->inner);
		struct bh_addr last = prefix_last(&inner);
		_text_ struct text name = TEXT_INIT;

		text_addf(&name, "%s has %s", c->outer, c->inner);
		assert_row(name.buf, prefix_contains(&outer, &inner) == c->contains);
		if (outer.len <= inner.len)
			assert_row(name.buf, prefix_has(&outer, &last) == c->contains);
	}
}

struct last_case {
	const char *prefix, *last;
};

static const struct last_case lasts[] = {
	{"10.0.16.0/20", "10.0.31.255"},
	{"10.0.0.1", "10.0.0.1"},
	{"0.0.0.0/0", "255.255.255.255"},
	{"fd00::/64", "fd00::ffff:ffff:ffff:ffff"},
	{"::/0", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
};

static void the_last_address_ends_in_ones(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(lasts); i++) {
		struct prefix p = prefix(lasts[i].prefix);
		struct bh_addr last = prefix_last(&p);
		char seen[ADDRESS_STRLEN];

		assert_row_string(lasts[i].prefix, addr_format(&last, seen), lasts[i].last);
	}
}

/* Ascending; each row is less than all that follow. */
static const char *const ascending[] = {
	"::/0", "::", "0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/16", "10.0.0.0", "10.0.0.1", "fd00::/8",
};

static void prefixes_sort_by_address_then_shorter_first(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(ascending); i++) {
		for (size_t j = 0; j < COUNT(ascending); j++) {
			struct prefix a = prefix(ascending[i]), b = prefix(ascending[j]);
			int order = prefix_cmp(&a, &b);

			assert_row(ascending[i], (order < 0) == (i < j));
			assert_row(ascending[i], (order > 0) == (i > j));
		}
	}
}

static void only_a_prefix_within_ipv4_is_of_ipv4(void **state)
{
	struct prefix all4 = prefix("0.0.0.0/0"), all6 = prefix("::/0"), host6 = prefix("fd00::1");
	struct prefix host4 = prefix("10.0.0.1");
	struct prefix of_addr = prefix_of_addr(&host4.addr);

	(void)state;
	assert_true(prefix_is_v4(&all4));
	assert_true(prefix_is_v4(&host4));
	assert_false(prefix_is_v4(&all6));
	assert_false(prefix_is_v4(&host6));
	assert_int_equal(prefix_cmp(&host4, &of_addr), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_prefix_is_printed_in_its_one_form),
		cmocka_unit_test(a_refusal_says_what_would_be_right),
		cmocka_unit_test(a_single_address_has_no_prefix_length),
		cmocka_unit_test(a_prefix_contains_what_lies_in_it),
		cmocka_unit_test(the_last_address_ends_in_ones),
		cmocka_unit_test(prefixes_sort_by_address_then_shorter_first),
		cmocka_unit_test(only_a_prefix_within_ipv4_is_of_ipv4),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
