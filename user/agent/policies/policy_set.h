/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The policy in force and the one before it.  A policy comes into force only if it loads, compiles
 * and keeps its promises; until the data path has switched, the one in force is untouched.
 */
#ifndef AGENT_POLICIES_POLICY_SET_H
#define AGENT_POLICIES_POLICY_SET_H

#include "agent/metrics/rule_stats.h"
#include "agent/policies/policy_job.h"
#include "agent/policies/preparation.h"
#include "agent/policies/temporary.h"
#include "datapath/datapath.h"

/* Called around every switch. */
struct policy_hooks {
	void (*before)(void *user); /* what still speaks of generations that will be forgotten */
	void (*after)(void *user);
	void *user;
};

/* How putting policies in force went since the agent started, the first one included. */
struct swap_stats {
	uint64_t done;
	uint64_t failed;  /* it did not load, compile, keep its promises, or fit */
	uint64_t last_ns; /* on the wall */
	uint64_t last_took_ns;
	uint64_t took_ns; /* all of them */
};

struct policy_set {
	struct datapath *dp;
	struct policy_hooks hooks;
	struct policy_version *current;  /* NULL: none yet */
	struct policy_version *previous; /* its names are needed for late events */
	uint64_t swapped_ns;             /* CLOCK_MONOTONIC */
	struct rule_stats stats;
	VEC(struct rule_count) parked;  /* what those of `previous` had when it was left */
	VEC(struct bh_addr) host;       /* who `host` is */
	struct temporaries temporaries; /* in every policy that is prepared */
	struct swap_stats swaps;
	const struct kube_table *objects; /* of every kind; NULL: there is no cluster */
	struct table_room room;           /* of the last one that did not fit */
	bool is_outgrown;                 /* there was one, and a start could make room for it */
	bool is_behind; /* an address did not fit into the tables: made anew, they hold it */
	bool is_listed; /* they take the place of those of a cluster in what is given */
	bool is_audit;  /* policies only report */
	struct policy_job *job; /* is preparing another one; NULL: none is */
};

void policy_set_release(struct policy_set *set);

/* What to read: files and directories, or texts (their contents are taken over); with texts the
 * paths are only what it is called by. */
struct policy_input {
	const char *const *paths;
	size_t path_count;
	struct source *sources;
	size_t source_count; /* 0: read the paths */
};

/*
 * Loads, compiles, checks promises.  -EINVAL or -E2BIG with everything wrong in @diagnostics.  If
 * that is the temporary rules, it goes without them, and says so there.
 */
int policy_set_prepare(struct policy_set *set, const struct policy_input *input,
		       struct text *diagnostics, struct policy_version **ret);

/* The same; what doesn't fit with the temporary rules is refused. */
int policy_set_prepare_whole(struct policy_set *set, const struct policy_input *input,
			     struct text *diagnostics, struct policy_version **ret);

/* What is prepared then, as a whole; takes the contents of @input's texts over. */
void policy_set_describe(struct policy_set *set, const struct policy_input *input,
			 struct preparation *p);

/* Puts it in force; takes @v over in any case. */
int policy_set_swap(struct policy_set *set, struct policy_version *v, struct text *reterr);

/* The same, as datapath_try_policy() does it: neither is swapped again until one of these is. */
int policy_set_try(struct policy_set *set, struct policy_version *v, uint64_t revert_at_ns,
		   struct text *reterr);
int policy_set_keep(struct policy_set *set);
int policy_set_revert(struct policy_set *set);

/* After the generation rose without a swap: those since the last one are the current policy's. */
void policy_set_follow(struct policy_set *set);

/* A policy that was prepared for who `host` was, for who it is.  -ENOENT: it must be compiled. */
int policy_set_move_host(struct policy_set *set, struct policy_version *v);

/* For the next policy that is prepared. */
void policy_set_host(struct policy_set *set, const struct bh_addr *addrs, size_t count);

/*
 * The policy in force for the present `host`: in place where that can be, else compiled again.
 * -EBUSY: that has to be, and one that is tried can't.
 */
int policy_set_recompile(struct policy_set *set, struct text *reterr);

/* The same if a rule has expired since; else does nothing, as while a policy is tried. */
int policy_set_expire(struct policy_set *set, struct text *reterr);

/*
 * Frees the policy before once no event of it can be under way; or, before a large one is made
 * beside the one in force, at once: then a late one goes without names.  True if it did: who has it
 * must forget it, too.
 */
bool policy_set_forget(struct policy_set *set, bool is_memory_short);

/* Reads the rules' counters. */
int policy_set_sample(struct policy_set *set);

#endif
