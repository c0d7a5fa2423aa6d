/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/observation.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/client.h"
#include "cli/event_flowlog.h"
#include "cli/event_line.h"
#include "cli/output.h"
#include "cli/values.h"
#include "util/mem.h"

#define EVENT_BEGIN "{\"time\":"   /* of every event, and of nothing else */
#define COUNT_END   "\"count\":1}" /* of nearly all of them */

enum event_format event_format_of(const char *word)
{
	if (output_is_json(word))
		return EVENT_JSON;
	if (!strcmp(word, "flowlog"))
		return EVENT_FLOWLOG;
	return strcmp(word, "table") ? EVENT_COMPACT : EVENT_TABLE;
}

void observation_begin(const struct observation *o)
{
	_text_ struct text heading = TEXT_INIT;

	if (o->format != EVENT_TABLE || o->is_quiet)
		return;
	event_row_heading(o->has_colour, &heading);
	puts(heading.buf);
}

/* False: it has no line in this format. */
static bool format_event(const struct observation *o, const char *line, const cJSON *event,
			 struct text *out)
{
	switch (o->format) {
	case EVENT_COMPACT:
		event_line(event, o->has_colour, out);
		return true;
	case EVENT_JSON:
		text_add(out, line);
		return true;
	case EVENT_TABLE:
		event_row(event, o->has_colour, out);
		return true;
	case EVENT_FLOWLOG:
		return event_flowlog(event, out);
	}
	return false;
}

static double count_of(const cJSON *event)
{
	double count = value_number(event, "count");

	return count > 1 ? count : 1;
}

static int show(struct observation *o, const char *line, const cJSON *event)
{
	_text_ struct text out = TEXT_INIT;
	bool has_line = format_event(o, line, event, &out);

	if (has_line && !o->is_quiet)
		puts(out.buf);
	if (has_line)
		o->shown += count_of(event);
	else
		o->left_out += count_of(event);
	if (o->pcap.out && event_pcap_add(&o->pcap, event))
		return -EPIPE;
	return ferror(stdout) ? -EPIPE : 0;
}

static void keep(struct observation *o, const char *line)
{
	if (o->kept.count < o->keep) {
		vec_push(&o->kept, xstrdup(line));
		return;
	}
	free(o->kept.items[o->next]);
	o->kept.items[o->next] = xstrdup(line);
	o->next = (o->next + 1) % o->keep;
}

static int take_event(struct observation *o, const char *line, const cJSON *event)
{
	if (!event_filter_matches(&o->filter, event)) {
		o->filtered += count_of(event);
		return 0;
	}
	if (!o->keep)
		return show(o, line, event);
	keep(o, line);
	return 0;
}

/* Whether the line is one event that goes on as it is: nobody has to look into it. */
static bool is_plain(const struct observation *o, const char *line, size_t len)
{
	size_t end = strlen(COUNT_END);

	return o->format == EVENT_JSON && !o->keep && !o->pcap.out &&
	       event_filter_is_empty(&o->filter) && len > end &&
	       !strncmp(line, EVENT_BEGIN, strlen(EVENT_BEGIN)) &&
	       !memcmp(line + len - end, COUNT_END, end);
}

int observation_take(struct observation *o, const char *line, cJSON **ret_last)
{
	size_t len = strlen(line);
	_cjson_ cJSON *json = NULL;
	double missed;

	if (is_plain(o, line, len)) {
		puts(line);
		o->shown++;
		return ferror(stdout) ? -EPIPE : 0;
	}
	json = cJSON_Parse(line);
	if (!cJSON_IsObject(json))
		return -EBADMSG;
	missed = value_number(json, "missed");
	if (cJSON_IsBool(value_of(json, "ok"))) {
		if (ret_last)
			*ret_last = TAKE_PTR(json);
		return 1;
	}
	if (missed > 0) {
		o->missed += missed;
		fprintf(stderr, "bulkhead: %.0f events missed: the reader is too slow\n", missed);
		return 0;
	}
	return take_event(o, line, json);
}

void observation_end(struct observation *o)
{
	for (size_t i = 0; i < o->kept.count; i++) {
		const char *line = o->kept.items[(o->next + i) % o->kept.count];
		_cjson_ cJSON *event = cJSON_Parse(line);

		if (show(o, line, event))
			return;
	}
}

void observation_sum(const struct observation *o, struct text *out)
{
	text_addf(out, "%.0f events = %.0f shown + %.0f filtered out + %.0f missed",
		  o->shown + o->filtered + o->left_out + o->missed, o->shown, o->filtered,
		  o->missed);
	if (o->format == EVENT_FLOWLOG)
		text_addf(out, " + %.0f without a flow", o->left_out);
}

void observation_release(struct observation *o)
{
	vec_foreach (line, &o->kept)
		free(*line);
	vec_release(&o->kept);
	event_filter_release(&o->filter);
	event_pcap_close(&o->pcap);
}
