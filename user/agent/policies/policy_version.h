/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A policy that was read, and what it was compiled to for one generation. */
#ifndef AGENT_POLICIES_POLICY_VERSION_H
#define AGENT_POLICIES_POLICY_VERSION_H

#include "agent/kubernetes/pod_groups.h"
#include "agent/policies/last_good_text.h"
#include "policy/compile.h"
#include "policy/model.h"

#define POLICY_HASH_STRLEN 17

/* Where an agent has a policy from. */
#define POLICY_ORIGINS(X)                                                                          \
	X(GIVEN, "given")         /* by --policy, or applied */                                    \
	X(LAST_GOOD, "last-good") /* as the given one could not be loaded */                       \
	X(FALLBACK, "fallback")   /* as neither could */                                           \
	X(OPEN, "fallback-open")  /* the same; whoever it is may send */

enum policy_origin {
#define X(id, word) POLICY_##id,
	POLICY_ORIGINS(X)
#undef X
};

const char *policy_origin_word(enum policy_origin origin);

/* Shared by its versions: it is compiled again when this machine's addresses change. */
struct loaded_policy {
	struct policy *policy;
	unsigned int users;
	size_t own_sources; /* of policy.sources, the first ones; behind them are temporary rules */
	char hash[POLICY_HASH_STRLEN]; /* of its own texts, in order; their names don't count */
	uint64_t loaded_ns;            /* on the wall */
	enum policy_origin origin;
	struct pod_groups *groups; /* what pods are in it; NULL: it is of no cluster */
	bool is_kept;              /* the next start needs nothing written for it */
	VEC(char *) paths;         /* as they were given */
	VEC(char *) labels;        /* parallel to policy.workloads: each a JSON object */
};

struct policy_version {
	struct loaded_policy *loaded;
	struct compiled *compiled;
	uint32_t generation;      /* its first; 0: not in force yet */
	uint32_t moves;           /* generations after that one in which only addresses moved */
	VEC(struct bh_addr) host; /* who `host` is in it */
};

/* Takes @policy over, the last @temporary of its sources being temporary rules; copies @paths. */
struct loaded_policy *loaded_policy_new(struct policy *policy, size_t temporary,
					const char *const *paths, size_t count);
struct loaded_policy *loaded_policy_use(struct loaded_policy *loaded);
/* Copies of its own texts, but for those of pods. */
void loaded_policy_texts(const struct loaded_policy *loaded, source_list *ret);
void loaded_policy_view(const struct loaded_policy *loaded, source_view *ret); /* no copies */

/* Of who has which address: the same for policies in which everybody has the same ones. */
uint64_t loaded_policy_addresses(const struct loaded_policy *loaded);
void loaded_policy_drop(struct loaded_policy *loaded);
void loaded_policy_dropp(struct loaded_policy **loaded);
#define _loaded_policy_ _cleanup_(loaded_policy_dropp)

/* Takes @compiled over, and uses @loaded. */
struct policy_version *policy_version_new(struct loaded_policy *loaded, struct compiled *compiled);
void policy_version_free(struct policy_version *v);

/* Whether a generation was its own; identities and rules have the same numbers in all of them. */
bool policy_version_has(const struct policy_version *v, uint32_t generation);
void policy_version_freep(struct policy_version **v);
#define _policy_version_ _cleanup_(policy_version_freep)

#endif
