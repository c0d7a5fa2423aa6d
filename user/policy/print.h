/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A policy as canonical YAML: the inverse of the reader. */
#ifndef POLICY_PRINT_H
#define POLICY_PRINT_H

#include "policy/model.h"
#include "util/text.h"

/*
 * Lists are in the policy's order, services are written out, defaults that come from a document are
 * written at their zones.  Loading the text gives the same policy, but for places, for what a
 * rule's services were called and for what Kubernetes' policies mean: that is in comments.
 */
void policy_print(const struct policy *p, struct text *out);

#endif
