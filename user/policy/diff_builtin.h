/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the tables of two policies say in vain: a built-in rule decides before them in both. */
#ifndef POLICY_DIFF_BUILTIN_H
#define POLICY_DIFF_BUILTIN_H

#include "policy/diff_relation.h"

/* Leaves out cells of which every pair is a pod and itself, or a node and a pod that runs on it. */
void relation_drop_builtin(struct relation *r, const struct joint_addresses *a);

#endif
