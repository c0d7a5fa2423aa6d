/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which rules lead from a source to which destinations, without trying every pair. */
#ifndef POLICY_HITS_H
#define POLICY_HITS_H

#include "policy/atoms.h"
#include "util/lists.h"

/* Sources and destinations are numbered; selectors and rules as in struct atoms. */
struct reach {
	struct lists selectors;    /* source -> the `from` selectors that contain it */
	struct lists rules;        /* `from` selector -> rules */
	struct lists destinations; /* `to` selector -> destinations */
};

struct hit {
	uint32_t rule;
	uint32_t next; /* hit of the same destination, or HITS_END */
};

#define HITS_END UINT32_MAX

struct hits {
	uint32_t *first; /* of each destination: a hit, or HITS_END */
	VEC(struct hit) list;
	VEC(uint32_t) destinations; /* that are hit, ascending */
};
typedef VEC(uint32_t) rule_numbers;

/*
 * From the members of each selector, as sources and as destinations, and the numbers of the rules
 * that count.  Sources are below @sources.
 */
void reach_build(struct reach *r, const struct atoms *a, const rule_numbers *rules,
		 const list_pairs *from, const list_pairs *to, uint32_t sources);
void reach_release(struct reach *r);

void hits_init(struct hits *h, uint32_t destinations);
void hits_release(struct hits *h);

/* Replaces what @h holds by the hits from one source. */
void hits_collect(struct hits *h, const struct reach *r, const struct atoms *a, uint32_t source);

/* The rules that hit one destination, ascending. */
void hits_rules(const struct hits *h, uint32_t destination, rule_numbers *ret);

#endif
