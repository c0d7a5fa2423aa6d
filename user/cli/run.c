/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include <bulkhead/limits.h>

#include "agent/config.h"
#include "agent/control/protocol.h"
#include "cli/cli.h"
#include "util/mem.h"

/* What isn't given leaves what the configuration says. */
struct run_values {
	const char *config;
	strings policy;
	strings attach;
	strings without;
	const char *kubernetes;
	const char *socket;
	const char *state_dir;
	const char *bpffs;
	uint32_t event_rate;
	uint32_t history;
	uint32_t adopt_s;
	uint32_t down_after_s;
	const char *metrics;
	const char *flow_log;
	const char *flow_format;
	uint32_t flow_interval_s;
};

/* clang-format off */
#define AT(member) .offset = offsetof(struct run_values, member)
static const struct option run_options[] = {
	{ "policy", 'p', OPTION_LIST, AT(policy), "PATH",
	  "file or directory; repeatable (default: " PROTOCOL_POLICY_DIR ")" },
	{ "attach", 'a', OPTION_LIST, AT(attach), "IFACE[=WORKLOAD]",
	  "enforce on this interface; repeatable" },
	{ "kubernetes", 'k', OPTION_TEXT, AT(kubernetes), "NODE",
	  "enforce the cluster's policies on this node's pods" },
	{ "config", 'c', OPTION_TEXT, AT(config), "FILE", "read settings; options win over them" },
	{ "socket", 0, OPTION_TEXT, AT(socket), "PATH",
	  "control socket (default: " PROTOCOL_SOCKET ")" },
	{ "state-dir", 0, OPTION_TEXT, AT(state_dir), "DIR",
	  "where the last good policy is kept (default: " PROTOCOL_STATE_DIR ")" },
	{ "bpffs", 0, OPTION_TEXT, AT(bpffs), "DIR",
	  "where maps and links are pinned (default: " PROTOCOL_BPFFS ")" },
	{ "event-rate", 0, OPTION_NUMBER, AT(event_rate), "N",
	  "events a second per source, rule and reason; 0: any (default: 100)" },
	{ "history", 0, OPTION_NUMBER, AT(history), "N",
	  "events kept for 'observe' (default: 10000)", .max = SETTINGS_MAX_HISTORY },
	{ "adopt", 0, OPTION_DURATION, AT(adopt_s), "TIME",
	  "adopt connections older than the first start (default: for 30s)" },
	{ "down-after", 0, OPTION_DURATION, AT(down_after_s), "TIME",
	  "without a heartbeat, and whenAgentIsDown applies (default: 10s)" },
	{ "metrics", 0, OPTION_TEXT, AT(metrics), "[ADDRESS:]PORT",
	  "serve /metrics, /healthz and /readyz (a port alone: on 127.0.0.1)" },
	{ "flow-log", 0, OPTION_TEXT, AT(flow_log), "FILE",
	  "log what connections carried, and what was denied; -: to standard output" },
	{ "flow-log-format", 0, OPTION_CHOICE, AT(flow_format), "vpc|json",
	  "AWS VPC flow log version 2, or JSON with names and rules (default: vpc)" },
	{ "flow-log-interval", 0, OPTION_DURATION, AT(flow_interval_s), "TIME",
	  "log connections that go on so often (default: 1m)" },
	{ "without", 0, OPTION_LIST, AT(without), "BUILTIN",
	  "turn off host, arp, nd, dhcp, icmp-error, self or service; repeatable" },
};
#undef AT
/* clang-format on */

_Static_assert(AGENT_EVENT_RATE == 100, "what --help says");
_Static_assert(AGENT_HISTORY == 10000, "what --help says");
_Static_assert(AGENT_ADOPT_S == 30, "what --help says");
_Static_assert(BH_DOWN_AFTER_S == 10, "what --help says");
_Static_assert(FLOW_INTERVAL_S == 60, "what --help says");

static enum exit_code read_config(const char *path, struct settings *settings)
{
	struct source source = {};
	struct diags diags = {};
	int err = source_read(path, &source);

	if (err)
		return cli_error("run: '%s' cannot be read: %s", path, strerror(-err));
	err = settings_read(settings, &source, &diags);
	diags_print(&diags, stderr);
	diags_release(&diags);
	source_release(&source);
	return err ? EXIT_USAGE : EXIT_FINE;
}

static void replace(char **place, const char *value)
{
	if (!value)
		return;
	free(*place);
	*place = xstrdup(value);
}

static void take_policies(struct settings *settings, const strings *paths)
{
	if (paths->count) {
		vec_foreach (policy, &settings->policies)
			free(*policy);
		vec_release(&settings->policies);
	}
	vec_foreach (path, paths)
		vec_push(&settings->policies, xstrdup(*path));
	if (!settings->policies.count && !settings->is_node)
		vec_push(&settings->policies, xstrdup(PROTOCOL_POLICY_DIR));
}

static enum exit_code take_flows(struct settings *settings, const struct arguments *args)
{
	const struct run_values *values = args->values;

	replace(&settings->flow_file, values->flow_log);
	if (values->flow_format)
		flow_format_parse(values->flow_format, &settings->flows.format);
	if (!arguments_have(args, "flow-log-interval"))
		return EXIT_FINE;
	if (!flow_interval_is_good(values->flow_interval_s))
		return cli_error("run: --flow-log-interval is from 1s to 1d");
	settings->flows.interval_s = values->flow_interval_s;
	return EXIT_FINE;
}

/* Paths and numbers replace what the configuration says, interfaces and built-ins add to it. */
static enum exit_code take_options(struct settings *settings, const struct arguments *args)
{
	const struct run_values *values = args->values;
	_text_ struct text error = TEXT_INIT;

	settings->is_node |= values->kubernetes != NULL;
	replace(&settings->kubernetes.node, values->kubernetes);
	if (!settings_complete(settings, &error))
		return cli_error("run: --kubernetes: %s", error.buf);
	take_policies(settings, &values->policy);
	replace(&settings->socket, values->socket);
	replace(&settings->state_dir, values->state_dir);
	replace(&settings->bpffs, values->bpffs);
	if (arguments_have(args, "event-rate"))
		settings->event_rate = values->event_rate;
	if (arguments_have(args, "history"))
		settings->history = values->history;
	if (arguments_have(args, "adopt"))
		settings->adopt_s = values->adopt_s;
	if (arguments_have(args, "down-after"))
		settings->down_after_s = values->down_after_s;
	if (values->metrics && !listen_address_parse(values->metrics, &settings->metrics, &error))
		return cli_error("run: --metrics: %s", error.buf);
	vec_foreach (attach, &values->attach)
		if (!settings_add_attach(settings, *attach, &error))
			return cli_error("run: --attach: %s", error.buf);
	vec_foreach (builtin, &values->without)
		if (!settings_turn_off(settings, *builtin, &error))
			return cli_error("run: --without: %s", error.buf);
	return take_flows(settings, args);
}

static enum exit_code run_run(const struct arguments *args)
{
	const struct run_values *values = args->values;
	_settings_ struct settings settings = {};
	struct agent_config config;
	enum exit_code code = EXIT_FINE;
	int err;

	if (args->operands.count)
		return cli_error("run: '%s' is due behind --policy or --attach",
				 args->operands.items[0]);
	settings_init(&settings);
	if (values->config)
		code = read_config(values->config, &settings);
	if (code == EXIT_FINE)
		code = take_options(&settings, args);
	if (code != EXIT_FINE)
		return code;
	config = settings_config(&settings);
	config.ready_fd = STDOUT_FILENO;
	err = agent_run(&config);
	if (err == -EINVAL)
		return EXIT_USAGE;
	return err ? EXIT_FINDING : EXIT_FINE;
}

const struct command run_command = {
	.name = "run",
	.arguments = "[--policy PATH]... [--attach IFACE[=WORKLOAD]]... [OPTION...]",
	.summary = "Enforce a policy on this machine: the agent",
	.details =
		"IFACE alone is a NIC of this machine. IFACE=WORKLOAD is the host side of that\n"
		"workload's veth; it may send from the workload's addresses, or, written as\n"
		"IFACE=ADDRESS[,ADDRESS...], from these only. IFACE may be a pattern such as\n"
		"'veth*': every interface that matches, whenever it appears.\n\n"
		"With --kubernetes the policy is the cluster's, as its API server tells of it: "
		"every\n"
		"NetworkPolicy, ClusterNetworkPolicy and ZonePolicy, and that of --policy beside "
		"them.\n"
		"The interfaces of the node's pods are found by themselves. In a pod of the "
		"cluster\n"
		"nothing else need be said; elsewhere the configuration names the API server.\n"
		"--attach 'veth*=?' lets nothing out of such an interface before it is a pod's.\n\n"
		"Prints a line 'ready' once it enforces. SIGHUP reloads the policy; SIGTERM ends\n"
		"the agent, and what it enforces stays in the kernel until 'bulkhead detach'.\n"
		"The keys of the configuration file are policy, attach, socket, stateDir, bpffs,\n"
		"eventRate, history, adopt, downAfter, watchdog (repair or alarm), mode (enforce,\n"
		"or audit: whatever the policy would deny is let through and reported), fallback\n"
		"(closed, open or a policy's path), vlan (inspect, pass or drop: frames with a\n"
		"tag), metrics ([ADDRESS:]PORT or off), detect (thresholds of alerts), flowLog (a\n"
		"path, or {file, format, interval, size, keep, denied: on|off}: at that size it\n"
		"becomes FILE.1, and so many are kept; denied packets have lines, too), "
		"kubernetes\n"
		"({node: NAME, server: URL, ca: FILE, tokenFile: FILE, silence: TIME,\n"
		"status: on|off, podEvents: on|off}: whether ZonePolicies get a status and what "
		"is\n"
		"refused an Event, and pods Events of their first drops) and builtins ({arp:\n"
		"off}). A policy that does not load is replaced by the last good one, and that by\n"
		"the fallback.\n"
		"Exit code 2: the configuration does not load, nor does any policy; 1: the agent\n"
		"failed.",
	.examples = "bulkhead run --policy policies/five-zone.yaml --attach eth0\n"
		    "bulkhead run --attach veth-api=api --attach veth-pg=10.0.32.10,fd00:3::10\n"
		    "bulkhead run --config /etc/bulkhead/agent.yaml --adopt 1m",
	.options = OPTION_TABLE(run_options),
	.values_size = sizeof(struct run_values),
	.run = run_run,
};
