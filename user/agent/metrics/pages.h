/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the agent serves over HTTP, if it is told to: /metrics, /healthz, /readyz. */
#ifndef AGENT_METRICS_PAGES_H
#define AGENT_METRICS_PAGES_H

#include "agent/parts.h"

/* An address that can't be had is tried again every two seconds: enforcement doesn't wait for it.
 */
void pages_start(struct agent *a);
void pages_free(struct pages *pages);

#endif
