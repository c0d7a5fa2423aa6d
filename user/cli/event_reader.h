/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Recorded events, as `observe -o json` writes them, a JSON object a line, to a recording. */
#ifndef CLI_EVENT_READER_H
#define CLI_EVENT_READER_H

#include <stdio.h>

#include "policy/recording.h"

#define EVENT_LINE_MAX 65536 /* bytes */

struct event_reader {
	struct recording recording;
	const char *name;     /* of the file, for messages */
	uint64_t line;        /* from 1 */
	uint64_t bad_lines;   /* told on stderr, but for those past the first ones */
	uint64_t undecided;   /* events of packets that no policy decided, such as malformed ones */
	uint64_t other_lines; /* JSON objects that are no events, such as a summary */
};

/* The next line into @buf of EVENT_LINE_MAX + 2 bytes: its length, -1 at the end, or -EFBIG. */
ssize_t event_reader_next(FILE *in, char *buf);

/* Reads to the end; "-" is standard input.  -errno if the file can't be read. */
int event_reader_read(struct event_reader *r, const char *path);

/*
 * One line without its end, NUL-terminated.  Events of packets in the middle of a connection don't
 * say who opened it: then an end with a port above 32767 opened to one without; where that doesn't
 * tell, the event is undecided.  -EINVAL with a sentence in @reterr for a bad line.
 */
int event_reader_line(struct event_reader *r, const char *line, size_t len, struct text *reterr);

/* What was left out, on stderr; whether anything that should have been read was not. */
bool event_reader_is_incomplete(const struct event_reader *r);

void event_reader_release(struct event_reader *r);
#define _event_reader_ _cleanup_(event_reader_release)

#endif
