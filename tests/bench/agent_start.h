/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the agent takes until it enforces a policy, and keeps. */
#ifndef BENCH_AGENT_START_H
#define BENCH_AGENT_START_H

#include "tests/bench/results.h"
#include "tests/bench/shape.h"

struct agent_goals {
	double ready_ms, rss_mb, maps_mb; /* 0: none */
};

/* Of so many starts.  Adds start-SIZE, agent-rss-SIZE, maps-SIZE and what goes with them, or why
 * there are none. */
void agent_start_measure(const struct shape *shape, const char *size, int starts,
			 const struct agent_goals *goals, struct results *results);

#endif
