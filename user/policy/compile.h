/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A policy to tables, with what is needed to speak of the tables in the policy's words. */
#ifndef POLICY_COMPILE_H
#define POLICY_COMPILE_H

#include "policy/image.h"
#include "policy/model.h"
#include "util/diag.h"

/* What a policy can't know of itself: who `host` is, and the time.  Empty: nobody, at no time. */
struct environment {
	const struct bh_addr *host;
	size_t host_count;
	int64_t now; /* seconds since 1970; 0: no rule has expired */
};

/* An identity in the policy's words. */
struct identity {
	size_t zone;     /* index into policy.zones, or POLICY_NONE */
	size_t workload; /* index into policy.workloads, or POLICY_NONE; of pods that nothing tells
			    apart, some one */
	uint32_t class;
	struct prefix example; /* some prefix that resolves to it; len 0 and IPv6 for identity 0 */
	bool has_v4, has_v6;   /* families of its addresses */
};

struct address_class {
	bool has_v4, has_v6;
	enum mode mode; /* of an end in this class: what a denial does there; MODE_UNSET for outside
			 */
	uint8_t isolated;  /* SIDE_* on which an end of this class denies what no rule allows */
	uint32_t identity; /* some identity of this class, for examples */
	bool is_listed;    /* some address has it: a pair with a class of no address never occurs */
};

struct compiled {
	const struct policy *policy; /* outlives this */
	int64_t now;                 /* when it was compiled, as in the environment */
	int64_t next_expiry;         /* when it must be compiled again; 0: no rule will expire */
	struct image image;
	VEC(struct identity) identities; /* parallel to image.identities */
	VEC(struct address_class) classes;
	VEC(services) service_classes; /* the numbers of each service class, normalised */
	struct compiled_index *index;  /* policy/compiled_index.h */
};

/* What is decided for one (source, destination, service). */
struct decision {
	enum bh_verdict verdict;
	uint32_t rule; /* as in a cell: 0 is the default, BH_RULE_FIRST + i is policy.rules[i] */
	bool log;
	bool tls;       /* it passes only as long as it begins with TLS */
	bool is_denied; /* by the rules, whatever modes made of the verdict */
};

/*
 * 0, or -E2BIG with a diagnostic when the policy exceeds a bound of limits.h.  @p must have loaded
 * without errors.  Promises are not checked here: see promise.h.
 */
int policy_compile(const struct policy *p, const struct environment *env, struct diags *d,
		   struct compiled **ret);

/*
 * The same, for a policy that differs little from the one that @old was made of: decides alike, and
 * in less time if few pairs of classes are concerned.  @old may be NULL.
 */
int policy_recompile(const struct compiled *old, const struct policy *p,
		     const struct environment *env, struct diags *d, struct compiled **ret);

/*
 * What policy_recompile() reads of an @old policy, as it is now: it may do so while addresses move
 * in @c (address_change.h).  @c outlives it.
 */
void compiled_freeze(const struct compiled *c, struct compiled *ret);
void compiled_thaw(struct compiled *frozen);

void compiled_free(struct compiled *c);
void compiled_freep(struct compiled **c);
#define _compiled_ _cleanup_(compiled_freep)

struct decision decision_of_cell(uint32_t cell);

/* The decision for two classes and a service class. */
struct decision compiled_decide(const struct compiled *c, uint32_t src_class, uint32_t dst_class,
				uint32_t service_class);

/* "default", a built-in's name, or the policy rule's name. */
const char *compiled_rule_name(const struct compiled *c, uint32_t rule);

/* "edge-lb", "dmz", "outside": the narrowest name of an identity; of several pods the first's. */
const char *compiled_identity_name(const struct compiled *c, uint32_t identity);

/* The same for an address: a pod's own name, where pods share an identity. */
const char *compiled_address_name(const struct compiled *c, const struct bh_addr *a);

/* Whose an address is: an index into policy.workloads, of a pod itself; or POLICY_NONE. */
size_t compiled_workload(const struct compiled *c, const struct bh_addr *a);

/*
 * The built-in rule that is asked before the tables: BH_BUILTIN_SELF from a pod to itself,
 * BH_BUILTIN_HOST from a node to a pod on it; else 0.  Workloads may be POLICY_NONE.
 */
uint32_t compiled_builtin(const struct compiled *c, size_t src_workload, size_t dst_workload);

/*
 * One bit a class, for the classes that a selector contains: ceil(classes / 64) words, to be freed.
 * A selector that the policy does not use may contain a part of a class: that counts.
 */
uint64_t *compiled_select(const struct compiled *c, const struct selector *s);

/* The same for a service list, one bit a service class. */
uint64_t *compiled_select_services(const struct compiled *c, const services *s);

#endif
