/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Addresses that come and go in a compiled policy.  It decides as if it had been compiled anew; an
 * identity, though, outlives its last address until it is.
 */
#ifndef POLICY_ADDRESS_CHANGE_H
#define POLICY_ADDRESS_CHANGE_H

#include "policy/address_tree.h"
#include "util/places.h"

/*
 * Addresses whose owner is another one than when the policy was compiled, each as a node of its
 * own: however many came and went, no more than there were then and are now.
 */
struct address_changes {
	struct places places; /* by address: place in nodes + 1 */
	VEC(struct address_node) nodes;
};

void address_changes_release(struct address_changes *changes);

/* The owner of an address: a node around it, changes included. */
const struct address_node *address_owner(const struct compiled *c, const struct bh_addr *a);

/* What became of an address in image.prefixes. */
struct address_entry {
	struct bh_addr addr;
	uint32_t identity;
	bool is_listed; /* it has an entry of its own; if not, there must be none */
};

/*
 * A workload gets an address, by its index in the policy; of a pod that isn't there, that of one of
 * its kind (pod_kinds_find()).  -EEXIST: a zone or workload has just this address; -ENOENT: the
 * policy must be compiled for it, since no address was like this one.
 */
int address_add(struct compiled *c, const struct bh_addr *a, size_t workload,
		struct address_entry *ret);

/*
 * The workload that has an address loses it.  -EADDRNOTAVAIL: none has it, other than with a
 * prefix; -ENOENT as above.
 */
int address_remove(struct compiled *c, const struct bh_addr *a, struct address_entry *ret);

/* The machine has an address, or has it no more.  -ENOENT as above. */
int address_set_host(struct compiled *c, const struct bh_addr *a, bool is_host,
		     struct address_entry *ret);

#endif
