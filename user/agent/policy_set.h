/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The policy in force and the one before it.  A policy comes into force only if it loads, compiles
 * and keeps its promises; until the data path has switched, the one in force is untouched.
 */
#ifndef AGENT_POLICY_SET_H
#define AGENT_POLICY_SET_H

#include "agent/policy_version.h"
#include "agent/rule_stats.h"
#include "datapath/datapath.h"

/* Called around every switch. */
struct policy_hooks {
	void (*before)(void *user); /* what still speaks of generations that will be forgotten */
	void (*after)(void *user);
	void *user;
};

struct policy_set {
	struct datapath *dp;
	struct policy_hooks hooks;
	struct policy_version *current;  /* NULL: none yet */
	struct policy_version *previous; /* its names are still needed for late events */
	struct rule_stats stats;
	VEC(struct bh_addr) host; /* who `host` is */
};

void policy_set_release(struct policy_set *set);

/* What to read: files and directories, or texts (their contents are taken over). */
struct policy_input {
	const char *const *paths;
	size_t path_count;
	struct source *sources;
	size_t source_count; /* 0: read the paths */
};

/* Loads, compiles, checks promises.  -EINVAL or -E2BIG with everything wrong in @diagnostics. */
int policy_set_prepare(struct policy_set *set, const struct policy_input *input,
		       struct text *diagnostics, struct policy_version **ret);

/* Puts it in force; takes @v over in any case. */
int policy_set_swap(struct policy_set *set, struct policy_version *v, struct text *reterr);

/* For the next policy that is prepared. */
void policy_set_host(struct policy_set *set, const struct bh_addr *addrs, size_t count);

/* The policy in force for the present `host`: in place where that can be, else compiled again. */
int policy_set_recompile(struct policy_set *set, struct text *reterr);

/* The same if a rule has expired since; else does nothing. */
int policy_set_expire(struct policy_set *set, struct text *reterr);

/* Reads the rules' counters. */
int policy_set_sample(struct policy_set *set);

#endif
