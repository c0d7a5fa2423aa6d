/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which pairs of an `expect` no table is asked for: a pod and itself, a node and its own pods. */
#ifndef POLICY_PROMISE_BUILTIN_H
#define POLICY_PROMISE_BUILTIN_H

#include "policy/pairs.h"

/* Whose addresses a class has, of those that are meant, in one family. */
struct class_owners {
	size_t src[2];   /* workloads that send from it, as many as there are, up to two */
	bool has_more;   /* there are more, or who is no workload */
	size_t dst_pod;  /* the one pod that is reached in it */
	size_t dst_node; /* where all that is reached in it runs */
};

struct expect_builtin {
	struct class_owners *owners[2]; /* of each class: by IPv4, by IPv6 */
	uint32_t rule; /* that allows a pair which was passed over: BH_BUILTIN_SELF, _HOST or 0 */
};

void expect_builtin_find(const struct compiled *c, const struct selector *from,
			 const struct selector *to, struct expect_builtin *ret);
void expect_builtin_release(struct expect_builtin *b);

/* Of a struct expect_builtin: passes over pairs that are such ones whoever the ends are. */
uint8_t expect_builtin_mask(void *expect_builtin, uint32_t src_class, uint32_t dst_class);

#endif
