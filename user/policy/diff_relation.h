/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where two policies decide differently, over classes: groups of sources by groups of destinations,
 * and for each of these pairs what changes for which services.
 */
#ifndef POLICY_DIFF_RELATION_H
#define POLICY_DIFF_RELATION_H

#include "policy/joint.h"
#include "util/list_pool.h"

/* What becomes of a connection, as far as anybody can tell from outside. */
enum outcome {
	OUTCOME_DENY,
	OUTCOME_REJECT,
	OUTCOME_AUDIT,
	OUTCOME_ALLOW,
	OUTCOME_ALLOW_LOGGED,
	OUTCOME_ALLOW_TLS, /* only what begins with TLS */
	OUTCOME_ALLOW_TLS_LOGGED,
};

/* A change is was << 4 | now in 8 bits, and 0 for none. */
#define CHANGE(was, now)   ((uint8_t)((was) << 4 | (now)))
#define CHANGE_WAS(change) ((enum outcome)((change) >> 4))
#define CHANGE_NOW(change) ((enum outcome)((change)&0xf))

/* An effect is joint service << 8 | change.  Signatures are ascending lists of effects. */
#define EFFECT(service, change) ((uint32_t)(service) << 8 | (change))
#define EFFECT_SERVICE(effect)  ((effect) >> 8)
#define EFFECT_CHANGE(effect)   ((uint8_t)(effect))

struct relation_cell {
	uint32_t src, dst; /* groups */
	uint32_t signature;
};

/* Groups are of joint classes; a class whose connections don't differ may be in none. */
struct relation {
	struct list_pool signatures; /* of effects; number 0 is empty */
	struct lists src_members, dst_members;
	VEC(struct relation_cell) cells; /* sorted by source; none with signature 0 */
};

/* 0; -E2BIG with a sentence in @reterr where the policies differ too much to be compared. */
int relation_build(struct relation *r, const struct joint_addresses *a,
		   const struct joint_services *s, struct text *reterr);
void relation_release(struct relation *r);

#endif
