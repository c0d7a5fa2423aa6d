/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A veth pair, frames into one end of it, and a socket behind the other one. */
#ifndef BENCH_LIVE_PATH_H
#define BENCH_LIVE_PATH_H

#include "tests/bench/bed.h"
#include "tests/bench/filters.h"

struct live {
	struct wrapper *wrapper;
	struct bed bed;
	uint32_t out, in; /* interfaces */
	uint8_t mac[6];   /* of the one that receives */
	int sink;
	int drop;      /* the link of a program that drops all; -1 */
	uint32_t runs; /* with new flows, so far */
	struct shape_frame frame;
	struct burst burst;
};

/* The process must have a network namespace of its own.  Close it also on failure. */
int live_open(struct live *l);
void live_close(struct live *l);

/*
 * Begins the filter, sends, and ends it: millions a second that got where they should, to the
 * socket or not.  Errors as filter_begin()'s.
 */
int live_run(struct live *l, enum filter filter, enum live_mode mode, double *ret_mpps);

#endif
