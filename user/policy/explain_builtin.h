/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is never asked of the tables: a pod and itself, a node and the pods that run on it. */
#ifndef POLICY_EXPLAIN_BUILTIN_H
#define POLICY_EXPLAIN_BUILTIN_H

#include "policy/ends.h"

struct builtin_pairs {
	uint8_t *asked; /* of each class of the destination: the families that tables decide */
	uint8_t *alone; /* of each class: those in which both ends are one pod, and no other */
	uint8_t *
		local; /* of each class of the destination: those in which some run on the source */
	bool has_self;
	bool has_host;
};

void builtin_pairs_find(const struct compiled *c, const struct end *src, const struct end *dst,
			struct builtin_pairs *ret);
void builtin_pairs_release(struct builtin_pairs *b);

#endif
