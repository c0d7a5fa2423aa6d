/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Few words for a set of addresses: names, all but some, prefixes. */
#ifndef POLICY_DIFF_COVER_H
#define POLICY_DIFF_COVER_H

#include "policy/diff_names.h"

struct namer {
	const struct diff_names *names;
	uint32_t *mark;  /* of each identity: what it is in this round */
	uint32_t round;  /* marks of earlier rounds are lower */
	uint32_t *count; /* of each meaning: its identities in the set; 0 between calls */
};

void namer_init(struct namer *n, const struct diff_names *names);
void namer_release(struct namer *n);

/* Says what the identities are; prefixes are shown with who owns them in @side's policy. */
void namer_describe(struct namer *n, struct list identities, enum joint_side side,
		    struct diff_end *ret);

void diff_end_release(struct diff_end *e);

#endif
