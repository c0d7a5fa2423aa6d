/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A process that reads events as they come, beside the one that measures. */
#ifndef BENCH_CONSUMER_H
#define BENCH_CONSUMER_H

#include "tests/bench/bed.h"

struct consumer; /* ends with the process that began it */

/* On another CPU than the caller's, if there is one. */
int consumer_begin(struct bed *bed, struct consumer **ret);
void consumer_end(struct consumer *c);

/* Events read so far. */
uint64_t consumer_count(const struct consumer *c);

#endif
