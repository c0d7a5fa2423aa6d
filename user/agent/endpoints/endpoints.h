/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The interfaces of --attach: found by name, enforced, and followed while they come and go. */
#ifndef AGENT_ENDPOINTS_ENDPOINTS_H
#define AGENT_ENDPOINTS_ENDPOINTS_H

#include <net/if.h>

#include <bulkhead/endpoint.h>

#include "agent/agent.h"
#include "agent/policies/policy_version.h"
#include "datapath/datapath.h"
#include "policy/model.h"

typedef VEC(struct prefix) prefixes;

/* What is wrong with an endpoint's programs; kept by the watchdog. */
struct trouble {
	struct text what;   /* for people; empty: nothing */
	uint64_t since_ns;  /* on the wall */
	uint64_t begin_ns;  /* the same, monotonic, as what follows */
	uint64_t repair_ns; /* not before this is the next repair */
	uint64_t patience_ns;
	uint64_t lines_ns; /* when the counting of lines in the log began */
	uint32_t lines;    /* since then, those left out included */
	bool is_told;      /* that the last repair failed */
};

struct endpoint {
	const char *interface;  /* as configured: its name, or the pattern that it matches */
	char name[IF_NAMESIZE]; /* as it is called now; empty: there was none yet */
	const char *workload;   /* NULL: a NIC, or given by addresses */
	enum bh_endpoint_kind kind;
	uint16_t id;
	uint32_t ifindex; /* 0: there is no such interface now, or it is not attached */
	bool is_match;    /* of a pattern, or a pod's; it is forgotten when its interface goes */
	char *pod;        /* the same as workload; NULL: it is no pod's */
	bool is_running;  /* of such a one: its carrier was there when we last looked */
	uint32_t seen;    /* of such a one: its index, attached or not */
	prefixes sources; /* what a workload may send from */
	struct attachment attachment;
	struct text refusal; /* why it can't be attached; it is tried again all the time */
	struct trouble trouble;
};

struct endpoints {
	struct datapath *dp;
	const struct agent_config *config;
	const struct policy *policy; /* in force */
	enum policy_origin origin;   /* one that was not given need not know every workload */
	bool is_settled;             /* what an earlier start attached may go, if it isn't wanted */
	const struct kube_pods *cluster; /* has the pods of this node; NULL: it is none */
	bool has_missing;                /* one of them is behind no interface that we know */
	bool is_unfinished;              /* there is more for endpoints_scan() to do, soon */
	bool is_blind; /* the last list of interfaces could not be had; was logged */
	VEC(struct endpoint) list;
};

/* Checks names and addresses against this machine and @policy; a sentence in @reterr. */
int endpoints_init(struct endpoints *es, struct datapath *dp, const struct agent_config *config,
		   const struct policy *policy, struct text *reterr);
void endpoints_release(struct endpoints *es); /* enforcement stays */

int endpoints_attach(struct endpoints *es, struct text *reterr); /* all of them */

/*
 * Who is on this node is known now: what an earlier start attached, and nobody wants, is detached.
 */
void endpoints_settle(struct endpoints *es);

/* This one, once again: what it has already is put right. */
int endpoints_attach_again(struct endpoints *es, struct endpoint *e, struct text *reterr);

/* Another policy is in force: workloads may have other addresses. */
void endpoints_follow(struct endpoints *es, const struct policy *policy);

/* As above; a failure is only told, and tried again with the next scan. */
bool endpoints_try_attach(struct endpoints *es, struct endpoint *e);

/* What is behind it: a workload's name, or a list of addresses. */
void endpoint_take_workload(const struct endpoints *es, struct endpoint *e, const char *workload);

bool endpoint_prefixes_equal(const prefixes *a, const prefixes *b);

void endpoints_link_gone(struct endpoints *es, uint32_t ifindex);
void endpoints_scan(struct endpoints *es); /* attaches what has come back */

const char *endpoint_label(const struct endpoint *e); /* what its interface is called now */

/* NULL if there is none. */
const struct endpoint *endpoints_by_ifindex(const struct endpoints *es, uint32_t ifindex);

/* The workload, or the interface of one given by addresses; "host"; NULL for an unknown id. */
const char *endpoints_name(const struct endpoints *es, uint16_t id);

#endif
