/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Who filters what the receiving interface of the live path gets: we, nobody, or others. */
#ifndef BENCH_FILTERS_H
#define BENCH_FILTERS_H

#include <stdbool.h>
#include <stdint.h>

enum live_mode {
	LIVE_PASS, /* datagrams of flows that were answered */
	LIVE_NEW,  /* each the first of its flow */
	LIVE_DROP,
	LIVE_MODES
};

/* These start here; those behind them by filters.sh. */
enum filter {
	FILTER_OURS,
	FILTER_NONE,
	FILTER_XDP_DROP,
	FILTER_TC_DROP,
	FILTER_FIRST_OTHER,
	FILTERS = FILTER_FIRST_OTHER + 14
};

const char *filter_name(enum filter filter);
bool filter_has(enum filter filter, enum live_mode mode, bool is_long);

/* How many flows it passes; 0: as many as ours. */
uint32_t filter_flows(enum filter filter);

/* Rules that it may look at one after the other, each time. */
uint32_t filter_steps(enum filter filter);

/* -ENOENT: its tool is not installed; -EIO: it does not start. */
int filter_begin(enum filter filter, enum live_mode mode);
int filter_end(enum filter filter);

/* What loading so many addresses takes its tool, in ms.  Errors as above. */
int filter_time_load(const char *kind, uint32_t count, double *ret_ms);

#endif
