/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The exact difference of two policies: which connections get through in one and not in the other,
 * or in another way.  Regions of sources, destinations and services; no samples.
 */
#ifndef POLICY_DIFF_H
#define POLICY_DIFF_H

#include "policy/compile.h"
#include "util/address_range.h"
#include "util/arena.h"

/* By which of the policies a name is to be read. */
enum diff_reading {
	READ_ALIKE, /* it means the same in both, or is in one only */
	READ_AS_OLD,
	READ_AS_NEW,
};

/* A name, or a prefix where that is NULL. */
struct diff_atom {
	const char *name;
	enum diff_reading reading;
	struct prefix prefix;
	const char *owner; /* of the prefix, for people; or NULL */
	uint32_t rank;     /* names in file order, then prefixes */
};

struct diff_term {
	struct diff_atom atom;
	VEC(struct diff_atom) except; /* all of the atom but these */
};

/* Some addresses: as few terms as say exactly these, and as prefixes. */
struct diff_end {
	VEC(struct diff_term) terms;
	prefix_list prefixes; /* `host` has none while its addresses aren't known */
};

struct diff_region {
	char sign; /* '+' newly through, '-' no longer, '~' through or not as before, another way */
	const char *was, *now; /* the verdict's word; "allow, tls"; ", logged" if both pass */
	const struct diff_end *from, *to;
	uint8_t families;  /* FAMILY_*: in which anything of it occurs */
	services services; /* numbers, normalised; a protocol's own number is of the family that
			      its own table is not */
	char *service_text;
};

/* Points into both policies, and is good as long as they are. */
struct diff {
	VEC(struct diff_region) regions; /* by source and destination, in file order */
	VEC(struct diff_end *) ends;
	struct arena words; /* that no policy holds */
};

/* 0; -E2BIG with a sentence in @reterr where the difference is too large to be told. */
int policy_diff(const struct compiled *old, const struct compiled *new, struct diff *ret,
		struct text *reterr);
void diff_release(struct diff *d);
#define _diff_ _cleanup_(diff_release)

/* "api", "data except postgres", "10.0.16.11 (api)" */
void diff_term_format(const struct diff_term *term, struct text *out);

/* "+ api -> postgres tcp/6432", and a note where that doesn't say it all. */
void diff_region_format(const struct diff_region *region, struct text *out);

#endif
