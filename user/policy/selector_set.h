/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Selectors as sets of identities. */
#ifndef POLICY_SELECTOR_SET_H
#define POLICY_SELECTOR_SET_H

#include "policy/address_tree.h"
#include "policy/label_index.h"
#include "util/cleanup.h"

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
	bool has_nodes;                  /* some identity is a node's */
	const struct selector *const *selectors; /* by number */
	struct list *listed; /* of each: all its members, or NULL if no list has just them */
};

/* From the identities of @c and the nodes of @t, which outlives the index. */
void selector_index_build(struct selector_index *x, const struct compiled *c,
			  const struct address_tree *t);
void selector_index_release(struct selector_index *x);

/* Adds to @set, of identities, those that @s contains; for a cidr that cuts one, that too. */
void selector_add(const struct selector_index *x, const struct selector *s, uint64_t *set);

/* Notes what lists have the selectors' members, by number; they outlive the index. */
void selector_index_list(struct selector_index *x, const struct selector *const *selectors,
			 size_t count);

/* Where selector_members() puts what isn't listed anywhere; zeroed before. */
struct selected {
	uint64_t *set;
	VEC(uint32_t) numbers;
};

/* The same of a selector by number, as a list, each once and in order, until @room is used again.
 */
struct list selector_members(const struct selector_index *x, uint32_t number,
			     struct selected *room);
void selected_release(struct selected *room);
#define _selected_ _cleanup_(selected_release)

#endif
