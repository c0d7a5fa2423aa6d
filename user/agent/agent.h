/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The daemon: compiles the policy, keeps the kernel's tables true, answers on the control socket.
 */
#ifndef AGENT_AGENT_H
#define AGENT_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bulkhead/vlan.h>

#include "agent/detect/detect_config.h"
#include "agent/metrics/listen_address.h"

/*
 * IFACE: a NIC of this machine, or a pattern with *, ? or [...]: every one that it matches, once
 * there is one.  IFACE=WORKLOAD: the host side of that workload's veth, which may
 * send from any of its addresses.  IFACE=ADDRESS[,ADDRESS…]: the same, from these only.  IFACE=?:
 * it may send nothing before a pod of the cluster is known to be behind it.
 */
struct agent_attach {
	char *interface;
	char *workload; /* a workload's name or a list of addresses; NULL for a NIC */
};

#define AGENT_ATTACH_UNKNOWN "?"

struct kube_config;

/* What is done about a program of ours that somebody took off its interface, or went before. */
#define WATCHDOG_ACTIONS_LIST(X)                                                                   \
	X(REPAIR, "repair") /* and told */                                                         \
	X(ALARM, "alarm")   /* only told */

enum watchdog_action {
#define X(id, word) WATCHDOG_##id,
	WATCHDOG_ACTIONS_LIST(X)
#undef X
};

/* Where and how what allowed connections carried is logged. */
#define FLOW_FORMATS_LIST(X)                                                                       \
	X(VPC, "vpc") /* lines of an AWS VPC flow log, version 2 */                                \
	X(JSON, "json")

enum flow_format {
#define X(id, word) FLOW_##id,
	FLOW_FORMATS_LIST(X)
#undef X
};

const char *flow_format_word(enum flow_format format);
bool flow_format_parse(const char *word, enum flow_format *ret);

#define FLOW_INTERVAL_S     60
#define FLOW_INTERVAL_MAX_S 86400
#define FLOW_SIZE           (64ull * 1024 * 1024)
#define FLOW_KEEP           5
#define FLOW_KEEP_MAX       1000

bool flow_interval_is_good(uint32_t interval_s);

struct flow_log_config {
	const char *path; /* as in flow_file.h; NULL: there is none */
	enum flow_format format;
	uint32_t interval_s; /* after which one that goes on is told */
	uint64_t size;       /* as in flow_file.h, as the next */
	uint32_t keep;
	bool has_denied; /* denied packets are told, too, once an interval */
};

struct agent_config {
	const char *const *policy_paths; /* files or directories */
	size_t policy_count;
	const struct agent_attach *attach;
	size_t attach_count;
	const char *socket;
	const char *state_dir;
	const char *fallback; /* as in first_policy.h; NULL: none is declared */
	const char *bpffs;
	uint32_t event_rate;   /* per second and (source identity, rule, reason); 0: unlimited */
	uint32_t history;      /* events kept in memory */
	uint32_t adopt_s;      /* adoption window at the first start */
	uint32_t builtins_off; /* bit n: enum bh_builtin n */
	uint32_t down_after_s; /* without a heartbeat, and zones take their stance */
	bool is_audit;         /* what would be denied is let through, and reported */
	enum bh_vlan_mode vlan;
	enum watchdog_action watchdog;
	struct listen_address metrics; /* and the pages of health */
	struct detect_config detect;
	struct flow_log_config flows;
	const struct kube_config *kubernetes; /* NULL: this machine is no node of a cluster */
	int ready_fd; /* a line "ready" goes there once it enforces; -1: none */
};

#define AGENT_EVENT_RATE 100
#define AGENT_HISTORY    10000
#define AGENT_ADOPT_S    30

/*
 * Runs until SIGTERM or SIGINT; SIGHUP reloads the policy.  Enforcement stays in the kernel when it
 * returns.  0, or -errno after it logged why.  -EINVAL: the policy does not load; nothing is
 * attached.
 */
int agent_run(const struct agent_config *config);

#endif
