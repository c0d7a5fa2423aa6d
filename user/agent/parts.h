/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Everything that the daemon consists of, for those who wire it and those who tell of it. */
#ifndef AGENT_PARTS_H
#define AGENT_PARTS_H

#include "agent/agent.h"
#include "agent/alerts.h"
#include "agent/audited.h"
#include "agent/control.h"
#include "agent/endpoints.h"
#include "agent/events_hub.h"
#include "agent/flow_log.h"
#include "agent/intake.h"
#include "agent/kube.h"
#include "agent/kube_report.h"
#include "agent/last_good.h"
#include "agent/loop.h"
#include "agent/naming.h"
#include "agent/policy_set.h"
#include "agent/rtnl.h"
#include "agent/watchdog.h"
#include "datapath/datapath.h"

struct agent {
	const struct agent_config *config;
	struct loop *loop;
	int lock_fd;
	struct datapath *dp;
	struct rtnl *rtnl;
	struct own_addresses addresses;
	struct policy_set policies;
	struct last_good last_good;
	struct naming naming;
	struct endpoints endpoints;
	struct watchdog watchdog;
	struct events_hub *hub;
	struct alerts alerts;
	struct intake intake;
	struct control *control;
	struct metrics *metrics;   /* NULL: nobody is to have any */
	struct pages *pages;       /* the same */
	struct loop_timer *tidy;   /* runs until the idle slot is ready for the next policy */
	struct loop_timer *rescan; /* runs while there are interfaces left to attach */
	struct audited audited;
	struct flow_log flows;
	struct loop_timer *deadline; /* runs while a policy waits to be confirmed */
	bool is_recovering;          /* from one that was not, when the agent before us ended */
	struct kube_table objects[KUBE_KIND_COUNT]; /* of the cluster */
	struct kube_pods pods;
	struct kube *kubernetes;    /* NULL: there is no cluster */
	struct kube_report *report; /* the same */
	struct loop_timer *settle;  /* runs when addresses have changed and may still be changing */
	bool was_in_force;          /* something, when we started */
	uint64_t started_ns;        /* on the wall */
	uint64_t adopt_until_ns;    /* CLOCK_MONOTONIC; 0: connections are not adopted */
};

#endif
