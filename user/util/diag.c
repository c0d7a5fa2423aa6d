/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/diag.h"

#include <assert.h>
#include <string.h>

#include "util/map.h"
#include "util/utf8.h"

#define INDEX_APART 4096  /* bytes between two lines whose places are known, at least */
#define LINE_BYTES  16384 /* a longer line isn't shown: many places in it would take long */
#define LINE_WIDTH  160   /* columns of a source line that are shown */
#define LINE_BEFORE 60    /* of these, before the span in a line that is longer */

static const char *const level_names[] = {
	[DIAG_ERROR] = "error",
	[DIAG_WARNING] = "warning",
	[DIAG_NOTE] = "note",
};

struct known_line {
	const char *start;
	unsigned int number;
};

/* Some lines of a source in order, the first among them: many places in it are found quickly. */
struct line_index {
	const struct source *source;
	VEC(struct known_line) lines;
};

/* Of each source that was printed from, by its address. */
struct line_indices {
	struct map places; /* -> index into list */
	VEC(struct line_index) list;
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

	while (n < len) {
		if (s[n] >= ' ' && s[n] <= '~') {
			n++;
			continue;
		}
		if (break_len(s + n, len - n))
			break;
		n += utf8_next(s + n, len - n, &point);
	}
	return n;
}

/* The start of the line after @line, which starts before @end; NULL if that is the last. */
static const char *next_line(const char *line, const char *end)
{
	size_t len = line_len(line, (size_t)(end - line));

	if (line + len == end)
		return NULL;
	return line + len + break_len(line + len, (size_t)(end - line) - len);
}

/* Lines start behind a BOM. */
static void index_lines(struct line_index *index)
{
	const struct source *source = index->source;
	const char *line = source->text, *last = NULL;

	if (source->len >= 3 && !memcmp(line, "\xef\xbb\xbf", 3))
		line += 3;
	for (unsigned int number = 1; line; number++) {
		if (!last || line - last >= INDEX_APART) {
			vec_push(&index->lines, (struct known_line){line, number});
			last = line;
		}
		line = next_line(line, source->text + source->len);
	}
}

/* The last known line that isn't after @number. */
static const struct known_line *known_before(const struct line_index *index, unsigned int number)
{
	size_t lo = 0, hi = index->lines.count;

	while (hi - lo > 1) {
		size_t middle = lo + (hi - lo) / 2;

		if (index->lines.items[middle].number <= number)
			lo = middle;
		else
			hi = middle;
	}
	return &index->lines.items[lo];
}

static const struct line_index *index_of(struct line_indices *indices, const struct source *source)
{
	bool is_new;
	uint64_t *place;

	place = map_put(&indices->places, &source, sizeof(source), indices->list.count, &is_new);
	if (is_new) {
		vec_push(&indices->list, (struct line_index){.source = source});
		index_lines(&indices->list.items[*place]);
	}
	return &indices->list.items[*place];
}

static void indices_release(struct line_indices *indices)
{
	vec_foreach (index, &indices->list)
		vec_release(&index->lines);
	vec_release(&indices->list);
	map_release(&indices->places);
}

/* Without its break; false if the source has no such line, or it is too long. */
static bool find_line(const struct line_index *index, unsigned int number, struct excerpt *ret)
{
	const char *end = index->source->text + index->source->len;
	const struct known_line *known = known_before(index, number);
	const char *line = known->start;
	size_t rest, len;

	for (unsigned int n = known->number; line && n < number; n++)
		line = next_line(line, end);
	if (!line)
		return false;
	rest = (size_t)(end - line);
	len = line_len(line, rest < LINE_BYTES ? rest : LINE_BYTES);
	if (len == LINE_BYTES)
		return false;
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

static void add_diag(struct text *out, const struct diag *item, struct line_indices *indices)
{
	const struct span *at = &item->at;
	struct excerpt e;

	add_place(out, at);
	text_addf(out, "%s: ", level_names[item->level]);
	text_add_plain(out, item->message, strlen(item->message));
	if (item->id)
		text_addf(out, " [%s]", item->id);
	text_addc(out, '\n');
	if (!at->source || !at->line || !find_line(index_of(indices, at->source), at->line, &e) ||
	    !e.len)
		return;
	assert(at->column);
	choose_columns(&e, at->column);
	add_excerpt(out, &e, at->len);
}

void diags_print(const struct diags *d, FILE *out)
{
	_text_ struct text text = TEXT_INIT;
	struct line_indices indices = {};

	vec_foreach (item, &d->list) {
		text_reset(&text);
		add_diag(&text, item, &indices);
		fwrite(text.buf, 1, text.len, out);
	}
	indices_release(&indices);
	if (d->dropped)
		fprintf(out, "%zu more are not shown\n", d->dropped);
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
