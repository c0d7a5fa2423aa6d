/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Everything that the daemon consists of, for those who wire it and those who tell of it. */
#ifndef AGENT_PARTS_H
#define AGENT_PARTS_H

#include "agent/agent.h"
#include "agent/control/control.h"
#include "agent/detect/alerts.h"
#include "agent/endpoints/endpoints.h"
#include "agent/endpoints/rtnl.h"
#include "agent/endpoints/watchdog.h"
#include "agent/events/events_hub.h"
#include "agent/events/intake.h"
#include "agent/events/naming.h"
#include "agent/flows/flow_log.h"
#include "agent/kubernetes/kube.h"
#include "agent/kubernetes/kube_report.h"
#include "agent/loop.h"
#include "agent/policies/audited.h"
#include "agent/policies/last_good.h"
#include "agent/policies/policy_set.h"
#include "datapath/datapath.h"

struct making; /* agent/kubernetes/cluster_policy.h */

struct agent {
	const struct agent_config *config;
	struct loop *loop;
	int lock_fd;
	struct datapath *dp;
	struct grace *grace; /* until it is opened */
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
	struct kube_zones zones;                    /* its ZonePolicies in force */
	struct kube_pods pods;
	struct kube *kubernetes;    /* NULL: there is no cluster */
	struct making *making;      /* of the cluster's policy; NULL: none is under way */
	struct kube_report *report; /* the same */
	struct loop_timer *settle;  /* runs when addresses have changed and may still be changing */
	bool was_in_force;          /* something, when we started */
	bool is_first_kept;         /* the first policy is on disk */
	bool is_reload_due;         /* once it is not in the making any more */
	bool is_outgrown;           /* the next agent makes room */
	uint64_t started_ns;        /* on the wall */
	uint64_t adopt_until_ns;    /* CLOCK_MONOTONIC; 0: connections are not adopted */
};

#endif
