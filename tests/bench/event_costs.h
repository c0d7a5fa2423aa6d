/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What an event costs a packet that is dropped, and one that is suppressed, above the drop. */
#ifndef BENCH_EVENT_COSTS_H
#define BENCH_EVENT_COSTS_H

#include "tests/bench/results.h"
#include "tests/bench/wrapper.h"

/* The metrics event-cost-SIZE and suppressed-cost-SIZE; "ns" is above a drop that tells nothing. */
int event_costs_measure(struct wrapper *w, bool is_long, struct results *results);

#endif
