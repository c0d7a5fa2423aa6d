/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the agent is told to do: agent.yaml, and what the options of `run` change in it. */
#ifndef AGENT_CONFIG_H
#define AGENT_CONFIG_H

#include "agent/agent.h"
#include "agent/kubernetes/kube_config.h"
#include "util/diag.h"
#include "util/vec.h"

/* Owns its strings; struct agent_config borrows them. */
struct settings {
	VEC(char *) policies;
	VEC(struct agent_attach) attach;
	char *socket;
	char *state_dir;
	char *bpffs;
	char *fallback; /* NULL: none is declared */
	uint32_t event_rate;
	uint32_t history;
	uint32_t adopt_s;
	uint32_t builtins_off;
	uint32_t down_after_s;
	bool is_audit;
	enum bh_vlan_mode vlan;
	enum watchdog_action watchdog;
	struct listen_address metrics;
	struct detect_config detect;
	char *flow_file;              /* NULL: flows are not logged */
	struct flow_log_config flows; /* but its path */
	struct kube_config kubernetes;
	bool is_node; /* of a cluster; else that is nothing */
};

#define SETTINGS_MAX_HISTORY 10000000

void settings_init(struct settings *s); /* the defaults; no policy, nothing attached */
void settings_release(struct settings *s);
#define _settings_ _cleanup_(settings_release)

/*
 * Reads agent.yaml: policy, attach, socket, stateDir, bpffs, eventRate, history, adopt, downAfter,
 * mode (enforce|audit), vlan (inspect|pass|drop), watchdog (repair|alarm), fallback
 * (closed|open|/PATH), metrics ([ADDRESS:]PORT|off), detect (see config_detect.h), flowLog (/PATH,
 * -, or {file, format (vpc|json), interval, size, keep, denied (on|off)}), builtins
 * {arp|nd|dhcp|host|icmp-error|self|service: on|off}, and kubernetes {node, server, ca, tokenFile,
 * silence, status (on|off), podEvents (on|off)}.  What is wrong goes to @d; then -EINVAL.
 */
int settings_read(struct settings *s, const struct source *source, struct diags *d);

/* "eth0", "veth1=api", "veth1=10.0.0.1,fd00::1"; false with a sentence in @reterr. */
bool settings_add_attach(struct settings *s, const char *text, struct text *reterr);

/* This machine is a node; what isn't said is found out.  False with a sentence in @reterr. */
bool settings_complete(struct settings *s, struct text *reterr);

/* "arp" or "builtin-arp"; false with a sentence in @reterr. */
bool settings_turn_off(struct settings *s, const char *builtin, struct text *reterr);

/* Points into @s. */
struct agent_config settings_config(const struct settings *s);

#endif
