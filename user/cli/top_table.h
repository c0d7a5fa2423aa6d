/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is counted by some words, such as two ends and a service, and how fast it grows. */
#ifndef CLI_TOP_TABLE_H
#define CLI_TOP_TABLE_H

#include <stdbool.h>

#include "util/map.h"
#include "util/vec.h"

#define TOP_WORDS    5     /* of a row, at most */
#define TOP_ROWS_MAX 10000 /* then those that don't grow are forgotten, or all of them */

struct top_row {
	char *words[TOP_WORDS];
	double total;
	double bytes;
	double total_shown; /* as it was at the last tick */
	double bytes_shown;
	double rate; /* a second, between the last two ticks */
	double bytes_rate;
	bool is_ticked; /* else it isn't shown yet */
};

/* A zeroed one with a number of words is empty. */
struct top_table {
	size_t words;
	struct map places;
	VEC(struct top_row) rows;
	size_t forgotten;
};

enum top_sort {
	TOP_BY_RATE,
	TOP_BY_TOTAL,
	TOP_BY_NAME,
	TOP_SORTS
};

typedef VEC(const struct top_row *) top_rows;

/* The row of these words, made if there is none; good until the next call. */
struct top_row *top_table_row(struct top_table *t, const char *const *words);

/* So much time has passed since the last one; 0: nothing is known of growth. */
void top_table_tick(struct top_table *t, double seconds);

/*
 * Rows as of the last tick with @filter in one of their words (NULL: all), in order; to be released
 * by vec_release().
 */
void top_table_order(const struct top_table *t, enum top_sort sort, const char *filter,
		     top_rows *ret);

void top_table_release(struct top_table *t);

#endif
