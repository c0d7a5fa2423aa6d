/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A text that was read whole, and places in it. */
#ifndef UTIL_SOURCE_H
#define UTIL_SOURCE_H

#include <stddef.h>

#include "util/vec.h"

#define SOURCE_MAX (64ul * 1024 * 1024) /* bytes; a larger file is refused */

struct source {
	char *name; /* as the user gave it; "-" is standard input */
	char *text; /* len bytes, then NUL */
	size_t len;
	size_t mapped; /* bytes of a file that the text is in; 0: it is on the heap */
};

/* Lines and columns from 1, columns in code points (a BOM is none); line 0 is the whole source. */
struct span {
	const struct source *source;
	unsigned int line;
	unsigned int column;
	unsigned int len; /* code points on the first line, at least 1 */
};

/* -errno; -EISDIR for a directory, -EFBIG over SOURCE_MAX.  "-" reads standard input. */
int source_read(const char *path, struct source *ret);
struct source source_of(const char *name, const char *text, size_t len); /* copies */
void source_release(struct source *s);

/*
 * Gives a large text's memory back: it goes to the end of the file, and is read from there when it
 * is.  Nobody may write to that file, ever: who reads what was cut off is killed.  A small text
 * stays where it is, and so does one that can't be written.
 */
void source_leave(struct source *s, int fd);

/* Nobody reads it for a while: what is mapped need not be in memory. */
void source_rest(const struct source *s);

typedef VEC(struct source) source_list;

void source_list_release(source_list *list);
#define _source_list_ _cleanup_(source_list_release)

#endif
