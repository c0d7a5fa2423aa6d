/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The partition of addresses: prefixes to identities, identities to classes.  An identity is what
 * no name and no cidr tells apart, a class what no whole selector of the policy does.
 */
#ifndef POLICY_ADDRESS_CLASS_H
#define POLICY_ADDRESS_CLASS_H

#include "policy/pod_kind.h"
#include "policy/selector_set.h"

/*
 * Fills c->identities, image.identities and image.prefixes, and the identities of @t's nodes.
 * Identity 0 always exists, and so does one of `host`, also where @env knows no address of it.
 */
void address_identities(struct compiled *c, struct address_tree *t, const struct atoms *a,
			const struct pod_kinds *kinds, const struct environment *env);

/* Fills c->classes and the class of each identity.  That of identity 0 is class 0. */
void address_classes(struct compiled *c, const struct selector_index *x, const struct atoms *a);

#endif
