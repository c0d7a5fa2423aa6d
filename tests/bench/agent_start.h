/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The agent itself, started with a policy: the CPU time that it takes, and what memory it needs. */
#ifndef BENCH_AGENT_START_H
#define BENCH_AGENT_START_H

#include "tests/bench/results.h"
#include "tests/bench/shape.h"

/* Names of metrics end in @size.  The program is $BULKHEAD. */
int agent_start_measure(const struct shape *shape, const char *size, double goal_ms,
			struct results *results);

#endif
