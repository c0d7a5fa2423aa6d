/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a compiled policy keeps beside its tables, to be asked in the policy's words. */
#ifndef POLICY_COMPILED_INDEX_H
#define POLICY_COMPILED_INDEX_H

#include "policy/address_change.h"
#include "policy/address_class.h"
#include "policy/compile.h"
#include "policy/pod_kind.h"
#include "policy/selector_set.h"
#include "policy/service_class.h"

struct compiled_index {
	struct atoms atoms;
	struct address_tree tree;
	struct pod_kinds kinds;
	struct identity_index identities;
	struct address_changes changes; /* since it was compiled */
	struct selector_index selectors;
	struct service_partition services;
	/* Zones and workloads -> number << 1, plus 1 for a workload; empty until one is asked for.
	 */
	struct map names;
	uint32_t *example_v4; /* of each class: a node of the tree, or ADDRESS_NONE */
	uint32_t *example_v6;
	bool is_host_known; /* the environment has addresses of this machine */
	/* The decisions as they will be when every deny that expires has; only if some does, and
	 * there are promises to keep. */
	bool has_ahead;
	struct image_grid ahead_pairs, ahead_cells;
	uint32_t reused; /* rows added since all decisions were made anew */
};

/*
 * The same policy with the decisions of x->ahead_pairs and x->ahead_cells, for the functions that
 * ask; owned by @c.
 */
struct compiled compiled_ahead(const struct compiled *c);

/* An address of a class, of one family (FAMILY_*); false if it has none. */
bool compiled_example(const struct compiled *c, uint32_t class, uint8_t family,
		      struct bh_addr *ret);

/* The zone or workload of that name as a selector; false if there is none. */
bool compiled_name(const struct compiled *c, const char *name, struct selector *ret);

/* The pod that has all addresses of an identity; POLICY_NONE if several have, or whoever is none.
 */
size_t compiled_only_pod(const struct compiled *c, uint32_t identity);

/* FAMILY_*: in which families an address class, a service class occurs. */
uint8_t compiled_class_families(const struct compiled *c, uint32_t class);
uint8_t compiled_service_families(const struct compiled *c, uint32_t service_class);

#endif
