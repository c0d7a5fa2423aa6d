/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Selectors as sets of identities. */
#ifndef POLICY_SELECTOR_SET_H
#define POLICY_SELECTOR_SET_H

#include "policy/address_tree.h"
#include "util/map.h"

struct selector_index {
	const struct policy *policy;
	const struct address_tree *tree;
	uint32_t identities;
	uint32_t workloads;
	struct lists by_zone;     /* -> identities */
	struct lists by_workload; /* -> identities */
	struct map label_numbers; /* "key", NUL, and for one with its value "value", NUL -> */
	struct lists by_label;    /* -> workloads */
	uint64_t *outside;        /* set of identities */
	uint64_t *host;           /* set of identities */
};

/* From the identities of @c and the nodes of @t, which outlives the index. */
void selector_index_build(struct selector_index *x, const struct compiled *c,
			  const struct address_tree *t);
void selector_index_release(struct selector_index *x);

/* Adds to @set, of identities, those that @s contains; for a cidr that cuts one, that too. */
void selector_add(const struct selector_index *x, const struct selector *s, uint64_t *set);

#endif
