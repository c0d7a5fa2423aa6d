/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The text that Prometheus reads (version 0.0.4): families of samples with labels. */
#ifndef UTIL_EXPOSITION_H
#define UTIL_EXPOSITION_H

#include "util/text.h"

#define EXPOSITION_TYPE "text/plain; version=0.0.4; charset=utf-8"

enum metric_type {
	METRIC_COUNTER,
	METRIC_GAUGE,
	METRIC_SUMMARY, /* of which there are only NAME_sum and NAME_count */
};

struct metric_label {
	const char *name;
	const char *value; /* any bytes; NULL: as "" */
};

struct labels {
	const struct metric_label *items;
	size_t count;
};

/* clang-format off */
#define LABELS(...) ((struct labels){(const struct metric_label[]){__VA_ARGS__}, \
	sizeof((const struct metric_label[]){__VA_ARGS__}) / sizeof(struct metric_label)})
#define NO_LABELS ((struct labels){})
/* clang-format on */

/* What its samples must follow; @help is one sentence. */
void exposition_family(struct text *out, const char *name, enum metric_type type, const char *help);

/* Different values of labels stay different, whatever bytes they have. */
void exposition_number(struct text *out, const char *name, struct labels labels, uint64_t value);

/* With nine digits behind the point: a time since 1970 isn't rounded to minutes. */
void exposition_seconds(struct text *out, const char *name, struct labels labels, uint64_t ns);

#endif
