/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* An end of recorded connections as a rule would name it: a workload, a zone, addresses. */
#ifndef POLICY_PARTY_H
#define POLICY_PARTY_H

#include "policy/recording.h"
#include "util/text.h"

enum party_kind {
	PARTY_OUTSIDE,
	PARTY_ZONE,
	PARTY_WORKLOAD,
	PARTY_PREFIX,
};

/* No holes: it is compared as bytes. */
struct party {
	struct bh_addr addr; /* PARTY_PREFIX: with the bits past `len` zero */
	uint32_t index;      /* into the policy's zones or workloads */
	uint16_t kind;       /* enum party_kind */
	uint16_t len;
};

struct party party_of_addr(const struct bh_addr *addr);
struct party party_of_prefix(const struct prefix *prefix);

/* The narrowest name of an end; its address, for one of no workload and no zone. */
struct party party_of_who(const struct compiled *c, const struct recorded_who *who,
			  const struct bh_addr *addr);

struct prefix party_prefix(const struct party *p); /* of a PARTY_PREFIX */

/* As a selector of one name or cidr; nothing in it is to be freed. */
struct selector party_selector(const struct party *p);

/* "api", "dmz", "outside", "203.0.113.7", "203.0.113.0/24" */
void party_format(const struct policy *p, const struct party *party, struct text *out);

#endif
