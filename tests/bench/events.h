/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A flood of denied packets, each an event: how many a second a consumer gets, and are lost. */
#ifndef BENCH_EVENTS_H
#define BENCH_EVENTS_H

#include "tests/bench/results.h"

int events_measure(bool is_long, struct results *results);

#endif
