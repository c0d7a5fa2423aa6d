/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What each side of a connection says of it and why, straight from the rules: for people, who want
 * to know more than the one rule that a cell names.
 */
#ifndef POLICY_SIDES_H
#define POLICY_SIDES_H

#include "policy/compile.h"

/* What decided, in the order in which it is asked. */
enum side_cause {
	CAUSE_FAILSAFE,  /* allows, on both sides */
	CAUSE_ZONE,      /* denies, on both sides */
	CAUSE_ADMIN,     /* a rule of TIER_ADMIN: allows or denies */
	CAUSE_NETWORK,   /* an allow rule */
	CAUSE_ISOLATION, /* denies: no rule allows, and the end is isolated */
	CAUSE_BASELINE,  /* a rule of TIER_BASELINE: allows or denies */
	CAUSE_OPEN,      /* allows: nothing speaks of it */
};

struct side_view {
	enum side_cause cause;
	bool is_allowed;
	size_t rule;    /* index into policy.rules of the one that decided; POLICY_NONE: none did */
	size_t passed;  /* of the TIER_ADMIN rule that left it to the tiers below; POLICY_NONE */
	enum mode mode; /* of the end: what its denial does; MODE_UNSET: nothing */
	bool is_isolated;
};

struct sides {
	struct side_view src; /* the opener's, its egress */
	struct side_view dst; /* the other's, its ingress */
	size_t audit;         /* the first deny that matches and only reports; POLICY_NONE */
};

struct sides_question {
	uint32_t src, dst; /* identities */
	enum bh_service_table table;
	uint16_t number;
};

/* Tries every rule: for questions of people, not for many. */
struct sides sides_view(const struct compiled *c, const struct sides_question *q);

#endif
