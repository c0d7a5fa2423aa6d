/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* This machine's own addresses: the data path's local ones, and the policy's `host`. */
#ifndef AGENT_ENDPOINTS_MACHINE_H
#define AGENT_ENDPOINTS_MACHINE_H

#include "agent/parts.h"

/* Reads them, for the first policy. */
int machine_init(struct agent *a);

void machine_set_local(struct agent *a);

/* They may have changed: the data path is told at once, the policy compiled again a little later.
 */
void machine_changed(void *agent);

#endif
