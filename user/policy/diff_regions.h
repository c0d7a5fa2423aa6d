/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A relation of differences as few regions: sources x destinations x services that change alike. */
#ifndef POLICY_DIFF_REGIONS_H
#define POLICY_DIFF_REGIONS_H

#include "policy/diff_relation.h"

enum region_dimension {
	REGION_SRC,     /* groups of the relation's sources */
	REGION_DST,     /* groups of its destinations */
	REGION_SERVICE, /* joint services */
	REGION_DIMENSIONS
};

struct region {
	uint32_t set[REGION_DIMENSIONS]; /* lists of regions.sets, ascending */
	uint8_t change;
	uint8_t families; /* in which anything of it occurs: never 0 */
};

struct regions {
	struct list_pool sets;
	VEC(struct region) items; /* no two have a connection in common */
};

/* 0; -E2BIG with a sentence in @reterr when there are too many to be listed. */
int regions_build(struct regions *regions, const struct relation *r,
		  const struct joint_addresses *a, const struct joint_services *s,
		  struct text *reterr);
void regions_release(struct regions *regions);

#endif
