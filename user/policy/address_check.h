/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Whether the addresses of zones and workloads fit together. */
#ifndef POLICY_ADDRESS_CHECK_H
#define POLICY_ADDRESS_CHECK_H

#include "policy/model.h"
#include "util/diag.h"

/*
 * No prefix twice, be it a zone's or a workload's; a workload's prefixes lie within a prefix of its
 * zone, if that has any.
 */
void address_check(const struct policy *p, struct diags *d);

#endif
