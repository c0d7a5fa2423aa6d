/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Selectors as sets of identities. */
#ifndef POLICY_SELECTOR_SET_H
#define POLICY_SELECTOR_SET_H

#include "policy/address_tree.h"
#include "policy/label_index.h"

struct selector_index {
	const struct policy *policy;
	const struct address_tree *tree;
	uint32_t identities;
	size_t *owner;                   /* of each identity: its workload, or POLICY_NONE */
	struct lists by_zone;            /* -> identities */
	struct lists by_workload;        /* -> identities; a group has its pods' too */
	struct lists by_space;           /* namespace -> identities of pods */
	struct lists sharers;            /* identity -> workloads with addresses of it */
	struct label_index labels;       /* of identities */
	struct label_index spaces;       /* of namespaces */
	uint64_t *groups, *pods, *nodes; /* sets of identities, by what their workload is */
	uint64_t *outside;               /* set of identities */
	uint64_t *host;                  /* set of identities */
};

/* From the identities of @c and the nodes of @t, which outlives the index. */
void selector_index_build(struct selector_index *x, const struct compiled *c,
			  const struct address_tree *t);
void selector_index_release(struct selector_index *x);

/* Adds to @set, of identities, those that @s contains; for a cidr that cuts one, that too. */
void selector_add(const struct selector_index *x, const struct selector *s, uint64_t *set);

#endif
