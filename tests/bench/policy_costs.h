/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a policy costs before any packet: reading, compiling, writing tables, changing a little.
 * Times are of the CPU, but for the flip's, which waits. */
#ifndef BENCH_POLICY_COSTS_H
#define BENCH_POLICY_COSTS_H

#include "tests/bench/results.h"

/* Policies of 10k rules, and of 100k if @is_long. */
int policy_costs_measure(bool is_long, struct results *results);

#endif
