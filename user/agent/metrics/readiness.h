/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Whether the agent does what it was told to do: for whoever waits for it, or watches it. */
#ifndef AGENT_METRICS_READINESS_H
#define AGENT_METRICS_READINESS_H

#include "agent/parts.h"

/* A policy that was given is in force, and every endpoint attached; else false, lines in @why. */
bool readiness_check(const struct agent *a, struct text *why);

/* A named interface that isn't there, or any that is refused. */
bool endpoint_is_missing(const struct endpoint *e);

#endif
