/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The documents of sources that are in memory. */
#ifndef POLICY_READ_SOURCES_H
#define POLICY_READ_SOURCES_H

#include "policy/model.h"
#include "util/diag.h"

/*
 * Fills @p from its sources.  If there are errors already, a file may be missing: then names that
 * nobody defines aren't told, as they may stand in it.
 */
void read_sources(struct policy *p, struct diags *d);

#endif
