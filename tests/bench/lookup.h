/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A program that looks a packet's source up in a bed's tables, and does nothing else. */
#ifndef BENCH_LOOKUP_H
#define BENCH_LOOKUP_H

#include "tests/bench/bed.h"

struct lookup;

/* In the slot that is in force now. */
int lookup_open(const struct bed *bed, struct lookup **ret);
void lookup_free(struct lookup *l);

int lookup_program(const struct lookup *l, bool is_v6);

/* Of the last packet; 0: outside. */
uint32_t lookup_identity(const struct lookup *l);

#endif
