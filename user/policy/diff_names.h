/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What names mean over two policies: as sets of joint identities. */
#ifndef POLICY_DIFF_NAMES_H
#define POLICY_DIFF_NAMES_H

#include "policy/diff.h"
#include "policy/joint.h"
#include "util/list_pool.h"

struct meaning {
	const char *name;
	enum diff_reading reading;
	bool is_label; /* "labels app=web": whoever has it */
};

/*
 * A name of one policy only, or with one meaning in both, is one meaning.  Another one is two, but
 * for a few addresses that are better shown as such.
 */
struct diff_names {
	const struct joint_addresses *a;
	VEC(struct meaning) meanings; /* NEW's names in their order, then those of OLD only */
	struct lists of_identity;     /* -> meanings */
	struct lists members;         /* meaning -> identities */
};

/* Words that no policy holds are put into @words. */
void diff_names_build(struct diff_names *n, const struct joint_addresses *a, struct arena *words);
void diff_names_release(struct diff_names *n);

/* The workload or zone that all of a prefix belongs to in one of the policies; NULL if none. */
const char *diff_names_owner(const struct diff_names *n, enum joint_side side,
			     const struct prefix *p);

/* The addresses of identities, normalised. */
void diff_names_ranges(const struct diff_names *n, struct list identities, address_ranges *out);

#endif
