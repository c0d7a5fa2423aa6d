/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/config.h"

#include <string.h>

#include <bulkhead/builtin.h>

#include "agent/control/protocol.h"
#include "tests/test.h"

static int read_text(const char *text, struct settings *settings, struct text *ret_messages)
{
	struct source source = source_of("agent.yaml", text, strlen(text));
	struct diags diags = {};
	int err;

	settings_init(settings);
	err = settings_read(settings, &source, &diags);
	vec_foreach (diag, &diags.list)
		text_addf(ret_messages, "%s%u:%u: %s", ret_messages->len ? "\n" : "", diag->at.line,
			  diag->at.column, diag->message);
	diags_release(&diags);
	source_release(&source);
	return err;
}

static void a_cluster_is_read(void **state)
{
	_settings_ struct settings s = {};
	_text_ struct text messages = TEXT_INIT;
	_text_ struct text why = TEXT_INIT;

	(void)state;
	read_text("kubernetes: {node: n, server: 'https://[::1]:6443', ca: /ca, tokenFile: /t, "
		  "silence: 5s, status: off, podEvents: on}\n",
		  &s, &messages);
	assert_string_equal(messages.buf, "");
	assert_true(settings_complete(&s, &why));
	assert_ptr_equal(settings_config(&s).kubernetes, &s.kubernetes);
	assert_string_equal(s.kubernetes.node, "n");
	assert_string_equal(s.kubernetes.server, "https://[::1]:6443");
	assert_string_equal(s.kubernetes.ca_file, "/ca");
	assert_string_equal(s.kubernetes.token_file, "/t");
	assert_int_equal(s.kubernetes.silence_s, 5);
	assert_false(s.kubernetes.has_status);
	assert_true(s.kubernetes.has_pod_events);
}

static void a_server_without_tls_is_none(void **state)
{
	_settings_ struct settings s = {};
	_text_ struct text messages = TEXT_INIT;
	_text_ struct text why = TEXT_INIT;

	(void)state;
	read_text("kubernetes: {server: 'http://10.0.0.1'}\n", &s, &messages);
	assert_false(settings_complete(&s, &why));
	assert_string_equal(why.buf, "'http://10.0.0.1' is no API server; it begins with https://");
}

static void every_key_is_read(void **state)
{
	_settings_ struct settings s = {};
	_text_ struct text messages = TEXT_INIT;
	static const uint32_t thresholds[] = {32, 2, 3, 0, 2, 3, 64, 1, 7};

	(void)state;
	read_text("policy: [a.yaml, /etc/b]\n"
		  "attach: [eth0, veth1=api, 'veth2=10.0.0.1,fd00::1', 'veth-of-web-[0-9]*=web']\n"
		  "socket: /tmp/s\nstateDir: /tmp/d\nbpffs: /tmp/f\n"
		  "eventRate: 0\nhistory: 5\nadopt: 1m\n"
		  "builtins: {arp: off, nd: on, icmp-error: off}\nvlan: drop\n"
		  "mode: audit\nwatchdog: alarm\n"
		  "fallback: /etc/f.yaml\nmetrics: '[::1]:9478'\n"
		  "detect: {window: 1h, cooldown: 30s, ports: 32, hosts: 2, dataOut: 3, "
		  "management: 0, quiet: 2s, beats: 3, sources: 64, spoofed: 1, noise: 7}\n"
		  "flowLog: {file: /tmp/l, format: json, interval: 5s, size: 2G, keep: 0}\n",
		  &s, &messages);
	assert_string_equal(messages.buf, "");
	assert_int_equal(s.policies.count, 2);
	assert_string_equal(s.policies.items[1], "/etc/b");
	assert_int_equal(s.attach.count, 4);
	assert_string_equal(s.attach.items[3].interface, "veth-of-web-[0-9]*");
	assert_string_equal(s.attach.items[0].interface, "eth0");
	assert_null(s.attach.items[0].workload);
	assert_string_equal(s.attach.items[1].workload, "api");
	assert_string_equal(s.attach.items[2].interface, "veth2");
	assert_string_equal(s.attach.items[2].workload, "10.0.0.1,fd00::1");
	assert_string_equal(s.socket, "/tmp/s");
	assert_string_equal(s.state_dir, "/tmp/d");
	assert_string_equal(s.bpffs, "/tmp/f");
	assert_int_equal(s.event_rate, 0);
	assert_int_equal(s.history, 5);
	assert_int_equal(s.adopt_s, 60);
	assert_true(s.is_audit);
	assert_int_equal(s.builtins_off, 1u << BH_BUILTIN_ARP | 1u << BH_BUILTIN_ICMP);
	assert_int_equal(s.vlan, BH_VLAN_DROP);
	assert_int_equal(s.watchdog, WATCHDOG_ALARM);
	assert_string_equal(s.fallback, "/etc/f.yaml");
	assert_int_equal(s.metrics.port, 9478);
	assert_false(addr_is_v4(&s.metrics.addr));
	assert_int_equal(s.detect.window_s, 3600);
	assert_int_equal(s.detect.cooldown_s, 30);
	for (enum detection id = 0; id < DETECTION_COUNT; id++)
		assert_int_equal(s.detect.threshold[id], thresholds[id]);
	assert_string_equal(settings_config(&s).flows.path, "/tmp/l");
	assert_int_equal(s.flows.format, FLOW_JSON);
	assert_int_equal(s.flows.interval_s, 5);
	assert_int_equal(s.flows.size, UINT64_C(2) << 30);
	assert_int_equal(s.flows.keep, 0);
}

static void a_flow_log_may_be_only_a_path(void **state)
{
	_settings_ struct settings s = {};
	_text_ struct text messages = TEXT_INIT;

	(void)state;
	assert_int_equal(read_text("flowLog: '-'\n", &s, &messages), 0);
	assert_string_equal(settings_config(&s).flows.path, "-");
	assert_int_equal(s.flows.format, FLOW_VPC);
	assert_int_equal(s.flows.interval_s, FLOW_INTERVAL_S);
	assert_int_equal(s.flows.size, FLOW_SIZE);
	assert_int_equal(s.flows.keep, FLOW_KEEP);
	assert_true(s.flows.has_denied);
}

static void a_flow_log_may_be_without_what_was_denied(void **state)
{
	_settings_ struct settings s = {};
	_text_ struct text messages = TEXT_INIT;

	(void)state;
	assert_int_equal(read_text("flowLog: {file: /l, denied: off}\n", &s, &messages), 0);
	assert_false(s.flows.has_denied);
}

static const struct {
	const char *text;
	const char *message;
} wrong_flows[] = {
	{"flowLog: flow.log\n", "'flow.log' is not a path from / on, or - for standard output"},
	{"flowLog: {size: 1}\n", "missing key 'file'; a flow log needs it"},
	{"flowLog: {file: /l, interval: 0s}\n", "'0s' is not a duration from 1s to 1d"},
	{"flowLog: {file: /l, interval: 2d}\n", "'2d' is not a duration from 1s to 1d"},
	{"flowLog: {file: /l, size: 5T}\n", "'5T' is not a size such as 64M"},
	{"flowLog: {file: /l, size: M}\n", "'M' is not a size such as 64M"},
	{"flowLog: {file: /l, denied: no}\n", "'no' is not a switch; did you mean 'on'?"},
	{"flowLog: {file: /l, keep: -1}\n", "'-1' is not a number from 0 to 1000"},
};

static void what_is_wrong_with_a_flow_log_is_said(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(wrong_flows); i++) {
		_settings_ struct settings s = {};
		_text_ struct text messages = TEXT_INIT;

		assert_row(wrong_flows[i].text, read_text(wrong_flows[i].text, &s, &messages));
		assert_row(messages.buf, strstr(messages.buf, wrong_flows[i].message));
	}
}

static void what_is_left_out_is_the_default(void **state)
{
	_settings_ struct settings s = {};
	_text_ struct text messages = TEXT_INIT;
	struct agent_config config;

	(void)state;
	assert_int_equal(read_text("policy: p.yaml\n", &s, &messages), 0);
	config = settings_config(&s);
	assert_int_equal(config.policy_count, 1);
	assert_string_equal(config.policy_paths[0], "p.yaml");
	assert_string_equal(config.socket, PROTOCOL_SOCKET);
	assert_int_equal(config.history, AGENT_HISTORY);
	assert_int_equal(config.adopt_s, AGENT_ADOPT_S);
	assert_int_equal(config.builtins_off, 0);
	assert_int_equal(config.vlan, BH_VLAN_INSPECT);
	assert_int_equal(config.watchdog, WATCHDOG_REPAIR);
	assert_null(config.fallback);
	assert_int_equal(config.metrics.port, 0);
	assert_int_equal(config.detect.window_s, DETECT_WINDOW_S);
	assert_int_equal(config.detect.threshold[DETECT_VERTICAL], 10);
	assert_int_equal(config.detect.threshold[DETECT_FIRST], 86400);
	assert_null(config.flows.path);
	assert_int_equal(config.ready_fd, -1);
}

struct bad_case {
	const char *text;
	const char *messages;
};

/* clang-format off */
static const struct bad_case bad[] = {
	{ "polcy: a.yaml\n",          "1:1: unknown key 'polcy'; did you mean 'policy'?" },
	{ "history: many\n",          "1:10: 'many' is not a number from 0 to 10000000" },
	{ "adopt: soon\n",            "1:8: 'soon' is not a duration such as 30s or 5m" },
	{ "vlan: deny\n",             "1:7: 'deny' is not a mode of VLAN tags; it is inspect, pass or drop" },
	{ "watchdog: bark\n",
	  "1:11: 'bark' is not what the watchdog does; it is repair or alarm" },
	{ "fallback: ajar\n",
	  "1:11: 'ajar' is not a fallback; it is closed, open or a policy's path from / on" },
	{ "metrics: on\n",
	  "1:10: 'on' is not an address and a port such as 127.0.0.1:9478, nor a port, nor off" },
	{ "attach: [eth0=]\n",        "1:10: 'eth0=' names no workload after '='" },
	{ "attach: '=api'\n",         "1:9: '=api' does not begin with an interface's name" },
	{ "attach: a-name-of-16-chr\n",
	  "1:9: 'a-name-of-16-chr' does not begin with an interface's name" },
	{ "mode: off\n",
	  "1:7: 'off' is not a mode; it is enforce or audit" },
	{ "kubernetes: {podEvents: all}\n",
	  "1:25: 'all' is not on or off; it is on or off" },
	{ "builtins: {default: off}\n",
	  "1:12: 'default' is no built-in rule: host, arp, nd, dhcp, icmp-error, self, service" },
	{ "history: -1\nadopt: x\n",  "1:10: '-1' is not a number from 0 to 10000000\n"
	                              "2:8: 'x' is not a duration such as 30s or 5m" },
	{ "detect: {port: 3}\n",       "1:10: unknown key 'port'; did you mean 'ports'?" },
	{ "detect: {ports: 1}\n",      "1:17: '1' is not a number from 2 to 32, or 0 for off" },
	{ "detect: {ports: 33}\n",     "1:17: '33' is not a number from 2 to 32, or 0 for off" },
	{ "detect: {quiet: soon}\n",   "1:17: 'soon' is not a duration such as 1d, and 0 for off" },
	{ "detect: {window: 0}\n",     "1:18: '0' is not a duration from 1s to 24h" },
	{ "detect: {cooldown: 25h}\n", "1:20: '25h' is not a duration from 1s to 24h" },
	{ "detect: [ports]\n",         "1:9: 'detect' must be a mapping, not a list" },
	{ "history: 1\n---\nhistory: 2\n", "3:1: the agent's configuration is one document" },
};
/* clang-format on */

static void everything_wrong_is_told_with_its_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		_settings_ struct settings s = {};
		_text_ struct text messages = TEXT_INIT;

		assert_row(bad[i].text, read_text(bad[i].text, &s, &messages) != 0);
		assert_row_string(bad[i].text, messages.buf, bad[i].messages);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_is_read),
		cmocka_unit_test(a_cluster_is_read),
		cmocka_unit_test(a_server_without_tls_is_none),
		cmocka_unit_test(what_is_left_out_is_the_default),
		cmocka_unit_test(a_flow_log_may_be_only_a_path),
		cmocka_unit_test(a_flow_log_may_be_without_what_was_denied),
		cmocka_unit_test(what_is_wrong_with_a_flow_log_is_said),
		cmocka_unit_test(everything_wrong_is_told_with_its_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
