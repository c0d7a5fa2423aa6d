/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the checks of lint share. */
#ifndef POLICY_LINTER_H
#define POLICY_LINTER_H

#include "policy/atoms.h"
#include "policy/compile.h"
#include "util/lists.h"
#include "util/map.h"

/* Zones that some selector contains a part of, ascending; a slice of linter.pool. */
struct zone_set {
	size_t start;
	size_t count;
};

struct linter {
	const struct compiled *c;
	const struct policy *policy;
	int64_t now;
	struct diags *diags;
	struct atoms atoms;
	struct map set_numbers; /* zones -> number of the set */
	VEC(struct zone_set) sets;
	VEC(uint32_t) pool;
	uint32_t *set_of;     /* of each selector of atoms: number of a set */
	uint64_t *identities; /* scratch */
	uint64_t *zones;      /* scratch */
};

/* Stands in a zone set for addresses in no zone. */
static inline uint32_t lint_no_zone(const struct linter *l)
{
	return (uint32_t)l->policy->zones.count;
}

/* The zones of a selector of atoms. */
struct list lint_zones(const struct linter *l, uint32_t selector);

enum zone_role lint_role(const struct linter *l, uint32_t zone); /* ROLE_UNSET of no zone */

/* "'dmz'", or words for no zone. */
void lint_add_zone(const struct linter *l, uint32_t zone, struct text *out);

/* Whether it says `any`: whoever wrote it had no zone in mind. */
bool lint_is_anyone(const struct selector *s);

/* 0.0.0.0/0 or ::/0. */
bool lint_is_everywhere(const struct prefix *p);

/* Whether it has one of these: then it is all addresses that no other zone has. */
bool lint_is_frame(const struct zone *zone);

/* Whether the rule is a ZonePolicy's own, failsafe aside, and hasn't expired. */
bool lint_is_live(const struct linter *l, const struct rule *rule);
bool lint_allows(const struct linter *l, const struct rule *rule); /* live, and allows */

/* The checks, by theme. */
void lint_rules(struct linter *l);      /* BH001, BH003, BH004, BH005, BH009, BH012 */
void lint_addresses(struct linter *l);  /* BH002, BH010 */
void lint_shadows(struct linter *l);    /* BH006 */
void lint_directions(struct linter *l); /* BH008 */
void lint_use(struct linter *l);        /* BH007, BH011 */

#endif
