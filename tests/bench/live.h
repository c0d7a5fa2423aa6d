/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Real frames over a veth pair, on one CPU: how many a second get to a socket, or are dropped, with
 * our XDP program and with others' filters in turns.
 */
#ifndef BENCH_LIVE_H
#define BENCH_LIVE_H

#include "tests/bench/results.h"

/* The process must have a network namespace of its own: filters are loaded in it. */
int live_measure(bool is_long, struct results *results);

#endif
