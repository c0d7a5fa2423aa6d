/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A connection beside a rule: in what the rule is not about it. */
#ifndef POLICY_MISS_H
#define POLICY_MISS_H

#include "policy/compile.h"
#include "util/text.h"

struct miss {
	const struct compiled *c;
	uint32_t src, dst; /* identities */
	enum bh_service_table table;
	uint16_t number;
};

/* What of a connection a rule doesn't match, as bits. */
enum miss_part {
	MISS_SOURCE = 1,
	MISS_DESTINATION = 2,
	MISS_SERVICE = 4,
	MISS_ENDS = MISS_SOURCE | MISS_DESTINATION,
};

uint8_t miss_parts(const struct miss *m, const struct rule *rule);

/* The rule's range of the same table that is nearest, or NULL; and how far away one is. */
const struct service_range *miss_range(const struct miss *m, const struct rule *rule);
unsigned int miss_distance(const struct miss *m, const struct service_range *range);

/* Whether the number is a port, so that ranges can be told by numbers alone. */
bool miss_has_ports(const struct miss *m);

/* Whether an end is in no zone and no workload. */
bool miss_is_outside(const struct miss *m, enum miss_part end);

/*
 * "matches except port: 5433, allows 5432", every part that differs; @from and @to are what the
 * ends are called.
 */
void miss_describe(const struct miss *m, const struct rule *rule, const char *from, const char *to,
		   struct text *out);

/*
 * Lines for people: why other rules that have one of the ends don't decide, the nearest first.
 * @deciding and @nearest are rule numbers that have been told already, 0 for none.
 */
void miss_describe_others(const struct miss *m, const char *const ends[2], uint32_t deciding,
			  uint32_t nearest, struct text *out);

#endif
