/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Pods' addresses in the policy in force, changed without compiling. */
#ifndef AGENT_KUBERNETES_POD_MOVES_H
#define AGENT_KUBERNETES_POD_MOVES_H

#include "agent/policies/policy_set.h"
#include "policy/address_change.h"

/*
 * @a is @owner's from now on, NULL: nobody's; in a policy that may come back any moment, too.
 * -ENOENT: the policy must be compiled for it, as it has had no pod like this one, or none here.
 * Whoever had the address before has lost it in any case.
 */
int pod_move(struct policy_set *set, const struct bh_addr *a, const struct kube_entry *owner);

/* The same in a policy that is not in force yet. */
int pod_move_ahead(struct policy_version *v, const struct bh_addr *a,
		   const struct kube_entry *owner);

/* The same in one policy's tables, which is all: *ret_entry is what they have now. */
int pod_move_in(struct policy_version *v, const struct bh_addr *a, const struct kube_entry *owner,
		struct address_entry *ret_entry, bool *ret_is_changed);

#endif
