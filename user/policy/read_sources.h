/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The documents of sources that are in memory. */
#ifndef POLICY_READ_SOURCES_H
#define POLICY_READ_SOURCES_H

#include "policy/load.h"

/*
 * Fills @p from its sources.  If there are errors already, a file may be missing: then names that
 * nobody defines aren't told, as they may stand in it.  @pods ends without a pod; NULL: there are
 * none.
 */
void read_sources(struct policy *p, const struct pod_addresses *pods, struct diags *d);

#endif
