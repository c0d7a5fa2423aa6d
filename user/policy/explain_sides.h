/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the sides of an answer say, gathered over all that it spans, and in words. */
#ifndef POLICY_EXPLAIN_SIDES_H
#define POLICY_EXPLAIN_SIDES_H

#include "policy/explain.h"
#include "policy/explain_builtin.h"

struct sides_scope {
	const struct compiled *c;
	const struct end *src, *dst;
	const struct builtin_pairs *builtins; /* left out */
	const uint8_t *service_families;      /* of each service class: in which it is asked for */
	uint8_t families;
};

void answer_sides_gather(const struct sides_scope *s, const struct answer *a,
			 struct answer_sides *ret);

/* Whether a rule could serve one side only: there is something to say of each. */
bool answer_sides_are_apart(const struct sides_scope *s, const struct answer_sides *sides);

/* Of one that is known: "allowed by NetworkPolicy shop/api-out:egress[0] (net.yaml:12)" */
void answer_side_describe(const struct compiled *c, const struct answer_side *side,
			  struct text *out);

#endif
