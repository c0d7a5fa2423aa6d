/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/event_flowlog.h"

#include "tests/test.h"

struct flow_case {
	const char *name;
	const char *event;
	const char *line; /* NULL: none */
};

/* clang-format off */
#define TIME "'time':'2026-11-21T09:00:00.9Z',"

static const struct flow_case cases[] = {
	{ "denied TCP",
	  "{" TIME "'verdict':'deny','proto':'tcp','length':74,'interface':'veth-pg','count':1,"
	  "'src':{'ip':'10.0.0.10','port':51514},'dst':{'ip':'10.0.32.10','port':5432}}",
	  "2 - veth-pg 10.0.0.10 10.0.32.10 51514 5432 6 1 74 1795251600 1795251600 REJECT OK" },
	{ "many as one",
	  "{" TIME "'verdict':'audit','proto':'udp','length':100,'interface':'e','count':7,"
	  "'src':{'ip':'fd00::1','port':1},'dst':{'ip':'fd00::2','port':2}}",
	  "2 - e fd00::1 fd00::2 1 2 17 7 700 1795251600 1795251600 ACCEPT OK" },
	{ "no ports, a protocol without a name",
	  "{" TIME "'verdict':'reject','proto':'47','length':50,'src':{'ip':'10.0.0.1'},"
	  "'dst':{'ip':'10.0.0.2'}}",
	  "2 - - 10.0.0.1 10.0.0.2 0 0 47 1 50 1795251600 1795251600 REJECT OK" },
	{ "ICMPv6",
	  "{" TIME "'verdict':'allow','proto':'icmp6','length':50,'interface':'e','count':1,"
	  "'src':{'ip':'fd00::1'},'dst':{'ip':'fd00::2'}}",
	  "2 - e fd00::1 fd00::2 0 0 58 1 50 1795251600 1795251600 ACCEPT OK" },
	{ "ARP is no flow",
	  "{" TIME "'verdict':'deny','proto':'arp','src':{'ip':'10.0.0.1'},'dst':{'ip':'10.0.0.2'}}",
	  NULL },
	{ "nor is what has no addresses",
	  "{" TIME "'verdict':'deny','proto':'tcp','src':{},'dst':{}}", NULL },
	{ "nor what has no time",
	  "{'verdict':'deny','proto':'tcp','src':{'ip':'10.0.0.1'},'dst':{'ip':'10.0.0.2'}}", NULL },
};
/* clang-format on */

static cJSON *parse(const char *s)
{
	_text_ struct text json = TEXT_INIT;

	for (; *s; s++)
		text_addc(&json, *s == '\'' ? '"' : *s);
	return cJSON_Parse(json.buf);
}

static void a_flow_is_a_line_of_fourteen_fields(void **state)
{
	(void)state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct flow_case *c = &cases[i];
		_text_ struct text out = TEXT_INIT;
		cJSON *event = parse(c->event);

		assert_row(c->name, event);
		assert_row(c->name, event_flowlog(event, &out) == (c->line != NULL));
		assert_row_string(c->name, out.buf, c->line ? c->line : "");
		cJSON_Delete(event);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flow_is_a_line_of_fourteen_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
