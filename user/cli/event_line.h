/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* An event of the agent as a line for people and for grep. */
#ifndef CLI_EVENT_LINE_H
#define CLI_EVENT_LINE_H

#include <cjson/cJSON.h>

#include "util/text.h"

/*
 * TIME VERDICT DIRECTION src -> dst proto FLAGS rule=… reason=… if=… gen=… [near=…] [count=…],
 * without an end of line.  An end is `workload(zone) ip:port`, `zone ip:port` or `outside ip:port`.
 * Of an alert: TIME alert ID SENTENCE [count=N].
 */
void event_line(const cJSON *event, bool has_colour, struct text *out);

/* The same in columns; an alert is no row. */
void event_row_heading(bool has_colour, struct text *out);
void event_row(const cJSON *event, bool has_colour, struct text *out);

/* An end without its address: "edge-lb(dmz)", "outside", or "-" where nothing is known. */
void event_line_add_name(const cJSON *end, struct text *out);

/* One end, an object with ip, port, workload and zone: "edge-lb(dmz) 10.0.0.10:51514". */
void event_line_add_end(const cJSON *end, struct text *out);

#endif
