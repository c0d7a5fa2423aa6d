/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/diag.h"

#include <assert.h>
#include <string.h>

#include "util/lines.h"
#include "util/utf8.h"

#define LINE_WIDTH  160 /* columns of a source line that are shown */
#define LINE_BEFORE 60  /* of these, before the span in a line that is longer */

/* A line of a source, and which of its columns to show. */
struct excerpt {
	const char *line;
	size_t len;          /* bytes */
	unsigned int from;   /* first column shown */
	unsigned int to;     /* first column not shown */
	unsigned int column; /* the caret's */
	bool is_cut;         /* columns are missing at the end */
};

const char *diag_level_word(enum diag_level level)
{
	static const char *const words[] = {
		[DIAG_ERROR] = "error",
		[DIAG_WARNING] = "warning",
		[DIAG_NOTE] = "note",
	};

	return words[level];
}

static void add(struct diags *d, struct diag item, const char *format, va_list args)
{
	_text_ struct text message = TEXT_INIT;

	if (item.level == DIAG_ERROR)
		d->errors++;
	if (item.level == DIAG_WARNING)
		d->warnings++;
	if (d->list.count >= DIAG_KEPT) {
		d->dropped += item.level != DIAG_NOTE;
		return;
	}
	text_vaddf(&message, format, args);
	item.message = text_take(&message);
	vec_push(&d->list, item);
}

void diag_add(struct diags *d, enum diag_level level, struct span at, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(d, (struct diag){.level = level, .at = at}, format, args);
	va_end(args);
}

void diag_finding(struct diags *d, const char *id, struct span at, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(d, (struct diag){.level = DIAG_WARNING, .id = id, .at = at}, format, args);
	va_end(args);
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

static void add_diag(struct text *out, const struct diag *item, struct lines *lines)
{
	const struct span *at = &item->at;
	struct line line;
	struct excerpt e;

	add_place(out, at);
	text_addf(out, "%s: ", diag_level_word(item->level));
	text_add_plain(out, item->message, strlen(item->message));
	if (item->id)
		text_addf(out, " [%s]", item->id);
	text_addc(out, '\n');
	if (!at->source || !at->line || !lines_find(lines, at->source, at->line, &line) ||
	    !line.len)
		return;
	assert(at->column);
	e = (struct excerpt){.line = line.start, .len = line.len};
	choose_columns(&e, at->column);
	add_excerpt(out, &e, at->len);
}

void diags_print(const struct diags *d, FILE *out)
{
	_text_ struct text text = TEXT_INIT;
	_lines_ struct lines lines = {};

	vec_foreach (item, &d->list) {
		text_reset(&text);
		add_diag(&text, item, &lines);
		fwrite(text.buf, 1, text.len, out);
	}
	if (d->dropped)
		fprintf(out, "%zu more are not shown\n", d->dropped);
}

const char *diags_first_error(const char *printed)
{
	static const char mark[] = "error: ";
	const char *at = strstr(printed, mark);

	return at ? at + strlen(mark) : printed;
}

void diags_cut(struct diags *d, const struct diags *before)
{
	for (size_t i = before->list.count; i < d->list.count; i++)
		free(d->list.items[i].message);
	d->list.count = before->list.count;
	d->errors = before->errors;
	d->warnings = before->warnings;
	d->dropped = before->dropped;
}

void diags_release(struct diags *d)
{
	vec_foreach (item, &d->list)
		free(item->message);
	vec_release(&d->list);
	d->errors = 0;
	d->warnings = 0;
	d->dropped = 0;
}
