/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which pairs of an `expect` no table is asked for: a pod and itself, a node and its own pods. */
#ifndef POLICY_PROMISE_BUILTIN_H
#define POLICY_PROMISE_BUILTIN_H

#include "policy/compile.h"

struct expect_builtin {
	uint8_t *alone; /* of each class: the families in which it is one pod that meets itself */
	bool *is_local; /* of each class: those meant are the source's, a node's or pod's, own */
	uint32_t rule;  /* BH_BUILTIN_SELF or _HOST if there are any such pairs, else 0 */
};

void expect_builtin_find(const struct compiled *c, const struct selector *from,
			 const struct selector *to, struct expect_builtin *ret);
void expect_builtin_release(struct expect_builtin *b);

#endif
