/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Tables, colours and the choice of a format: what commands print with. */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

#include "cli/options.h"

/* The option `-o` of a command that prints text or JSON, for its table of options. */
/* clang-format off */
#define OUTPUT_OPTION(values, member, words, default_word)                               \
	{ .name = "output", .letter = 'o', .type = OPTION_CHOICE,                        \
	  .offset = offsetof(values, member), .value = (words),                          \
	  .help = "how to print", .fallback = (default_word) }
/* clang-format on */

bool output_is_json(const char *format);

/* On a terminal, unless NO_COLOR is set to something or TERM is dumb. */
bool output_has_colour(FILE *out);

enum colour {
	COLOUR_NONE,
	COLOUR_BOLD,
	COLOUR_RED,
	COLOUR_GREEN,
	COLOUR_YELLOW,
};

/* The colour of a verdict's word. */
enum colour colour_of_verdict(const char *word);

/* Of a line that begins with '+', '-' or '~'. */
enum colour colour_of_sign(char sign);

/* @s, made plain, between the sequences for @colour; bare for COLOUR_NONE. */
void text_add_colour(struct text *out, enum colour colour, const char *s);

struct column {
	const char *heading;
	bool is_right; /* numbers */
};

/* clang-format off */
#define LEFT(word)  { .heading = (word) }
#define RIGHT(word) { .heading = (word), .is_right = true }
/* clang-format on */

/* Cells are added row by row.  Made plain on the way in; widths are in code points. */
struct table {
	const struct column *columns;
	size_t count; /* of columns */
	size_t width; /* of a line; columns of text are cut so that it fits.  0: as wide as it is */
	VEC(char *) cells;
	VEC(enum colour) colours;
};

void table_add(struct table *t, const char *cell); /* NULL or "": a dash */
void table_addf(struct table *t, const char *format, ...) PRINTF_LIKE(2, 3);
void table_add_colour(struct table *t, enum colour colour, const char *cell);
void table_format(const struct table *t, bool has_colour, struct text *out);
void table_print(const struct table *t); /* on stdout */
void table_release(struct table *t);
#define _table_ _cleanup_(table_release)

#endif
