/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Many measurements of the same as one figure. */
#ifndef BENCH_FIGURE_H
#define BENCH_FIGURE_H

#include <stddef.h>

#include "util/vec.h"

typedef VEC(double) samples;

/* The range leaves out the lowest and the highest tenth: others use the machine, too. */
struct figure {
	double median, low, high;
};

/* Sorts @s; all 0 if it is empty. */
struct figure figure_of(samples *s);

#endif
