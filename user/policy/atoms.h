/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The distinct selectors and service lists that rules, nevers and expects name.  Whatever none of
 * them tells apart is one class, so the compiler's work grows with these, not with the rules.
 */
#ifndef POLICY_ATOMS_H
#define POLICY_ATOMS_H

#include "policy/model.h"
#include "util/cleanup.h"

/* A rule, by numbers of what it names: all that it says. */
struct atom_rule {
	uint32_t from; /* into atoms.selectors */
	uint32_t to;
	uint32_t services; /* into atoms.services */
	uint32_t order;
	uint8_t tier, sides, mode, action; /* as in struct rule */
	bool log, tls;
	bool is_expired; /* it says nothing: the rest is 0 */
};

struct atoms {
	VEC(const struct selector *) selectors; /* in order of first use */
	VEC(const struct selector *) cidrs;     /* the distinct SELECT_CIDR inside them */
	VEC(const services *) services;
	VEC(struct atom_rule) rules; /* parallel to policy.rules; expired ones say nothing */
	VEC(size_t) workloads;       /* that a SELECT_WORKLOAD names, some more than once */
	uint32_t tiers;              /* bit n: some rule is of enum tier n, expired ones included */
	int64_t next_expiry;         /* of a rule; 0: none will expire */
};

/* Points into @p, which outlives it.  Rules that have expired @now don't exist. */
void atoms_collect(struct atoms *a, const struct policy *p, int64_t now);
void atoms_release(struct atoms *a);
#define _atoms_ _cleanup_(atoms_release)

#endif
