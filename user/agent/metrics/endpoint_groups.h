/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Endpoints counted by what was configured: a pattern stands for all of its interfaces. */
#ifndef AGENT_METRICS_ENDPOINT_GROUPS_H
#define AGENT_METRICS_ENDPOINT_GROUPS_H

#include <bulkhead/endpoint.h>

#include "agent/endpoints/endpoints.h"

#define ENDPOINT_GROUPS_MAX 256 /* those behind it are left out */

#define ENDPOINT_METHODS (ATTACH_CLSACT + 1)

struct endpoint_group {
	const char *interface; /* a name or a pattern */
	enum bh_endpoint_kind kind;
	uint64_t attached;
	uint64_t missing;
	uint64_t degraded; /* their programs are not in place, or they can't be attached */
	uint64_t methods[2][ENDPOINT_METHODS]; /* by enum bh_direction, seen by the endpoint */
};

typedef VEC(struct endpoint_group) endpoint_groups;

/* Pointers into @es; to be released with vec_release(). */
void endpoint_groups_find(const struct endpoints *es, endpoint_groups *ret);

#endif
