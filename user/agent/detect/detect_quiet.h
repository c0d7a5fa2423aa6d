/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which workloads there are, since when, and which of them was ever denied anything. */
#ifndef AGENT_DETECT_DETECT_QUIET_H
#define AGENT_DETECT_DETECT_QUIET_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/model.h"
#include "util/map.h"

#define QUIET_MAX 65536 /* workloads; nothing is told of others */

struct quiet {
	struct map since; /* by name: when it was first known, or that it was denied */
};

/* Who is gone is forgotten; who is new is known since @now_ns. */
void quiet_update(struct quiet *q, const struct policy *policy, uint64_t now_ns);

/* How long it was known and was denied nothing; 0 if this isn't its first denial. */
uint64_t quiet_end(struct quiet *q, const char *workload, uint64_t now_ns);

void quiet_release(struct quiet *q);

#endif
