/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What no learned rule may allow: every `never`, and every `expect` of another verdict than allow.
 */
#ifndef POLICY_LEARN_GUARD_H
#define POLICY_LEARN_GUARD_H

#include "policy/party.h"

enum cause_kind {
	CAUSE_NEVER,  /* policy.nevers */
	CAUSE_EXPECT, /* policy.expects */
	CAUSE_RULE,   /* policy.rules: it denies, and no allow rule helps */
};

struct cause {
	uint32_t kind; /* enum cause_kind */
	uint32_t index;
};

struct guarded {
	const services *services;
	uint64_t *from, *to; /* sets of identities */
	struct cause cause;
};

struct guard {
	const struct compiled *c;
	VEC(struct guarded) promises;
	struct map places;     /* of who was asked about -> index into covers */
	VEC(uint8_t *) covers; /* for each promise: families of its `from`, then of its `to` */
};

void guard_init(struct guard *g, const struct compiled *c);
void guard_release(struct guard *g);

/* Whether a rule from @from to @to for @s would break a promise; *ret is the first one. */
bool guard_forbids(struct guard *g, const struct party *from, const struct party *to,
		   const struct service_range *s, struct cause *ret);

#endif
