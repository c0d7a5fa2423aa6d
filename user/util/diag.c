/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/diag.h"

#include <assert.h>
#include <string.h>

#include "util/utf8.h"

#define LINE_WIDTH  160 /* columns of a source line that are shown */
#define LINE_BEFORE 60  /* of these, before the span in a line that is longer */

static const char *const level_names[] = {
	[DIAG_ERROR] = "error",
	[DIAG_WARNING] = "warning",
	[DIAG_NOTE] = "note",
};

/* A line of a source, and which of its columns to show. */
struct excerpt {
	const char *line;
	size_t len;          /* bytes */
	unsigned int from;   /* first column shown */
	unsigned int to;     /* first column not shown */
	unsigned int column; /* the caret's */
	bool is_cut;         /* columns are missing at the end */
};

void diag_add(struct diags *d, enum diag_level level, struct span at, const char *format, ...)
{
	_text_ struct text message = TEXT_INIT;
	va_list args;

	va_start(args, format);
	text_vaddf(&message, format, args);
	va_end(args);
	if (level == DIAG_ERROR)
		d->errors++;
	if (level == DIAG_WARNING)
		d->warnings++;
	vec_push(&d->list, (struct diag){.level = level, .at = at, .message = text_take(&message)});
}

/* The bytes of a line break at @s, 0 if there is none: YAML's breaks, as the columns are YAML's. */
static size_t break_len(const char *s, size_t len)
{
	uint32_t point;
	size_t n = utf8_next(s, len, &point);

	if (point == '\r' && len > 1 && s[1] == '\n')
		return 2;
	if (point == '\r' || point == '\n' || point == 0x85 || point == 0x2028 || point == 0x2029)
		return n;
	return 0;
}

static size_t line_len(const char *s, size_t len)
{
	uint32_t point;
	size_t n = 0;

	while (n < len && !break_len(s + n, len - n))
		n += utf8_next(s + n, len - n, &point);
	return n;
}

/* Without its break and without a BOM; false if the source has no such line. */
static bool find_line(const struct source *source, unsigned int number, struct excerpt *ret)
{
	const char *end = source->text + source->len;
	const char *line = source->text;
	size_t len;

	if (source->len >= 3 && !memcmp(line, "\xef\xbb\xbf", 3))
		line += 3;
	for (;; number--) {
		len = line_len(line, (size_t)(end - line));
		if (number == 1)
			break;
		if (line + len == end)
			return false;
		line += len + break_len(line + len, (size_t)(end - line) - len);
	}
	*ret = (struct excerpt){.line = line, .len = len};
	return true;
}

static unsigned int count_columns(const char *s, size_t len)
{
	unsigned int columns = 0;
	uint32_t point;

	for (; len; columns++) {
		size_t n = utf8_next(s, len, &point);

		s += n;
		len -= n;
	}
	return columns;
}

/* A long line is shown around the span; a span behind the line's end is right at its end. */
static void choose_columns(struct excerpt *e, unsigned int column)
{
	unsigned int columns = count_columns(e->line, e->len);

	e->column = column <= columns ? column : columns + 1;
	e->from = 1;
	e->to = columns + 1;
	if (columns <= LINE_WIDTH)
		return;
	if (e->column > LINE_BEFORE)
		e->from = e->column - LINE_BEFORE;
	if (e->to - e->from > LINE_WIDTH)
		e->to = e->from + LINE_WIDTH;
	e->is_cut = e->to <= columns;
}

/* Tabs are kept before the caret, so that it stands under its column. */
static char under(char c, unsigned int column, const struct excerpt *e)
{
	if (column < e->column)
		return c == '\t' ? '\t' : ' ';
	return column == e->column ? '^' : '~';
}

static void add_excerpt(struct text *out, const struct excerpt *e, unsigned int span_len)
{
	_text_ struct text carets = TEXT_INIT;
	const char *s = e->line;
	unsigned int column = 1;

	text_add(out, e->from > 1 ? "  ..." : "  ");
	text_add(&carets, e->from > 1 ? "     " : "  ");
	while (s < e->line + e->len && column < e->to) {
		uint32_t point;
		size_t n = utf8_next(s, (size_t)(e->line + e->len - s), &point);

		if (column >= e->from) {
			text_add_plain(out, s, n);
			if (column < e->column || column - e->column < span_len)
				text_addc(&carets, under(*s, column, e));
		}
		s += n;
		column++;
	}
	if (column == e->column)
		text_addc(&carets, '^');
	text_addf(out, "%s\n%s\n", e->is_cut ? "..." : "", carets.buf);
}

static void add_place(struct text *out, const struct span *at)
{
	if (!at->source)
		return;
	text_add_plain(out, at->source->name, strlen(at->source->name));
	if (at->line)
		text_addf(out, ":%u:%u", at->line, at->column);
	text_add(out, ": ");
}

static void add_diag(struct text *out, const struct diag *item)
{
	const struct span *at = &item->at;
	struct excerpt e;

	add_place(out, at);
	text_addf(out, "%s: ", level_names[item->level]);
	text_add_plain(out, item->message, strlen(item->message));
	if (item->id)
		text_addf(out, " [%s]", item->id);
	text_addc(out, '\n');
	if (!at->source || !at->line || !find_line(at->source, at->line, &e) || !e.len)
		return;
	assert(at->column);
	choose_columns(&e, at->column);
	add_excerpt(out, &e, at->len);
}

void diags_print(const struct diags *d, FILE *out)
{
	_text_ struct text text = TEXT_INIT;

	vec_foreach (item, &d->list) {
		text_reset(&text);
		add_diag(&text, item);
		fwrite(text.buf, 1, text.len, out);
	}
}

void diags_release(struct diags *d)
{
	vec_foreach (item, &d->list)
		free(item->message);
	vec_release(&d->list);
	d->errors = 0;
	d->warnings = 0;
}
