/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Events while they come in, live or from a file: filtered, counted, and shown in one format. */
#ifndef CLI_OBSERVATION_H
#define CLI_OBSERVATION_H

#include <stdbool.h>

#include "cli/event_filter.h"
#include "cli/event_pcap.h"
#include "util/vec.h"

enum event_format {
	EVENT_COMPACT,
	EVENT_JSON,
	EVENT_TABLE,
	EVENT_FLOWLOG,
};

struct observation {
	struct event_filter filter;
	enum event_format format;
	struct event_pcap pcap;
	bool is_quiet; /* standard output has the packets, and no lines */
	bool has_colour;
	size_t keep; /* only so many lines, the last ones, are shown, at the end; 0: all, at once */
	size_t next; /* where the next one goes in `kept` when that is full */
	VEC(char *) kept;

	/* In events: a line stands for one or more that are alike. */
	double shown;
	double filtered; /* out */
	double left_out; /* no flows, in a flow log */
	double missed;   /* as the agent told */
};

enum event_format event_format_of(const char *word);
void observation_begin(const struct observation *o);

/*
 * One line.  1: it is the last one of an answer, in *ret_last if that isn't NULL; -EBADMSG: it is
 * no JSON object; -EPIPE: the output can't be written.
 */
int observation_take(struct observation *o, const char *line, cJSON **ret_last);

/* Shows what was kept. */
void observation_end(struct observation *o);

/* "N events = N shown + N filtered out + N missed". */
void observation_sum(const struct observation *o, struct text *out);

void observation_release(struct observation *o);
#define _observation_ _cleanup_(observation_release)

#endif
