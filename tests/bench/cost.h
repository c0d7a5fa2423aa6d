/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Times of the benchmarks: on the wall and of the CPU, and their medians. */
#ifndef BENCH_COST_H
#define BENCH_COST_H

#include <stddef.h>

#define COSTS_MAX 64

struct cost {
	double wall_ms, cpu_ms;
};

struct cost cost_now(void);
struct cost cost_since(struct cost start);

/* Of at most COSTS_MAX, each clock by itself. */
struct cost cost_median(const struct cost *costs, size_t count);

void cost_print(const char *what, struct cost cost);

#endif
