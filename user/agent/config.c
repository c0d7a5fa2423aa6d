/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/config.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>

#include <bulkhead/builtin.h>
#include <bulkhead/limits.h>

#include "agent/config_detect.h"
#include "agent/config_flows.h"
#include "agent/control/protocol.h"
#include "agent/endpoints/endpoint_patterns.h"
#include "agent/policies/first_policy.h"
#include "policy/schema.h"
#include "policy/yaml.h"
#include "util/mem.h"
#include "util/when.h"

#define PATTERN_MAX    64
#define BUILTIN_PREFIX "builtin-"

static const char *const builtin_names[] = {
#define X(id, name, help) [BH_BUILTIN_##id] = name,
	BH_BUILTINS(X)
#undef X
};

enum setting {
	SET_POLICY,
	SET_ATTACH,
	SET_SOCKET,
	SET_STATE_DIR,
	SET_BPFFS,
	SET_EVENT_RATE,
	SET_HISTORY,
	SET_ADOPT,
	SET_BUILTINS,
	SET_DOWN_AFTER,
	SET_MODE,
	SET_VLAN,
	SET_WATCHDOG,
	SET_FALLBACK,
	SET_METRICS,
	SET_DETECT,
	SET_FLOW_LOG,
	SET_KUBERNETES,
	SET_COUNT
};

enum kubernetes_setting {
	KUBERNETES_NODE,
	KUBERNETES_SERVER,
	KUBERNETES_CA,
	KUBERNETES_TOKEN,
	KUBERNETES_SILENCE,
	KUBERNETES_STATUS,
	KUBERNETES_POD_EVENTS,
	KUBERNETES_COUNT
};

/* clang-format off */
static const struct schema_key file_keys[] = {
	[SET_POLICY]     = { "policy",    KEY_OPTIONAL, FORM_ANY  },
	[SET_ATTACH]     = { "attach",    KEY_OPTIONAL, FORM_ANY  },
	[SET_SOCKET]     = { "socket",    KEY_OPTIONAL, FORM_TEXT },
	[SET_STATE_DIR]  = { "stateDir",  KEY_OPTIONAL, FORM_TEXT },
	[SET_BPFFS]      = { "bpffs",     KEY_OPTIONAL, FORM_TEXT },
	[SET_EVENT_RATE] = { "eventRate", KEY_OPTIONAL, FORM_TEXT },
	[SET_HISTORY]    = { "history",   KEY_OPTIONAL, FORM_TEXT },
	[SET_ADOPT]      = { "adopt",     KEY_OPTIONAL, FORM_TEXT },
	[SET_BUILTINS]   = { "builtins",  KEY_OPTIONAL, FORM_MAP  },
	[SET_DOWN_AFTER] = { "downAfter", KEY_OPTIONAL, FORM_TEXT },
	[SET_MODE]       = { "mode",      KEY_OPTIONAL, FORM_TEXT },
	[SET_VLAN]       = { "vlan",      KEY_OPTIONAL, FORM_TEXT },
	[SET_WATCHDOG]   = { "watchdog",  KEY_OPTIONAL, FORM_TEXT },
	[SET_FALLBACK]   = { "fallback",  KEY_OPTIONAL, FORM_TEXT },
	[SET_METRICS]    = { "metrics",   KEY_OPTIONAL, FORM_TEXT },
	[SET_DETECT]     = { "detect",    KEY_OPTIONAL, FORM_MAP  },
	[SET_FLOW_LOG]   = { "flowLog",   KEY_OPTIONAL, FORM_ANY  },
	[SET_KUBERNETES] = { "kubernetes", KEY_OPTIONAL, FORM_MAP },
};

static const struct schema_key kubernetes_keys[] = {
	[KUBERNETES_NODE]    = { "node",      KEY_OPTIONAL, FORM_TEXT },
	[KUBERNETES_SERVER]  = { "server",    KEY_OPTIONAL, FORM_TEXT },
	[KUBERNETES_CA]      = { "ca",        KEY_OPTIONAL, FORM_TEXT },
	[KUBERNETES_TOKEN]   = { "tokenFile", KEY_OPTIONAL, FORM_TEXT },
	[KUBERNETES_SILENCE] = { "silence",   KEY_OPTIONAL, FORM_TEXT },
	[KUBERNETES_STATUS]  = { "status",    KEY_OPTIONAL, FORM_TEXT },
	[KUBERNETES_POD_EVENTS] = { "podEvents", KEY_OPTIONAL, FORM_TEXT },
};
/* clang-format on */

static const struct schema file_schema = {
	.what = "the agent's configuration",
	.keys = file_keys,
	.count = SET_COUNT,
};

static const struct schema kubernetes_schema = {
	.what = "the cluster's configuration",
	.keys = kubernetes_keys,
	.count = KUBERNETES_COUNT,
};

void settings_init(struct settings *s)
{
	*s = (struct settings){
		.socket = xstrdup(PROTOCOL_SOCKET),
		.state_dir = xstrdup(PROTOCOL_STATE_DIR),
		.bpffs = xstrdup(PROTOCOL_BPFFS),
		.event_rate = AGENT_EVENT_RATE,
		.history = AGENT_HISTORY,
		.adopt_s = AGENT_ADOPT_S,
		.down_after_s = BH_DOWN_AFTER_S,
		.flows = {.interval_s = FLOW_INTERVAL_S,
			  .size = FLOW_SIZE,
			  .keep = FLOW_KEEP,
			  .has_denied = true},
		.kubernetes.has_status = true,
	};
	config_detect_init(&s->detect);
}

void settings_release(struct settings *s)
{
	vec_foreach (policy, &s->policies)
		free(*policy);
	vec_foreach (attach, &s->attach) {
		free(attach->interface);
		free(attach->workload);
	}
	vec_release(&s->policies);
	vec_release(&s->attach);
	free(s->socket);
	free(s->state_dir);
	free(s->bpffs);
	free(s->fallback);
	free(s->flow_file);
	kube_config_release(&s->kubernetes);
	*s = (struct settings){};
}

bool settings_add_attach(struct settings *s, const char *text, struct text *reterr)
{
	size_t len = strcspn(text, "=");
	struct agent_attach attach = {};

	if (!len || len >= PATTERN_MAX) {
		text_addf(reterr, "'%s' does not begin with an interface's name", text);
		return false;
	}
	if (text[len] && !text[len + 1]) {
		text_addf(reterr, "'%s' names no workload after '='", text);
		return false;
	}
	attach.interface = xstrndup(text, len);
	if (len >= IF_NAMESIZE && !is_interface_pattern(attach.interface)) {
		text_addf(reterr, "'%s' does not begin with an interface's name", text);
		free(attach.interface);
		return false;
	}
	if (text[len])
		attach.workload = xstrdup(text + len + 1);
	vec_push(&s->attach, attach);
	return true;
}

/* "arp" of builtin-arp; NULL for those that are none to turn off, the default and the failsafe. */
static const char *short_name(enum bh_builtin builtin)
{
	size_t skip = strlen(BUILTIN_PREFIX);

	return strncmp(builtin_names[builtin], BUILTIN_PREFIX, skip)
		       ? NULL
		       : builtin_names[builtin] + skip;
}

/* The built-in rule's number, BH_BUILTIN_COUNT if there is none. */
static enum bh_builtin find_builtin(const char *name)
{
	size_t skip = strlen(BUILTIN_PREFIX);

	if (!strncmp(name, BUILTIN_PREFIX, skip))
		name += skip;
	for (enum bh_builtin i = 0; i < BH_BUILTIN_COUNT; i++)
		if (short_name(i) && !strcmp(short_name(i), name))
			return i;
	return BH_BUILTIN_COUNT;
}

static void say_builtins(struct text *out)
{
	const char *separator = "";

	for (enum bh_builtin i = 0; i < BH_BUILTIN_COUNT; i++) {
		if (!short_name(i))
			continue;
		text_addf(out, "%s%s", separator, short_name(i));
		separator = ", ";
	}
}

bool settings_turn_off(struct settings *s, const char *builtin, struct text *reterr)
{
	enum bh_builtin found = find_builtin(builtin);

	if (found == BH_BUILTIN_COUNT) {
		text_addf(reterr, "'%s' is no built-in rule: ", builtin);
		say_builtins(reterr);
		return false;
	}
	s->builtins_off |= 1u << found;
	return true;
}

static void read_policies(struct settings *s, const struct node *value, struct diags *d)
{
	for (const struct node *n = schema_items(value, d); n; n = n->next)
		if (schema_is_text(n, "a file or directory", d))
			vec_push(&s->policies, xstrdup(n->text));
}

static void read_attach(struct settings *s, const struct node *value, struct diags *d)
{
	for (const struct node *n = schema_items(value, d); n; n = n->next) {
		_text_ struct text error = TEXT_INIT;

		if (schema_is_text(n, "an interface", d) &&
		    !settings_add_attach(s, n->text, &error))
			diag_error(d, n->at, "%s", error.buf);
	}
}

static void read_text(char **place, const struct node *n)
{
	if (!n)
		return;
	free(*place);
	*place = xstrdup(n->text);
}

static void read_number(uint32_t *place, uint64_t max, const struct node *n, struct diags *d)
{
	char buf[SHOWN_SIZE];
	uint64_t number;

	if (!n)
		return;
	if (text_to_u64(n->text, 0, max, &number))
		*place = (uint32_t)number;
	else
		diag_error(d, n->at, "'%s' is not a number from 0 to %ju", shown(n->text, buf),
			   (uintmax_t)max);
}

static void read_duration(uint32_t *place, const struct node *n, struct diags *d)
{
	char buf[SHOWN_SIZE];

	if (n && !duration_parse(n->text, place))
		diag_error(d, n->at, "'%s' is not a duration such as 30s or 5m",
			   shown(n->text, buf));
}

static bool read_on_off(const struct node *n, struct diags *d, bool *ret)
{
	static const char *const list[] = {"on", "off"};
	static const struct words on_off = {"on or off", list, COUNT(list)};
	size_t is_off;

	if (!n || !schema_word(n, &on_off, d, &is_off))
		return false;
	*ret = !is_off;
	return true;
}

static void read_builtins(struct settings *s, const struct node *map, struct diags *d)
{
	node_foreach(key, map)
	{
		_text_ struct text error = TEXT_INIT;
		bool is_on;

		if (find_builtin(key->text) == BH_BUILTIN_COUNT) {
			settings_turn_off(s, key->text, &error);
			diag_error(d, key->at, "%s", error.buf);
		} else if (read_on_off(key->value, d, &is_on) && !is_on) {
			settings_turn_off(s, key->text, &error);
		}
	}
}

static void read_vlan(struct settings *s, const struct node *n, struct diags *d)
{
	static const char *const list[] = {
#define X(id, word, help) [BH_VLAN_##id] = (word),
		BH_VLAN_MODES(X)
#undef X
	};
	static const struct words modes = {"a mode of VLAN tags", list, COUNT(list)};
	size_t mode;

	if (n && schema_word(n, &modes, d, &mode))
		s->vlan = (enum bh_vlan_mode)mode;
}

static void read_mode(struct settings *s, const struct node *n, struct diags *d)
{
	static const char *const list[] = {"enforce", "audit"};
	static const struct words modes = {"a mode", list, COUNT(list)};
	size_t mode;

	if (n && schema_word(n, &modes, d, &mode))
		s->is_audit = mode;
}

static void read_watchdog(struct settings *s, const struct node *n, struct diags *d)
{
	static const char *const list[] = {
#define X(id, word) [WATCHDOG_##id] = (word),
		WATCHDOG_ACTIONS_LIST(X)
#undef X
	};
	static const struct words actions = {"what the watchdog does", list, COUNT(list)};
	size_t action;

	if (n && schema_word(n, &actions, d, &action))
		s->watchdog = (enum watchdog_action)action;
}

static void read_fallback(struct settings *s, const struct node *n, struct diags *d)
{
	char buf[SHOWN_SIZE];

	if (n && n->text[0] != '/' && strcmp(n->text, FALLBACK_CLOSED) != 0 &&
	    strcmp(n->text, FALLBACK_OPEN) != 0)
		diag_error(d, n->at,
			   "'%s' is not a fallback; it is " FALLBACK_CLOSED ", " FALLBACK_OPEN
			   " or a policy's path from / on",
			   shown(n->text, buf));
	else
		read_text(&s->fallback, n);
}

static void read_metrics(struct settings *s, const struct node *n, struct diags *d)
{
	_text_ struct text error = TEXT_INIT;

	if (n && !listen_address_parse(n->text, &s->metrics, &error))
		diag_error(d, n->at, "%s", error.buf);
}

static void read_kubernetes_settings(struct settings *s, const struct node *n, struct diags *d)
{
	const struct node *v[KUBERNETES_COUNT] = {};

	if (!n || !schema_read(n, &kubernetes_schema, d, v))
		return;
	s->is_node = true;
	read_text(&s->kubernetes.node, v[KUBERNETES_NODE]);
	read_text(&s->kubernetes.server, v[KUBERNETES_SERVER]);
	read_text(&s->kubernetes.ca_file, v[KUBERNETES_CA]);
	read_text(&s->kubernetes.token_file, v[KUBERNETES_TOKEN]);
	read_duration(&s->kubernetes.silence_s, v[KUBERNETES_SILENCE], d);
	read_on_off(v[KUBERNETES_STATUS], d, &s->kubernetes.has_status);
	read_on_off(v[KUBERNETES_POD_EVENTS], d, &s->kubernetes.has_pod_events);
}

bool settings_complete(struct settings *s, struct text *reterr)
{
	return !s->is_node || kube_config_complete(&s->kubernetes, reterr);
}

static void read_document(struct settings *s, const struct node *document, struct diags *d)
{
	const struct node *values[SET_COUNT] = {};

	if (!schema_read(document, &file_schema, d, values))
		return;
	if (values[SET_POLICY])
		read_policies(s, values[SET_POLICY], d);
	if (values[SET_ATTACH])
		read_attach(s, values[SET_ATTACH], d);
	read_text(&s->socket, values[SET_SOCKET]);
	read_text(&s->state_dir, values[SET_STATE_DIR]);
	read_text(&s->bpffs, values[SET_BPFFS]);
	read_number(&s->event_rate, UINT32_MAX, values[SET_EVENT_RATE], d);
	read_number(&s->history, SETTINGS_MAX_HISTORY, values[SET_HISTORY], d);
	read_duration(&s->adopt_s, values[SET_ADOPT], d);
	read_duration(&s->down_after_s, values[SET_DOWN_AFTER], d);
	read_mode(s, values[SET_MODE], d);
	read_vlan(s, values[SET_VLAN], d);
	read_watchdog(s, values[SET_WATCHDOG], d);
	read_fallback(s, values[SET_FALLBACK], d);
	read_metrics(s, values[SET_METRICS], d);
	if (values[SET_DETECT])
		config_detect_read(&s->detect, values[SET_DETECT], d);
	if (values[SET_FLOW_LOG])
		settings_read_flows(s, values[SET_FLOW_LOG], d);
	read_kubernetes_settings(s, values[SET_KUBERNETES], d);
	if (values[SET_BUILTINS])
		read_builtins(s, values[SET_BUILTINS], d);
}

int settings_read(struct settings *s, const struct source *source, struct diags *d)
{
	struct yaml yaml = {};
	size_t errors = d->errors;

	if (!yaml_parse(source, d, &yaml) && yaml.documents.count > 1)
		diag_error(d, yaml.documents.items[1]->at,
			   "the agent's configuration is one document");
	else if (yaml.documents.count == 1)
		read_document(s, yaml.documents.items[0], d);
	yaml_release(&yaml);
	return d->errors > errors ? -EINVAL : 0;
}

struct agent_config settings_config(const struct settings *s)
{
	struct flow_log_config flows = s->flows;

	flows.path = s->flow_file;
	return (struct agent_config){
		.policy_paths = (const char *const *)s->policies.items,
		.policy_count = s->policies.count,
		.attach = s->attach.items,
		.attach_count = s->attach.count,
		.socket = s->socket,
		.state_dir = s->state_dir,
		.bpffs = s->bpffs,
		.fallback = s->fallback,
		.event_rate = s->event_rate,
		.history = s->history,
		.adopt_s = s->adopt_s,
		.down_after_s = s->down_after_s,
		.builtins_off = s->builtins_off,
		.is_audit = s->is_audit,
		.vlan = s->vlan,
		.watchdog = s->watchdog,
		.metrics = s->metrics,
		.detect = s->detect,
		.flows = flows,
		.kubernetes = s->is_node ? &s->kubernetes : NULL,
		.ready_fd = -1,
	};
}
