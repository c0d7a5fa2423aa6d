/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <cjson/cJSON.h>

#include "tests/unit/detect_world.h"

struct text_case {
	const char *name;
	struct alert alert;
	const char *src, *dst;
	uint16_t port;
	bool is_remote;
	const char *text;
	const char *evidence;
};

/* clang-format off */
static const struct text_case cases[] = {
	{ "vertical", { .id = DETECT_VERTICAL, .value = 10, .span_ns = 90 * SECOND },
	  "10.0.16.10", "10.0.32.10", 22, false,
	  "api(internal) 10.0.16.10 tried 10 ports of postgres(data) 10.0.32.10 in 90 s, the last tcp/22",
	  "{\"ports\":10,\"window_s\":600,\"span_s\":90,\"service\":\"tcp/22\",\"let_through\":false}" },
	{ "scatter", { .id = DETECT_VERTICAL, .value = 30, .pairs = 31, .hosts = 9, .ports = 30, .span_ns = 1 },
	  "10.0.16.10", "10.0.32.10", 22, false,
	  "api(internal) 10.0.16.10 tried 30 services on 9 hosts, 31 pairs of these, in 1 s",
	  "{\"ports\":30,\"window_s\":600,\"span_s\":1,\"hosts\":9,\"pairs\":31,\"service\":\"tcp/22\",\"let_through\":false}" },
	{ "sweep", { .id = DETECT_SWEEP, .value = 12, .span_ns = 300 * SECOND },
	  "fd00:0:0:20::7", "2001:db8::1", 445, false,
	  "internal fd00:0:0:20::7 tried tcp/445 on 12 hosts in 5 min, the last outside 2001:db8::1",
	  "{\"hosts\":12,\"window_s\":600,\"span_s\":300,\"service\":\"tcp/445\",\"let_through\":false}" },
	{ "crowd of a sweep", { .id = DETECT_SWEEP, .is_crowd = true, .value = 12 },
	  "10.0.17.1", "10.0.32.11", 445, false,
	  "several addresses of internal tried tcp/445 on 12 hosts in 1 s, the last replica(data) 10.0.32.11",
	  "{\"hosts\":12,\"window_s\":600,\"span_s\":0,\"service\":\"tcp/445\",\"let_through\":false}" },
	{ "data", { .id = DETECT_DATA_OUT, .value = 1 },
	  "10.0.32.10", "198.51.100.7", 443, false,
	  "postgres(data) 10.0.32.10, in a data zone, tried to reach out: outside 198.51.100.7 tcp/443",
	  "{\"attempts\":1,\"window_s\":600,\"span_s\":0,\"service\":\"tcp/443\",\"let_through\":false}" },
	{ "management", { .id = DETECT_MANAGEMENT, .value = 3, .span_ns = SECOND },
	  "10.0.16.10", "10.0.48.5", 22, false,
	  "api(internal) 10.0.16.10 tried to reach into management: bastion(management) 10.0.48.5 tcp/22, 3 times in 1 s",
	  "{\"attempts\":3,\"window_s\":600,\"span_s\":1,\"service\":\"tcp/22\",\"let_through\":false}" },
	{ "first", { .id = DETECT_FIRST, .value = 90000 },
	  "10.0.16.10", "10.0.32.10", 22, false,
	  "api(internal) 10.0.16.10 was quiet for 25 h, and now is denied something for the first time: postgres(data) 10.0.32.10 tcp/22",
	  "{\"quiet_s\":90000,\"service\":\"tcp/22\",\"let_through\":false}" },
	{ "beacon", { .id = DETECT_BEACON, .value = 6, .interval_ms = 59800, .span_ns = 299 * SECOND },
	  "10.0.16.10", "198.51.100.7", 443, false,
	  "api(internal) 10.0.16.10 tries outside 198.51.100.7 tcp/443 every 60 s, 6 times by now",
	  "{\"attempts\":6,\"window_s\":600,\"span_s\":299,\"interval_s\":60,\"service\":\"tcp/443\",\"let_through\":false}" },
	{ "crowd", { .id = DETECT_CROWD, .value = 20, .span_ns = 2 * SECOND },
	  "10.0.17.1", "10.0.32.10", 5432, true,
	  "20 sources were denied on their way to postgres(data) 10.0.32.10 in 2 s, the last internal 10.0.17.1",
	  "{\"sources\":20,\"window_s\":600,\"span_s\":2,\"service\":\"tcp/5432\",\"let_through\":false}" },
	{ "spoofed", { .id = DETECT_SPOOFED, .value = 5, .span_ns = SECOND },
	  "10.0.48.5", "10.0.32.10", 22, false,
	  "api at interface veth3 sent 5 packets from addresses not its own in 1 s, the last from 10.0.48.5",
	  "{\"packets\":5,\"window_s\":600,\"span_s\":1,\"claimed\":\"10.0.48.5\",\"let_through\":false}" },
	{ "spoofed on the wire", { .id = DETECT_SPOOFED, .value = 5, .span_ns = SECOND },
	  "10.0.48.5", "10.0.32.10", 22, true,
	  "5 packets came in by interface eth0 from addresses that are not there in 1 s, the last from 10.0.48.5",
	  "{\"packets\":5,\"window_s\":600,\"span_s\":1,\"claimed\":\"10.0.48.5\",\"let_through\":false}" },
	{ "noise", { .id = DETECT_NOISE, .value = 3000, .span_ns = 30 * SECOND },
	  "10.0.16.10", "10.0.32.10", 80, false,
	  "api(internal) 10.0.16.10 was denied 3000 times in 30 s, so that other things that it tries may go unseen; the last was postgres(data) 10.0.32.10 tcp/80",
	  "{\"packets\":3000,\"window_s\":600,\"span_s\":30,\"service\":\"tcp/80\",\"let_through\":false}" },
};
/* clang-format on */

static void check_case(const struct text_case *c)
{
	struct world w = {.is_remote = c->is_remote, .now_ns = SECOND};
	struct bh_event event = event_of(&w, c->src, c->dst, c->port);
	const struct event_names names = {
		.src = owner_of(&event.src),
		.dst = owner_of(&event.dst),
		.interface = c->is_remote ? "eth0" : "veth3",
		.endpoint = c->is_remote ? "host" : "api",
	};
	struct alert alert = c->alert;
	_text_ struct text text = TEXT_INIT;
	_text_ struct text json = TEXT_INIT;
	char *evidence;
	cJSON *root;

	alert.event = &event;
	alert.names = &names;
	alert.window_s = 600;
	alert.count = 7;
	alert_text(&alert, &text);
	assert_row_string(c->name, text.buf, c->text);
	alert_json(&alert, &json);
	root = cJSON_Parse(json.buf);
	assert_row(c->name, root != NULL);
	evidence = cJSON_PrintUnformatted(cJSON_GetObjectItem(root, "evidence"));
	assert_row_string(c->name, evidence, c->evidence);
	assert_row_string(c->name, cJSON_GetStringValue(cJSON_GetObjectItem(root, "text")),
			  c->text);
	free(evidence);
	cJSON_Delete(root);
}

static void every_alert_is_a_sentence_and_its_evidence(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		check_case(&cases[i]);
}

static void an_alert_is_one_object(void **state)
{
	_world_ struct world w;

	(void)state;
	world_begin(&w);
	knock(&w, "10.0.32.10", "198.51.100.7", 443);
	assert_string_equal(
		w.json.buf,
		"{\"type\":\"alert\",\"id\":\"BD003\",\"time\":\"1970-01-01T00:16:40.000000Z\","
		"\"source\":{\"ip\":\"10.0.32.10\",\"workload\":\"postgres\",\"zone\":\"data\","
		"\"labels\":{}},"
		"\"target\":{\"ip\":\"198.51.100.7\",\"zone\":\"outside\",\"labels\":{}},"
		"\"interface\":\"veth3\","
		"\"evidence\":{\"attempts\":1,\"window_s\":600,\"span_s\":0,"
		"\"service\":\"tcp/443\",\"let_through\":false},\"count\":1,"
		"\"text\":\"postgres(data) 10.0.32.10, in a data zone, tried to reach out: "
		"outside 198.51.100.7 tcp/443\"}");
}

static void who_spoofs_is_named_by_interface(void **state)
{
	_world_ struct world w;
	struct bh_event event;

	(void)state;
	world_begin(&w);
	event = event_of(&w, "10.0.48.5", "10.0.32.10", 22);
	event.reason = BH_REASON_SPOOFED_SOURCE;
	for (int i = 0; i < 5; i++)
		send_event(&w, &event);
	assert_non_null(
		strstr(w.json.buf, "\"source\":{\"workload\":\"api\",\"interface\":\"veth3\"}"));
	assert_null(strstr(w.json.buf, "target"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_alert_is_a_sentence_and_its_evidence),
		cmocka_unit_test(an_alert_is_one_object),
		cmocka_unit_test(who_spoofs_is_named_by_interface),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
