/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What each rule weighs in the tables, and whom to blame for a policy that does not fit. */
#ifndef POLICY_WEIGHT_H
#define POLICY_WEIGHT_H

#include "policy/compile.h"

/* Prefixes that the CIDR selectors of a rule name. */
size_t weight_prefixes(const struct rule *rule);

/* For each rule of the policy, in how many rows it decides something; to be freed. */
uint32_t *weight_rows(const struct compiled *c);

/* Notes for the error that something does not fit: who has most of it, and what would help. */
void blame_prefixes(const struct compiled *c, struct diags *d);
void blame_identities(const struct compiled *c, struct diags *d);
void blame_classes(const struct compiled *c, struct diags *d);
void blame_rules(const struct compiled *c, struct diags *d);
void blame_services(const struct compiled *c, struct diags *d);
void blame_decisions(const struct compiled *c, struct diags *d);

#endif
