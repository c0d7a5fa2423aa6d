/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Lines of sources by their number: many places in a long file are found quickly. */
#ifndef UTIL_LINES_H
#define UTIL_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "util/cleanup.h"
#include "util/map.h"
#include "util/source.h"
#include "util/vec.h"

struct line_index;

/* What is known of each source that was asked about, by its address.  A zeroed one is empty. */
struct lines {
	struct map places; /* -> index into list */
	VEC(struct line_index) list;
};

/* Points into the source. */
struct line {
	const char *start;
	size_t len; /* bytes, without its break */
};

/* False if the source has no such line, or it is too long to be shown. */
bool lines_find(struct lines *lines, const struct source *source, unsigned int number,
		struct line *ret);

/*
 * The code points @from to @to of a line, counted from 1, as far as it has them; @to
 * isn't in it.
 */
struct line line_part(const struct line *line, unsigned int from, unsigned int to);

void lines_release(struct lines *lines);
#define _lines_ _cleanup_(lines_release)

#endif
