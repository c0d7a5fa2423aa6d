/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/event_line.h"

#include "tests/test.h"

struct line_case {
	const char *name;
	const char *event;
	const char *line;
};

/* clang-format off */
static const struct line_case lines[] = {
	{ "two workloads, TCP",
	  "{'time':'2026-11-21T09:00:00.123456Z','verdict':'deny','direction':'ingress',"
	  "'reason':'policy','rule':'default',"
	  "'src':{'ip':'10.0.0.10','port':51514,'workload':'edge-lb','zone':'dmz'},"
	  "'dst':{'ip':'10.0.32.10','port':5432,'workload':'postgres','zone':'data'},"
	  "'proto':'tcp','tcp_flags':'SYN','interface':'veth-pg','generation':7}",
	  "2026-11-21T09:00:00.123456Z deny ingress edge-lb(dmz) 10.0.0.10:51514 -> "
	  "postgres(data) 10.0.32.10:5432 tcp SYN rule=default reason=policy if=veth-pg gen=7" },
	{ "what came nearest",
	  "{'time':'T','verdict':'deny','direction':'egress','reason':'policy','rule':'default',"
	  "'src':{'ip':'10.0.16.10','port':1,'workload':'api','zone':'internal'},"
	  "'dst':{'ip':'10.0.32.10','port':5433,'workload':'postgres','zone':'data'},"
	  "'proto':'tcp','tcp_flags':'SYN,ACK','interface':'eth0','generation':8,"
	  "'near':'api-to-db(port 5433, allows 5432)'}",
	  "T deny egress api(internal) 10.0.16.10:1 -> postgres(data) 10.0.32.10:5433 tcp SYN,ACK "
	  "rule=default reason=policy if=eth0 gen=8 near=api-to-db(port 5433, allows 5432)" },
	{ "a zone alone, outside, UDP over IPv6",
	  "{'time':'T','verdict':'allow','direction':'ingress','reason':'none','rule':'dns',"
	  "'src':{'ip':'fd00::7','port':5353,'zone':'dmz'},'dst':{'ip':'2001:db8::1','port':53},"
	  "'proto':'udp','interface':'eth0','generation':1}",
	  "T allow ingress dmz [fd00::7]:5353 -> outside [2001:db8::1]:53 udp rule=dns reason=none "
	  "if=eth0 gen=1" },
	{ "a workload in no zone, ICMP",
	  "{'time':'T','verdict':'audit','direction':'ingress','reason':'policy','rule':'no-ping',"
	  "'src':{'ip':'10.0.0.1','workload':'probe'},'dst':{'ip':'10.0.0.2','zone':'dmz'},"
	  "'proto':'icmp','icmp_type':8,'icmp_code':0,'interface':'eth0','generation':1}",
	  "T audit ingress probe 10.0.0.1 -> dmz 10.0.0.2 icmp echo-request rule=no-ping "
	  "reason=policy if=eth0 gen=1" },
	{ "ICMPv6",
	  "{'time':'T','verdict':'deny','direction':'ingress','reason':'icmp-unrelated',"
	  "'src':{'ip':'fd00::1'},'dst':{'ip':'fd00::2'},"
	  "'proto':'icmp6','icmp_type':128,'icmp_code':0,'interface':'eth0','generation':1}",
	  "T deny ingress outside fd00::1 -> outside fd00::2 icmp6 echo-request rule=- "
	  "reason=icmp-unrelated if=eth0 gen=1" },
	{ "no IP at all",
	  "{'time':'T','verdict':'deny','direction':'egress','reason':'unsupported',"
	  "'src':{},'dst':{},'proto':'0x88cc','interface':'eth0','generation':2}",
	  "T deny egress - -> - 0x88cc rule=- reason=unsupported if=eth0 gen=2" },
	{ "control sequences are not passed on",
	  "{'time':'T','verdict':'deny','direction':'egress','reason':'policy','rule':'a\\u001bb',"
	  "'src':{'workload':'x\\ny'},'dst':{},'proto':'tcp','interface':'e\\u0007',"
	  "'generation':2}",
	  "T deny egress x?y -> - tcp rule=a?b reason=policy if=e? gen=2" },
	{ "an alert",
	  "{'type':'alert','id':'BD001','time':'T','source':{'ip':'10.0.16.10'},'count':1,"
	  "'text':'api(internal) 10.0.16.10 tried 10 ports'}",
	  "T alert BD001 api(internal) 10.0.16.10 tried 10 ports" },
	{ "an alert that was due before",
	  "{'type':'alert','id':'BD002','time':'T','count':7,'text':'x tried\\u001b'}",
	  "T alert BD002 x tried? count=7" },
	{ "more than one of a kind",
	  "{'time':'T','verdict':'deny','direction':'egress','reason':'policy','src':{},'dst':{},"
	  "'proto':'udp','interface':'e','generation':2,'count':40}",
	  "T deny egress - -> - udp rule=- reason=policy if=e gen=2 count=40" },
	{ "nothing of what is expected",
	  "{'verdict':7,'src':3}",
	  "- - - - -> - - rule=- reason=- if=- gen=0" },
};
/* clang-format on */

/* JSON with single quotes. */
static cJSON *parse(const char *s)
{
	_text_ struct text json = TEXT_INIT;

	for (; *s; s++)
		text_addc(&json, *s == '\'' ? '"' : *s);
	return cJSON_Parse(json.buf);
}

static void an_event_is_one_line_in_the_order_of_the_manual(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		_text_ struct text seen = TEXT_INIT;
		cJSON *event = parse(lines[i].event);

		assert_row(lines[i].name, event != NULL);
		event_line(event, false, &seen);
		assert_row_string(lines[i].name, seen.buf, lines[i].line);
		cJSON_Delete(event);
	}
}

static void only_the_verdict_is_coloured(void **state)
{
	_text_ struct text seen = TEXT_INIT;
	cJSON *event = parse("{'verdict':'deny'}");

	(void)state;
	event_line(event, true, &seen);
	assert_string_equal(seen.buf,
			    "- \033[31mdeny\033[0m - - -> - - rule=- reason=- if=- gen=0");
	cJSON_Delete(event);
}

static void a_row_stands_under_its_headings(void **state)
{
	_text_ struct text heading = TEXT_INIT;
	_text_ struct text row = TEXT_INIT;
	cJSON *event = parse(lines[0].event);

	(void)state;
	event_row_heading(false, &heading);
	event_row(event, false, &row);
	assert_string_equal(heading.buf,
			    "TIME                        VERDICT DIRECTION SOURCE"
			    "                               DESTINATION                          "
			    "PROTOCOL          RULE                 REASON         INTERFACE");
	assert_string_equal(
		row.buf,
		"2026-11-21T09:00:00.123456Z deny    ingress   edge-lb(dmz) 10.0.0.10:51514"
		"         postgres(data) 10.0.32.10:5432       "
		"tcp SYN           default              policy         veth-pg");
	cJSON_Delete(event);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_event_is_one_line_in_the_order_of_the_manual),
		cmocka_unit_test(only_the_verdict_is_coloured),
		cmocka_unit_test(a_row_stands_under_its_headings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
