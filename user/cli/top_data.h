/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What `top` knows: the agent's counters, as they were and are, and its events, added up. */
#ifndef CLI_TOP_DATA_H
#define CLI_TOP_DATA_H

#include <cjson/cJSON.h>

#include "cli/top_table.h"

/* What is listed, in the order of the sections. */
#define TOP_PARTS_LIST(X)                                                                          \
	X(TALKERS, "talkers")                                                                      \
	X(ZONES, "zones")                                                                          \
	X(RULES, "rules")

enum top_part {
#define X(id, word) TOP_##id,
	TOP_PARTS_LIST(X)
#undef X
	TOP_PARTS
};

struct top_data {
	struct top_table parts[TOP_PARTS];
	cJSON *status; /* the last answer; NULL: none yet */
	cJSON *status_before;
	double seconds; /* between the two; 0: there is only one */
	double missed;  /* events, as we were too slow */
};

void top_data_init(struct top_data *d);
void top_data_release(struct top_data *d);

/* An event, or how many were missed. */
void top_data_event(struct top_data *d, const cJSON *event);

/* An item of `list rules`. */
void top_data_rule(struct top_data *d, const cJSON *rule);

/*
 * A new answer to `status`, which is taken over, so much later than the last one; all rates are new
 * then.
 */
void top_data_status(struct top_data *d, cJSON *status, double seconds);

/* How fast the number at a path like {"books", "deny", "lost", NULL} grows; 0 if not known. */
double top_data_rate(const struct top_data *d, const char *const *path);
double top_data_number(const struct top_data *d, const char *const *path);

const char *top_part_word(enum top_part part);

#endif
