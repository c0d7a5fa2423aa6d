/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What was measured, as a table for people and as JSON for scripts/bench-compare. */
#ifndef BENCH_RESULTS_H
#define BENCH_RESULTS_H

#include <stdbool.h>
#include <stdio.h>

#include "tests/bench/figure.h"

struct peer_figure {
	char *name;
	struct figure figure;
	const char *problem; /* why there is none; NULL: there is */
};

/* Names are stable: they are what two runs are compared by. */
struct metric {
	char *name;
	const char *unit; /* "ns": a packet, above the no-op of the same hook */
	struct figure figure;
	struct figure noop;  /* "ns" only */
	double goal;         /* 0: there is none */
	bool is_more_better; /* what the goal is, too: at least so much; else at most */
	char *problem;       /* why there is no figure; NULL: there is one */
	VEC(struct peer_figure) peers;
};

struct results {
	VEC(struct metric) metrics;
};

/* Takes the metric's strings and peers over, and says on stderr how it came out. */
void results_add(struct results *r, const struct metric *m);
void results_release(struct results *r);

/* NULL if it was not measured, or not yet. */
struct metric *results_find(struct results *r, const char *name);

void results_print(const struct results *r, FILE *out);

/* -errno if the file can't be written. */
int results_write(const struct results *r, const char *path);

#endif
