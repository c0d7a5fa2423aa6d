/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Break-glass access: a rule beside the policy in force, which ends by itself. */
#ifndef AGENT_POLICIES_TEMPORARY_RULE_H
#define AGENT_POLICIES_TEMPORARY_RULE_H

#include "agent/control/request.h"
#include "agent/policies/change.h"

#define TEMPORARY_MAX_S (30 * 24 * 3600)

/* *ret is good until the next one is added or ends.  -errno with c->error, and perhaps
 * c->diagnostics. */
int temporary_rule_add(struct agent *a, const struct request *request, struct change *c,
		       const struct temporary **ret);

/* Those whose time is over leave the policy; programs have not heeded them since then. */
void temporary_rules_expire(struct agent *a);

#endif
