/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/bench/figure.h"

#include <stdlib.h>

#define LEFT_OUT 10 /* one of so many at each end */

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

struct figure figure_of(samples *s)
{
	size_t left_out = s->count / LEFT_OUT;

	if (!s->count)
		return (struct figure){};
	qsort(s->items, s->count, sizeof(*s->items), compare);
	return (struct figure){
		.median = s->items[s->count / 2],
		.low = s->items[left_out],
		.high = s->items[s->count - 1 - left_out],
	};
}
