/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How much the kernel's verifier has to look at before it takes our programs. */
#ifndef BENCH_VERIFIER_H
#define BENCH_VERIFIER_H

#include "tests/bench/results.h"

int verifier_measure(struct results *results);

#endif
