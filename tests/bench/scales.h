/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Packets at every size: which kinds of them are measured where, and the goals. */
#ifndef BENCH_SCALES_H
#define BENCH_SCALES_H

#include "tests/bench/measure.h"

/* Also measures what only the long run has, if @is_long.  Peers are as before in the end. */
int scales_measure(struct effort *effort, bool is_long, struct results *results);

#endif
