/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/reference/sheet.h"

#include <string.h>

#include "policy/services.h"
#include "util/mem.h"

#define START "#|"
#define MARKS ".XRA-"

static void words_release(words *w)
{
	vec_foreach (word, w)
		free(*word);
	vec_release(w);
}

static void words_of(const char *s, size_t len, words *ret)
{
	const char *end = s + len;

	while (s < end) {
		size_t blanks = strspn(s, " "), n;

		s += blanks;
		n = strcspn(s, " |\n");
		if (s >= end || !n)
			return;
		vec_push(ret, xstrndup(s, n));
		s += n;
	}
}

static bool add_table(struct sheet *s, const words *left, words *right, struct text *reterr)
{
	struct sheet_table table = {};

	for (size_t i = 1; i < left->count; i++) {
		if (!services_parse(left->items[i], &table.services, reterr)) {
			vec_release(&table.services);
			return false;
		}
	}
	table.to = *right;
	*right = (words){};
	vec_push(&s->tables, table);
	return table.services.count && table.to.count;
}

static bool add_row(struct sheet *s, words *left, words *right)
{
	struct sheet_row row = {.from = *left, .marks = *right};
	struct sheet_table *table;

	if (!s->tables.count)
		return false;
	table = &s->tables.items[s->tables.count - 1];
	if (!left->count || right->count != table->to.count)
		return false;
	vec_foreach (mark, right) {
		if (strlen(*mark) != 1 || !strchr(MARKS, **mark))
			return false;
	}
	*left = *right = (words){};
	vec_push(&table->rows, row);
	return true;
}

static bool add_word(struct sheet *s, const words *line)
{
	if (line->count != 1)
		return false;
	if (!strcmp(line->items[0], "alone"))
		return s->is_alone = true;
	return s->is_broken = !strcmp(line->items[0], "broken");
}

static bool read_line(struct sheet *s, const char *line, size_t len, struct text *reterr)
{
	const char *bar = memchr(line, '|', len);
	size_t at = bar ? (size_t)(bar - line) : len;
	words left = {}, right = {};
	bool is_good;

	words_of(line, at, &left);
	if (bar)
		words_of(bar + 1, len - at - 1, &right);
	if (!bar)
		is_good = add_word(s, &left);
	else if (left.count > 1 && !strcmp(left.items[0], "to"))
		is_good = add_table(s, &left, &right, reterr);
	else
		is_good = add_row(s, &left, &right);
	words_release(&left);
	words_release(&right);
	return is_good;
}

bool sheet_read(const char *text, struct sheet *ret, struct text *reterr)
{
	memset(ret, 0, sizeof(*ret));
	for (const char *line = text, *end; *line; line = *end ? end + 1 : end) {
		end = strchrnul(line, '\n');
		if (strncmp(line, START, strlen(START)) != 0)
			continue;
		if (read_line(ret, line + strlen(START), (size_t)(end - line) - strlen(START),
			      reterr))
			continue;
		text_addf(reterr, "bad line of a truth table: '%.*s'", (int)(end - line), line);
		return false;
	}
	if (!ret->tables.count)
		text_add(reterr, "no truth table");
	return ret->tables.count;
}

void sheet_release(struct sheet *s)
{
	vec_foreach (table, &s->tables) {
		vec_foreach (row, &table->rows) {
			words_release(&row->from);
			words_release(&row->marks);
		}
		vec_release(&table->rows);
		vec_release(&table->services);
		words_release(&table->to);
	}
	vec_release(&s->tables);
}
