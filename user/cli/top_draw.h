/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What `top` knows as lines of text, for a screen of some size or without end, or as JSON. */
#ifndef CLI_TOP_DRAW_H
#define CLI_TOP_DRAW_H

#include "cli/top_data.h"
#include "util/text.h"

/* Of which size a text has no bounds. */
#define TOP_ENDLESS ((size_t)1 << 30)

struct top_look {
	size_t width;  /* columns */
	size_t height; /* lines */
	size_t rows;   /* of a part, at most */
	size_t skip;   /* that many of each part */
	bool is_single;
	enum top_part part; /* if only one is shown */
	enum top_sort sort;
	struct text filter;
	bool is_typing; /* the filter */
	bool is_paused;
	bool is_interactive; /* there are keys to tell of */
	bool has_colour;
	const char *error; /* why there is nothing new; NULL: there is */
};

/* No more lines than there is room for, none wider. */
void top_draw(const struct top_data *d, const struct top_look *look, struct text *out);

/* One line: an object. */
void top_json(const struct top_data *d, const struct top_look *look, struct text *out);

const char *top_sort_word(enum top_sort sort);

#endif
