/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/lines.h"

#include <string.h>

#include "util/utf8.h"

#define INDEX_APART 4096  /* bytes between two lines whose places are known, at least */
#define LINE_BYTES  16384 /* a longer line isn't shown: many places in it would take long */

struct known_line {
	const char *start;
	unsigned int number;
};

/* Some lines of a source in order, the first among them: many places in it are found quickly. */
struct line_index {
	const struct source *source;
	VEC(struct known_line) lines;
};

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

static const struct line_index *index_of(struct lines *lines, const struct source *source)
{
	bool is_new;
	uint64_t *place;

	place = map_put(&lines->places, &source, sizeof(source), lines->list.count, &is_new);
	if (is_new) {
		vec_push(&lines->list, (struct line_index){.source = source});
		index_lines(&lines->list.items[*place]);
	}
	return &lines->list.items[*place];
}

void lines_release(struct lines *lines)
{
	vec_foreach (index, &lines->list)
		vec_release(&index->lines);
	vec_release(&lines->list);
	map_release(&lines->places);
}

bool lines_find(struct lines *lines, const struct source *source, unsigned int number,
		struct line *ret)
{
	const struct line_index *index = index_of(lines, source);
	const struct known_line *known = known_before(index, number);
	const char *end = source->text + source->len;
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
	*ret = (struct line){.start = line, .len = len};
	return true;
}

static const char *skip(const char *s, const char *end, unsigned int columns)
{
	uint32_t point;

	while (s < end && columns--)
		s += utf8_next(s, (size_t)(end - s), &point);
	return s;
}

struct line line_part(const struct line *line, unsigned int from, unsigned int to)
{
	const char *end = line->start + line->len;
	const char *start = skip(line->start, end, from - 1);

	return (struct line){.start = start, .len = (size_t)(skip(start, end, to - from) - start)};
}
