/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/metrics/listen_address.h"

#include <netinet/in.h>

#include "tests/test.h"

struct address_case {
	const char *text;
	const char *seen; /* NULL: it is refused */
	bool is_loopback;
};

/* clang-format off */
static const struct address_case cases[] = {
	{ "127.0.0.1:9478",       "127.0.0.1:9478",   true  },
	{ "9478",                 "127.0.0.1:9478",   true  },
	{ "127.8.0.1:1",          "127.8.0.1:1",      true  },
	{ "[::1]:65535",          "[::1]:65535",      true  },
	{ "0.0.0.0:9478",         "0.0.0.0:9478",     false },
	{ "[::]:9478",            "[::]:9478",        false },
	{ "[fd00::2]:80",         "[fd00::2]:80",     false },
	{ "10.0.0.1:80",          "10.0.0.1:80",      false },
	{ "",                     NULL,               false },
	{ ":",                    NULL,               false },
	{ ":80",                  NULL,               false },
	{ "0",                    NULL,               false },
	{ "65536",                NULL,               false },
	{ "-1",                   NULL,               false },
	{ "127.0.0.1",            NULL,               false },
	{ "127.0.0.1:",           NULL,               false },
	{ "127.0.0.1:0",          NULL,               false },
	{ "127.0.0.1:http",       NULL,               false },
	{ "localhost:80",         NULL,               false },
	{ "::1:80",               NULL,               false },
	{ "[127.0.0.1]:80",       NULL,               false },
	{ "[]:80",                NULL,               false },
	{ "[::1]80",              NULL,               false },
	{ "on",                   NULL,               false },
};
/* clang-format on */

static void an_address_has_a_port_and_is_on_loopback_without_one(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct address_case *c = &cases[i];
		char buf[LISTEN_ADDRESS_STRLEN];
		_text_ struct text error = TEXT_INIT;
		struct listen_address at;
		bool is_good = listen_address_parse(c->text, &at, &error);

		assert_row(c->text, is_good == (c->seen != NULL));
		assert_row(c->text, is_good == !error.len);
		if (!is_good)
			continue;
		assert_row_string(c->text, listen_address_format(&at, buf), c->seen);
		assert_row(c->text, listen_address_is_loopback(&at) == c->is_loopback);
	}
}

static void what_is_off_has_no_port(void **state)
{
	struct listen_address at = {.port = 1};
	_text_ struct text error = TEXT_INIT;

	(void)state;
	assert_true(listen_address_parse("off", &at, &error));
	assert_int_equal(at.port, 0);
}

static void the_kernel_gets_it_in_its_own_form(void **state)
{
	const struct sockaddr_in *in;
	const struct sockaddr_in6 *in6;
	_text_ struct text error = TEXT_INIT;
	struct sockaddr_storage addr;
	struct listen_address at;

	(void)state;
	assert_true(listen_address_parse("127.0.0.1:258", &at, &error));
	assert_int_equal(listen_address_socket(&at, &addr), sizeof(*in));
	in = (const struct sockaddr_in *)&addr;
	assert_int_equal(in->sin_family, AF_INET);
	assert_int_equal(ntohs(in->sin_port), 258);
	assert_int_equal(ntohl(in->sin_addr.s_addr), INADDR_LOOPBACK);
	assert_true(listen_address_parse("[::1]:258", &at, &error));
	assert_int_equal(listen_address_socket(&at, &addr), sizeof(*in6));
	in6 = (const struct sockaddr_in6 *)&addr;
	assert_int_equal(in6->sin6_family, AF_INET6);
	assert_int_equal(ntohs(in6->sin6_port), 258);
	assert_true(IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_has_a_port_and_is_on_loopback_without_one),
		cmocka_unit_test(what_is_off_has_no_port),
		cmocka_unit_test(the_kernel_gets_it_in_its_own_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
