/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/bench/cost.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now_ms(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

struct cost cost_now(void)
{
	return (struct cost){now_ms(CLOCK_MONOTONIC), now_ms(CLOCK_PROCESS_CPUTIME_ID)};
}

struct cost cost_since(struct cost start)
{
	struct cost now = cost_now();

	return (struct cost){now.wall_ms - start.wall_ms, now.cpu_ms - start.cpu_ms};
}

static int double_cmp(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

struct cost cost_median(const struct cost *costs, size_t count)
{
	double wall[COSTS_MAX], cpu[COSTS_MAX];

	for (size_t i = 0; i < count; i++) {
		wall[i] = costs[i].wall_ms;
		cpu[i] = costs[i].cpu_ms;
	}
	qsort(wall, count, sizeof(*wall), double_cmp);
	qsort(cpu, count, sizeof(*cpu), double_cmp);
	return (struct cost){wall[count / 2], cpu[count / 2]};
}

void cost_print(const char *what, struct cost cost)
{
	printf("  %-44s %9.2f ms CPU %9.2f ms wall\n", what, cost.cpu_ms, cost.wall_ms);
}
