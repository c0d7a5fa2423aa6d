/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sets of joint identities as names that lie within them, and prefixes for what these leave. */
#ifndef POLICY_DIFF_COVER_H
#define POLICY_DIFF_COVER_H

#include "policy/diff_names.h"

/* What is needed to work with sets, once for all of them. */
struct namer {
	const struct diff_names *names;
	uint32_t *mark;  /* of each identity: what it is in this round */
	uint32_t round;  /* marks of earlier rounds are lower */
	uint32_t *count; /* of each meaning: its identities in the set; 0 between calls */
};

struct diff_cover {
	numbers meanings;
	prefix_list rest;
};

void namer_init(struct namer *n, const struct diff_names *names);
void namer_release(struct namer *n);

/* Fills an empty cover: few names, and exactly the set. */
void diff_cover_set(struct namer *n, struct list set, bool has_labels, struct diff_cover *out);
void diff_cover_release(struct diff_cover *c);

/* What is in @set and not in @other, or in both. */
void namer_sift(struct namer *n, struct list set, struct list other, bool is_common, numbers *out);

/* Some names of which the set has a part, the fullest first. */
void namer_list_partial(struct namer *n, struct list set, bool has_labels, numbers *out);

/* The identities that are not in the set. */
void namer_list_others(struct namer *n, struct list set, numbers *out);

#endif
