/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/ssh_session.h"

#include "agent/control/cuts.h"
#include "tests/test.h"

/* As the kernel prints them on a little-endian machine: addresses are words in memory order. */
static const char tcp[] =
	"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  "
	"timeout inode\n"
	"   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        "
	"0 "
	"111 1 0 100 0 0 10 0\n"
	"   1: 0A0200C0:0016 0700C633:C822 01 00000000:00000000 02:000A0000 00000000     0        "
	"0 "
	"222 2 0 20 4 1 10 -1\n"
	"   2: 0A0200C0:0016 0700C633:C823 08 00000000:00000000 02:000A0000 00000000     0        "
	"0 "
	"333 2 0 20 4 1 10 -1\n";

static const char tcp6[] =
	"   0: B80D0120000000000000000010000000:0016 0000000000000000FFFF00000100007F:0050 01 "
	"00000000:00000000 00:00000000 00000000     0        0 444 1 0 20 4 0 10 -1\n"
	"   1: short:0016 1:2 01 0:0 0:0 0 0 0 555 1\n"
	"   2: 0A0200C0 0700C633:C822 01 0:0 0:0 0 0 0 666 1\n";

struct lookup {
	const char *lines, *inode;
	const char *expected; /* NULL: none */
};

static const struct lookup lookups[] = {
	{tcp, "222", "51.198.0.7 51234 192.0.2.10 22"},
	{tcp, "111", NULL},
	{tcp, "333", NULL},
	{tcp, "22", NULL},
	{tcp, "", NULL},
	{tcp6, "444", "127.0.0.1 80 2001:db8::10 22"},
	{tcp6, "555", NULL},
	{tcp6, "666", NULL},
	{"", "222", NULL},
};

static void finds_the_connection_of_a_socket(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(lookups); i++) {
		const struct lookup *l = &lookups[i];
		_text_ struct text found = TEXT_INIT;
		bool is_found = ssh_session_in_table(l->lines, l->inode, &found);

		assert_row(l->inode, is_found == (l->expected != NULL));
		assert_row_string(l->inode, found.buf, l->expected ? l->expected : "");
	}
}

static void the_environment_comes_first(void **state)
{
	_text_ struct text found = TEXT_INIT;

	(void)state;
	setenv("SSH_CONNECTION", "198.51.100.7 51234 192.0.2.10 22", 1);
	assert_true(ssh_session_find(&found));
	assert_string_equal(found.buf, "198.51.100.7 51234 192.0.2.10 22");
}

static void the_agent_reads_what_is_sent(void **state)
{
	static const char *const bad[] = {
		"",
		"10.0.0.1",
		"10.0.0.1 5",
		"10.0.0.1 5 10.0.0.2",
		"10.0.0.1 5 10.0.0.2 0",
		"10.0.0.1 5 10.0.0.2 65536",
		"10.0.0.1 5 10.0.0.2 22 ",
		"10.0.0.1 5 10.0.0.2 22 9",
		"10.0.0.1  5 10.0.0.2 22",
		"a 5 b 22",
	};
	struct bh_addr addr[2];
	uint16_t port[2];
	char buf[ADDRESS_STRLEN];

	(void)state;
	assert_true(session_parse("10.0.0.1 51234 fd00::2 22", addr, port));
	assert_string_equal(addr_format(&addr[0], buf), "10.0.0.1");
	assert_string_equal(addr_format(&addr[1], buf), "fd00::2");
	assert_int_equal(port[0], 51234);
	assert_int_equal(port[1], 22);
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_row(bad[i], !session_parse(bad[i], addr, port));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_connection_of_a_socket),
		cmocka_unit_test(the_environment_comes_first),
		cmocka_unit_test(the_agent_reads_what_is_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
