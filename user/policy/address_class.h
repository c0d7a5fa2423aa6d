/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The partition of addresses: prefixes to identities, identities to classes.  An identity is what
 * no name and no cidr tells apart, a class what no whole selector of the policy does.
 */
#ifndef POLICY_ADDRESS_CLASS_H
#define POLICY_ADDRESS_CLASS_H

#include "policy/address_tree.h"
#include "policy/pod_kind.h"
#include "policy/selector_set.h"

/* What makes an identity: who owns its addresses, and which cidrs have them. */
struct identity_key {
	uint32_t zone;     /* or ADDRESS_NONE */
	uint32_t workload; /* or ADDRESS_NONE; of pods of one kind the first */
	uint32_t cidrs;    /* addresses with the same number are in the same cidrs */
	uint32_t is_host;
};

struct identity_index {
	struct map by_key;   /* struct identity_key -> identity */
	VEC(uint32_t) cidrs; /* of each identity, as in its key */
};

void identity_index_release(struct identity_index *x);

/* The key of an owner's addresses; of @node zone, workload and is_host count. */
struct identity_key identity_key_of(const struct pod_kinds *kinds, const struct address_node *node,
				    uint32_t cidrs);

/*
 * Fills c->identities, image.identities and image.prefixes, the identities of the tree's nodes and
 * the index of identities.
 * Identity 0 always exists, and so does one of `host`, also where @env knows no address of it.
 */
void address_identities(struct compiled *c, const struct atoms *a, const struct environment *env);

/* Fills c->classes and the class of each identity.  That of identity 0 is class 0. */
void address_classes(struct compiled *c, const struct selector_index *x, const struct atoms *a);

#endif
