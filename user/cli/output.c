/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/output.h"

#include <assert.h>
#include <string.h>
#include <unistd.h>

#include "util/mem.h"
#include "util/utf8.h"

#define GAP       2 /* columns between two columns of a table */
#define NARROWEST 8 /* that a column of text is made */

static const char *const sequences[] = {
	[COLOUR_NONE] = "",          [COLOUR_BOLD] = "\033[1m",    [COLOUR_RED] = "\033[31m",
	[COLOUR_GREEN] = "\033[32m", [COLOUR_YELLOW] = "\033[33m",
};

/* clang-format off */
static const struct {
	const char *word;
	enum colour colour;
} verdict_colours[] = {
	{ "deny",   COLOUR_RED    },
	{ "allow",  COLOUR_GREEN  },
	{ "audit",  COLOUR_YELLOW },
	{ "mixed",  COLOUR_YELLOW },
	{ "error",  COLOUR_RED    },
	{ "ok",     COLOUR_GREEN  },
	{ "failed", COLOUR_RED    },
};
/* clang-format on */

bool output_is_json(const char *format)
{
	return !strcmp(format, "json");
}

bool output_has_colour(FILE *out)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	if ((no_color && *no_color) || !term || !strcmp(term, "dumb"))
		return false;
	return isatty(fileno(out));
}

enum colour colour_of_verdict(const char *word)
{
	for (size_t i = 0; i < COUNT(verdict_colours); i++)
		if (!strcmp(verdict_colours[i].word, word))
			return verdict_colours[i].colour;
	return COLOUR_NONE;
}

enum colour colour_of_sign(char sign)
{
	return sign == '+' ? COLOUR_GREEN : sign == '-' ? COLOUR_RED : COLOUR_YELLOW;
}

void text_add_colour(struct text *out, enum colour colour, const char *s)
{
	text_add(out, sequences[colour]);
	text_add_plain(out, s, strlen(s));
	if (colour != COLOUR_NONE)
		text_add(out, "\033[0m");
}

void table_add_colour(struct table *t, enum colour colour, const char *cell)
{
	_text_ struct text plain = TEXT_INIT;

	if (!cell || !*cell)
		cell = "-";
	text_add_plain(&plain, cell, strlen(cell));
	vec_push(&t->cells, text_take(&plain));
	vec_push(&t->colours, colour);
}

void table_add(struct table *t, const char *cell)
{
	table_add_colour(t, COLOUR_NONE, cell);
}

void table_addf(struct table *t, const char *format, ...)
{
	_text_ struct text cell = TEXT_INIT;
	va_list args;

	va_start(args, format);
	text_vaddf(&cell, format, args);
	va_end(args);
	table_add(t, cell.buf);
}

static size_t width_of(const char *s)
{
	size_t len = strlen(s), width = 0;

	for (; len; width++) {
		uint32_t point;
		size_t n = utf8_next(s, len, &point);

		s += n;
		len -= n;
	}
	return width;
}

static size_t column_width(const struct table *t, size_t column)
{
	size_t width = width_of(t->columns[column].heading);

	for (size_t i = column; i < t->cells.count; i += t->count) {
		size_t w = width_of(t->cells.items[i]);

		if (w > width)
			width = w;
	}
	return width;
}

/* How a cell stands in its column; the last column has no blanks behind it. */
struct place {
	size_t width;
	bool is_right;
	bool is_last;
};

/* Text that is too long for its column ends in this. */
static void add_cut(struct text *out, const char *cell, size_t width)
{
	size_t len = strlen(cell), at = 0;
	uint32_t point;

	for (size_t i = 0; i + 1 < width; i++)
		at += utf8_next(cell + at, len - at, &point);
	text_addn(out, cell, at);
	text_add(out, "…");
}

/* Takes from the widest columns of text what is too much, so that numbers stay in sight. */
static void narrow(const struct table *t, struct place *places)
{
	size_t sum = (t->count - 1) * GAP;

	for (size_t i = 0; i < t->count; i++)
		sum += places[i].width;
	for (; t->width && sum > t->width; sum--) {
		struct place *widest = NULL;

		for (size_t i = 0; i < t->count; i++) {
			if (!places[i].is_right && (!widest || places[i].width > widest->width))
				widest = &places[i];
		}
		if (!widest || widest->width <= NARROWEST)
			return;
		widest->width--;
	}
}

static void add_cell(struct text *out, const struct place *p, enum colour colour, const char *cell)
{
	_text_ struct text cut = TEXT_INIT;
	size_t width = width_of(cell);
	int blanks = p->width > width ? (int)(p->width - width) : 0;

	if (width > p->width) {
		add_cut(&cut, cell, p->width);
		cell = cut.buf;
	}
	if (p->is_right)
		text_addf(out, "%*s", blanks, "");
	text_add_colour(out, colour, cell);
	if (p->is_last)
		text_addc(out, '\n');
	else
		text_addf(out, "%*s", GAP + (p->is_right ? 0 : blanks), "");
}

void table_format(const struct table *t, bool has_colour, struct text *out)
{
	struct place *places = xcalloc(t->count, sizeof(*places));

	assert(t->cells.count % t->count == 0);
	for (size_t i = 0; i < t->count; i++)
		places[i] = (struct place){
			.width = column_width(t, i),
			.is_right = t->columns[i].is_right,
			.is_last = i + 1 == t->count,
		};
	narrow(t, places);
	for (size_t i = 0; i < t->count; i++)
		add_cell(out, &places[i], has_colour ? COLOUR_BOLD : COLOUR_NONE,
			 t->columns[i].heading);
	for (size_t i = 0; i < t->cells.count; i++)
		add_cell(out, &places[i % t->count], has_colour ? t->colours.items[i] : COLOUR_NONE,
			 t->cells.items[i]);
	free(places);
}

void table_print(const struct table *t)
{
	_text_ struct text out = TEXT_INIT;

	table_format(t, output_has_colour(stdout), &out);
	fwrite(out.buf, 1, out.len, stdout);
}

void table_release(struct table *t)
{
	vec_foreach (cell, &t->cells)
		free(*cell);
	vec_release(&t->cells);
	vec_release(&t->colours);
}
